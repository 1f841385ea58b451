"""The second person: the inbox, a fresh reading, and the yes."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from recordings import services
from recordings.choices import OperationStatus
from recordings.models import Call, Operation
from recordings.models.keys import new_key
from recordings.views.approvals import MOST_WAITING
from sandbox.server import Sandbox
from tests import cast
from tests.pages.corrections import asked

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(sandbox: Sandbox) -> Call:
    """A live call whose recorder has said nothing for five minutes."""
    sandbox.add_call(call_id="call-1")
    return cast.call("call-1", at=timezone.now() - timedelta(minutes=5), capture="stopped", told="recording")


@pytest.fixture
def waiting(call: Call, mira: User) -> Operation:
    operation = asked(call, by=mira, now=timezone.now(), wish="notRecording", reason="the desk saw it stop")
    assert operation.status == OperationStatus.AWAITING_APPROVAL
    return operation


def page_of(client: Client, operation: Operation) -> str:
    response = client.get(reverse("approval_detail", args=[operation.pk]))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def approve(client: Client, operation: Operation, **typed: str) -> tuple[int, str]:
    typed = {"evidence": "https://tickets.contoso.example/4711", **typed}
    response = client.post(reverse("approve_operation", args=[operation.pk]), typed, follow=True)
    return response.status_code, " ".join(response.content.decode().split())


def test_the_inbox_shows_what_waits_oldest_first_and_when_it_expires(
    client: Client, tom: User, mira: User, waiting: Operation
) -> None:
    call = cast.call("call-2", at=timezone.now() - timedelta(minutes=5), capture="stopped", told="recording")
    later = asked(call, by=mira, now=timezone.now(), wish="notRecording")
    client.force_login(tom)
    response = client.get(reverse("approval_list"))
    assert [row.operation for row in response.context["waiting"]] == [waiting, later]
    page = response.content.decode()
    assert "the desk saw it stop" in page
    assert " left</span>" in page
    assert reverse("approval_detail", args=[waiting.pk]) in page


def counted(client: Client) -> int:
    """The number beside Approvals in the navigation."""
    page = client.get(reverse("approval_list")).content.decode()
    found = re.search(r'class="count[^"]*">(\d+)<span class="sr"> waiting for you<', page)
    return int(found[1]) if found else 0


def test_the_navigation_counts_what_the_reader_can_decide(
    client: Client, tom: User, mira: User, olga: User, waiting: Operation, sandbox: Sandbox
) -> None:
    """Neither their own, at the screen or in a shell, nor what has expired; and nothing for who cannot decide."""
    now = timezone.now()
    for number, by in enumerate(
        [
            services.Requester.at_screen(mira),
            services.Requester.at_screen(tom),
            services.Requester.at_shell(tom),
        ],
        start=2,
    ):
        call = cast.call(f"call-{number}", at=now - timedelta(minutes=5), capture="stopped", told="recording")
        services.request_correction(call, wish="notRecording", reason="the desk saw it stop", by=by, now=now)
    expired = Operation.objects.filter(call__graph_id="call-2")
    client.force_login(tom)
    assert counted(client) == 2
    expired.update(expires_after=now - timedelta(seconds=1))
    assert counted(client) == 1
    page = client.get(reverse("approval_list"))
    assert [row.operation for row in page.context["waiting"] if row.can_decide] == [waiting]
    assert page.content.decode().count("you asked for it") == 2
    assert "has expired" in page.content.decode()
    for other in (mira, olga):
        client.force_login(other)
        assert counted(client) == 0


def test_the_count_costs_one_query_and_no_row_costs_any(
    client: Client, tom: User, olga: User, mira: User, waiting: Operation
) -> None:
    queries = []
    for person in (olga, tom, tom):
        client.force_login(person)
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("approval_list"))
        queries.append(len(seen))
        graph_id = f"call-{len(queries) + 1}"
        call = cast.call(graph_id, at=timezone.now() - timedelta(minutes=5), capture="stopped", told="recording")
        asked(call, by=mira, now=timezone.now(), wish="notRecording")
    of_who_only_looks, of_the_approver, with_more_waiting = queries
    assert of_the_approver == with_more_waiting == of_who_only_looks + 1


def test_an_inbox_with_more_than_it_shows_says_so(client: Client, tom: User, waiting: Operation) -> None:
    client.force_login(tom)
    assert "The oldest" not in client.get(reverse("approval_list")).content.decode()
    more = [new_key() for _ in range(MOST_WAITING)]
    alike = {field.attname: getattr(waiting, field.attname) for field in Operation._meta.concrete_fields}
    Operation.objects.bulk_create(Operation(**{**alike, "id": key, "client_context": str(key)}) for key in more)
    page = client.get(reverse("approval_list"))
    assert "The oldest 200 are shown" in page.content.decode()
    assert [row.operation.pk for row in page.context["waiting"]] == [waiting.pk, *more[:-1]]


def test_an_empty_inbox_says_so(client: Client, tom: User) -> None:
    client.force_login(tom)
    page = client.get(reverse("approval_list")).content.decode()
    assert "Nothing waits for approval" in page
    assert "Nothing has been decided yet" in page


def test_the_page_shows_who_asked_why_and_why_a_second_person(client: Client, tom: User, waiting: Operation) -> None:
    client.force_login(tom)
    page = page_of(client, waiting)
    for words in ("mira", "the desk saw it stop", waiting.needs_approval_why, "Not recording", "Stopped"):
        assert words in page


def test_the_approver_sees_a_fresh_reading(client: Client, tom: User, waiting: Operation, sandbox: Sandbox) -> None:
    sandbox.change_call("call-1", state="hold")
    client.force_login(tom)
    page = page_of(client, waiting)
    assert "Microsoft was asked at" in page
    assert "On hold" in page


def test_the_approver_is_told_before_the_click_that_it_would_not_be_sent(
    client: Client, tom: User, waiting: Operation
) -> None:
    cast.heartbeat("call-1", at=timezone.now(), capture="capturing")
    client.force_login(tom)
    page = page_of(client, waiting)
    assert "As the call is now, On Record would not send this." in page
    assert "The recorder says it is capturing. Stop the recorder first. If you approve, it is cancelled" in page


def test_one_that_ended_says_what_that_means(client: Client, tom: User, waiting: Operation) -> None:
    by = services.Requester.at_screen(tom)
    services.decline(waiting, by=by, reason="not convinced", now=timezone.now())
    client.force_login(tom)
    assert "An approver said no, so nothing was sent." in page_of(client, waiting)


def test_the_time_left_stands_on_the_page(client: Client, tom: User, waiting: Operation) -> None:
    Operation.objects.filter(pk=waiting.pk).update(expires_after=timezone.now() + timedelta(minutes=90, seconds=30))
    client.force_login(tom)
    assert "1 h 30 min left" in page_of(client, waiting)


def test_if_microsoft_cannot_be_asked_the_page_says_so(
    client: Client, tom: User, waiting: Operation, sandbox: Sandbox
) -> None:
    sandbox.fault("error", status=503, action="getCall")
    client.force_login(tom)
    page = page_of(client, waiting)
    assert "Microsoft could not be asked, so what you see is older." in page
    assert "Approve and send" in page


def test_who_only_looks_gets_no_reading_and_no_form(
    client: Client, olga: User, waiting: Operation, sandbox: Sandbox
) -> None:
    client.force_login(olga)
    page = page_of(client, waiting)
    assert "Your role does not include approving" in page
    assert "Microsoft was not asked for this page" in page
    assert 'name="evidence"' not in page


def test_an_approval_sends_it_and_says_what_came_back(client: Client, tom: User, waiting: Operation) -> None:
    client.force_login(tom)
    status, page = approve(client, waiting, comment="saw the log myself")
    assert status == 200
    assert "Teams was told “Not recording”. Microsoft confirmed it." in page
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.COMPLETED
    assert waiting.evidence == "https://tickets.contoso.example/4711"
    decided = client.get(reverse("approval_list")).content.decode()
    assert "https://tickets.contoso.example/4711" in decided
    assert "Correction approved" in decided


def test_a_lost_answer_is_told_as_lost(client: Client, tom: User, waiting: Operation, sandbox: Sandbox) -> None:
    sandbox.fault("close", when="after", action="updateRecordingStatus")
    client.force_login(tom)
    _, page = approve(client, waiting)
    assert "No clear answer came: Teams may have been told or not." in page


def test_without_evidence_nothing_is_approved_and_the_comment_is_kept(
    client: Client, tom: User, waiting: Operation
) -> None:
    client.force_login(tom)
    status, page = approve(client, waiting, evidence="  ", comment="a long comment")
    assert status == 422
    assert "Say what shows that this is true" in page
    assert "a long comment" in page
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.AWAITING_APPROVAL


@pytest.mark.parametrize("is_superuser", [False, True])
def test_the_requester_cannot_approve_superuser_or_not(
    client: Client, tom: User, call: Call, sandbox: Sandbox, is_superuser: bool
) -> None:
    tom.is_superuser = is_superuser
    tom.save()
    own = asked(call, by=tom, now=timezone.now(), wish="notRecording")
    client.force_login(tom)
    assert "You asked for this yourself" in page_of(client, own)
    status, page = approve(client, own)
    assert status == 422
    assert "You asked for this correction, so somebody else must approve it." in page
    own.refresh_from_db()
    assert own.status == OperationStatus.AWAITING_APPROVAL
    assert sandbox.operations() == []


@pytest.mark.parametrize("name", ["mira", "olga", "ada"])
def test_only_an_approver_approves(
    client: Client, request: pytest.FixtureRequest, waiting: Operation, name: str
) -> None:
    client.force_login(request.getfixturevalue(name))
    status, _ = approve(client, waiting)
    assert status == 403
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.AWAITING_APPROVAL


def test_an_expired_one_says_so_and_is_refused_with_the_typed_text_kept(
    client: Client, tom: User, waiting: Operation
) -> None:
    Operation.objects.filter(pk=waiting.pk).update(expires_after=timezone.now() - timedelta(seconds=1))
    client.force_login(tom)
    assert "The time to approve this has passed" in page_of(client, waiting)
    status, page = approve(client, waiting)
    assert status == 422
    assert "The time to approve this correction has passed. Ask for it again." in page


def test_one_that_was_decided_meanwhile_is_refused(client: Client, tom: User, waiting: Operation) -> None:
    by = services.Requester.at_screen(tom)
    services.decline(waiting, by=by, reason="not convinced", now=timezone.now())
    client.force_login(tom)
    assert "This no longer waits for approval" in page_of(client, waiting)
    status, page = approve(client, waiting)
    assert status == 422
    assert "no longer waits" in page


def test_facts_that_turned_against_it_cancel_it_and_nothing_is_sent(
    client: Client, tom: User, waiting: Operation, sandbox: Sandbox
) -> None:
    cast.heartbeat("call-1", at=timezone.now(), capture="capturing")
    client.force_login(tom)
    status, page = approve(client, waiting)
    assert status == 422
    assert "The recorder says it is capturing. Stop the recorder first." in page
    waiting.refresh_from_db()
    assert waiting.status == OperationStatus.CANCELLED
    assert sandbox.operations() == []


def test_a_get_of_the_button_leads_to_the_page(client: Client, tom: User, waiting: Operation) -> None:
    client.force_login(tom)
    page = reverse("approval_detail", args=[waiting.pk])
    assert client.get(reverse("approve_operation", args=[waiting.pk])).headers["Location"] == page
    assert client.get(reverse("decline_operation", args=[waiting.pk])).headers["Location"] == page


def test_a_stranger_sees_no_approvals(client: Client, sam: User, waiting: Operation) -> None:
    client.force_login(sam)
    assert client.get(reverse("approval_list")).status_code == 403
    assert client.get(reverse("approval_detail", args=[waiting.pk])).status_code == 403
