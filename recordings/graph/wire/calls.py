"""Calls: one bot leg each.

Reference: https://learn.microsoft.com/graph/api/resources/call
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recordings.graph.wire.fields import (
    CALL_STATES,
    DIRECTIONS,
    as_list,
    as_object,
    clean_id,
    optional_id,
    optional_object,
    text,
    word,
)
from recordings.graph.wire.operations import ResultInfo, parse_result
from recordings.graph.wire.people import Person, parse_identity

# Microsoft's page says the first, real logs the second: https://learn.microsoft.com/graph/api/call-answer (example 3)
POLICY_REASONS = frozenset({"policybasedrecording", "compliancerecording"})


@dataclass(frozen=True)
class GraphCall:
    """What Graph said about one leg. Notifications are sparse patches: None means "not said", never "empty now"."""

    id: str
    state: str | None = None
    direction: str | None = None
    subject: str | None = None
    tenant_id: str | None = None
    call_chain_id: str | None = None
    scenario_id: str | None = None
    my_participant_id: str | None = None
    recorded_user: Person | None = None
    organizer: Person | None = None
    is_policy_call: bool | None = None
    result: ResultInfo | None = None


def parse_call(payload: object, field: str = "call", *, call_id: str | None = None) -> GraphCall:
    """One call; `call_id` stands in where a patch carries no id. Raises WireError."""
    data = as_object(payload, field)
    return GraphCall(
        id=clean_id(data.get("id") or call_id, f"{field}.id"),
        state=word(data, "state", field, known=CALL_STATES),
        direction=word(data, "direction", field, known=DIRECTIONS),
        subject=text(data, "subject", field),
        tenant_id=optional_id(data, "tenantId", field),
        call_chain_id=optional_id(data, "callChainId", field),
        scenario_id=optional_id(data, "scenarioId", field),
        my_participant_id=optional_id(data, "myParticipantId", field),
        recorded_user=_recorded_user(data, field),
        organizer=_organizer(data, field),
        is_policy_call=_is_policy_call(data, field),
        result=parse_result(data, field),
    )


def _recorded_user(data: Mapping[str, Any], field: str) -> Person | None:
    """The user under policy: the source where source and observed are one, else the policy holder, else the bare id.

    Reference: https://learn.microsoft.com/graph/api/resources/incomingcontext
    """
    context = optional_object(data, "incomingContext", field)
    observed = text(context, "observedParticipantId", f"{field}.incomingContext")
    source = optional_object(data, "source", field)
    # The documentation's own example has a source.id that differs from sourceParticipantId: either match counts.
    sources = (text(context, "sourceParticipantId", f"{field}.incomingContext"), text(source, "id", f"{field}.source"))
    if observed is None or observed in sources:
        return parse_identity(optional_object(source, "identity", f"{field}.source"), f"{field}.source.identity")[1]
    user = optional_object(_bot_data(data, field), "user", f"{field}.botData")
    return Person(text(user, "policyHolderId", f"{field}.botData.user") or observed, "")


def _organizer(data: Mapping[str, Any], field: str) -> Person | None:
    meeting = optional_object(data, "meetingInfo", field)
    organizer = optional_object(meeting, "organizer", f"{field}.meetingInfo")
    return parse_identity(organizer, f"{field}.meetingInfo.organizer")[1]


def _is_policy_call(data: Mapping[str, Any], field: str) -> bool | None:
    """True where the invitation names a recording policy; otherwise nothing is known, since botData is undeclared."""
    reasons = _bot_data(data, field).get("inviteReasons")
    if reasons is None:
        return None
    named = {reason.casefold() for reason in as_list(reasons, f"{field}.inviteReasons") if isinstance(reason, str)}
    return True if named & POLICY_REASONS else None


def _bot_data(data: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    metadata = optional_object(data, "applicationMetadata", field)
    return optional_object(metadata, "botData", f"{field}.applicationMetadata")
