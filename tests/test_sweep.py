"""The sweep: findings open and close when their moment has come, and nothing scans the calls."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from pytest_django import Settings

from recordings import findings, ingest, services
from recordings.choices import LedgerAction, Resolution
from recordings.ledger import body_of
from recordings.models import BlindSpot, Call, Finding, LedgerEntry, Recorder
from recordings.services import Requester
from tests import cast

pytestmark = pytest.mark.django_db

GRACE = timedelta(seconds=31)


def rules_open() -> list[str]:
    """The rules of the open findings about calls; the cast's recorder falls silent, which has its own tests."""
    return sorted(Finding.objects.open().filter(call__isnull=False).values_list("rule", flat=True))


@pytest.mark.parametrize(
    ("story", "rule"),
    [
        ({"capture": "started"}, "R1"),
        ({"capture": "started", "told": "notRecording"}, "R3"),
        ({"capture": "stopped", "told": "recording"}, "R2"),
        ({"capture": "failed", "told": "recording"}, "R2"),
    ],
)
def test_a_disagreement_is_found_by_the_first_sweep_after_its_grace(
    now: datetime, story: dict[str, Any], rule: str
) -> None:
    call = cast.call(at=now + timedelta(minutes=1), **story)
    assert call.due_after == now + timedelta(seconds=30)
    findings.sweep(now + timedelta(seconds=29))
    assert rules_open() == []
    findings.sweep(now + GRACE)
    assert rules_open() == [rule]


def test_an_ended_call_that_is_still_told_recording_is_found(now: datetime) -> None:
    cast.call(at=now, capture="started", told="recording", ended_at=now)
    findings.sweep(now + GRACE)
    assert rules_open() == ["R7"]


def test_a_call_that_is_gone_at_graph_is_found_and_forgiven_on_a_sign_of_life(now: datetime) -> None:
    call = cast.call(at=now, capture="started", told="recording")
    Call.objects.filter(pk=call.pk).update(gone_at=now, due_after=now)
    findings.sweep(now + GRACE)
    assert rules_open() == ["R7"]
    cast.heartbeat(at=now + timedelta(minutes=2), capture="capturing")
    findings.sweep(now + timedelta(minutes=2))
    assert rules_open() == []
    assert Finding.objects.get().resolution == Resolution.SELF_RECOVERED


@pytest.mark.parametrize(
    ("story", "rule", "kind", "said"),
    [
        ({"capture": "failed", "told": "recording"}, "R2", "capture.stopped", {}),
        ({"capture": "paused", "told": "recording"}, "R2", "capture.stopped", {}),
        ({"capture": "started", "told": "notRecording"}, "R3", "status.told", {"status": "failed"}),
    ],
)
def test_another_word_for_the_same_trouble_is_no_recovery(
    now: datetime, story: dict[str, Any], rule: str, kind: str, said: dict[str, Any]
) -> None:
    cast.call(at=now, **story)
    findings.sweep(now)
    assert rules_open() == [rule]
    cast.tell(kind, "call-1", at=now + GRACE, **said)
    findings.sweep(now + GRACE)
    assert rules_open() == [rule]
    assert not LedgerEntry.objects.filter(action=LedgerAction.FINDING_RESOLVED).exists()


def test_another_try_of_a_correction_that_failed_is_no_recovery(now: datetime, mira: User) -> None:
    call = cast.call(at=now, told="recording")

    def ask(at: datetime) -> None:
        services.request_correction(call, wish="failed", reason="x", by=Requester.at_screen(mira), now=at)

    def fail(at: datetime) -> None:
        call.operation_set.filter(status="pending").update(status="failed", finished_at=at)
        Call.objects.update(due_after=at)

    ask(now)
    fail(now)
    findings.sweep(now + GRACE)
    assert rules_open() == ["R5"]
    for minutes in (1, 2):
        ask(now + timedelta(minutes=minutes))
        findings.sweep(now + timedelta(minutes=minutes))
        fail(now + timedelta(minutes=minutes, seconds=1))
        findings.sweep(now + timedelta(minutes=minutes, seconds=1))
    assert rules_open() == ["R5"]
    assert not LedgerEntry.objects.filter(action=LedgerAction.FINDING_RESOLVED).exists()


def test_the_recorders_own_word_closes_it_as_such(now: datetime) -> None:
    cast.call(at=now, capture="stopped", told="recording")
    findings.sweep(now + GRACE)
    cast.tell("status.told", "call-1", at=now + GRACE, status="notRecording")
    findings.sweep(now + GRACE)
    assert Finding.objects.get().resolution == Resolution.CONFIRMED_BY_RECORDER


