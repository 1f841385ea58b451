"""The calls that one message speaks of: locked in one order, changed in memory, and saved once at its end.

The order of every lock that taking in needs is: what was delivered, calls by their ids, recorders. So two messages
never wait for each other in a ring.
"""

from collections.abc import Iterable, Iterator, Mapping
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
        self._chains = {call.graph_id: call.call_chain_id for call in self._calls.values()}

    def __getitem__(self, graph_id: str) -> Call:
        return self._calls[graph_id]

    def get(self, graph_id: str) -> Call | None:
        return self._calls.get(graph_id)

    def put_back(self, *, now: datetime) -> None:
        """Save what moved, with its next moment; also that of legs whose conversation got to know another one."""
        moved = {name for name, call in self._calls.items() if _columns(call) != self._before[name]}
        learned = {self._calls[name].call_chain_id for name in moved} - {self._chains[name] for name in moved}
        due = [call for name, call in self._calls.items() if name in moved or call.call_chain_id in learned - {""}]
        for some in batched(due, AT_ONCE):
            reschedule_all(some, now=now)


def hold_calls(
    graph_ids: Iterable[str], *, making: Mapping[str, str], chains: Iterable[str] = (), now: datetime
) -> HeldCalls:
    """Lock the calls of these ids as far as they are known, in a transaction; `making` are made, each in its tenant.

    `chains` are conversations that the message names: it may tell their ended legs that another leg went on.
    """
    wanted = {*graph_ids, *making, *_removed_legs(chains)}
    known = known_ids(wanted)
    found: list[Call] = []
    for is_known, ids in groupby(sorted(known | making.keys()), key=known.__contains__):
        if is_known:
            found.extend(locked_calls(ids))
        else:
            found.extend(locked_or_new_call(each, tenant_id=making[each], now=now) for each in ids)
    return HeldCalls(found)


def known_ids(graph_ids: Iterable[str]) -> set[str]:
    """Those of the ids that have a row."""
    known: set[str] = set()
    for some in batched(sorted(graph_ids), AT_ONCE):
        known |= set(Call.objects.filter(graph_id__in=some).values_list("graph_id", flat=True))
    return known


def locked_calls(graph_ids: Iterable[str]) -> Iterator[Call]:
    """Their rows, locked in the order of `sorted`, which is that of the bytes; a database may sort texts otherwise."""
    by_bytes = Collate("graph_id", "C" if connection.vendor == "postgresql" else "BINARY")
    for some in batched(sorted(graph_ids), AT_ONCE):
        yield from Call.objects.select_for_update().filter(graph_id__in=some).order_by(by_bytes)


def _removed_legs(chains: Iterable[str]) -> set[str]:
    """Ended legs of these conversations whose verdict depends on the other legs (R10)."""
    code, subcode = REMOVED
    removed = Call.objects.filter(ended_at__isnull=False, result_code=code, result_subcode=subcode)
    named = {chain for chain in chains if chain}
    return set(removed.filter(call_chain_id__in=named).values_list("graph_id", flat=True)) if named else set()


def _columns(call: Call) -> list[object]:
    return [getattr(call, column.attname) for column in Call._meta.concrete_fields]
