"""What people do with a finding: acknowledge, assign, comment, put off, close; each step in the ledger."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from recordings import findings, services
from recordings.choices import LedgerAction, Resolution
from recordings.ledger import body_of
from recordings.models import Call, Finding, LedgerEntry
from recordings.services import NotAllowed, NotHandled, Requester
from tests import cast

pytestmark = pytest.mark.django_db

A_DAY = timedelta(days=1)


@pytest.fixture
def finding(now: datetime) -> Finding:
    """A call that goes on: told recording, and the recorder has stopped."""
    cast.call(at=now, capture="stopped", told="recording")
    findings.sweep(now + timedelta(seconds=31))
    return Finding.objects.get(rule="R2")


@pytest.fixture
def silent(now: datetime) -> Finding:
    """A recorder that fell silent."""
    cast.heartbeat(at=now, capture="capturing")
    findings.sweep(now + timedelta(minutes=3))
    return Finding.objects.get(rule="R20")


def at(person: User) -> Requester:
    return Requester.at_screen(person)


def steps(finding: Finding) -> list[str]:
    """The actions of people in the ledger, oldest first."""
    entries = LedgerEntry.objects.filter(finding=finding, actor__kind="person").order_by("pk")
    return list(entries.values_list("action", flat=True))


def told(finding: Finding) -> dict[str, Any]:
    """The latest step's facts."""
    return dict(body_of(LedgerEntry.objects.filter(finding=finding).latest("pk")))


# Acknowledge


def test_an_acknowledged_finding_says_who_has_seen_it(finding: Finding, olga: User, now: datetime) -> None:
    services.acknowledge(finding, by=at(olga), now=now)
    finding.refresh_from_db()
    assert (finding.acknowledged_at, str(finding.acknowledged_by)) == (now, "olga")
    assert steps(finding) == [LedgerAction.FINDING_ACKNOWLEDGED]


def test_the_second_to_acknowledge_hears_who_was_first(finding: Finding, olga: User, mira: User, now: datetime) -> None:
    services.acknowledge(finding, by=at(olga), now=now)
    with pytest.raises(NotHandled, match="olga has acknowledged this finding already"):
        services.acknowledge(finding, by=at(mira), now=now)
    assert len(steps(finding)) == 1


# Assign


def test_a_finding_is_given_to_somebody_who_may_handle_it(
    finding: Finding, olga: User, mira: User, now: datetime
) -> None:
    services.assign(finding, to=mira, by=at(olga), now=now)
    finding.refresh_from_db()
    assert finding.assignee == mira
    assert told(finding)["assignee"] == at(mira).actor.pk


def test_a_finding_is_not_given_to_who_has_no_role_for_it(
    finding: Finding, olga: User, ada: User, sam: User, now: datetime
) -> None:
    for person in (ada, sam):
        with pytest.raises(NotHandled, match=f"{person} has no role that handles findings"):
            services.assign(finding, to=person, by=at(olga), now=now)


def test_a_finding_is_not_given_to_who_has_left(finding: Finding, olga: User, mira: User, now: datetime) -> None:
    mira.is_active = False
    mira.save()
    with pytest.raises(NotHandled, match="mira has no role"):
        services.assign(finding, to=mira, by=at(olga), now=now)


def test_a_finding_can_be_taken_from_whoever_had_it(finding: Finding, olga: User, mira: User, now: datetime) -> None:
    given = services.assign(finding, to=mira, by=at(olga), now=now)
    assert services.assign(given, to=None, by=at(mira), now=now).assignee is None
    assert told(finding)["assignee"] is None


def test_of_two_who_assign_at_once_the_second_hears_of_the_first(
    finding: Finding, olga: User, mira: User, tom: User, now: datetime
) -> None:
    as_tom_saw_it = Finding.objects.get(pk=finding.pk)
    services.assign(finding, to=mira, by=at(olga), now=now)
    with pytest.raises(NotHandled, match="was assigned to mira"):
        services.assign(as_tom_saw_it, to=tom, by=at(tom), now=now)
    finding.refresh_from_db()
    assert finding.assignee == mira


# Comment


def test_a_comment_stands_in_the_ledger_in_the_words_it_was_written_in(
    finding: Finding, olga: User, now: datetime
) -> None:
    services.comment(finding, text="  Asked the vendor, <b>INC-7</b>.\n", by=at(olga), now=now)
    assert told(finding)["reason"] == "Asked the vendor, <b>INC-7</b>."


