"""The second person says no, with a reason."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recordings.choices import OperationStatus
from recordings.models import Operation
from sandbox.server import Sandbox
from tests import cast
from tests.pages.corrections import asked

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(sandbox: Sandbox, mira: User) -> Operation:
    sandbox.add_call(call_id="call-1")
    call = cast.call("call-1", at=timezone.now() - timedelta(minutes=5), capture="stopped", told="recording")
    return asked(call, by=mira, now=timezone.now(), wish="notRecording")


def test_a_reason_declines_it_and_nothing_is_sent(
    client: Client, tom: User, waiting: Operation, sandbox: Sandbox
) -> None:
    client.force_login(tom)
    url = reverse("decline_operation", args=[waiting.pk])
    page = client.post(url, {"reason": "the log says otherwise"}, follow=True).content.decode()
    assert "Declined. Nothing was sent" in page
    assert "the log says otherwise" in page
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.DECLINED
    assert sandbox.operations() == []


def test_without_a_reason_it_still_waits(client: Client, tom: User, waiting: Operation) -> None:
    client.force_login(tom)
    response = client.post(reverse("decline_operation", args=[waiting.pk]), {"reason": " "})
    assert response.status_code == 422
    assert "Say why, so that the person who asked knows what to do." in response.content.decode()
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.AWAITING_APPROVAL


def test_the_requester_cannot_decline_their_own(client: Client, tom: User, sandbox: Sandbox) -> None:
    call = cast.call("call-2", at=timezone.now() - timedelta(minutes=5), capture="stopped", told="recording")
    own = asked(call, by=tom, now=timezone.now(), wish="notRecording")
    client.force_login(tom)
    response = client.post(reverse("decline_operation", args=[own.pk]), {"reason": "changed my mind"})
    assert response.status_code == 422
    own.refresh_from_db()
    assert own.status == OperationStatus.AWAITING_APPROVAL


def test_declining_needs_an_approver(client: Client, mira: User, waiting: Operation) -> None:
    client.force_login(mira)
    assert client.post(reverse("decline_operation", args=[waiting.pk]), {"reason": "x"}).status_code == 403
