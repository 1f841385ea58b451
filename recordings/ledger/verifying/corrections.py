"""What a correction's row says of Graph's answer, against the entries that carry it.

Its wish, approval, tries, results and status are held against their entries in `calls`.
"""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from recordings.choices import Alarm, LedgerAction
from recordings.ledger.verifying.alarms import Alarms, Found
from recordings.ledger.verifying.steps import Step, check_pages, orders, steps_of
from recordings.models import Operation

# Entries of a move say both; a move that brings no result says "" and leaves what stood, or takes it away.
_MOVES = (
    LedgerAction.CORRECTION_DECLINED,
    LedgerAction.CORRECTION_EXPIRED,
    LedgerAction.CORRECTION_CANCELLED,
    LedgerAction.CORRECTION_WAITING,
    LedgerAction.CORRECTION_SETTLED,
    LedgerAction.CORRECTION_UNRESOLVED,
)
_ACTIONS = (LedgerAction.CORRECTION_ANSWERED, *_MOVES)
_LONGEST_CODE = Operation._meta.get_field("result_code").max_length

type Answer = tuple[str, frozenset[str]]


def check_corrections(alarms: Alarms) -> Iterator[int]:
    """Every correction. Yields 0 for a page: as records they are counted with their calls."""
    for _ in check_pages(Operation.objects.all(), _look, alarms):
        yield 0


def _look(keys: Sequence[UUID]) -> Mapping[UUID, Found]:
    steps, found = steps_of("operation", keys, actions=_ACTIONS), {}
    rows = Operation.objects.filter(pk__in=keys).values_list("pk", "graph_operation_id", "result_code")
    for key, graph_id, code in rows:
        mine = steps.get(key, ())
        answers = [_answer(order) for order in orders(mine)] if mine else [_NOTHING]
        if not any(graph_id == own and code in codes for own, codes in answers):
            name = "graph_operation_id" if graph_id not in [own for own, _ in answers] else "result_code"
            sentence = f"The correction {key} says another {name} than the entries about it."
            found[key] = Found(Alarm.ROW_DIFFERS, sentence, entry=mine[-1].entry if mine else None)
    return found


_NOTHING: Answer = ("", frozenset({""}))


def _answer(steps: Sequence[Step]) -> Answer:
    """Graph's id, and the codes that may stand after these steps."""
    graph_id, codes = _NOTHING
    for step in steps:
        said = str(step.facts.get("graph_operation_id") or "")
        if step.facts.get("action") == LedgerAction.CORRECTION_ANSWERED:
            graph_id = said or graph_id
            codes = frozenset({str(step.facts.get("error_code") or "")[:_LONGEST_CODE]})
        else:
            graph_id, code = said, str(step.facts.get("result_code") or "")
            codes = frozenset({code}) if code else codes | {""}
    return graph_id, codes
