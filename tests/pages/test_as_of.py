"""A call's page as of a moment: what was known then, and what arrived later. Rebuilt from the ledger, never guessed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from recordings import findings, ingest
from recordings.choices import CallState, LedgerAction, OperationStatus
from recordings.exports import known
from recordings.models import Actor, BlindSpot, Call, Finding, LedgerEntry, Recorder, StatusChange
from recordings.views import call_as_of
from recordings.views.call_as_of import CallAsOf
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.pages import calls_cast
from tests.pages.conftest import SignIn
from tests.pages.corrections import DONE, asked, completed, tried, unknown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

# Session, person, rights; 5 for the navigation's counts and roles; the call, its entries with their actors, its blind
# spots; and the reading: the actor, the savepoints, the reading and its entry.
MOST_QUERIES = 20


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def as_of(call: Call, at: datetime | str) -> str:
    asked_for = at if isinstance(at, str) else f"{at:%Y-%m-%dT%H:%M:%S}"
    return reverse("call_detail", args=[call.graph_id]) + f"?as_of={asked_for}"


def words_of(response: Any) -> str:
    return " ".join(response.text.split())


def test_the_page_shows_what_was_known_then_and_not_what_came_later(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    call = cast.call(at=now - seconds(600), capture="started", told="recording")
    cast.tell("capture.stopped", call.graph_id, at=now - seconds(60))
    page = signed_in(olga).get(as_of(call, now - seconds(300))).context["page"]
    assert page.stood.capture.value == "capturing"
    assert page.stood.told.value == "recording"
    assert page.stood.state.value == "established"
    assert "stopped" not in [line.step.text("new") for line in page.changes]


def test_a_word_that_arrived_later_is_marked_and_changes_nothing_that_was_known(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    call = cast.call(at=now - seconds(600), capture="started")
    calls_cast.told_late(call, at=now - seconds(500), heard_at=now - seconds(100))
    response = signed_in(olga).get(as_of(call, now - seconds(300)))
    page = response.context["page"]
    assert page.stood.told.value == "unknown"
    assert [line.step.text("new") for line in page.changes if line.is_late] == ["recording"]
    assert "Arrived later:" in words_of(response)
    assert "2 steps arrived later" in words_of(response)  # the recorder's silence until then is a blind spot


def test_the_banner_names_the_moment_and_leads_back_to_now(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    page = words_of(signed_in(olga).get(as_of(call, now)))
    assert "As known at" in page
    assert "14:32:08" in page
    assert f'href="{reverse("call_detail", args=[call.graph_id])}"' in page
    assert "Nothing has arrived later." in page


def test_nothing_on_the_page_can_be_changed_and_nothing_renews_itself(
    now: datetime, mira: User, signed_in: SignIn
) -> None:
    call = calls_cast.capturing_untold(now=now)
    unknown(call, by=mira, now=now)
    page = signed_in(mira).get(as_of(call, now)).text
    main = page.split("<main")[1].split("</main>")[0]
    assert 'method="post"' not in main
    assert "hx-get" not in main
    assert "hx-post" not in main
    assert "data-poll" not in main


def test_a_correction_stands_as_it_stood_then(now: datetime, mira: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now - seconds(3000))
    wish = asked(call, by=mira, now=now - seconds(1000))
    tried(wish, DONE, to=OperationStatus.COMPLETED, now=now - seconds(100))
    client = signed_in(mira)
    then = client.get(as_of(call, now - seconds(500))).context["page"]
    later = client.get(as_of(call, now)).context["page"]
    assert [one.status for one in then.corrections] == [OperationStatus.PENDING]
    assert then.corrections[0].graph_operation_id == ""
    assert [one.status for one in later.corrections] == [OperationStatus.COMPLETED]
    assert later.corrections[0].graph_operation_id == "operation-of-graph-1"


def test_a_finding_that_was_closed_since_is_open_again_on_the_page(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    call = calls_cast.capturing_untold(now=now - seconds(600))
    cast.tell("status.told", call.graph_id, at=now - seconds(300), status="recording")
    findings.sweep(now - seconds(290))
    assert not Finding.objects.get(rule="R1").is_open
    client = signed_in(olga)
    then = client.get(as_of(call, now - seconds(400))).context["page"]
    assert [(one.rule, one.is_open) for one in then.findings] == [("R1", True)]
    after = client.get(as_of(call, now)).context["page"]
    assert [(one.rule, one.is_open) for one in after.findings] == [("R1", False)]


def test_a_blind_spot_noticed_later_is_marked_and_not_drawn(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now - seconds(900))
    ingest.open_blind_spot(Recorder.objects.get(), now=now - seconds(200))
    assert BlindSpot.objects.exists()
    client = signed_in(olga)
    then = client.get(as_of(call, now - seconds(400))).context["page"]
    assert None not in [spot.until_at for spot in then.spots]
    assert [line.step.action for line in then.late] == [LedgerAction.BLIND_SPOT_OPENED]
    after = client.get(as_of(call, now)).context["page"]
    assert after.spots[-1].until_at is None
    assert len(after.spots) == len(then.spots) + 1


def test_a_call_that_was_not_known_then_says_so_and_shows_no_state(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    call = calls_cast.recorded(now=now)
    page = words_of(signed_in(olga).get(as_of(call, now - timedelta(days=1))))
    assert "On Record did not know this call then." in page
    assert "What was known, kept apart" not in page
    assert "Capturing" not in page


@pytest.mark.parametrize("asked_for", ["", "yesterday", "2026-13-01T00:00", "0001-01-01T00:00%2B14:00", "<b>x</b>"])
def test_a_time_that_is_none_gets_a_sentence_and_no_facts(
    asked_for: str, now: datetime, olga: User, signed_in: SignIn
) -> None:
    call = calls_cast.recorded(now=now)
    response = signed_in(olga).get(as_of(call, asked_for))
    page = words_of(response)
    assert response.status_code == 400
    assert "is not a time. Write it as 2026-11-18T14:30:00" in page
    assert "What was known, kept apart" not in page
    assert "<b>x</b>" not in page


def test_a_time_to_come_is_refused(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    response = signed_in(olga).get(as_of(call, now + seconds(1)))
    assert response.status_code == 400
    assert "is still to come" in response.text


def test_a_time_with_a_zone_is_understood(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    page = signed_in(olga).get(as_of(call, "2026-11-18T15:32:08%2B01:00")).context["page"]
    assert page.at == now


def test_what_is_not_kept_over_time_is_called_so(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    page = words_of(signed_in(olga).get(as_of(call, now)))
    assert "Not kept over time." in page
    assert "heartbeats leave no entry" in page


def test_the_page_of_now_has_a_form_to_choose_a_moment(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    page = signed_in(olga).get(reverse("call_detail", args=[call.graph_id])).text
    assert 'name="as_of"' in page


def test_who_may_not_look_sees_nothing_of_then(now: datetime, sam: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    assert signed_in(sam).get(as_of(call, now)).status_code == 403


def test_a_call_with_too_many_entries_is_not_told_by_a_part_of_them(
    now: datetime, olga: User, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = calls_cast.recorded(now=now)
    monkeypatch.setattr(call_as_of, "MOST_ENTRIES", 1)
    response = signed_in(olga).get(as_of(call, now))
    assert response.status_code == 400
    assert "too many for a page as of a moment" in words_of(response)


def test_the_page_asks_the_database_a_bounded_number_of_times(
    now: datetime, mira: User, signed_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    call = calls_cast.capturing_untold(now=now)
    completed(call, by=mira, now=now)
    client = signed_in(mira)
    client.get(as_of(call, now))
    with django_assert_max_num_queries(MOST_QUERIES):
        client.get(as_of(call, now))


WORDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("capture.started", {}),
    ("status.told", {"status": "recording"}),
    ("capture.paused", {}),
    ("call.stateChanged", {"state": "hold"}),
    ("capture.failed", {}),
    ("status.told", {"status": "notRecording"}),
    ("capture.stopped", {}),
    ("call.ended", {}),
)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5, 6, 7), (7, 6, 5, 4, 3, 2, 1, 0), (3, 0, 7, 2, 5, 1, 6, 4)])
def test_after_every_word_in_any_order_the_ledger_rebuilds_the_very_row(order: tuple[int, ...], now: datetime) -> None:
    """As of each moment the page must show what the page of then had shown: the row's own columns."""
    start = now - seconds(1000)
    cast.tell("call.joined", "call-1", at=start, tenantId=TENANT_ID, state="establishing")
    for heard, number in enumerate(order):
        kind, data = WORDS[number]
        heard_at = now - seconds(100 - heard)
        cast.tell(kind, "call-1", at=start + seconds(10 * (number + 1)), heard_at=heard_at, **data)
        row = Call.objects.get()
        stood = CallAsOf.of(row, heard_at).stood
        assert stood.state.value == row.state
        assert stood.capture.value == row.capture_state
        assert stood.told.value == row.recording_status
        assert (stood.ended_at, stood.gone_at) == (row.ended_at, row.gone_at)


