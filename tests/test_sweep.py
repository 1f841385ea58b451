"""The sweep: findings open and close when their moment has come, and nothing scans the calls."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from recordings import findings, services
from recordings.choices import Resolution
from recordings.models import Call, Finding
from recordings.services import Requester
from tests import cast

pytestmark = pytest.mark.django_db

GRACE = timedelta(seconds=31)


def rules_open() -> list[str]:
    return sorted(Finding.objects.open().values_list("rule", flat=True))


@pytest.mark.parametrize(
    ("story", "rule"),
    [
        ({"capture": "started"}, "R1"),
        ({"capture": "started", "told": "notRecording"}, "R1"),
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


def test_the_recorders_own_word_closes_it_as_such(now: datetime) -> None:
    cast.call(at=now, capture="stopped", told="recording")
    findings.sweep(now + GRACE)
    cast.tell("status.told", "call-1", at=now + GRACE, status="notRecording")
    findings.sweep(now + GRACE)
    assert Finding.objects.get().resolution == Resolution.CONFIRMED_BY_RECORDER


def test_an_agreeing_call_is_never_due(now: datetime) -> None:
    assert cast.call(at=now, capture="started", told="recording").due_after is None
    assert findings.sweep(now + timedelta(days=1)) == 0


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


def test_the_sweep_reads_only_due_calls(now: datetime, django_assert_max_num_queries: object) -> None:
    for number in range(3):
        cast.call(f"quiet-{number}", at=now, capture="started", told="recording")
    with django_assert_max_num_queries(1):  # type: ignore[operator]
        assert findings.sweep(now + timedelta(days=1)) == 0
