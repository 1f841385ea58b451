"""Finding out what became of a correction, when a person asks for it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recordings import services
from recordings.choices import OperationStatus
from recordings.models import Call, Operation
from sandbox.server import Sandbox
from tests import cast
from tests.pages.corrections import asked, unknown

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(sandbox: Sandbox, mira: User) -> Operation:
    """Microsoft acted, and its answer was lost on the way."""
    sandbox.add_call(call_id="call-1")
    sandbox.fault("close", when="after", action="updateRecordingStatus")
    call = cast.call("call-1", at=timezone.now())
    operation = services.send_operation(asked(call, by=mira, now=timezone.now()).pk)
    assert operation.status == OperationStatus.UNKNOWN
    Operation.objects.filter(pk=operation.pk).update(send_after=None)
    return operation


def check(client: Client, operation: Operation) -> list[str]:
    """What the person is told, on the page the button leads back to."""
    response = client.post(reverse("check_operation", args=[operation.pk]), follow=True)
    return [str(message) for message in response.context["messages"]]


def test_an_outcome_that_can_be_found_out_is_found_out(
    client: Client, mira: User, lost: Operation, sandbox: Sandbox
) -> None:
    sandbox.settings(list_operations=True)
    client.force_login(mira)
    assert check(client, lost) == ["Teams was told “Failed”. Microsoft confirmed it."]
    lost.refresh_from_db()
    assert lost.status == OperationStatus.COMPLETED


def test_an_outcome_that_cannot_be_found_out_stays_unknown_and_nothing_is_sent_again(
    client: Client, mira: User, lost: Operation, sandbox: Sandbox
) -> None:
    client.force_login(mira)
    [said] = check(client, lost)
    assert "do not send it again" in said
    lost.refresh_from_db()
    assert lost.status == OperationStatus.UNKNOWN
    assert lost.attempts.count() == 1


def test_asking_twice_in_a_row_says_that_nothing_was_asked(client: Client, mira: User, lost: Operation) -> None:
    client.force_login(mira)
    check(client, lost)
    [said] = check(client, lost)
    assert said.startswith("Nothing was asked: On Record asked a moment ago")


def test_a_finished_correction_is_not_asked_about(client: Client, mira: User) -> None:
    call = cast.call("call-1", at=timezone.now())
    operation = unknown(call, by=mira, now=timezone.now())
    by = services.Requester.at_screen(mira)
    services.close_as_unresolved(operation, by=by, reason="nobody knows", now=timezone.now())
    client.force_login(mira)
    [said] = check(client, operation)
    assert "could not be found out" in said


def test_the_way_back_is_the_page_the_button_was_on(client: Client, mira: User) -> None:
    call: Call = cast.call("call-1", at=timezone.now() - timedelta(minutes=1))
    operation = asked(call, by=mira, now=timezone.now())
    client.force_login(mira)
    page = "http://testserver/operations/?status=unknown"
    response = client.post(reverse("check_operation", args=[operation.pk]), headers={"referer": page})
    assert response.headers["Location"] == page


def test_a_get_asks_nothing(client: Client, mira: User, lost: Operation, sandbox: Sandbox) -> None:
    client.force_login(mira)
    response = client.get(reverse("check_operation", args=[lost.pk]))
    assert response.headers["Location"] == reverse("operation_list")
    lost.refresh_from_db()
    assert lost.leased_until is None


def test_checking_needs_the_right_to_correct(client: Client, olga: User, lost: Operation) -> None:
    client.force_login(olga)
    assert client.post(reverse("check_operation", args=[lost.pk])).status_code == 403
