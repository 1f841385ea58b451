"""Several people handle one finding at the same moment: one is let through, the others are told, nothing is lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone

from recordings import findings, services
from recordings.choices import LedgerAction
from recordings.models import EvidenceFile, Finding, LedgerEntry
from recordings.services import CannotAttest, NotHandled, Requester
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 8

type Step = Callable[[int, Finding], Finding]


@pytest.fixture
def finding() -> Finding:
    ago = timezone.now() - timedelta(minutes=5)
    cast.call(at=ago, capture="stopped", told="recording", ended_at=ago)
    findings.sweep(timezone.now())
    return Finding.objects.get(rule="R7")


def answers_of(step: Step, finding: Finding) -> list[str]:
    """What each of them hears; an empty answer is a step that was taken."""
    start = threading.Barrier(AT_ONCE)

    def take(number: int) -> str:
        try:
            seen = Finding.objects.select_related("call").get(pk=finding.pk)
            start.wait()
            step(number, seen)
        except (NotHandled, CannotAttest) as refusal:
            return str(refusal)
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(take, range(AT_ONCE)))


def check_one(answers: list[str], words: str, action: LedgerAction) -> None:
    assert answers.count("") == 1
    assert all(words in answer for answer in answers if answer)
    assert LedgerEntry.objects.filter(action=action).count() == 1


def test_it_is_acknowledged_once(finding: Finding, olga: User) -> None:
    by, now = Requester.at_screen(olga), timezone.now()
    answers = answers_of(lambda _, seen: services.acknowledge(seen, by=by, now=now), finding)
    check_one(answers, "has acknowledged this finding already", LedgerAction.FINDING_ACKNOWLEDGED)


def test_it_is_closed_once_whether_with_evidence_or_without(finding: Finding, mira: User) -> None:
    by, now = Requester.at_screen(mira), timezone.now()

    def close(number: int, seen: Finding) -> Finding:
        if number % 2:
            return services.resolve(seen, root_cause="network", by=by, now=now)
        return services.attest(seen, by=by, reason="x", root_cause="network", file=("log", b"x"), now=now)

    answers = answers_of(close, finding)
    assert answers.count("") == 1
    assert all("This finding is closed already by mira" in answer for answer in answers if answer)
    closings = LedgerEntry.objects.filter(action__in=(LedgerAction.FINDING_RESOLVED, LedgerAction.FINDING_ATTESTED))
    assert closings.count() == 1
    assert EvidenceFile.objects.count() == Finding.objects.filter(evidence_file__isnull=False).count()


def test_every_comment_is_kept(finding: Finding, olga: User) -> None:
    by, now = Requester.at_screen(olga), timezone.now()
    answers = answers_of(lambda number, seen: services.comment(seen, text=f"no. {number}", by=by, now=now), finding)
    assert answers == [""] * AT_ONCE
    assert LedgerEntry.objects.filter(action=LedgerAction.FINDING_COMMENTED).count() == AT_ONCE


def test_a_person_and_the_sweep_do_not_lose_each_others_word(finding: Finding, olga: User) -> None:
    """The sweep reads the findings of a call under its lock, as people do, so it never writes an old row back."""
    by = Requester.at_screen(olga)

    def work(number: int, seen: Finding) -> Finding:
        if number % 2:
            _make_due(seen, timezone.now())
            findings.sweep(timezone.now())
            return seen
        return services.acknowledge(seen, by=by, now=timezone.now())

    answers_of(work, finding)
    finding.refresh_from_db()
    assert finding.acknowledged_by is not None
    assert finding.is_open


def _make_due(finding: Finding, now: datetime) -> None:
    assert finding.call is not None
    type(finding.call).objects.filter(pk=finding.call.pk).update(due_after=now)
