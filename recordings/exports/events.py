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
        Column("entry_id", "Key of the ledger entry this row is read from; keys grow with time.", _fact("id")),
        Column("recorded_at", "When On Record wrote the entry.", _fact("recorded_at")),
        Column("occurred_at", "When it happened, by the word of the source.", _fact("occurred_at")),
        Column("event", "What happened, in words.", _label),
        Column("action", "What happened, as a stable code.", _fact("action")),
        Column("call_id", "Microsoft Graph's id of the call: one leg of the recorder bot.", _fact("call")),
        Column("call_chain_id", "Graph's id that all legs of one conversation share.", _fact("call_chain_id")),
        Column(
            "tenant_id",
            "The Microsoft Entra tenant of the call, or that the finding is about.",
            _fact("tenant_id", "tenant"),
        ),
        Column("operation_id", "On Record's id of the correction.", _fact("operation")),
        Column(
            "graph_operation_id",
            "Graph's id of the correction; empty before Graph gave one.",
            _fact("graph_operation_id"),
        ),
        Column("client_context", "What Graph was given to recognise the correction by.", _fact("client_context")),
        Column("bulk_job", "Of a bulk job and of what it asked for: On Record's id of the job.", _fact("job")),
        Column(
            "field", "For a change: state, capture_state, recording_status (told to Teams) or gone.", _fact("field")
        ),
        Column("old", "For a change: the value before.", _fact("old")),
        Column("new", "For a change: the value from then on.", _fact("new")),
        Column("source", "For a change: whose word it is: graph, recorder or import.", _fact("source")),
        Column("requested_status", "For a correction: what Teams was to be told.", _fact("requested_status")),
        Column("operation_status", "For a correction: where it stood after this event.", _fact("status")),
        Column("attempt", "Number of the try at Graph, from 1.", _fact("attempt")),
        Column("is_repeat", "Whether people on the call may have heard this notice before.", _fact("is_repeat")),
        Column("outcome", "What the try came to: accepted, refused, throttled, notSent or unknown.", _fact("outcome")),
        Column("http_status", "HTTP status of Graph's answer to this try.", _fact("http_status")),
        Column("error_code", "Graph's code for what went wrong.", _fact("error_code", "result_code")),
        Column("message", "Graph's message, or ours where nothing was sent.", _fact("message", "result_message")),
        Column(
            "request_id", "Graph's request id of this try, which Microsoft's support asks for.", _fact("request_id")
        ),
        Column(
            "client_request_id", "On Record's id of this try, sent as client-request-id.", _fact("client_request_id")
        ),
        Column(
            "actor_kind", "Who acted: person, recorder, graph, job (On Record) or shell.", lambda e: e.entry.actor.kind
        ),
        Column("actor", "The name the actor had then.", lambda e: e.entry.actor.label),
        Column("reason", "The reason that was given.", _fact("reason")),
        Column("why", "Why On Record refused, or asked for a second person.", _fact("why", "needs_approval_why")),
        Column("evidence", "For an approval or an attestation: what shows that it is true.", _fact("evidence")),
        Column("evidence_sha256", "For an attestation with a file: the SHA-256 of the file.", _fact("file_sha256")),
        Column("finding_id", "For a finding: On Record's id of it.", _fact("finding")),
        Column("finding_rule", "For a finding: the code of its rule.", _fact("rule")),
        Column("finding_subject", "For a finding: what it is about, call, recorder or tenant.", _fact("subject")),
        Column("recorder", "For a finding about a recorder, or a blind spot of one: its name.", _fact("recorder")),
        Column("severity", "For a finding that opened: its severity.", _fact("severity")),
        Column("assignee", "For a finding that was assigned: to whom; empty if to nobody.", _assignee),
        Column(
            "put_off_until", "For a finding that was put off: until when; empty if it was woken.", _fact("wakes_after")
        ),
        Column(
            "resolution", "For a finding that closed: how, as a code; the classes are kept apart.", _fact("resolution")
        ),
        Column("root_cause", "For a finding: the cause a person named, as a code.", _fact("root_cause")),
        Column("from_at", "For a blind spot: when it began.", _fact("from_at")),
        Column("until_at", "For a blind spot that is over: when it ended.", _fact("until_at")),
    ),
    with_related=lambda entries: entries.select_related("actor"),
    row_of=_event,
)