def test_gone_and_found_again_is_rebuilt(now: datetime) -> None:
    call = cast.call(at=now - seconds(500))
    locked = ingest.locked_call(call.graph_id)
    assert locked is not None
    ingest.note_gone(locked, now=now - seconds(100))
    row = Call.objects.get()
    assert CallAsOf.of(row, now - seconds(101)).stood.gone_at is None
    assert CallAsOf.of(row, now).stood.gone_at == row.gone_at == now - seconds(100)


def test_only_the_bodies_count_so_a_changed_row_changes_nothing(now: datetime) -> None:
    """What can be altered without the ledger is not asked: neither the call's row nor the copied columns."""
    call = cast.call(at=now - seconds(500), told="recording")
    Call.objects.filter(pk=call.pk).update(recording_status="failed", state=CallState.TERMINATED)
    page = CallAsOf.of(Call.objects.get(), now)
    assert page.stood.told.value == "recording"
    assert page.stood.ended_at is None


def test_who_read_the_call_is_no_part_of_its_history(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    client = signed_in(olga)
    client.get(as_of(call, now))
    client.get(as_of(call, now))
    assert LedgerEntry.objects.filter(call=call, action=LedgerAction.CALL_READ).count() == 1
    actions = {step.action for step in known.steps_of(known.entries_about(call))}
    assert LedgerAction.CALL_READ not in actions
    assert Actor.objects.filter(label="olga").exists()
    assert StatusChange.objects.filter(call=call).count() == sum(
        step.action == LedgerAction.STATUS_CHANGED for step in known.steps_of(known.entries_about(call))
    )
