"""The calls that one message speaks of: locked in one order, changed in memory, and saved once at its end.

The order of every lock that taking in needs is: what was delivered, calls by their ids, recorders. So two messages
never wait for each other in a ring.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import batched, groupby

from django.db import connection
from django.db.models.functions import Collate

from recordings.ingest.calls import locked_or_new_call, reschedule_all
from recordings.models import Call
from recordings.rules import REMOVED

AT_ONCE = 500


class HeldCalls:
    """Calls whose rows are locked until the transaction ends."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._calls = {call.graph_id: call for call in calls}
        self._before = {call.graph_id: _columns(call) for call in self._calls.values()}
        self._beside = {call.graph_id: _beside(call) for call in self._calls.values()}
        self._settled: set[str] = set()

    def __getitem__(self, graph_id: str) -> Call:
        return self._calls[graph_id]

    def get(self, graph_id: str) -> Call | None:
        return self._calls.get(graph_id)

    def note_settled(self, graph_id: str) -> None:
        """A correction of this call moved, which no column of the call need show."""
        self._settled.add(graph_id)

    def put_back(self, *, now: datetime) -> None:
        """Save what moved, with its next moment; also that of legs that another one of their conversation concerns:
        one that it got to know, that is back, or that turns out to have ended earlier."""
        moved = {name for name, call in self._calls.items() if _columns(call) != self._before[name]} | self._settled
        chains = {self._calls[name].call_chain_id for name in moved if self._is_stirred(name)} - {""}
        due = [call for name, call in self._calls.items() if name in moved or call.call_chain_id in chains]
        for some in batched(due, AT_ONCE):
            reschedule_all(some, now=now)

    def _is_stirred(self, name: str) -> bool:
        return _beside(self._calls[name]) != self._beside[name]


def hold_calls(
    graph_ids: Iterable[str],
    *,
    making: Mapping[str, str],
    chains: Iterable[str] = (),
    ending: Collection[str] = (),
    now: datetime,
) -> HeldCalls:
    """Lock the calls of these ids as far as they are known, in a transaction; `making` are made, each in its tenant.

    `chains` are conversations that the message names: it may tell their ended legs that another leg went on. So may
    its word on a call that was gone, and on the `ending` of one.
    """
    known, stirred = _known({*graph_ids, *making}, ending=ending)
    known |= removed_legs({*chains, *stirred})
    found: list[Call] = []
    for is_known, ids in groupby(sorted(known | making.keys()), key=known.__contains__):
        if is_known:
            found.extend(locked_calls(ids))
        else:
            found.extend(locked_or_new_call(each, tenant_id=making[each], now=now) for each in ids)
    return HeldCalls(found)


def known_ids(graph_ids: Iterable[str]) -> set[str]:
    """Those of the ids that have a row."""
    return _known(graph_ids)[0]


def _known(graph_ids: Iterable[str], *, ending: Collection[str] = ()) -> tuple[set[str], set[str]]:
    """Those of the ids that have a row, and the conversations of those that are gone so far, or are said to end."""
    known, chains = set(), set()
    for some in batched(sorted(graph_ids), AT_ONCE):
        rows = Call.objects.filter(graph_id__in=some).values_list("graph_id", "call_chain_id", "gone_at")
        for graph_id, chain, gone_at in rows:
            known.add(graph_id)
            if gone_at or graph_id in ending:
                chains.add(chain)
    return known, chains


def locked_calls(graph_ids: Iterable[str]) -> Iterator[Call]:
    """Their rows, locked in the order of `sorted`, which is that of the bytes; a database may sort texts otherwise."""
    by_bytes = Collate("graph_id", "C" if connection.vendor == "postgresql" else "BINARY")
    for some in batched(sorted(graph_ids), AT_ONCE):
        yield from Call.objects.select_for_update().filter(graph_id__in=some).order_by(by_bytes)


def removed_legs(chains: Iterable[str]) -> set[str]:
    """Ended legs of these conversations whose verdict depends on the other legs (R10)."""
    code, subcode = REMOVED
    removed = Call.objects.filter(ended_at__isnull=False, result_code=code, result_subcode=subcode)
    legs: set[str] = set()
    for some in batched(sorted({*chains} - {""}), AT_ONCE):
        legs |= set(removed.filter(call_chain_id__in=some).values_list("graph_id", flat=True))
    return legs


def _beside(call: Call) -> tuple[str, datetime | None]:
    """What the other legs of its conversation are judged by."""
    return call.call_chain_id, call.over_at


def _columns(call: Call) -> list[object]:
    return [getattr(call, column.attname) for column in Call._meta.concrete_fields]
