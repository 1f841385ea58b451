"""What goes into an evidence pack: entries under one seal and nothing younger, so that it can be made again.

Every choice is made by what the entries themselves say, but for what docs/decisions/0016 names: rows that can change
say who is one person, and which recorder's blind spots to look for where none spoke.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import batched
from urllib.parse import parse_qsl
from uuid import UUID

from django.db.models import QuerySet

from recordings.choices import FINDING_ACTIONS, ActorKind, LedgerAction
from recordings.exports import known
from recordings.exports.asked import BadFilter
from recordings.exports.known import Step
from recordings.ledger import places_of
from recordings.models import Actor, Call, Finding, LedgerEntry, Seal

# A call has dozens of entries; of one with more than this a pack would be no page that anybody reads.
MOST_ENTRIES = 5000
_AT_ONCE = 200


@dataclass(frozen=True)
class Subject:
    """What a pack is about: a call, or a finding, with the call that one is on."""

    call: Call | None
    finding: Finding | None = None

    @property
    def query(self) -> str:
        """The words that name it: see `of_query`."""
        return f"finding={self.finding.pk}" if self.finding else f"call={self.call}"

    @property
    def sentence(self) -> str:
        if self.finding:
            return f"Evidence pack of finding {self.finding.pk}"
        return f"Evidence pack of call {self.call}"

    @classmethod
    def of_query(cls, query: str) -> "Subject":
        """Raises BadFilter."""
        words = dict(parse_qsl(query))
        if "finding" in words and words["finding"].isdecimal():
            finding = Finding.objects.select_related("call").filter(pk=words["finding"]).first()
            if finding:
                return cls(finding.call, finding)
        call = Call.objects.filter(graph_id=words.get("call", "")).first()
        if call is None:
            raise BadFilter("No call and no finding of that name is known. No pack was made.")
        return cls(call)


@dataclass(frozen=True)
class Sealed:
    """The steps that lie under the seal, each with its place in the tree. In the order of their keys."""

    subject: Subject
    seal: Seal
    steps: Sequence[Step]
    places: dict[UUID, int]
    spots: Sequence[Step] = ()
    skews: Sequence[Step] = ()
    roles: Sequence[Step] = ()

    @cached_property
    def stood(self) -> known.KnownCall:
        return known.call_of(self.steps)

    @property
    def began_at(self) -> datetime:
        """The first moment that any step tells of; of a finding also since when it holds."""
        moments = [step.occurred_at for step in self.steps]
        return min([*moments, *(since for step in self.steps if (since := step.at("since_at")))])

    @property
    def over_at(self) -> datetime | None:
        """The end of the call, or of a finding on none; None while it went on."""
        if self.subject.call:
            return self.stood.over_at
        closings = [finding.closing for finding in known.findings_of(self.steps)]
        ends = [closing.recorded_at for closing in closings if closing]
        return max(ends) if len(ends) == len(closings) and ends else None

    @property
    def all(self) -> list[Step]:
        return sorted((*self.steps, *self.spots, *self.skews, *self.roles), key=lambda step: step.entry.pk)

    def place(self, step: Step) -> int:
        return self.places[step.entry.pk]


def read(subject: Subject, seal: Seal) -> Sealed:
    """All that the ledger says of the subject under the seal. Raises BadFilter where there is nothing, or too much."""
    about = known.steps_of(_about(subject)[: MOST_ENTRIES + 1])
    if len(about) > MOST_ENTRIES:
        raise BadFilter(
            f"There are more than {MOST_ENTRIES} entries, too many for an evidence pack. Ask for an export of the "
            "history instead: it has the same entries and proofs. No pack was made."
        )
    if subject.call and not all(known.is_about(step, subject.call) for step in about):
        raise BadFilter(
            "An entry that is kept under this call names another one in its text, so somebody altered the database. "
            "Verify the ledger. No pack was made."
        )
    places: dict[UUID, int] = {}
    sealed = Sealed(subject, seal, _under(about, seal, places), places)
    if not sealed.steps:
        raise BadFilter(
            f"Nothing about it had been sealed when the ledger had {seal.size} entries. No pack was made. Ask again "
            "once the ledger was sealed, a minute from now at most."
        )
    return replace(sealed, spots=_spots(sealed, places), skews=_skews(sealed, places), roles=_roles(sealed, places))


def _about(subject: Subject) -> QuerySet[LedgerEntry]:
    if subject.call:
        return known.entries_about(subject.call)
    entries = LedgerEntry.objects.filter(finding=subject.finding, action__in=list(FINDING_ACTIONS))
    return entries.select_related("actor").order_by("pk")


def _under(steps: Sequence[Step], seal: Seal, places: dict[UUID, int]) -> tuple[Step, ...]:
    """Those of the steps that lie under the seal; their places are added to `places`."""
    for some in batched(steps, _AT_ONCE):
        found = places_of(step.entry.pk for step in some)
        places |= {key: place for key, place in found.items() if place < seal.size}
    return tuple(step for step in steps if step.entry.pk in places)


def _spots(sealed: Sealed, places: dict[UUID, int]) -> tuple[Step, ...]:
    """Of the recorders that spoke, and our own, in the time that the sealed steps tell of."""
    found = known.spot_steps(_recorders(sealed), since=sealed.began_at, until=sealed.over_at)
    under = _under(found, sealed.seal, places)
    touching = {spot.key for spot in known.spots_of(under, since=sealed.began_at, until=sealed.over_at)}
    return tuple(step for step in under if step.text("blind_spot") in touching)


def _recorders(sealed: Sealed) -> set[int]:
    subject = sealed.subject
    if subject.call:
        return known.recorders_of(subject.call, sealed.steps)
    return {subject.finding.recorder_id} if subject.finding and subject.finding.recorder_id else set()


def _skews(sealed: Sealed, places: dict[UUID, int]) -> tuple[Step, ...]:
    """Of the time in which our clock and Microsoft's were apart. There are few in a year."""
    actions = (LedgerAction.CLOCK_SKEWED, LedgerAction.CLOCK_RIGHT)
    entries = LedgerEntry.objects.filter(action__in=actions).select_related("actor").order_by("pk")
    under = _under(known.steps_of(entries), sealed.seal, places)
    touching = set(map(skew_key, skews_of(under, sealed)))
    return tuple(step for step in under if skew_key(step) in touching)


def skews_of(steps: Iterable[Step], sealed: Sealed) -> list[Step]:
    """The last word on each skew that touches the time of the subject."""
    latest = {skew_key(step): step for step in steps}
    return [step for step in latest.values() if _touches(step, sealed.began_at, sealed.over_at)]


def skew_key(step: Step) -> str:
    return step.text("from_at")


def _touches(skew: Step, since: datetime, until: datetime | None) -> bool:
    began, ended = skew.at("from_at"), skew.at("until_at")
    return (until is None or began is None or began <= until) and (ended is None or ended >= since)


def _roles(sealed: Sealed, places: dict[UUID, int]) -> tuple[Step, ...]:
    """Every change of a role of the people in these steps, whose actors may have had other names then."""
    people = {step.entry.actor.subject_id for step in sealed.steps if step.entry.actor.kind == ActorKind.PERSON}
    if not people:
        return ()
    keys = set(Actor.objects.filter(kind=ActorKind.PERSON, subject_id__in=people).values_list("pk", flat=True))
    entries = LedgerEntry.objects.filter(action=LedgerAction.ROLE_CHANGED).select_related("actor").order_by("pk")
    about = [step for step in known.steps_of(entries.iterator()) if step.number("subject") in keys]
    return _under(about, sealed.seal, places)