def test_an_agreeing_call_is_due_only_once_nobody_speaks_of_it_any_more(now: datetime) -> None:
    call = cast.call(at=now, capture="started", told="recording")
    assert call.last_signal_at is not None
    assert call.due_after == call.last_signal_at + timedelta(minutes=15)
    findings.sweep(now + timedelta(minutes=13))
    assert rules_open() == []


def test_a_correction_that_does_not_settle_is_found_itself(now: datetime, mira: User) -> None:
    call = cast.call(at=now, told="recording")
    services.request_correction(call, wish="failed", reason="x", by=Requester.at_screen(mira), now=now)
    findings.sweep(now + timedelta(seconds=61))
    assert rules_open() == ["R4"]


@pytest.mark.parametrize(
    ("ended", "resolution"),
    [
        ("completed", Resolution.CONFIRMED_BY_GRAPH),
        ("failed", Resolution.REFUSED_BY_GRAPH),
        ("unresolved", Resolution.LEFT_UNRESOLVED),
        ("cancelled", Resolution.SELF_RECOVERED),
    ],
)
def test_a_correction_that_settles_closes_its_finding_as_it_ended(
    now: datetime, mira: User, ended: str, resolution: Resolution
) -> None:
    call = cast.call(at=now, told="recording")
    services.request_correction(call, wish="failed", reason="x", by=Requester.at_screen(mira), now=now)
    findings.sweep(now + timedelta(seconds=61))
    call.operation_set.update(status=ended, finished_at=now + timedelta(seconds=70))
    Call.objects.update(due_after=now)
    findings.sweep(now + timedelta(seconds=80))
    assert Finding.objects.get(rule="R4").resolution == resolution


def test_a_finding_opens_once(now: datetime) -> None:
    cast.call(at=now, capture="stopped", told="recording")
    findings.sweep(now + GRACE)
    cast.heartbeat(at=now + GRACE, capture="stopped")
    findings.sweep(now + 2 * GRACE)
    assert Finding.objects.count() == 1


def test_the_sweep_reads_only_what_is_due(now: datetime, django_assert_max_num_queries: object) -> None:
    for number in range(3):
        cast.call(f"quiet-{number}", at=now, capture="started", told="recording")
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        assert findings.sweep(now + timedelta(seconds=1)) == 0


# Closed, and back again


def recovered(now: datetime) -> Finding:
    """A finding R2 that recovered a minute and a half after `now`."""
    cast.call(at=now, capture="stopped", told="recording")
    findings.sweep(now + GRACE)
    cast.tell("status.told", "call-1", at=now + timedelta(seconds=80), status="notRecording")
    findings.sweep(now + timedelta(seconds=90))
    return Finding.objects.get(rule="R2")


def test_a_condition_that_comes_back_soon_opens_the_same_finding_again(now: datetime) -> None:
    closed = recovered(now)
    again = now + timedelta(minutes=5)
    cast.tell("status.told", "call-1", at=again, status="recording")
    findings.sweep(again + GRACE)
    finding = Finding.objects.get(rule="R2")
    assert (finding.is_open, finding.reopened_at, finding.since_at) == (True, again + GRACE, again)
    assert (finding.resolution, finding.resolved_by) == ("", None)
    entry = LedgerEntry.objects.get(action=LedgerAction.FINDING_REOPENED)
    assert body_of(entry)["resolution_before"] == closed.resolution


def test_a_condition_that_comes_back_late_is_another_finding(now: datetime) -> None:
    recovered(now)
    again = now + timedelta(minutes=62)
    cast.tell("status.told", "call-1", at=again, status="recording")
    findings.sweep(again + GRACE)
    assert [one.is_open for one in Finding.objects.filter(rule="R2").order_by("pk")] == [False, True]


def test_a_finding_that_opens_again_asks_to_be_acknowledged_again_and_keeps_its_assignee(
    now: datetime, mira: User
) -> None:
    cast.call(at=now, capture="stopped", told="recording")
    findings.sweep(now + GRACE)
    by = Requester.at_screen(mira)
    finding = services.acknowledge(Finding.objects.get(rule="R2"), by=by, now=now + GRACE)
    services.assign(finding, to=mira, by=by, now=now + GRACE)
    cast.tell("status.told", "call-1", at=now + timedelta(seconds=80), status="notRecording")
    findings.sweep(now + timedelta(seconds=90))
    cast.tell("status.told", "call-1", at=now + timedelta(minutes=5), status="recording")
    findings.sweep(now + timedelta(minutes=6))
    finding.refresh_from_db()
    assert finding.is_open
    assert (finding.acknowledged_at, finding.acknowledged_by, finding.assignee) == (None, None, mira)


