"""What somebody asked to be exported."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils.crypto import salted_hmac

from recordings.choices import HISTORY_ACTIONS
from recordings.exports.cells import Flavour
from recordings.exports.spots import Span, entries_of, span_of
from recordings.models import Actor, Call, LedgerEntry

_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
# Never an id, though a user name can look like one.
_PEOPLE = frozenset({"requester", "actor", "assignee"})
# Stricter than the search of the pages: digits alone may be a phone number.
_LIKE_AN_ID = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_:-]{6,128}")
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
class Period:
    """From the first moment on, up to before the second (aware UTC)."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def asked_for(cls, data: Mapping[str, str], *, names: tuple[str, str]) -> Self:
        """From the two words of these names. Raises BadFilter, naming the one that is wrong."""
        since, until = names
        return cls(moment(data.get(since, ""), name=since), moment(data.get(until, ""), name=until, is_end=True))

    def within[M: Model](self, rows: QuerySet[M], column: str) -> QuerySet[M]:
        return rows.filter(self.bounds(column))

    def bounds(self, column: str) -> Q:
        bounds = {f"{column}__gte": self.since, f"{column}__lt": self.until}
        return Q(**{name: bound for name, bound in bounds.items() if bound is not None})


@dataclass(frozen=True)
class History:
    """Which events; their period is that of their recording. `from` and `to` are words of the calls page, for calls."""

    PERIOD: ClassVar = ("event_from", "event_to")
    # Whether the word, where it was understood, is one of those offered, or a time.
    WORDS: ClassVar[Mapping[str, bool]] = {"call": False, **dict.fromkeys((*PERIOD, "action"), True)}

    call_id: str = ""
    period: Period = Period()
    action: str = ""

    @classmethod
    def asked_for(cls, data: Mapping[str, str]) -> Self:
        """From the words of a query string: those of WORDS. Raises BadFilter."""
        action, call_id = data.get("action", ""), data.get("call", "")
        if action and action not in HISTORY_ACTIONS:
            raise BadFilter(f"action is {action!r}; known are {', '.join(HISTORY_ACTIONS)}. Nothing was exported.")
        if call_id and not _CALL_ID.fullmatch(call_id):
            raise BadFilter("call is not an id of a call: letters, digits, _ and -. Nothing was exported.")
        return cls(call_id, Period.asked_for(data, names=cls.PERIOD), action)

    def counted(self, calls: QuerySet[Call] | None = None) -> QuerySet[LedgerEntry]:
        """The same as `entries`, in a form of which the database can tell how many there are, but not page by page."""
        return LedgerEntry.objects.filter(self._chosen(calls, "action") | Q(pk__in=self._spots(calls)))

    def entries(self, calls: QuerySet[Call] | None = None) -> QuerySet[LedgerEntry]:
        """The ledger's entries that are history; only of these `calls`, where given. The blind spots of the time that
        was asked for come with them, whatever was chosen and whenever they were noticed.

        What most rows satisfy is asked of each row in the order of its key, not of an index: page by page, an index
        by action or by call would be read and sorted to its end each time.
        """
        entries = LedgerEntry.objects.alias(what=Concat("action", Value("")))
        return entries.filter(self._chosen(calls, "what") | Q(pk__in=self._spots(calls)))

    def _chosen(self, calls: QuerySet[Call] | None, what: str) -> Q:
        chosen = Q(action=self.action) if self.action else Q(**{f"{what}__in": HISTORY_ACTIONS})
        if self.call_id:
            chosen &= Q(call__graph_id=self.call_id)
        if calls is not None:
            chosen &= Q(Exists(calls.order_by().filter(pk=OuterRef("call_id"))))
        return chosen & self.period.bounds("recorded_at")

    def _spots(self, calls: QuerySet[Call] | None) -> list[UUID]:
        span: Span | None = Span(None, None)
        if self.call_id:
            calls = (Call.objects.all() if calls is None else calls).filter(graph_id=self.call_id)
        if calls is not None:
            span = span_of(calls)
        return entries_of(span.within(self.period.since, self.period.until)) if span else []


def told_filter(words: Mapping[str, str], *, known: Mapping[str, bool]) -> str:
    """The words of a query string as the ledger keeps them, for ever: those that are `known`, in one order.

    `known` says of each field whether its word is one that the field offers, or a day. What else people type, into
    whatever field, may be somebody's name, and names stay out of the ledger: unless it looks like an id, its keyed
    digest stands for it, by which equal searches can be told and the holder of SECRET_KEY can check a guess.
    """
    said = ((name, words[name]) for name in sorted(known.keys() & words.keys()) if words[name])
    return urlencode({name: value if _is_nobodys(name, value, known[name]) else _digest(value) for name, value in said})


def _is_nobodys(name: str, value: str, is_offered: bool) -> bool:
    """Whether the word cannot be a person's name."""
    return name not in _PEOPLE and (is_offered or _LIKE_AN_ID.fullmatch(value.strip()) is not None)


def _digest(value: str) -> str:
    digest = salted_hmac("recordings.exports.filter", value.strip(), algorithm="sha256").hexdigest()
    return f"(text, hmac {digest[:12]})"


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
