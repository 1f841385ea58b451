"""The list of corrections: what was asked for, what came back, and what can be done now."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recordings import services
from recordings.choices import AttemptOutcome, ChangedField, OperationStatus, Source
from recordings.filters import OperationFilter
from recordings.models import Actor, Call, Operation, StatusChange
from recordings.operations import Outcome
from tests import cast
from tests.pages.corrections import DONE, LOST, asked, completed, tried, unknown

pytestmark = pytest.mark.django_db

URL = "/operations/"


@pytest.fixture
def call(db: None) -> Call:
    return cast.call("call-1", at=timezone.now())


def text_of(client: Client, query: str = "", **headers: str) -> str:
    response = client.get(f"{URL}{query}", headers=headers)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def refused(call: Call, *, by: User, http_status: int, code: str) -> Operation:
    now = timezone.now()
    outcome = Outcome(AttemptOutcome.REFUSED, http_status=http_status, code=code, request_id="request-9")
    return tried(asked(call, by=by, now=now), outcome, to=OperationStatus.FAILED, now=now)


def test_a_stranger_is_sent_to_sign_in_and_a_person_without_a_role_is_refused(client: Client, sam: User) -> None:
    assert client.get(URL).headers["Location"] == f"{reverse('login')}?next={URL}"
    client.force_login(sam)
    assert client.get(URL).status_code == 403


def test_without_operations_the_page_says_so(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert "Nobody has asked for a correction yet" in text_of(client)
    assert "An id is found by its first eight characters" in text_of(client, "?status=failed")


def test_a_row_says_who_asked_what_and_what_came_back(client: Client, olga: User, mira: User, call: Call) -> None:
    operation = completed(call, by=mira, now=timezone.now())
    client.force_login(olga)
    page = text_of(client)
    for words in ("mira", "the desk checked", "Completed", "Failed", "200", "0.61 s", "1 attempt"):
        assert words in page
    assert operation.client_context in page
    assert "request-of-graph-1" in page
    assert reverse("call_detail", args=["call-1"]) in page


def test_no_graph_id_is_shown_before_graph_answered(client: Client, olga: User, mira: User, call: Call) -> None:
    asked(call, by=mira, now=timezone.now())
    client.force_login(olga)
    page = text_of(client)
    assert "No Graph id yet" in page
    assert "Waiting to be sent" in page


def test_a_server_error_reads_unknown_and_offers_to_check_not_to_retry(client: Client, mira: User, call: Call) -> None:
    now = timezone.now()
    outcome = Outcome(AttemptOutcome.UNKNOWN, http_status=503, code="ServiceUnavailable", request_id="request-5")
    operation = tried(asked(call, by=mira, now=now), outcome, to=OperationStatus.UNKNOWN, now=now)
    client.force_login(mira)
    page = text_of(client, "?status=unknown")
    assert "503 ·" in page
    assert "may have acted or not" in page
    assert reverse("check_operation", args=[operation.pk]) in page
    assert reverse("close_operation", args=[operation.pk]) in page
    assert reverse("correct_call", args=["call-1"]) not in page


@pytest.mark.parametrize(
    ("http_status", "code", "words", "is_offered"),
    [
        (403, "7504", "Trying again cannot work.", False),
        (400, "BadRequest", "Trying again cannot work.", False),
        (409, "Conflict", "Trying again can work.", True),
    ],
)
def test_another_correction_is_offered_only_where_it_can_work(
    client: Client, mira: User, call: Call, http_status: int, code: str, words: str, is_offered: bool
) -> None:
    refused(call, by=mira, http_status=http_status, code=code)
    client.force_login(mira)
    page = text_of(client)
    assert words in page
    assert (reverse("correct_call", args=["call-1"]) in page) is is_offered


def test_a_repeat_is_marked(client: Client, olga: User, mira: User, call: Call) -> None:
    now = timezone.now()
    operation = unknown(call, by=mira, now=now)
    tried(operation, LOST, to=OperationStatus.UNKNOWN, now=now)
    client.force_login(olga)
    page = text_of(client)
    assert "2 attempts" in page
    assert "<b>repeat</b>" in page


def test_who_may_only_look_sees_no_buttons(client: Client, olga: User, mira: User, call: Call) -> None:
    operation = unknown(call, by=mira, now=timezone.now())
    client.force_login(olga)
    page = text_of(client)
    assert reverse("check_operation", args=[operation.pk]) not in page
    assert reverse("close_operation", args=[operation.pk]) not in page


def test_the_filter_stands_in_the_address(client: Client, olga: User, mira: User, tom: User, call: Call) -> None:
    other = cast.call("call-2", at=timezone.now())
    done = completed(call, by=mira, now=timezone.now())
    lost = unknown(other, by=tom, now=timezone.now())
    client.force_login(olga)
    today = f"{timezone.now():%Y-%m-%d}"
    queries = {
        "?status=completed": done,
        "?status=unknown": lost,
        "?phase=live": lost,
        "?requester=mira": done,
        "?q=call-2": lost,
        f"?q={done.pk}": done,
        f"?q={done.client_context}": done,
        "?q=operation-of-graph-1": done,
        "?q=request-of-graph-1": done,
        "?q=request-of": done,
        "?q=operation-…ph-1": done,
        f"?q={str(lost.pk)[:13]}…{str(lost.pk)[-4:]}": lost,
        f"?from={today}&requester=tom": lost,
    }
    for query, expected in queries.items():
        shown = [row.operation for row in client.get(f"{URL}{query}").context["rows"]]
        assert shown == [expected], query


def test_a_filter_that_is_not_understood_says_so_and_lets_the_rest_work(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert "was not understood" in text_of(client, "?status=nonsense")
    assert client.get(f"{URL}?before=nonsense&from=yesterday&since=nonsense").status_code == 200


def test_days_in_the_wrong_order_list_nothing_and_say_why(client: Client, olga: User, mira: User, call: Call) -> None:
    completed(call, by=mira, now=timezone.now())
    client.force_login(olga)
    answer = client.get(f"{URL}?from=2026-12-02&to=2026-12-01")
    assert "From is after To" in answer.content.decode()
    assert answer.context["rows"] == []
    refusal = client.get(f"{reverse('export_operations')}?from=2026-12-02&to=2026-12-01")
    assert refusal.status_code == 400
    assert refusal.content.decode().startswith("From is after To")


def test_a_correction_took_from_its_first_try_to_its_end(client: Client, olga: User, mira: User, call: Call) -> None:
    begun = timezone.now() - timedelta(seconds=24)
    operation = unknown(call, by=mira, now=begun)
    client.force_login(olga)
    assert "24 s so far" in text_of(client)
    tried(operation, DONE, to=OperationStatus.COMPLETED, now=begun + timedelta(seconds=20))
    assert ">20 s, 2 tries<" in text_of(client)


def test_a_row_says_who_closed_it_and_why(client: Client, olga: User, mira: User, call: Call) -> None:
    operation = unknown(call, by=mira, now=timezone.now())
    why = "Microsoft never answered"
    services.close_as_unresolved(operation, by=services.Requester.at_screen(mira), reason=why, now=timezone.now())
    client.force_login(olga)
    page = text_of(client)
    assert "<b>Closed as unresolved by mira</b>" in page
    assert f": {why}" in page


def test_a_row_says_what_teams_was_told_before(client: Client, olga: User, mira: User) -> None:
    now = timezone.now()
    call = cast.call("call-1", at=now - timedelta(minutes=1), capture="started", told="recording")
    operation = completed(call, by=mira, now=now)
    StatusChange.objects.create(
        call=call,
        field=ChangedField.RECORDING_STATUS,
        old="recording",
        new="failed",
        source=Source.GRAPH,
        actor=Actor.objects.job("sender"),
        operation=operation,
        occurred_at=now,
        recorded_at=now,
    )
    client.force_login(olga)
    (row,) = client.get(URL).context["rows"]
    assert (row.told.old, row.told.new) == ("recording", "failed")


def test_pages_go_by_key_newest_first_and_lose_no_row(client: Client, olga: User, mira: User) -> None:
    now = timezone.now()
    made = []
    for number in range(53):
        call = cast.call(f"call-{number}", at=now)
        made.append(asked(call, by=mira, now=now))
    client.force_login(olga)
    first = client.get(URL).context
    assert [row.operation for row in first["rows"]] == made[:2:-1]
    second = client.get(first["older_url"]).context
    assert [row.operation for row in second["rows"]] == made[2::-1]
    assert second["older_url"] == ""


def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Client, olga: User, mira: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    for number in range(12):
        unknown(cast.call(f"call-{number}", at=now), by=mira, now=now)
    client.force_login(olga)
    client.get(URL)
    with django_assert_max_num_queries(14) as seen:
        client.get(URL)
    assert not [query for query in seen.captured_queries if "COUNT(*)" in query["sql"] and "LIMIT" in query["sql"]]
    with django_assert_max_num_queries(8):
        client.get(URL, headers={"HX-Request": "true"})


def test_htmx_gets_the_rows_only(client: Client, olga: User) -> None:
    client.force_login(olga)
    part = text_of(client, "?status=unknown", **{"HX-Request": "true"})
    assert part.startswith('<div class="stack" id="op-page">')
    assert "<html" not in part


def test_new_changes_are_announced_and_nothing_moves_by_itself(
    client: Client, olga: User, mira: User, call: Call
) -> None:
    earlier = timezone.now() - timedelta(seconds=5)
    first = unknown(cast.call("call-0", at=earlier), by=mira, now=earlier)
    client.force_login(olga)
    news_url = client.get(URL).context["news_url"]
    quiet = client.get(news_url, headers={"HX-Request": "true"}).content.decode()
    assert quiet == ""
    now = timezone.now()
    unknown(call, by=mira, now=now)
    tried(Operation.objects.get(pk=first.pk), LOST, to=OperationStatus.NOT_STARTED, now=now)
    said = " ".join(client.get(news_url, headers={"HX-Request": "true"}).content.decode().split())
    assert "2 new changes." in said
    assert "Show them" in said
    assert "<table" not in said


def test_the_export_takes_the_same_filter(client: Client, olga: User) -> None:
    client.force_login(olga)
    page = text_of(client, "?status=unknown&before=")
    assert f'href="{reverse("export_operations")}?status=unknown"' in page


def test_a_step_back_gets_the_whole_page_and_no_page_is_kept_by_the_browser(client: Client, olga: User) -> None:
    client.force_login(olga)
    again = client.get(URL, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in again.content.decode()
    for headers in ({}, {"HX-Request": "true"}):
        assert "no-store" in client.get(URL, headers=headers).headers["Cache-Control"]


def test_only_what_may_be_told_to_teams_can_be_asked_for() -> None:
    """Invariant 7: nobody ever asks for `unknown`, so the filter does not offer it."""
    offered = [value for value, _ in OperationFilter({}, queryset=Operation.objects.all()).form.fields["wish"].choices]
    assert offered == ["", "recording", "notRecording", "failed"]