def test_evidence_is_never_taken_back(now: datetime, mira: User) -> None:
    """An attested finding stays as it is; the same trouble a minute later is a finding of its own."""
    call = cast.call(at=now, capture="stopped", told="recording", ended_at=now)
    findings.sweep(now + GRACE)
    attested = services.attest(
        Finding.objects.get(rule="R7"),
        by=Requester.at_screen(mira),
        reason="seen",
        root_cause="network",
        evidence="INC-1",
        now=now + GRACE,
    )
    Call.objects.filter(pk=call.pk).update(ended_at=now + timedelta(minutes=1), due_after=now)
    findings.sweep(now + timedelta(minutes=2))
    attested.refresh_from_db()
    assert (attested.resolution, attested.evidence) == (Resolution.ATTESTED, "INC-1")
    assert Finding.objects.open().filter(rule="R7").exists()


# Recorders and tenants


def test_a_recorder_that_falls_silent_is_a_finding_and_a_blind_spot(now: datetime) -> None:
    recorder = cast.recorder(now=now)
    cast.heartbeat(at=now, capture="capturing")
    findings.sweep(now + timedelta(seconds=121))
    finding = Finding.objects.get()
    assert (finding.rule, finding.recorder, finding.call, finding.subject_name) == ("R20", recorder, None, "rec-01")
    assert BlindSpot.objects.get().until_at is None
    back = now + timedelta(minutes=5)
    cast.heartbeat(at=back, capture="capturing")
    findings.sweep(back)
    finding.refresh_from_db()
    assert finding.resolution == Resolution.SELF_RECOVERED
    spot = BlindSpot.objects.get()
    assert (spot.from_at, spot.until_at) == (now, back)


def test_a_blind_spot_goes_on_while_a_person_has_closed_the_finding_of_the_silence(now: datetime, mira: User) -> None:
    cast.heartbeat(at=now, capture="capturing")
    findings.sweep(now + timedelta(seconds=121))
    by = Requester.at_screen(mira)
    services.resolve(Finding.objects.get(), root_cause="maintenance", by=by, now=now + timedelta(seconds=130))
    Recorder.objects.update(due_after=now)
    findings.sweep(now + timedelta(minutes=4))
    assert BlindSpot.objects.get().until_at is None
    assert not Finding.objects.open().exists()


def test_a_disabled_recorder_is_awaited_no_longer(now: datetime) -> None:
    recorder = cast.recorder(now=now)
    cast.heartbeat(at=now, capture="capturing")
    findings.sweep(now + timedelta(seconds=121))
    disabled = now + timedelta(minutes=10)
    Recorder.objects.filter(pk=recorder.pk).update(disabled_at=disabled, due_after=disabled)
    findings.sweep(disabled)
    assert not Finding.objects.open().exists()
    assert BlindSpot.objects.get().until_at == disabled


def test_a_refused_tenant_is_a_finding_until_microsoft_serves_it(now: datetime) -> None:
    with transaction.atomic():
        ingest.note_blocked("tenant-1", code="7504", message="Consent is missing", now=now)
    findings.sweep(now)
    finding = Finding.objects.get()
    assert (finding.rule, finding.subject_name, finding.severity) == ("R12", "tenant-1", "critical")
    with transaction.atomic():
        ingest.note_served("tenant-1", now=now + GRACE)
    findings.sweep(now + GRACE)
    finding.refresh_from_db()
    assert finding.resolution == Resolution.SELF_RECOVERED


def test_after_a_change_of_the_rules_every_moment_is_written_anew(now: datetime, settings: Settings) -> None:
    cast.call(at=now, capture="started", told="recording")
    cast.heartbeat(at=now, capture="capturing")
    settings.STUCK_NO_SIGN, settings.STUCK_SILENT_RECORDER = 60.0, 30.0
    list(findings.recompute(now))
    assert Call.objects.get().due_after == now + timedelta(seconds=60)
    assert Recorder.objects.get().due_after == now + timedelta(seconds=30)
