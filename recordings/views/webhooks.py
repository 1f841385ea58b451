"""What machines post to us. An accepted message is stored before 202 is sent; a bad one gets one clear sentence."""

import json
import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from recordings.graph.callbacks import CallbackKeysUnavailable, CallbackRejected
from recordings.graph.wire import WireError, parse_notifications
from recordings.ingest import BadEvent, NotYours, TooManyEvents, ingest_events, ingest_notifications, parse_events
from recordings.models import Recorder
from recordings.views.callback_tokens import NotConfigured, verifier, vouched_by_graph

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024
# 500 events of a real call, with names and a forwarded notification here and there, need about 1 MiB.
MAX_BATCH_BYTES = 4 * 1024 * 1024
MESSAGE_ID_HEADER = "X-Microsoft-Skype-Message-ID"


class TooLong(Exception):
    """The body is longer than we read. Nothing was stored."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The message is longer than {limit} bytes.")


_REFUSALS: dict[type[Exception], int] = {TooLong: 413, TooManyEvents: 413, BadEvent: 400, NotYours: 403}


@csrf_exempt
@sensitive_post_parameters()
@require_POST
def graph_notifications(request: HttpRequest) -> HttpResponse:
    """Graph's calling notifications, or an exact copy forwarded with its original token.

    Reference: https://learn.microsoft.com/graph/api/resources/commsnotification
    """
    now = timezone.now()
    try:
        claims = verifier().verify(request.headers.get("Authorization"), now=now)
    except CallbackRejected as rejected:
        logger.warning("notification refused: %s", rejected)
        return _problem(401, "The token of this notification was not accepted.")
    except (NotConfigured, CallbackKeysUnavailable) as problem:
        return _postponed(problem)
    try:
        body = _body(request, limit=MAX_BODY_BYTES)
        notifications = parse_notifications(_json(body))
    except TooLong as refused:
        return _problem(413, f"{refused} Nothing was stored.")
    except WireError as error:
        return _problem(400, f"{error}. Nothing was stored.")
    ingest_notifications(
        notifications,
        tenant_id=claims.tenant_id,
        message_id=request.headers.get(MESSAGE_ID_HEADER, "")[:128],
        body=body,
        now=now,
    )
    return HttpResponse(status=202)


@csrf_exempt
@sensitive_post_parameters()
@sensitive_variables()
@require_POST
def recorder_events(request: HttpRequest) -> HttpResponse:
    """A recorder's CloudEvents, one in structured mode or a batch, with the recorder's own bearer token."""
    recorder = _recorder(request.headers.get("Authorization", ""))
    if recorder is None:
        logger.warning("recorder event refused: unknown or disabled token")
        return _problem(401, "This token is not known, or was switched off.")
    now = timezone.now()
    try:
        body = _body(request, limit=MAX_BATCH_BYTES)
        events = parse_events(body, now=now)
        vouched = vouched_by_graph(events, now=now)
        ingest_events(events, recorder=recorder, body=body, vouched=vouched, now=now)
    except (TooLong, TooManyEvents, BadEvent, NotYours) as refused:
        return _problem(_REFUSALS[type(refused)], f"{refused} Nothing was stored.")
    except (NotConfigured, CallbackKeysUnavailable) as problem:
        return _postponed(problem)
    return HttpResponse(status=202)


@sensitive_variables("authorization", "token")
def _recorder(authorization: str) -> Recorder | None:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    return Recorder.objects.filter(token_hash=Recorder.hash_token(token.strip()), disabled_at__isnull=True).first()


def _body(request: HttpRequest, *, limit: int) -> bytes:
    """The body, of at most `limit` bytes; a length that is announced too long is not even read.

    A body sent in chunks announces none, and Django reads nothing then: the server's own stream has it, where the
    server says that the stream ends with the body.
    """
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise TooLong(limit)
    in_chunks = not announced and request.META.get("wsgi.input_terminated")
    body: bytes = (request.META["wsgi.input"] if in_chunks else request).read(limit + 1)
    if len(body) > limit:
        raise TooLong(limit)
    return body


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError("body", "is not JSON") from error


def _postponed(problem: NotConfigured | CallbackKeysUnavailable) -> JsonResponse:
    """Graph's token can be neither accepted nor refused now, so that the same post is wanted again."""
    logger.warning("notification postponed: %s", problem)
    if isinstance(problem, NotConfigured):
        return _problem(503, "This site is not configured to take notifications. Nothing was stored.")
    return _problem(
        503,
        "The keys to check a notification's token cannot be fetched now. Nothing was stored. Send it again later.",
    )


def _problem(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)
