"""History: one row an event, in the order of the ledger, read from the very bytes the ledger hashes."""

from collections.abc import Callable
from dataclasses import dataclass

from recordings.choices import LedgerAction, look
from recordings.exports.cells import Value
from recordings.exports.sheet import Column, Sheet
from recordings.ledger import body_of
from recordings.models import Actor, LedgerEntry


@dataclass(frozen=True)
class Event:
    entry: LedgerEntry
    body: dict[str, str | int | bool | None]


def _event(entry: LedgerEntry) -> Event:
    return Event(entry, body_of(entry))


def _fact(*names: str) -> Callable[[Event], Value]:
    """The first of these facts that the body holds and that says something."""

    def of(event: Event) -> Value:
        return next((value for name in names if (value := event.body.get(name)) not in (None, "")), None)

    return of


def _proven(name: str, meaning: str, *facts: str) -> Column:
    """A column whose value stands in the very bytes that are hashed."""
    return Column(name, meaning, _fact(*facts), facts)


def _assignee(event: Event) -> Value:
    """The name the assignee had then. A body names people by the keys of actors; assigning is rare, so each asks."""
    if event.entry.action != LedgerAction.FINDING_ASSIGNED or event.body["assignee"] is None:
        return None
    return Actor.objects.values_list("label", flat=True).get(pk=event.body["assignee"])


def _label(event: Event) -> str:
    return look(LedgerAction, str(event.body["action"])).label


HISTORY = Sheet(
    name="history",
    columns=(
        _proven("entry_id", "Key of the ledger entry this row is read from; keys grow with time.", "id"),
        _proven("recorded_at", "When On Record wrote the entry.", "recorded_at"),
        _proven("occurred_at", "When it happened, by the word of the source.", "occurred_at"),
        Column("event", "What happened, in words.", _label),
        _proven("action", "What happened, as a stable code.", "action"),
        _proven("call_id", "Microsoft Graph's id of the call: one leg of the recorder bot.", "call"),
        _proven("call_chain_id", "Graph's id that all legs of one conversation share.", "call_chain_id"),
        _proven(
            "tenant_id",
            "The Microsoft Entra tenant of the call, or that the finding is about.",
            "tenant_id",
            "tenant",
        ),
        _proven("operation_id", "On Record's id of the correction.", "operation"),
        _proven(
            "graph_operation_id",
            "Graph's id of the correction; empty before Graph gave one.",
            "graph_operation_id",
        ),
        _proven("client_context", "What Graph was given to recognise the correction by.", "client_context"),
        _proven("bulk_job", "Of a bulk job and of what it asked for: On Record's id of the job.", "job"),
        _proven("field", "For a change: state, capture_state, recording_status (told to Teams) or gone.", "field"),
        _proven("old", "For a change: the value before.", "old"),
        _proven("new", "For a change: the value from then on.", "new"),
        _proven("source", "For a change: whose word it is: graph, recorder or import.", "source"),
        _proven("requested_status", "For a correction: what Teams was to be told.", "requested_status"),
        _proven("operation_status", "For a correction: where it stood after this event.", "status"),
        _proven("attempt", "Number of the try at Graph, from 1.", "attempt"),
        _proven("is_repeat", "Whether people on the call may have heard this notice before.", "is_repeat"),
        _proven("outcome", "What the try came to: accepted, refused, throttled, notSent or unknown.", "outcome"),
        _proven("http_status", "HTTP status of Graph's answer to this try.", "http_status"),
        _proven("error_code", "Graph's code for what went wrong.", "error_code", "result_code"),
        _proven("message", "Graph's message, or ours where nothing was sent.", "message", "result_message"),
        _proven("request_id", "Graph's request id of this try, which Microsoft's support asks for.", "request_id"),
        _proven("client_request_id", "On Record's id of this try, sent as client-request-id.", "client_request_id"),
        Column(
            "actor_kind", "Who acted: person, recorder, graph, job (On Record) or shell.", lambda e: e.entry.actor.kind
        ),
        Column("actor", "The name the actor had then.", lambda e: e.entry.actor.label),
        _proven("reason", "The reason that was given.", "reason"),
        _proven("why", "Why On Record refused, or asked for a second person.", "why", "needs_approval_why"),
        _proven("evidence", "For an approval or an attestation: what shows that it is true.", "evidence"),
        _proven("evidence_sha256", "For an attestation with a file: the SHA-256 of the file.", "file_sha256"),
        _proven("finding_id", "For a finding: On Record's id of it.", "finding"),
        _proven("finding_rule", "For a finding: the code of its rule.", "rule"),
        _proven("finding_subject", "For a finding: what it is about, call, recorder or tenant.", "subject"),
        _proven("recorder", "For a finding about a recorder, or a blind spot of one: its name.", "recorder"),
        _proven("severity", "For a finding that opened: its severity.", "severity"),
        Column("assignee", "For a finding that was assigned: to whom; empty if to nobody.", _assignee),
        _proven("put_off_until", "For a finding that was put off: until when; empty if it was woken.", "wakes_after"),
        _proven("resolution", "For a finding that closed: how, as a code; the classes are kept apart.", "resolution"),
        _proven("root_cause", "For a finding: the cause a person named, as a code.", "root_cause"),
        _proven("from_at", "For a blind spot: when it began.", "from_at"),
        _proven("until_at", "For a blind spot that is over: when it ended.", "until_at"),
    ),
    with_related=lambda entries: entries.select_related("actor"),
    row_of=_event,
)
