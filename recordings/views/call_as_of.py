"""A call's page as of a moment: what was known then, rebuilt from the ledger, and what arrived later.

Nothing on it can be changed and nothing renews itself. What the ledger does not keep over time, as names and
heartbeats, the page does not guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from recordings import ledger
from recordings.choices import CHANGED_FIELD_WORDS, ChangedField, LedgerAction, Look, look
from recordings.exports import known
from recordings.models import BlindSpot, Call, Operation, StatusChange
from recordings.views.acting import person

# A call has dozens of entries; of one with more no page is made, since a part of them would tell another state.
MOST_ENTRIES = 2000
TOO_MANY = (
    f"This call has more than {MOST_ENTRIES} entries in the ledger, too many for a page as of a moment. "
    "The history export can be asked for as of a moment, too."
)
FORGED = (
    "An entry of the ledger that this page is made of cannot be read: somebody changed its text. So nobody can say "
    "what was known then. Have the ledger verified."
)


class BadMoment(ValueError):
    """No page can be made as of that; the text says why. Nothing is shown."""


@dataclass(frozen=True)
class Line:
    """One step on the page, and whether it was known at the moment or arrived later."""

    step: known.Step
    is_late: bool

    @property
    def old(self) -> Look:
        return self._shown("old")

    @property
    def new(self) -> Look:
        return self._shown("new")

    @property
    def field(self) -> str:
        return look(ChangedField, self.step.text("field")).label

    def _shown(self, name: str) -> Look:
        words, value = CHANGED_FIELD_WORDS.get(self.step.text("field")), self.step.text(name)
        return look(words, value) if words else Look(value, value, "mute", "r-unknown")


@dataclass(frozen=True)
class CallAsOf:
    """`stood` and everything else but the lines that are marked late comes from what was known at `at`."""

    call: Call
    at: datetime
    stood: known.KnownCall
    corrections: Sequence[known.KnownCorrection]
    findings: Sequence[known.KnownFinding]
    spots: Sequence[known.KnownSpot]
    changes: Sequence[Line]
    other_steps: Sequence[Line]

    @classmethod
    def of(cls, call: Call, at: datetime) -> Self:
        """Five queries. Raises BadMoment for a call with too many entries."""
        entries = list(known.entries_about(call)[: MOST_ENTRIES + 1])
        if len(entries) > MOST_ENTRIES:
            raise BadMoment(TOO_MANY)
        steps = [step for step in known.steps_of(entries) if known.is_about(step, call)]
        split = known.steps_as_of(steps, at)
        began = min([call.created_at, *(step.occurred_at for step in split.known)])
        stood = known.call_of(split.known)
        about_spots = known.spot_steps(known.recorders_of(call, steps), since=began, until=stood.over_at or at)
        spots = known.steps_as_of(about_spots, at)
        return cls(
            call=call,
            at=at,
            stood=stood,
            corrections=known.corrections_of(split.known)[::-1],
            findings=known.findings_of(split.known)[::-1],
            spots=known.spots_of(spots.known, since=began, until=stood.over_at),
            changes=[line for line in _lines(split) if line.step.action == LedgerAction.STATUS_CHANGED],
            other_steps=[line for line in _lines(split) if line.step.action != LedgerAction.STATUS_CHANGED]
            + [Line(step, is_late=True) for step in spots.late],
        )

    @property
    def is_known(self) -> bool:
        """Whether anything was known of the call; a row without entries was made when it was first heard of."""
        return self.call.created_at <= self.at or any(not line.is_late for line in (*self.changes, *self.other_steps))

    @property
    def late(self) -> list[Line]:
        return [line for line in (*self.changes, *self.other_steps) if line.is_late]

    @property
    def drawn_call(self) -> Call:
        """The call as the timeline draws it; never saved."""
        stood, call = self.stood, self.call
        return Call(
            graph_id=call.graph_id,
            created_at=min(call.created_at, self.at),
            state=stood.state.value,
            capture_state=stood.capture.value,
            recording_status=stood.told.value,
            established_at=stood.established_at,
            ended_at=stood.ended_at,
            gone_at=stood.gone_at,
        )

    @property
    def drawn_changes(self) -> list[StatusChange]:
        steps = (line.step for line in self.changes if not line.is_late)
        return [
            StatusChange(
                field=step.text("field"), old=step.text("old"), new=step.text("new"), occurred_at=step.occurred_at
            )
            for step in steps
        ]

    @property
    def drawn_operations(self) -> list[Operation]:
        return [
            Operation(
                requested_status=one.requested_status,
                status=one.status,
                requested_at=one.requested_at,
                sent_at=one.sent_at,
                finished_at=one.finished_at,
            )
            for one in self.corrections
        ]

    @property
    def drawn_spots(self) -> list[BlindSpot]:
        return [BlindSpot(from_at=spot.from_at, until_at=spot.until_at, why=spot.why) for spot in self.spots]


def _lines(split: known.AsOf) -> list[Line]:
    """Newest first by when they happened, as on the page of now."""
    lines = [Line(step, is_late=False) for step in split.known] + [Line(step, is_late=True) for step in split.late]
    return sorted(lines, key=lambda line: (line.step.occurred_at, line.step.entry.pk), reverse=True)


def call_as_of(request: HttpRequest, call: Call, *, asked: str, now: datetime) -> HttpResponse:
    """The page as of the moment that was asked for; a moment that is none gets a sentence, and no facts."""
    context: dict[str, object] = {"call": call, "now": now}
    try:
        context["page"] = CallAsOf.of(call, moment_of(asked, now=now))
    except BadMoment as problem:
        return _refused(request, context, str(problem), status=400)
    except ledger.Unreadable:
        return _refused(request, context, FORGED, status=409)
    ledger.note_call_read(call, user=person(request), now=now)
    return render(request, "recordings/call_as_of.html", context)


def _refused(request: HttpRequest, context: dict[str, object], problem: str, *, status: int) -> HttpResponse:
    return render(request, "recordings/call_as_of.html", context | {"problem": problem}, status=status)


def moment_of(asked: str, *, now: datetime) -> datetime:
    """An ISO 8601 time as aware UTC; without a zone it is taken as UTC. Raises BadMoment."""
    try:
        at = datetime.fromisoformat(asked.strip())
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise BadMoment(
            f"“{asked[:64]}” is not a time. Write it as 2026-11-18T14:30:00; without a zone it is taken as UTC."
        ) from error
    if at > now:
        raise BadMoment(f"{at:%Y-%m-%d %H:%M:%S} UTC is still to come: nobody can say what will be known then.")
    return at
