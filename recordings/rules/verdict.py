"""What a rule answers, and the words a finding shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from recordings.choices import Rule, Severity


@dataclass(frozen=True)
class Verdict:
    """One rule whose condition holds since `since`, a finding from `due_after` on, until `ends_after` (aware UTC).

    Most conditions end only with another fact; one that is about a length of time ends by itself.
    """

    rule: Rule
    severity: Severity
    since: datetime
    due_after: datetime
    ends_after: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.due_after <= now and not self.is_over(now)

    def is_over(self, now: datetime) -> bool:
        return self.ends_after is not None and self.ends_after <= now


@dataclass(frozen=True)
class Explained:
    """What a finding says to people: the sentence, what is not known, what to do, and whether Graph can still act."""

    sentence: str
    not_known: str
    action: str
    graph_can_act: bool = False


def latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def clock(moment: datetime | None) -> str:
    """The time of day, as the findings write it."""
    return f"{moment:%H:%M:%S} UTC" if moment else "an unknown time"


def duration(length: timedelta) -> str:
    """`length` in words for people: "3 h 10 min", "45 s"; negative lengths count as none."""
    seconds = max(0, int(length.total_seconds()))
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds} s" if minutes < 10 else f"{minutes} min"
    return f"{seconds} s"
