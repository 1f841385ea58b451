"""What machines post to us. An accepted message is stored before 202 is sent; a bad one gets one clear sentence."""

import json
import logging
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from recordings.graph.callbacks import CallbackConfig, CallbackKeysUnavailable, CallbackRejected, CallbackVerifier
from recordings.graph.clouds import CLOUDS
from recordings.graph.wire import WireError, parse_notifications
from recordings.ingest import BadEvent, NotYours, ingest_event, ingest_notifications, parse_event
from recordings.models import Recorder

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024
MESSAGE_ID_HEADER = "X-Microsoft-Skype-Message-ID"


class NotConfigured(Exception):
    """The settings do not say whose notifications are ours. Nothing was stored."""


class TooLong(Exception):
    """The body is longer than we read. Nothing was stored."""


@csrf_exempt
@sensitive_post_parameters()
@require_POST
def graph_notifications(request: HttpRequest) -> HttpResponse:
    """Graph's calling notifications, or an exact copy forwarded with its original token.

    Reference: https://learn.microsoft.com/graph/api/resources/commsnotification
    """
    now = timezone.now()
    try:
        claims = _verifier().verify(request.headers.get("Authorization"), now=now)
    except NotConfigured as problem:
        logger.warning("notification postponed: %s", problem)
        return _problem(503, "This site is not configured to take notifications. Nothing was stored.")
    except CallbackRejected as rejected:
        logger.warning("notification refused: %s", rejected)
        return _problem(401, "The token of this notification was not accepted.")
    except CallbackKeysUnavailable as problem:
        logger.warning("notification postponed: %s", problem)
        return _problem(503, "The keys to check this notification's token cannot be fetched now. Send it again later.")
    try:
        body = _body(request)
        notifications = parse_notifications(_json(body))
    except TooLong:
        return _too_long()
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
@require_POST
def recorder_events(request: HttpRequest) -> HttpResponse:
    """One CloudEvent of a recorder (structured mode), with the recorder's own bearer token."""
    recorder = _recorder(request.headers.get("Authorization", ""))
    if recorder is None:
        logger.warning("recorder event refused: unknown or disabled token")
        return _problem(401, "This token is not known, or was switched off.")
    now = timezone.now()
    try:
        body = _body(request)
        ingest_event(parse_event(body, now=now), recorder=recorder, body=body, now=now)
    except TooLong:
        return _too_long()
    except BadEvent as error:
        return _problem(400, f"{error} Nothing was stored.")
    except NotYours as error:
        return _problem(403, f"{error} Nothing was stored.")
    return HttpResponse(status=202)


@sensitive_variables("authorization", "token")
def _recorder(authorization: str) -> Recorder | None:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    return Recorder.objects.filter(token_hash=Recorder.hash_token(token.strip()), disabled_at__isnull=True).first()


def _body(request: HttpRequest) -> bytes:
    """The body, of at most MAX_BODY_BYTES; a length that is announced too long is not even read.

    A body sent in chunks announces none, and Django reads nothing then: the server's own stream has it, where the
    server says that the stream ends with the body.
    """
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
        raise TooLong
    in_chunks = not announced and request.META.get("wsgi.input_terminated")
    body: bytes = (request.META["wsgi.input"] if in_chunks else request).read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise TooLong
    return body


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError("body", "is not JSON") from error


def _verifier() -> CallbackVerifier:
    """The verifier for the settings of now; tests change settings, so the settings are the cache's key.

    Raises NotConfigured: a tenant that is not named would mean notifications about any.
    """
    cloud = CLOUDS.get(settings.GRAPH_CLOUD)
    audience = settings.CALLBACK_AUDIENCE or settings.GRAPH_CLIENT_ID
    if cloud is None or not audience or not settings.GRAPH_TENANT_ID:
        raise NotConfigured("GRAPH_CLOUD, GRAPH_TENANT_ID or GRAPH_CLIENT_ID is missing or not known")
    issuers = tuple(settings.CALLBACK_ISSUERS) or cloud.callback_issuers
    if not issuers or not (settings.CALLBACK_JWKS_URL or cloud.callback_metadata_url):
        raise NotConfigured("CALLBACK_ISSUERS or CALLBACK_JWKS_URL is missing, and nobody has published them")
    return _verifier_of(
        CallbackConfig(
            audience=audience,
            issuers=issuers,
            metadata_url=None if settings.CALLBACK_JWKS_URL else cloud.callback_metadata_url,
            jwks_url=settings.CALLBACK_JWKS_URL or None,
            tenants=(settings.GRAPH_TENANT_ID,),
            ca_bundle=settings.GRAPH_CA_BUNDLE or None,
            proxy=settings.GRAPH_PROXY or None,
        )
    )


@cache
def _verifier_of(config: CallbackConfig) -> CallbackVerifier:
    return CallbackVerifier(config)


def _too_long() -> JsonResponse:
    return _problem(413, f"The message is longer than {MAX_BODY_BYTES} bytes. Nothing was stored.")


def _problem(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)
