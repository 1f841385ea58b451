"""History: one row an event, in the order of the ledger, read from the very bytes the ledger hashes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recordings.choices import LedgerAction, look
from recordings.exports.cells import Value
from recordings.exports.readable import Fact, facts_of
from recordings.exports.sheet import Column, Sheet
from recordings.ledger import Unreadable
from recordings.models import Actor, LedgerEntry

UNREADABLE = "Text cannot be read: it was altered"


@dataclass(frozen=True)
class Event:
    """One entry. Of one that is not readable the body has its key, as its row names it, and nothing else."""

    entry: LedgerEntry
    body: Mapping[str, Fact]
    is_readable: bool = True

    @property
    def label(self) -> str:
        return look(LedgerAction, str(self.body.get("action"))).label if self.is_readable else UNREADABLE


def event_of(entry: LedgerEntry) -> Event:
    try:
        return Event(entry, facts_of(entry))
    except Unreadable:
        return Event(entry, {"id": str(entry.pk)}, is_readable=False)


def _fact(*names: str) -> Callable[[Event], Value]:
    """The first of these facts that the body holds and that says something."""

    def of(event: Event) -> Value:
        return next((value for name in names if (value := event.body.get(name)) not in (None, "")), None)

    return of


def proven(name: str, meaning: str, *facts: str) -> Column:
    """A column whose value stands in the very bytes that are hashed."""
    return Column(name, meaning, _fact(*facts), facts)


def _assignee(event: Event) -> Value:
    """The name the assignee had then. A body names people by the keys of actors; assigning is rare, so each asks."""
    number = event.body.get("assignee")
    if event.entry.action != LedgerAction.FINDING_ASSIGNED or not isinstance(number, int):
        return None
    return Actor.objects.values_list("label", flat=True).filter(pk=number).first()


HISTORY = Sheet(
    name="history",
    columns=(
        proven("entry_id", "Key of the ledger entry this row is read from; keys grow with time.", "id"),
        proven("recorded_at", "When On Record wrote the entry.", "recorded_at"),
        proven("occurred_at", "When it happened, by the word of the source.", "occurred_at"),
        Column("event", "What happened, in words.", lambda e: e.label),
        proven("action", "What happened, as a stable code.", "action"),
        proven("call_id", "Microsoft Graph's id of the call: one leg of the recorder bot.", "call"),
        proven("call_chain_id", "Graph's id that all legs of one conversation share.", "call_chain_id"),
        proven(
            "tenant_id",
            "The Microsoft Entra tenant of the call, or that the finding is about.",
            "tenant_id",
            "tenant",
        ),
        proven("operation_id", "On Record's id of the correction.", "operation"),
        proven(
            "graph_operation_id",
            "Graph's id of the correction; empty before Graph gave one.",
            "graph_operation_id",
        ),
        proven("client_context", "What Graph was given to recognise the correction by.", "client_context"),
        proven("bulk_job", "Of a bulk job and of what it asked for: On Record's id of the job.", "job"),
        proven("field", "For a change: state, capture_state, recording_status (told to Teams) or gone.", "field"),
        proven("old", "For a change: the value before.", "old"),
        proven("new", "For a change: the value from then on.", "new"),
        proven("source", "For a change: whose word it is: graph, recorder or import.", "source"),
        proven("requested_status", "For a correction: what Teams was to be told.", "requested_status"),
        proven("operation_status", "For a correction: where it stood after this event.", "status"),
        proven("attempt", "Number of the try at Graph, from 1.", "attempt"),
        proven("is_repeat", "Whether people on the call may have heard this notice before.", "is_repeat"),
        proven("outcome", "What the try came to: accepted, refused, throttled, notSent or unknown.", "outcome"),
        proven("http_status", "HTTP status of Graph's answer to this try.", "http_status"),
        proven("error_code", "Graph's code for what went wrong.", "error_code", "result_code"),
        proven("message", "Graph's message, or ours where nothing was sent.", "message", "result_message"),
        proven("request_id", "Graph's request id of this try, which Microsoft's support asks for.", "request_id"),
        proven("client_request_id", "On Record's id of this try, sent as client-request-id.", "client_request_id"),
        Column(
            "actor_kind", "Who acted: person, recorder, graph, job (On Record) or shell.", lambda e: e.entry.actor.kind
        ),
        Column("actor", "The name the actor had then.", lambda e: e.entry.actor.label),
        proven("reason", "The reason that was given.", "reason"),
        proven("why", "Why On Record refused, or asked for a second person.", "why", "needs_approval_why"),
        proven("evidence", "For an approval or an attestation: what shows that it is true.", "evidence"),
        proven("evidence_sha256", "For an attestation with a file: the SHA-256 of the file.", "file_sha256"),
        proven("finding_id", "For a finding: On Record's id of it.", "finding"),
        proven("finding_rule", "For a finding: the code of its rule.", "rule"),
        proven("finding_subject", "For a finding: what it is about, call, recorder or tenant.", "subject"),
        proven("recorder", "For a finding about a recorder, or a blind spot of one: its name.", "recorder"),
        proven("severity", "For a finding that opened: its severity.", "severity"),
        Column("assignee", "For a finding that was assigned: to whom; empty if to nobody.", _assignee),
        proven("put_off_until", "For a finding that was put off: until when; empty if it was woken.", "wakes_after"),
        proven("resolution", "For a finding that closed: how, as a code; the classes are kept apart.", "resolution"),
        proven("root_cause", "For a finding: the cause a person named, as a code.", "root_cause"),
        proven("from_at", "For a blind spot or clocks apart: when it began.", "from_at"),
        proven("until_at", "For one that is over: when it ended.", "until_at"),
        proven("clock_milliseconds", "For clocks apart: ours minus Microsoft's, in milliseconds.", "milliseconds"),
    ),
    with_related=lambda entries: entries.select_related("actor"),
    row_of=event_of,
)
