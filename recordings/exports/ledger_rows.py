"""The ledger itself: one row an entry, with its place in the tree and its whole text."""

from recordings.exports.cells import Value
from recordings.exports.events import Event, event_of, proven
from recordings.exports.sheet import Column, Sheet


def _place(event: Event) -> Value:
    """Left on the entry by the archive that is being written, since it depends on the seal."""
    place: int | None = vars(event.entry).get("place")
    return place


def _text(event: Event) -> Value:
    """Of one that is not readable none: whatever bytes somebody put there are for verification, not for a cell."""
    return event.entry.body if event.is_readable else None


LEDGER = Sheet(
    name="ledger",
    columns=(
        Column("index", "Place of the entry in the tree; empty if the seal is older.", _place, ("$index",)),
        proven("entry_id", "Key of the entry; keys grow with time.", "id"),
        proven("recorded_at", "When On Record wrote the entry.", "recorded_at"),
        proven("occurred_at", "When it happened, by the word of the source.", "occurred_at"),
        Column("event", "What happened, in words.", lambda e: e.label),
        proven("action", "What happened, as a stable code.", "action"),
        proven("actor_id", "Who acted, by the number of the actor.", "actor"),
        Column(
            "actor_kind", "Who acted: person, recorder, graph, job (On Record) or shell.", lambda e: e.entry.actor.kind
        ),
        Column("actor", "The name the actor had then.", lambda e: e.entry.actor.label),
        proven("call_id", "Microsoft Graph's id of the call: one leg of the recorder bot.", "call"),
        proven("operation_id", "On Record's id of the correction.", "operation"),
        proven("finding_id", "For a finding: On Record's id of it.", "finding"),
        Column("body", "The entry: the very text that is hashed.", _text, ("$body",)),
    ),
    with_related=lambda entries: entries.select_related("actor"),
    row_of=event_of,
)
