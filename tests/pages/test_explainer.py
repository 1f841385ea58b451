"""A correction that went wrong is explained in the same words wherever it is shown."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils.html import escape

from recordings import operations
from recordings.choices import AttemptOutcome, OperationStatus
from recordings.management.verdicts import verdict_of
from recordings.models import Actor, Operation
from recordings.operations import Outcome
from tests import cast
from tests.pages.conftest import SignIn
from tests.pages.corrections import LOST, asked, tried, unknown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


def text_of(page: str) -> str:
    return " ".join(page.split())


def refused(*, by: User, now: datetime) -> Operation:
    outcome = Outcome(AttemptOutcome.REFUSED, http_status=403, code="7504", request_id="request-9")
    return tried(asked(cast.call(at=now), by=by, now=now), outcome, to=OperationStatus.FAILED, now=now)


def failed_by_notification(*, by: User, now: datetime) -> Operation:
    """The answer was lost, and Graph's notification came later."""
    operation = unknown(cast.call(at=now), by=by, now=now)
    with transaction.atomic():
        word = Outcome(AttemptOutcome.ACCEPTED, code="500", subcode="7001", graph_status="failed")
        operations.settle(operation, word, to=OperationStatus.FAILED, actor=Actor.objects.graph(), now=now)
    return operation


def given_up(*, by: User, now: datetime) -> Operation:
    """The answer was lost twice."""
    operation = tried(unknown(cast.call(at=now), by=by, now=now), LOST, to=OperationStatus.UNKNOWN, now=now)
    with transaction.atomic():
        operations.move(operation, OperationStatus.UNRESOLVED, actor=Actor.objects.job("settler"), now=now)
    return operation


@pytest.mark.parametrize("came_to", [refused, failed_by_notification, given_up])
def test_the_list_the_call_and_the_command_say_the_same(
    came_to: Callable[..., Operation], now: datetime, mira: User, signed_in: SignIn
) -> None:
    operation = Operation.objects.select_related("call").get(pk=came_to(by=mira, now=now).pk)
    explained = operation.explained()
    assert explained is not None
    client = signed_in(mira)
    pages = [reverse("operation_list"), reverse("call_detail", args=["call-1"])]
    for page in (text_of(client.get(url).text) for url in pages):
        for words in (explained.title, explained.meaning, explained.next_step, explained.retry_words):
            assert escape(words) in page
    facts = verdict_of(operation).facts
    assert facts["explanation"] == explained.meaning
    assert facts["next_step"] == explained.next_step
    assert facts["retry_can_work"] is explained.retry_can_work


def test_a_later_word_of_graph_is_not_shown_as_open(now: datetime, mira: User, signed_in: SignIn) -> None:
    failed_by_notification(by=mira, now=now)
    page = text_of(signed_in(mira).get(reverse("operation_list")).text)
    assert "500 · code 7001" in text_of(page.replace('<span class="num">', "").replace("</span>", ""))
    assert "Microsoft could not carry it out" in page
    assert "may have acted" not in page


def test_after_the_call_another_correction_is_not_offered(now: datetime, mira: User, signed_in: SignIn) -> None:
    failed_by_notification(by=mira, now=now)
    cast.tell("call.ended", "call-1", at=now)
    page = text_of(signed_in(mira).get(reverse("operation_list")).text)
    assert "The call is over, so Teams cannot be told any more." in page
    assert "Trying again cannot work." in page
    assert reverse("correct_call", args=["call-1"]) not in page


def test_one_that_went_well_needs_no_words(now: datetime, mira: User) -> None:
    done = Outcome(AttemptOutcome.ACCEPTED, http_status=200, graph_status="completed")
    operation = tried(asked(cast.call(at=now), by=mira, now=now), done, to=OperationStatus.COMPLETED, now=now)
    assert operation.explained() is None
    assert "explanation" not in verdict_of(operation).facts