@pytest.mark.parametrize(("text", "why"), [(" ", "needs words"), ("x" * 1001, "longer than 1000"), ("\x00", "stored")])
def test_a_comment_that_cannot_be_kept_is_refused(
    finding: Finding, olga: User, now: datetime, text: str, why: str
) -> None:
    with pytest.raises(NotHandled, match=why):
        services.comment(finding, text=text, by=at(olga), now=now)
    assert steps(finding) == []


def test_a_closed_finding_can_still_be_commented_on(finding: Finding, olga: User, now: datetime) -> None:
    closed = services.resolve(finding, root_cause="testCall", by=at(olga), now=now)
    services.comment(closed, text="It was our own test.", by=at(olga), now=now)
    assert steps(finding)[-1] == LedgerAction.FINDING_COMMENTED


# Put off


def test_a_finding_that_is_put_off_sleeps_until_then(finding: Finding, olga: User, now: datetime) -> None:
    services.snooze(finding, until=now + A_DAY, reason="vendor looks", by=at(olga), now=now)
    asleep = Finding.objects.open().asleep(now)
    assert asleep.get() == finding
    assert not Finding.objects.open().asleep(now + A_DAY).exists()
    assert told(finding)["reason"] == "vendor looks"


@pytest.mark.parametrize(
    ("ahead", "reason", "why"),
    [
        (timedelta(0), "x", "in the future"),
        (-A_DAY, "x", "in the future"),
        (30 * A_DAY + timedelta(seconds=1), "x", "30 days at most"),
        (A_DAY, " ", "needs a reason"),
    ],
)
def test_a_moment_that_does_not_do_is_refused(
    finding: Finding, olga: User, now: datetime, ahead: timedelta, reason: str, why: str
) -> None:
    with pytest.raises(NotHandled, match=why):
        services.snooze(finding, until=now + ahead, reason=reason, by=at(olga), now=now)
    finding.refresh_from_db()
    assert finding.wakes_after is None


def test_thirty_days_are_not_too_long(finding: Finding, olga: User, now: datetime) -> None:
    until = now + 30 * A_DAY
    assert services.snooze(finding, until=until, reason="x", by=at(olga), now=now).wakes_after == until


def test_a_sleeping_finding_can_be_woken(finding: Finding, olga: User, now: datetime) -> None:
    asleep = services.snooze(finding, until=now + A_DAY, reason="x", by=at(olga), now=now)
    awake = services.snooze(asleep, until=None, by=at(olga), now=now)
    assert awake.wakes_after is None
    with pytest.raises(NotHandled, match="is not put off"):
        services.snooze(awake, until=None, by=at(olga), now=now)


def test_of_two_who_put_it_off_the_second_hears_until_when(
    finding: Finding, olga: User, tom: User, now: datetime
) -> None:
    as_tom_saw_it = Finding.objects.get(pk=finding.pk)
    services.snooze(finding, until=now + A_DAY, reason="x", by=at(olga), now=now)
    with pytest.raises(NotHandled, match="put off until 2026-11-19 14:32 UTC"):
        services.snooze(as_tom_saw_it, until=now + 2 * A_DAY, reason="y", by=at(tom), now=now)


# Close


@pytest.mark.parametrize(
    ("cause", "resolution"),
    [
        ("falsePositive", Resolution.FALSE_POSITIVE),
        ("maintenance", Resolution.CLOSED_BY_PERSON),
        ("testCall", Resolution.CLOSED_BY_PERSON),
    ],
)
def test_a_person_closes_it_with_its_cause(
    finding: Finding, olga: User, now: datetime, cause: str, resolution: Resolution
) -> None:
    services.resolve(finding, root_cause=cause, by=at(olga), now=now)
    finding.refresh_from_db()
    assert (finding.resolution, finding.root_cause, finding.resolved_at) == (resolution, cause, now)
    assert (told(finding)["resolution"], told(finding)["root_cause"]) == (resolution, cause)


def test_another_cause_needs_words(finding: Finding, olga: User, now: datetime) -> None:
    with pytest.raises(NotHandled, match="needs words"):
        services.resolve(finding, root_cause="other", by=at(olga), now=now)
    assert services.resolve(finding, root_cause="other", reason="a cat", by=at(olga), now=now).reason == "a cat"


def test_a_cause_that_is_not_of_the_list_is_refused(finding: Finding, olga: User, now: datetime) -> None:
    with pytest.raises(NotHandled, match="one of the root causes"):
        services.resolve(finding, root_cause="magic", by=at(olga), now=now)


