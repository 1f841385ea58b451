"""Sort every selected call by what a bulk job could do about it, by the same ruling as a single correction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from recordings import conf, rules
from recordings.choices import SENDABLE_STATUSES, BulkStanding
from recordings.models import Call, Operation
from recordings.services.corrections import IN_PROGRESS, ruling

MOST_CALLS = 5_000
SAMPLE = 50


class BulkRefused(Exception):
    """Nothing of the job was stored or sent; the text says why."""


@dataclass(frozen=True)
class Group:
    """The calls of one standing: how many, the first of them, and a sentence about them all."""

    standing: BulkStanding
    calls: list[Call]
    count: int
    why: str


@dataclass(frozen=True)
class Precheck:
    """Every selected call is in exactly one group; groups without a call are left out."""

    wish: str
    groups: list[Group]
    total: int

    def count_of(self, standing: BulkStanding) -> int:
        return next((group.count for group in self.groups if group.standing == standing), 0)


@dataclass(frozen=True)
class Sorted:
    """One selected call and where it stands."""

    call: Call
    ruling: rules.Ruling

    @property
    def is_workable(self) -> bool:
        """Whether a correction can be asked for, if need be with a second person."""
        return self.ruling.permit != rules.Permit.REFUSED


def precheck(calls: QuerySet[Call], *, wish: str, now: datetime) -> Precheck:
    """What telling Teams `wish` could do for each of `calls` now (aware UTC). Stores nothing.

    Raises BulkRefused for no call at all, for more than MOST_CALLS, and for a status that may not be sent.
    """
    found = sort_calls(selected(calls), wish=wish, now=now)
    by_standing: dict[BulkStanding, list[Sorted]] = defaultdict(list)
    for one in found:
        by_standing[one.ruling.standing].append(one)
    groups = [_group(standing, by_standing[standing]) for standing in BulkStanding if by_standing[standing]]
    return Precheck(wish, groups, len(found))


def selected(calls: QuerySet[Call]) -> list[Call]:
    """The calls themselves. Raises BulkRefused for none, and for more than MOST_CALLS."""
    found = list(calls[: MOST_CALLS + 1])
    if not found:
        raise BulkRefused("No call is selected. Nothing was stored or sent.")
    if len(found) > MOST_CALLS:
        raise BulkRefused(
            f"More than {MOST_CALLS:,} calls are selected, the most that one job takes. Nothing was stored or sent."
            " Narrow the list and start one job after the other."
        )
    return found


def sort_calls(calls: Sequence[Call], *, wish: str, now: datetime) -> list[Sorted]:
    """Where each call stands, in the same order. Raises BulkRefused for a status that may not be sent."""
    if wish not in SENDABLE_STATUSES:
        raise BulkRefused("Choose the status that Teams is to be told. Nothing was stored or sent.")
    busy = set(Operation.objects.live().filter(call__in=calls).values_list("call_id", flat=True))
    graces = conf.graces()
    # As for a single correction: a live one stands in the way before anything else is asked (invariant 4).
    in_progress = rules.Ruling(BulkStanding.IN_PROGRESS, IN_PROGRESS)
    return [
        Sorted(call, in_progress if call.pk in busy else ruling(call, wish, now=now, graces=graces)) for call in calls
    ]


def _group(standing: BulkStanding, found: list[Sorted]) -> Group:
    whys = {one.ruling.why for one in found}
    why = whys.pop() if len(whys) == 1 else ""
    return Group(standing, [one.call for one in found[:SAMPLE]], len(found), why or _WHYS[standing])


# Said of a whole group where its calls have no sentence in common.
_WHYS = {
    BulkStanding.CAN_ACT: "Microsoft can be told at once.",
    BulkStanding.NEEDS_APPROVAL: "A second person must approve each of them, with evidence, before anything is sent.",
    BulkStanding.ALREADY_RIGHT: "Graph already confirmed this status.",
    BulkStanding.IN_PROGRESS: IN_PROGRESS,
    BulkStanding.AGAINST_RECORDER: "The recorder says the opposite. See to the recorder first.",
    BulkStanding.ATTEST_ONLY: "These calls are over, so Teams cannot be told any more. What is left is an attestation.",
    BulkStanding.NOT_POSSIBLE: (
        "Not established yet, just ending, no compliance-recording call, or of another tenant. Nothing can be sent."
    ),
}
