"""The notifications of the calling platform, as the pages on `call: answer` and `call: delete` show them."""

from collections.abc import Sequence
from typing import Any

from sandbox.defaults import BOT_CALLBACK_URI, CLIENT_ID
from sandbox.messages import Json, new_id
from sandbox.resources import call_resource, invitation, operation_resource, roster, source
from sandbox.state import Call, Operation

ETAG = 'W/"5445"'  # the documentation shows this one value everywhere
KINDS = ("created", "updated", "deleted", "operation", "roster", "content")


def envelope(notices: Sequence[Json]) -> Json:
    return {"@odata.type": "#microsoft.graph.commsNotifications", "value": list(notices)}


def notice(change: str, path: str, data: Any) -> Json:
    wrapped = {
        "@odata.type": "#microsoft.graph.commsNotification",
        "changeType": change,
        "resource": f"/app/calls/{path}",
        "resourceUrl": f"/communications/calls/{path}",
    }
    return wrapped if data is None else {**wrapped, "resourceData": data}


def sparse_call(call: Call, **facts: Any) -> Json:
    """A patch, not a picture: not even the id is in it, only the address has it."""
    address = f"/communications/calls/{call.call_id}"
    return {"@odata.type": "#microsoft.graph.call", "@odata.id": address, "@odata.etag": ETAG, **facts}


def bot_data(call: Call) -> Json:
    return {
        "user": {
            "participationMethod": "callee",
            "clientLocation": "DE",
            "policyHolderId": call.user["id"],
            "policyHolderTenantId": call.tenant_id,
        },
        "otherSideUser": {"participationMethod": "caller", "clientLocation": "DE"},
        "inviteReasons": ["PolicyBasedRecording"],
        "policyIdentifier": "Sandbox compliance recording",
        "pairedRecorders": [],
        "otherRecorders": [],
        "mediaHostedRegion": "EMEA",
        "isMultiParty": True,
        "callId": call.call_chain_id,
    }


def created(call: Call, state: str) -> Json:
    facts = {
        **call_resource(call, BOT_CALLBACK_URI),
        "state": state,
        "source": source(call),
        "targets": [invitation(CLIENT_ID)],
    }
    if call.policy:
        facts["applicationMetadata"] = {"botData": bot_data(call)}
    return notice("created", call.call_id, sparse_call(call, **facts))


def updated(call: Call, state: str) -> Json:
    return notice("updated", call.call_id, sparse_call(call, state=state))


def deleted(call: Call, state: str) -> Json:
    return notice("deleted", call.call_id, sparse_call(call, state=state, resultInfo=call.result))


def operation_settled(operation: Operation, *, pascal_case: bool, named: bool) -> Json:
    """One example of Microsoft's has no id and this odd address: only the client context tells what is meant."""
    data = operation_resource(operation, pascal_case=pascal_case)
    if not named:
        return notice("deleted", f"{operation.call_id}/operations/participants", {**data, "id": None})
    return notice("deleted", f"{operation.call_id}/operations/{operation.operation_id}", data)


def roster_changed(call: Call) -> Json:
    return notice("updated", f"{call.call_id}/participants", roster(call))


def content_shared(call: Call) -> Json:
    """The one notification without resourceData."""
    return notice("created", f"{call.call_id}/contentSharingSessions/{new_id()}", None)
