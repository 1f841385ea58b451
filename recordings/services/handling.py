"""What people do with a finding: take note of it, give it to somebody, talk about it, put it off, close it.

Every step is checked against the row as it is when its turn comes, so that of two people who act at once the second
hears what the first did.
"""

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from recordings import findings, permissions
from recordings.choices import SETTLED_BY_PERSON, Resolution, RootCause
from recordings.models import Finding
from recordings.services.locking import working_on
from recordings.services.requester import Requester
from recordings.services.texts import kept

LONGEST_SNOOZE = timedelta(days=30)


class NotHandled(Exception):
    """A step on a finding was refused; the text says why. Nothing was changed."""


def acknowledge(finding: Finding, *, by: Requester, now: datetime) -> Finding:
    """Say that somebody has seen the finding (`now` aware UTC). Raises NotAllowed, NotHandled."""
    by.require(permissions.HANDLE)
    with working_on(finding, now=now) as locked:
        check_open(locked)
        if locked.acknowledged_by:
            raise NotHandled(f"{locked.acknowledged_by} has acknowledged this finding already. Nothing was changed.")
        findings.acknowledge(locked, actor=by.actor, now=now)
    return locked


def assign(finding: Finding, *, to: User | None, by: Requester, now: datetime) -> Finding:
    """Make `to` answer for the finding, or nobody (`now` aware UTC). Raises NotAllowed, NotHandled.

    Refused where it has another assignee than `finding` as the person saw it.
    """
    by.require(permissions.HANDLE)
    if to is not None and not permissions.may(to, permissions.HANDLE):
        raise NotHandled(f"{to.get_username()} has no role that handles findings. Nothing was changed.")
    with working_on(finding, now=now) as locked:
        check_open(locked)
        if locked.assignee_id != finding.assignee_id:
            raise NotHandled(assigned_meanwhile(locked))
        if locked.assignee == to:
            who = f"assigned to {to.get_username()}" if to else "assigned to nobody"
            raise NotHandled(f"This finding is {who} already. Nothing was changed.")
        findings.assign(locked, to=to, actor=by.actor, now=now)
    return locked


def assigned_meanwhile(finding: Finding) -> str:
    who = finding.assignee.get_username() if finding.assignee else "nobody"
    return (
        f"In the meantime this finding was assigned to {who}. Nothing was changed; choose again if you still want to."
    )


def comment(finding: Finding, *, text: str, by: Requester, now: datetime) -> Finding:
    """Add a comment to the finding, open or closed (`now` aware UTC). Raises NotAllowed, NotHandled."""
    by.require(permissions.HANDLE)
    words = kept(text, what="comment", error=NotHandled)
    if not words:
        raise NotHandled("A comment needs words. Nothing was stored.")
    with working_on(finding, now=now) as locked:
        findings.comment(locked, text=words, actor=by.actor, now=now)
    return locked


def snooze(finding: Finding, *, until: datetime | None, reason: str = "", by: Requester, now: datetime) -> Finding:
    """Put the finding off until a moment (aware UTC), at most 30 days ahead; None wakes it.

    Putting off needs a reason. Refused where it was put off or woken since `finding` was read. Raises NotAllowed,
    NotHandled.
    """
    by.require(permissions.HANDLE)
    why = kept(reason, what="reason", error=NotHandled)
    _check_moment(until, why, now=now)
    with working_on(finding, now=now) as locked:
        check_open(locked)
        if locked.wakes_after != finding.wakes_after:
            raise NotHandled(snoozed_meanwhile(locked, now=now))
        if until is None and not locked.is_asleep(now):
            raise NotHandled("This finding is not put off. Nothing was changed.")
        findings.snooze(locked, until=until, reason=why, actor=by.actor, now=now)
    return locked


def _check_moment(until: datetime | None, why: str, *, now: datetime) -> None:
    if until is None:
        return
    if until <= now:
        raise NotHandled("A finding is put off until a time in the future. Nothing was changed.")
    if until - now > LONGEST_SNOOZE:
        raise NotHandled(f"A finding is put off for {LONGEST_SNOOZE.days} days at most. Nothing was changed.")
    if not why:
        raise NotHandled("Putting a finding off needs a reason. Nothing was changed.")


def snoozed_meanwhile(finding: Finding, *, now: datetime) -> str:
    if finding.wakes_after and finding.is_asleep(now):
        what = f"put off until {finding.wakes_after:%Y-%m-%d %H:%M} UTC"
    else:
        what = "woken up"
    return f"In the meantime this finding was {what}. Nothing was changed; choose again if you still want to."


def resolve(finding: Finding, *, root_cause: str, reason: str = "", by: Requester, now: datetime) -> Finding:
    """Close the finding on a person's word, without evidence (`now` aware UTC). Raises NotAllowed, NotHandled.

    Of one that closed by itself only the root cause is named: how it closed stays as it was.
    """
    by.require(permissions.HANDLE)
    why = kept(reason, what="reason", error=NotHandled)
    if root_cause not in RootCause.values:
        raise NotHandled("Choose one of the root causes. Nothing was changed.")
    if root_cause == RootCause.OTHER and not why:
        raise NotHandled("The root cause “other” needs words that say what it was. Nothing was changed.")
    with working_on(finding, now=now) as locked:
        if locked.is_open:
            resolution = _resolution_for(root_cause)
            findings.resolve(locked, resolution=resolution, root_cause=root_cause, reason=why, actor=by.actor, now=now)
        else:
            _check_unexplained(locked, seen=finding)
            findings.explain_cause(locked, root_cause=root_cause, reason=why, actor=by.actor, now=now)
    return locked


def _resolution_for(root_cause: str) -> Resolution:
    is_false = root_cause == RootCause.FALSE_POSITIVE
    return Resolution.FALSE_POSITIVE if is_false else Resolution.CLOSED_BY_PERSON


def _check_unexplained(finding: Finding, *, seen: Finding) -> None:
    if finding.resolution in SETTLED_BY_PERSON:
        raise NotHandled(closed_already(finding))
    if finding.root_cause != seen.root_cause:
        raise NotHandled(named_meanwhile(finding))


def named_meanwhile(finding: Finding) -> str:
    """Why a cause was not named: another one stands there, or what was seen is gone since the finding opened again."""
    if not finding.root_cause:
        return "In the meantime this finding was opened again. Nothing was changed; look at it before you close it."
    if finding.resolution in SETTLED_BY_PERSON:
        return closed_already(finding)
    named = finding.root_cause_look.label
    return f"In the meantime somebody named the root cause “{named}”. Nothing was changed."


def check_open(finding: Finding) -> None:
    """Raise NotHandled with who closed it and how, unless it is open."""
    if not finding.is_open:
        raise NotHandled(closed_already(finding))


def closed_already(finding: Finding) -> str:
    who = f" by {finding.resolved_by}" if finding.resolved_by else ""
    how = finding.resolution_look.label
    return f"This finding is closed already{who}: {how[:1].lower()}{how[1:]}. Nothing was changed."
