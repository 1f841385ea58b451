"""Selecting many calls, and what is said of them before anything starts."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from recordings.models import BulkItem, BulkJob, Call
from recordings.services import MOST_CALLS
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.pages.bulk_cast import checked, groups, keys, over, sealed, stopped, text, three_calls
from tests.pages.conftest import HTMX, SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

# Session, person, rights; the calls, what is under way for them; 3 for the navigation.
QUERIES = 8


@pytest.fixture(autouse=True)
def our_tenant(settings: Settings) -> None:
    settings.GRAPH_TENANT_ID = TENANT_ID


@pytest.fixture
def three(now: datetime) -> list[Call]:
    return three_calls(now)


def test_the_list_offers_rows_and_all_that_fit_to_those_who_may_act(
    three: list[Call], mira: User, olga: User, signed_in: SignIn
) -> None:
    page = text(signed_in(mira).get(reverse("call_list"), {"stuck": "1"}))
    assert f'value="{three[2].pk}"' in page
    assert 'name="query" value="stuck=1"' in page
    assert "Select all 2 calls that fit the filter" in page
    assert "bulk-form" not in text(signed_in(olga).get(reverse("call_list")))


def test_all_is_counted_only_to_the_limit_and_not_offered_beyond_it(
    now: datetime, mira: User, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(52):
        cast.call(f"call-{number}", at=now)
    page = text(signed_in(mira).get(reverse("call_list")))
    assert "Select all 52 calls of the list" in page
    monkeypatch.setattr("recordings.views.bulk_bar.MOST_CALLS", 51)
    page = text(signed_in(mira).get(reverse("call_list")))
    assert "More than 51 calls fit: narrow the list to select them all." in page
    assert 'name="all"' not in page


def test_offering_them_all_asks_one_question_more_however_many_they_are(
    now: datetime, mira: User, olga: User, signed_in: SignIn
) -> None:
    for number in range(52):
        cast.call(f"call-{number}", at=now)
    asked = []
    for person in (olga, mira):
        with CaptureQueriesContext(connection) as queries:
            signed_in(person).get(reverse("call_list"))
        asked.append(len(queries))
    assert asked[1] == asked[0] + 1


def test_a_filter_that_is_not_understood_offers_no_all(three: list[Call], mira: User, signed_in: SignIn) -> None:
    assert 'name="all"' not in text(signed_in(mira).get(reverse("call_list"), {"state": "nonsense"}))


def test_rows_chosen_one_by_one_are_those_that_are_sorted(three: list[Call], mira: User, signed_in: SignIn) -> None:
    response, _ = checked(signed_in(mira), three[:2])
    assert response.context["check"].total == 2
    assert "2 calls, chosen one by one" in text(response)


def test_all_that_fit_is_the_filter_asked_again_and_says_which_and_when(
    now: datetime, three: list[Call], mira: User, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    over("call-over-too", now=now)
    asked = {"all": "1", "query": "stuck=1&told=recording&phase=ended", "status": "failed"}
    response = client.post(reverse("bulk_precheck"), asked)
    assert groups(response) == {"attestOnly": 2}
    words = "All 2 calls that fitted “Told to Teams: Recording; Stuck only; Phase: Ended” at 2026-11-18 14:32:08 UTC"
    assert words in text(response)


def test_the_queue_of_findings_offers_their_calls_each_once(
    now: datetime, three: list[Call], mira: User, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    page = text(client.get(reverse("finding_list")))
    assert "Select all 2 calls of the findings" in page
    assert f'value="{three[2].pk}"' in page
    assert "bulk-form" not in text(client.get(reverse("finding_list"), {"phase": "closed"}))
    asked = {"all": "1", "list": "findings", "query": "rule=R7", "status": "notRecording"}
    response = client.post(reverse("bulk_precheck"), asked)
    assert groups(response) == {"attestOnly": 1}
    rule = "R7 Still told recording after the call ended"
    words = f"The one call of the findings that fitted “Rule: {rule}” at 2026-11-18 14:32:08 UTC"
    assert words in text(response)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"all": "1", "list": "findings", "query": "rule=nonsense"},
        {"call": ["0"]},
        {"call": ["999999999"]},
        {"call": ["9" * 30]},
        {"call": ["-1"]},
        {"call": ["one"]},
        {"call": ["²"]},
        {"all": "1", "query": "state=nonsense"},
        {"all": "1", "query": "q=nobody+is+called+so"},
        {"chosen": "forged"},
        {"chosen": ""},
    ],
)
@pytest.mark.parametrize("name", ["bulk_precheck", "bulk_attest", "bulk_start", "bulk_attest_start"])
def test_a_selection_of_nothing_or_nonsense_starts_nothing_and_says_so(
    three: list[Call], mira: User, signed_in: SignIn, name: str, asked: dict[str, Any]
) -> None:
    response = signed_in(mira).post(reverse(name), {**asked, "status": "failed", "reason": "x"})
    assert response.status_code == 422
    assert "Nothing was started" in text(response)
    assert not BulkJob.objects.exists()


def test_more_than_a_job_takes_is_refused_with_what_to_do(
    three: list[Call], mira: User, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recordings.views.bulk_selection.MOST_CALLS", 2)
    response = signed_in(mira).post(reverse("bulk_precheck"), {"all": "1", "query": ""})
    assert response.status_code == 422
    assert "More than 2 calls fit, the most that one job takes. Nothing was started. Narrow the list" in text(response)


def test_as_many_as_a_job_takes_come_back_in_one_field(now: datetime, mira: User, signed_in: SignIn) -> None:
    made = [
        Call(graph_id=f"call-{number}", tenant_id=TENANT_ID, created_at=now, state="established")
        for number in range(MOST_CALLS)
    ]
    Call.objects.bulk_create(made)
    client = signed_in(mira)
    asked = client.post(reverse("bulk_precheck"), {"all": "1", "query": "", "status": "failed"})
    start = {"chosen": sealed(asked), "status": "failed", "reason": "the recorder broke down"}
    client.post(reverse("bulk_start"), start)
    assert BulkItem.objects.count() == MOST_CALLS


def test_the_calls_are_sorted_by_what_can_be_done(three: list[Call], mira: User, signed_in: SignIn) -> None:
    response, _ = checked(signed_in(mira), three)
    assert groups(response) == {"canAct": 1, "againstRecorder": 1, "attestOnly": 1}
    page = text(response)
    assert "Start: tell Teams “Not recording” for 1 call; leave out 2" in page
    assert "The recorder says it is capturing. Stop the recorder first." in page
    assert "call-stopped" in page


def test_the_button_says_how_many_a_second_person_is_asked_about(
    now: datetime, three: list[Call], mira: User, signed_in: SignIn
) -> None:
    unheard = cast.call("call-unheard", at=now - timedelta(minutes=5), capture="stopped", told="recording")
    response, _ = checked(signed_in(mira), [three[0], unheard])
    assert "Start: tell Teams “Not recording” for 1 call; ask a second person about 1 call<" in text(response)


def test_without_a_status_the_page_asks_for_one_first(three: list[Call], mira: User, signed_in: SignIn) -> None:
    page = text(signed_in(mira).post(reverse("bulk_precheck"), keys(three)))
    assert "Sort the calls" in page
    assert "Start:" not in page


def test_where_nothing_can_be_told_there_is_nothing_to_start(three: list[Call], mira: User, signed_in: SignIn) -> None:
    response, _ = checked(signed_in(mira), three[1:])
    page = text(response)
    assert "There is nothing to start." in page
    assert "Start:" not in page


def test_another_status_sorts_the_same_calls_anew_and_keeps_the_reason(
    three: list[Call], mira: User, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    _, chosen = checked(client, three)
    again = {"chosen": chosen, "status": "failed", "reason": "half a sentence"}
    response = client.post(reverse("bulk_precheck"), again, headers=HTMX)
    assert groups(response) == {"canAct": 2, "attestOnly": 1}
    assert "half a sentence" in text(response)
    assert "<html" not in text(response)


def test_the_precheck_asks_as_little_of_many_calls_as_of_few(
    now: datetime, mira: User, signed_in: SignIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(mira)
    _, few = checked(client, [stopped("call-1", now=now)])
    _, many = checked(client, [stopped(f"call-{number}", now=now) for number in range(2, 22)])
    for chosen in (few, many):
        with django_assert_num_queries(QUERIES):
            client.post(reverse("bulk_precheck"), {"chosen": chosen, "status": "notRecording"})