def test_the_second_to_close_hears_who_was_first(finding: Finding, olga: User, tom: User, now: datetime) -> None:
    services.resolve(finding, root_cause="network", reason="line", by=at(olga), now=now)
    with pytest.raises(NotHandled, match="closed already by olga"):
        services.resolve(finding, root_cause="falsePositive", by=at(tom), now=now)
    finding.refresh_from_db()
    assert (finding.root_cause, finding.reason) == ("network", "line")


def test_it_stays_closed_while_the_condition_goes_on(finding: Finding, olga: User, now: datetime) -> None:
    services.resolve(finding, root_cause="maintenance", by=at(olga), now=now + timedelta(minutes=1))
    Call.objects.update(due_after=now)
    findings.sweep(now + timedelta(minutes=2))
    assert not Finding.objects.open().filter(rule="R2").exists()


def test_a_persons_word_covers_the_condition_as_it_holds_when_they_say_it(
    finding: Finding, olga: User, now: datetime
) -> None:
    """Capture went on and stopped again while the finding was open: the person closes what they see."""
    cast.tell("capture.started", "call-1", at=now + timedelta(seconds=40))
    cast.tell("capture.stopped", "call-1", at=now + timedelta(seconds=50))
    services.resolve(finding, root_cause="maintenance", by=at(olga), now=now + timedelta(seconds=60))
    Call.objects.update(due_after=now)
    findings.sweep(now + timedelta(minutes=2))
    assert not Finding.objects.open().filter(rule="R2").exists()


def test_what_begins_anew_after_a_person_closed_it_opens_the_same_finding(
    finding: Finding, olga: User, now: datetime
) -> None:
    services.resolve(finding, root_cause="maintenance", by=at(olga), now=now + timedelta(minutes=1))
    cast.tell("capture.started", "call-1", at=now + timedelta(minutes=2))
    cast.tell("capture.stopped", "call-1", at=now + timedelta(minutes=3))
    findings.sweep(now + timedelta(minutes=4))
    again = Finding.objects.open().get(rule="R2")
    assert (again.pk, again.since_at, again.root_cause) == (finding.pk, now + timedelta(minutes=3), "")


def test_one_that_recovered_by_itself_only_gets_its_cause(finding: Finding, olga: User, now: datetime) -> None:
    cast.tell("status.told", "call-1", at=now + timedelta(seconds=40), status="notRecording")
    findings.sweep(now + timedelta(seconds=50))
    services.resolve(finding, root_cause="falsePositive", reason="flicker", by=at(olga), now=now)
    finding.refresh_from_db()
    assert finding.resolution == Resolution.CONFIRMED_BY_RECORDER
    assert (finding.root_cause, finding.reason) == ("falsePositive", "flicker")
    assert steps(finding) == [LedgerAction.FINDING_EXPLAINED]


def test_the_cause_somebody_named_in_the_meantime_stays(finding: Finding, olga: User, tom: User, now: datetime) -> None:
    cast.tell("status.told", "call-1", at=now + timedelta(seconds=40), status="notRecording")
    findings.sweep(now + timedelta(seconds=50))
    as_tom_saw_it = Finding.objects.get(pk=finding.pk)
    services.resolve(finding, root_cause="network", by=at(olga), now=now)
    with pytest.raises(NotHandled, match="named the root cause “Network”"):
        services.resolve(as_tom_saw_it, root_cause="testCall", by=at(tom), now=now)


# What is not about a call


def test_a_finding_about_a_recorder_is_handled_like_any_other(silent: Finding, olga: User, now: datetime) -> None:
    seen = services.acknowledge(silent, by=at(olga), now=now + timedelta(minutes=4))
    services.resolve(seen, root_cause="maintenance", by=at(olga), now=now + timedelta(minutes=5))
    silent.refresh_from_db()
    assert silent.resolution == Resolution.CLOSED_BY_PERSON
    assert silent.recorder is not None
    assert silent.recorder.due_after is None
    assert told(silent)["recorder"] == "rec-01"


# Rights


@pytest.mark.parametrize(
    "step",
    [
        lambda finding, by, now: services.acknowledge(finding, by=by, now=now),
        lambda finding, by, now: services.assign(finding, to=None, by=by, now=now),
        lambda finding, by, now: services.comment(finding, text="x", by=by, now=now),
        lambda finding, by, now: services.snooze(finding, until=now + A_DAY, reason="x", by=by, now=now),
        lambda finding, by, now: services.resolve(finding, root_cause="network", by=by, now=now),
    ],
    ids=["acknowledge", "assign", "comment", "snooze", "resolve"],
)
def test_the_auditor_looks_and_changes_nothing(finding: Finding, ada: User, now: datetime, step: Any) -> None:
    with pytest.raises(NotAllowed):
        step(finding, at(ada), now)
    assert steps(finding) == []
