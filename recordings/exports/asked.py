"""What somebody asked to be exported."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self

from django.db.models import Exists, Model, OuterRef, QuerySet, Value
from django.db.models.functions import Concat

from recordings.choices import HISTORY_ACTIONS
from recordings.exports.cells import Flavour
from recordings.models import Actor, Call, LedgerEntry

_BARE_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadFilter(ValueError):
    """What was asked for is not to be understood; the text says what and why. Nothing was exported."""


@dataclass(frozen=True)
class Asked:
    """Who asked, for rows chosen by what, in which flavour. The ledger keeps all three."""

    actor: Actor
    filter: str
    flavour: Flavour = Flavour.SPREADSHEET


@dataclass(frozen=True)
class History:
    """Which events: from the first moment on, up to before the second (aware UTC, by the time of recording)."""

    WORDS: ClassVar = ("call", "from", "to", "action")

    call_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    action: str = ""

    @classmethod
    def asked_for(cls, data: Mapping[str, str]) -> Self:
        """From the words of a query string: call, from, to and action. Raises BadFilter."""
        action = data.get("action", "")
        if action and action not in HISTORY_ACTIONS:
            raise BadFilter(f"action is {action!r}; known are {', '.join(HISTORY_ACTIONS)}. Nothing was exported.")
        return cls(
            call_id=data.get("call", ""),
            since=moment(data.get("from", ""), name="from"),
            until=moment(data.get("to", ""), name="to", is_end=True),
            action=action,
        )

    def entries(self, calls: QuerySet[Call] | None = None) -> QuerySet[LedgerEntry]:
        """The ledger's entries that are history; only of these `calls`, where given.

        What most rows satisfy is asked of each row in the order of its key, not of an index: page by page, an index
        by action or by call would be read and sorted to its end each time.
        """
        entries = LedgerEntry.objects.all()
        if self.action:
            entries = entries.filter(action=self.action)
        else:
            entries = entries.alias(what=Concat("action", Value(""))).filter(what__in=HISTORY_ACTIONS)
        if self.call_id:
            entries = entries.filter(call__graph_id=self.call_id)
        if calls is not None:
            entries = entries.filter(Exists(calls.order_by().filter(pk=OuterRef("call_id"))))
        return self.within(entries, "recorded_at")

    def within[M: Model](self, rows: QuerySet[M], moment: str) -> QuerySet[M]:
        """The rows whose `moment` lies between the two bounds, where they are given."""
        bounds = {f"{moment}__gte": self.since, f"{moment}__lt": self.until}
        return rows.filter(**{name: bound for name, bound in bounds.items() if bound is not None})


def moment(text: str, *, name: str, is_end: bool = False) -> datetime | None:
    """An ISO 8601 time or date as aware UTC; without a zone it is taken as UTC. Raises BadFilter.

    A bare date is the beginning of that day; as an end it includes the day.
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        return at + timedelta(days=1) if is_end and _BARE_DATE.fullmatch(text) else at
    except (ValueError, OverflowError) as error:
        raise BadFilter(
            f"{name} is {text!r}, which is not a time: write 2026-11-18 or 2026-11-18T14:30:00Z "
            "(without a zone it is taken as UTC). Nothing was exported."
        ) from error
