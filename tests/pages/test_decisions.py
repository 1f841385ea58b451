"""What was decided about a correction, by whom and why, reaches the person who asked."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from recordings import services
from recordings.models import Operation
from recordings.services import Requester
from tests import cast
from tests.pages.conftest import SignIn
from tests.pages.corrections import asked, unknown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


@pytest.fixture
def waiting(now: datetime, mira: User) -> Operation:
    call = cast.call(at=now - timedelta(minutes=5), capture="stopped", told="recording")
    return asked(call, by=mira, now=now, wish="notRecording")


def pages_of(operation: Operation, client: Client) -> list[str]:
    urls = (
        reverse("call_detail", args=[operation.call.graph_id]),
        reverse("approval_detail", args=[operation.pk]),
    )
    return [" ".join(client.get(url).text.split()) for url in urls]


def test_a_decline_is_shown_with_who_and_why(
    now: datetime, mira: User, tom: User, waiting: Operation, signed_in: SignIn
) -> None:
    services.decline(waiting, by=Requester.at_screen(tom), reason="the log says otherwise", now=now)
    stamp = f"{now:%H:%M:%S}</time>"
    for page in pages_of(waiting, signed_in(mira)):
        assert "<b>Declined by tom</b>" in page
        assert f"{stamp}: the log says otherwise" in page


def test_a_decided_wish_no_longer_asks_and_no_longer_expires(
    now: datetime, mira: User, tom: User, waiting: Operation, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    open_page = pages_of(waiting, client)[1]
    assert "Tell Teams “Not recording”?" in open_page
    assert "<dt>Expires</dt>" in open_page
    services.decline(waiting, by=Requester.at_screen(tom), reason="no", now=now)
    decided = pages_of(waiting, client)[1]
    assert "Tell Teams “Not recording”?" not in decided
    assert "<dt>Expires</dt>" not in decided


def test_an_approval_is_shown_with_its_evidence_and_comment(
    now: datetime, mira: User, tom: User, waiting: Operation, signed_in: SignIn
) -> None:
    services.approve(waiting, by=Requester.at_screen(tom), reason="seen with my eyes", evidence="INC-7", now=now)
    for page in pages_of(waiting, signed_in(mira)):
        assert "<b>Approved by tom</b>" in page
        assert ": seen with my eyes" in page
        assert "Evidence: INC-7" in page


def test_a_wish_replaced_by_another_says_why(now: datetime, mira: User, waiting: Operation, signed_in: SignIn) -> None:
    asked(waiting.call, by=mira, now=now, wish="notRecording")
    for page in pages_of(waiting, signed_in(mira)):
        assert "Cancelled by mira" in page
        assert "another correction took its place" in page


def test_one_closed_as_unresolved_says_who_closed_it_and_why(now: datetime, mira: User, signed_in: SignIn) -> None:
    operation = unknown(cast.call(at=now), by=mira, now=now)
    services.close_as_unresolved(operation, by=Requester.at_screen(mira), reason="Microsoft never answered", now=now)
    page = pages_of(operation, signed_in(mira))[0]
    assert "<b>Closed as unresolved by mira</b>" in page
    assert ": Microsoft never answered" in page
