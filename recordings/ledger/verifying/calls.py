"""Changes and corrections, call by call, against the entries about that call.

All that belongs to a call is read by a handful of statements for a page of calls. What the site writes meanwhile is
seen by one of them and not by another: so a call that seems wrong is looked at again, and only what is wrong each time
sounds an alarm.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain

from django.db.models import Exists, Model, OuterRef

from recordings.choices import Alarm
from recordings.ledger.verifying.alarms import MOST_KEPT, Alarms, Found
from recordings.ledger.verifying.pairs import LOOKS, unequal
from recordings.ledger.verifying.recorded import Calls, Recorded, recorded
from recordings.ledger.verifying.told import Ledgered, Step, ledgered
from recordings.models import Attempt, AttemptResult, Call, Operation, StatusChange

CALLS = 500
# Two machines write entries of one correction, and their clocks may be so far apart.
APART = timedelta(seconds=2)


def check_calls(alarms: Alarms) -> Iterator[int]:
    """Every call, a page at a time; yields how many records of the page were held against entries."""
    calls, after = Call.objects.order_by("pk").values_list("pk", flat=True), None
    while page := list((calls if after is None else calls.filter(pk__gt=after))[:CALLS]):
        rows, found = _look(Calls("range", (page[0], page[-1])))
        for _ in range(LOOKS - 1):
            found = _again(found)
        alarms.add(chain.from_iterable(found.values()))
        yield rows
        after = page[-1]


def _again(found: dict[int, list[Found]]) -> dict[int, list[Found]]:
    if not found:
        return found
    _, now = _look(Calls("in", sorted(found)))
    return {call: [one for one in some if one in now.get(call, ())] for call, some in found.items()}


def _look(calls: Calls) -> tuple[int, dict[int, list[Found]]]:
    """How many records these calls have, and what is wrong, by the call."""
    rows, told = recorded(calls), ledgered(calls)
    found: dict[int, list[Found]] = defaultdict(list)
    for call in rows.keys() | told.keys():
        if some := list(_unequal(told.get(call, Ledgered()), rows.get(call, Recorded()))):
            found[call] = some
    return sum(one.total for one in rows.values()), found


def _unequal(told: Ledgered, rows: Recorded) -> Iterator[Found]:
    yield from unequal("change", told.changes, rows.changes)
    yield from unequal("correction", told.wishes, rows.wishes)
    yield from unequal("approval of correction", told.approvals, rows.approvals)
    yield from unequal("try of correction", told.tries, rows.tries)
    yield from unequal("result of correction", told.results, rows.results)
    for operation, status in rows.statuses.items():
        steps = told.statuses.get(operation, [])
        if steps and status not in _latest(steps):
            sentence = f"The correction {operation} is {status}, and its last entry, {steps[-1].entry}, says otherwise."
            yield Found(Alarm.ROW_DIFFERS, sentence, entry=steps[-1].entry)


def _latest(steps: Sequence[Step]) -> set[str]:
    """What a correction may be after these steps."""
    newest = max(step.recorded_at for step in steps)
    return {step.status for step in steps if newest - step.recorded_at <= APART}


def check_strays(alarms: Alarms) -> Iterator[int]:
    """Records of a call or a correction that is not there: no look at calls finds them. Yields after each kind."""
    strays: list[tuple[str, type[Model], str, type[Model]]] = [
        ("change", StatusChange, "call_id", Call),
        ("correction", Operation, "call_id", Call),
        ("try", Attempt, "operation_id", Operation),
        ("result", AttemptResult, "attempt_id", Attempt),
    ]
    for what, model, column, owner in strays:
        owners = owner._base_manager.filter(pk=OuterRef(column))
        for key in model._base_manager.filter(~Exists(owners)).values_list("pk", flat=True)[:MOST_KEPT]:
            alarms.sound(Alarm.ROW_UNTOLD, f"The {what} {key} belongs to a record that is gone.")
        yield 0
