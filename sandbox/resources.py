"""Calls, operations and participants as Graph writes them."""

from sandbox.messages import Json
from sandbox.state import Call, Operation


def cased(word: str | None, *, pascal_case: bool) -> str | None:
    """Graph's pages show camelCase; its schema and some of its answers have PascalCase."""
    if word and pascal_case:
        return word[0].upper() + word[1:]
    return word


def source(call: Call) -> Json:
    """Of a recording call the source is the recorded user: observed and source participant are one."""
    return {
        "@odata.type": "#microsoft.graph.participantInfo",
        "identity": {"user": {**call.user, "tenantId": call.tenant_id}},
        "endpointType": "default",
        "id": call.observed_participant_id,
        "region": "emea",
        "languageId": "en-GB",
    }


def invitation(application_id: str) -> Json:
    bot = {"id": application_id, "displayName": "Sandbox recorder"}
    return {
        "@odata.type": "#microsoft.graph.invitationParticipantInfo",
        "identity": {"applicationInstance": bot, "application": bot},
    }


def call_resource(call: Call, callback_uri: str) -> Json:
    return {
        "@odata.type": "#microsoft.graph.call",
        "id": call.call_id,
        "state": call.state,
        "direction": call.direction,
        "subject": call.subject,
        "callbackUri": callback_uri,
        "callChainId": call.call_chain_id,
        "tenantId": call.tenant_id,
        "myParticipantId": call.my_participant_id,
        "requestedModalities": ["audio"],
        "source": source(call),
        "incomingContext": {
            "observedParticipantId": call.observed_participant_id,
            "sourceParticipantId": call.observed_participant_id,
        },
        "meetingInfo": {
            "@odata.type": "#microsoft.graph.organizerMeetingInfo",
            "organizer": {"user": {**call.organizer, "tenantId": call.tenant_id}},
        },
        "resultInfo": call.result,
    }


def operation_resource(operation: Operation, *, pascal_case: bool) -> Json:
    return {
        "@odata.type": "#microsoft.graph.updateRecordingStatusOperation",
        "clientContext": operation.client_context,
        "id": operation.operation_id,
        "resultInfo": operation.result,
        "status": cased(operation.status, pascal_case=pascal_case),
    }


def participant(participant_id: str, identity: Json) -> Json:
    return {
        "@odata.type": "#microsoft.graph.participant",
        "id": participant_id,
        "info": {"identity": identity, "languageId": "en-GB"},
        "mediaStreams": [],
        "isMuted": False,
        "isInLobby": False,
    }


def roster(call: Call) -> list[Json]:
    """The recorded user and the bot. The bot's recordingInfo is the only echo of what Teams was told."""
    bot = {"application": {"id": call.my_participant_id, "displayName": "Sandbox recorder"}}
    recorder = participant(call.my_participant_id, bot)
    if call.recording_status:
        recorder["recordingInfo"] = {"recordingStatus": call.recording_status, "initiator": bot}
    return [participant(call.observed_participant_id, {"user": call.user}), recorder]
