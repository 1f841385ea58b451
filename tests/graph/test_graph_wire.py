"""Graph's JSON: what is read, what is refused, and that nothing else can happen."""

import contextlib
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.graph.wire import (
    GraphCall,
    GraphOperation,
    Person,
    ResultInfo,
    WireError,
    clean_id,
    parse_call,
    parse_notifications,
    parse_operation,
    parse_operations,
    parse_participants,
    recording_status_body,
)

CALL = "e71f0300-9c1f-4d99-b5f4-2722e877d497"
OTHER = "57DAB8B1894C409AB240BD8BEAE78896"
OPERATION = "eec3812a-fdc3-4fb4-825c-a06c9f35414e"


def notified(change: str, url: str | None, data: Any = None, **more: Any) -> dict[str, Any]:
    item: dict[str, Any] = {"changeType": change, **more}
    if url is not None:
        item["resourceUrl"] = url
    if data is not None:
        item["resourceData"] = data
    return {"@odata.type": "#microsoft.graph.commsNotifications", "value": [item]}


def invitation(**changes: Any) -> dict[str, Any]:
    """An incoming policy call, after example 3 of Microsoft's page on answering."""
    return {
        "@odata.type": "#microsoft.graph.call",
        "state": "incoming",
        "direction": "incoming",
        "source": {
            "id": "90fad2ce-8989-41a1-8a66-f6636e629a2a",
            "identity": {"user": {"id": "8A34A46B", "displayName": "Alice", "identityProvider": "AAD"}},
        },
        "meetingInfo": {"organizer": {"user": {"id": "0rganizer", "displayName": "Olga"}}},
        "tenantId": "932899f8-2ea1-4604-8413-27bd2892079f",
        "myParticipantId": "1520a1a5-5394-4a41-aa72-9ee6fa18cfc8",
        "callChainId": "05f2f70f-3a9c-47c1-80a9-cc79e91d8cec",
        "incomingContext": {"sourceParticipantId": "30fad2ce", "observedParticipantId": "30fad2ce"},
        "id": CALL,
        "applicationMetadata": {"botData": {"user": {}, "inviteReasons": ["PolicyBasedRecording"]}},
        **changes,
    }


class TestCalls:
    def test_an_invitation_is_read_whole(self) -> None:
        call = parse_call(invitation())

        assert call == GraphCall(
            id=CALL,
            state="incoming",
            direction="incoming",
            tenant_id="932899f8-2ea1-4604-8413-27bd2892079f",
            call_chain_id="05f2f70f-3a9c-47c1-80a9-cc79e91d8cec",
            my_participant_id="1520a1a5-5394-4a41-aa72-9ee6fa18cfc8",
            recorded_user=Person("8A34A46B", "Alice"),
            organizer=Person("0rganizer", "Olga"),
            is_policy_call=True,
        )

    def test_a_sparse_patch_says_nothing_about_the_rest(self) -> None:
        assert parse_call({"state": "established"}, call_id=CALL) == GraphCall(id=CALL, state="established")

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [("Established", "established"), ("TRANSFERACCEPTED", "transferAccepted"), ("frozen", "frozen"), ("", None)],
    )
    def test_states_are_read_without_case_and_unknown_ones_kept(self, sent: str, kept: str | None) -> None:
        assert parse_call({"id": CALL, "state": sent}).state == kept

    @pytest.mark.parametrize("reasons", [None, [], ["SomethingElse"], [7]])
    def test_without_a_policy_reason_nothing_is_known(self, reasons: Any) -> None:
        metadata = {"botData": {"inviteReasons": reasons}}

        assert parse_call(invitation(applicationMetadata=metadata)).is_policy_call is None

    def test_the_reason_of_real_logs_counts_too(self) -> None:
        metadata = {"botData": {"inviteReasons": ["complianceRecording"]}}

        assert parse_call(invitation(applicationMetadata=metadata)).is_policy_call is True

    def test_somebody_else_than_the_source_is_the_recorded_user_by_id_alone(self) -> None:
        context = {"sourceParticipantId": "caller", "observedParticipantId": "callee"}
        holder = {"botData": {"user": {"policyHolderId": "u-callee"}}}

        assert parse_call(invitation(incomingContext=context)).recorded_user == Person("callee", "")
        assert parse_call(invitation(incomingContext=context, applicationMetadata=holder)).recorded_user == Person(
            "u-callee", ""
        )

    def test_a_person_on_the_phone_has_a_number_for_an_id(self) -> None:
        source = {"identity": {"user": None, "phone": {"id": "+12065550100"}}}

        assert parse_call(invitation(source=source)).recorded_user == Person("+12065550100", "")

    def test_a_result_code_may_be_text(self) -> None:
        call = parse_call({"id": CALL, "resultInfo": {"code": "200", "subcode": 5000, "message": None}})

        assert call.result == ResultInfo(200, 5000, "")

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"id": None}, "call.id"),
            ({"id": "../users"}, "call.id"),
            ({"id": "x" * 129}, "call.id"),
            ({"tenantId": "a b"}, "call.tenantId"),
            ({"state": 3}, "call.state"),
            ({"state": "x" * 65}, "call.state"),
            ({"source": "Alice"}, "call.source"),
            ({"resultInfo": {"code": True}}, "call.resultInfo.code"),
            ({"resultInfo": {"code": "2e2"}}, "call.resultInfo.code"),
            ({"resultInfo": {"code": 2**40}}, "call.resultInfo.code"),
            ({"applicationMetadata": {"botData": {"inviteReasons": "x"}}}, "call.inviteReasons"),
        ],
    )
    def test_what_is_not_so_is_refused_by_name(self, change: dict[str, Any], field: str) -> None:
        with pytest.raises(WireError) as caught:
            parse_call(invitation(**change))

        assert caught.value.field == field

    def test_text_no_database_stores_is_made_storable(self) -> None:
        call = parse_call({"id": CALL, "subject": "a\x00b\ud800c" + "x" * 2000})

        assert call.subject is not None
        assert call.subject.startswith("a?b?c")
        assert len(call.subject) == 1000


class TestOperations:
    def test_an_operation_is_read(self) -> None:
        data = {"id": OPERATION, "clientContext": "onrecord:1", "status": "Completed", "resultInfo": None}

        assert parse_operation(data) == GraphOperation(OPERATION, "completed", "onrecord:1", None)

    @pytest.mark.parametrize("status", [{}, {"status": None}, {"status": ""}])
    def test_no_status_is_an_empty_one(self, status: dict[str, Any]) -> None:
        assert parse_operation(status) == GraphOperation(None, "", None, None)

    def test_a_page_of_operations(self) -> None:
        page = {"value": [{"id": OPERATION, "status": "running"}, {"status": "Failed"}]}

        assert [each.status for each in parse_operations(page)] == ["running", "failed"]

    @pytest.mark.parametrize("status", ["recording", "notRecording", "failed"])
    def test_a_documented_status_makes_a_body(self, status: str) -> None:
        assert recording_status_body(status, "onrecord:1") == {"status": status, "clientContext": "onrecord:1"}

    @pytest.mark.parametrize("status", ["unknown", "unknownFutureValue", "Recording", "", "notrecording"])
    def test_no_other_status_does(self, status: str) -> None:
        with pytest.raises(ValueError, match="may be sent"):
            recording_status_body(status, "onrecord:1")

    @pytest.mark.parametrize("context", ["", "é", "x" * 257, "a\nb"])
    def test_no_context_but_printable_ascii_does(self, context: str) -> None:
        with pytest.raises(ValueError, match="client context"):
            recording_status_body("recording", context)


class TestRosters:
    MEMBERS = [
        {"id": "p-1", "info": {"identity": {"user": {"id": "u-1", "displayName": "Alice"}}}, "isInLobby": False},
        {
            "id": None,
            "info": {"identity": {"application": {"id": "bot"}}},
            "recordingInfo": {"recordingStatus": "Failed"},
        },
        {"id": "p-3"},
    ]

    @pytest.mark.parametrize("wrap", [lambda m: m, lambda m: {"value": m}, lambda m: {"participants": m}])
    def test_a_list_a_page_and_a_delta_are_the_same(self, wrap: Any) -> None:
        alice, bot, nobody = parse_participants(wrap(self.MEMBERS))

        assert (alice.person, alice.is_human, alice.is_in_lobby) == (Person("u-1", "Alice"), True, False)
        assert (bot.id, bot.is_human, bot.recording_status) == (None, False, "failed")
        assert (nobody.person, nobody.is_human, nobody.recording_status) == (None, False, None)


class TestNotifications:
    def test_a_new_call(self) -> None:
        (found,) = parse_notifications(notified("created", f"/communications/calls/{CALL}", invitation()))

        assert (found.change_type, found.call_id, found.kind) == ("created", CALL, "call")
        assert found.call == parse_call(invitation())

    @pytest.mark.parametrize(
        "more",
        [
            {"resourceUrl": f"/communications/calls/{CALL}"},
            {"resource": f"/app/calls/{CALL}"},
            {"resourceUrl": "/odd", "resource": f"/app/calls/{CALL}/"},
            {"resourceUrl": f"https://graph.microsoft.com/v1.0/communications/calls/{CALL}?x=1"},
        ],
    )
    def test_a_patch_takes_its_id_from_either_address(self, more: dict[str, Any]) -> None:
        data = {"@odata.type": "#microsoft.graph.call", "state": "Established"}

        (found,) = parse_notifications(notified("Updated", None, data, **more))

        assert (found.change_type, found.call_id) == ("updated", CALL)
        assert found.call == GraphCall(id=CALL, state="established")

    def test_a_call_without_an_address_goes_by_its_own_id(self) -> None:
        (found,) = parse_notifications(notified("created", None, invitation()))

        assert found.call_id == CALL

    def test_the_end_of_a_call_carries_its_result(self) -> None:
        data = {"state": "terminated", "resultInfo": {"code": 408, "subcode": 8537, "message": "No keepalive"}}

        (found,) = parse_notifications(notified("deleted", f"/communications/calls/{CALL}", data))

        assert found.call is not None
        assert found.call.result == ResultInfo(408, 8537, "No keepalive")

    def test_a_finished_operation(self) -> None:
        data = {
            "@odata.type": "#microsoft.graph.updateRecordingStatusOperation",
            "clientContext": "onrecord:1",
            "id": OPERATION,
            "status": "completed",
        }

        (found,) = parse_notifications(
            notified("deleted", f"/communications/calls/{CALL}/operations/{OPERATION}", data)
        )

        assert (found.kind, found.call_id) == ("operation", CALL)
        assert found.operation == GraphOperation(OPERATION, "completed", "onrecord:1", None)

    def test_an_operation_without_its_own_id_goes_by_its_address(self) -> None:
        url = f"/communications/calls/{CALL}/operations/{OPERATION}"

        (found,) = parse_notifications(notified("deleted", url, {"status": "failed"}))

        assert found.operation == GraphOperation(OPERATION, "failed", None, None)

    def test_the_documented_oddity_of_a_null_id_under_participants(self) -> None:
        data = {
            "@odata.type": "#microsoft.graph.inviteParticipantsOperation",
            "status": "completed",
            "clientContext": "f2fa86af",
            "id": None,
        }

        (found,) = parse_notifications(
            notified("deleted", f"/communications/calls/{CALL}/operations/participants", data)
        )

        assert found.kind == "operation"
        assert found.operation == GraphOperation(None, "completed", "f2fa86af", None)

    def test_an_operation_without_any_address_is_found_by_its_context(self) -> None:
        data = {"@odata.type": "#microsoft.graph.commsOperation", "status": "completed", "clientContext": "onrecord:1"}

        (found,) = parse_notifications(notified("deleted", None, data))

        assert (found.kind, found.call_id) == ("operation", "")

    def test_a_roster(self) -> None:
        url = f"/communications/calls/{CALL}/operations/participants"

        (found,) = parse_notifications(notified("updated", url, TestRosters.MEMBERS))

        assert (found.kind, len(found.participants)) == ("participants", 3)

    @pytest.mark.parametrize(
        "roster",
        [
            ["alice"],
            [{"info": {"identity": {"user": {"id": 7}}}}],
            [{"id": "../x"}, *TestRosters.MEMBERS],
            {"@odata.type": "#microsoft.graph.deltaParticipants", "participants": "all"},
        ],
    )
    def test_a_roster_that_cannot_be_read_does_not_lose_what_came_with_it(self, roster: Any) -> None:
        unreadable = notified("updated", f"/communications/calls/{CALL}/participants", roster)
        ended = notified("deleted", f"/communications/calls/{CALL}", {"state": "terminated"})

        found = parse_notifications({"value": [*unreadable["value"], *ended["value"]]})

        assert [(one.kind, one.participants) for one in found] == [("participants", ()), ("call", ())]
        assert found[1].call == GraphCall(id=CALL, state="terminated")

    def test_a_delta_of_the_roster(self) -> None:
        data = {"@odata.type": "#microsoft.graph.deltaParticipants", "sequenceNumber": 2, "participants": []}

        (found,) = parse_notifications(notified("updated", f"/communications/calls/{CALL}/participants", data))

        assert (found.kind, found.participants) == ("participants", ())

    def test_content_sharing_is_something_else(self) -> None:
        (found,) = parse_notifications(notified("created", f"/communications/calls/{CALL}/contentsharingsessions/1"))

        assert (found.kind, found.call_id, found.call) == ("other", CALL, None)

    def test_several_keep_their_order(self) -> None:
        both = [notified("updated", f"/communications/calls/{each}", {})["value"][0] for each in (CALL, OTHER)]

        assert [found.call_id for found in parse_notifications({"value": both})] == [CALL, OTHER]

    @pytest.mark.parametrize(
        "payload",
        [
            None,
            [],
            {},
            {"value": {}},
            {"value": [None]},
            {"value": [{}] * 1001},
            notified("", f"/communications/calls/{CALL}"),
            notified("updated", "/communications/calls/a%2Fb", {}),
            notified("updated", f"/communications/calls/{CALL}", {"id": OTHER}),
            notified("updated", f"/communications/calls/{CALL}", "state"),
            notified("updated", None, {"@odata.type": "#microsoft.graph.call", "state": "established"}),
            notified("updated", "https://[::1/communications/calls/x", {}),
            notified("deleted", f"/communications/calls/{CALL}/operations/{OPERATION}", {"status": 7}),
        ],
    )
    def test_what_is_not_a_notification_is_refused(self, payload: Any) -> None:
        with pytest.raises(WireError):
            parse_notifications(payload)


NAMES = """id state direction subject tenantId resultInfo code subcode message source identity user phone participants
value incomingContext observedParticipantId applicationMetadata botData inviteReasons meetingInfo organizer status
clientContext changeType resource resourceUrl resourceData info recordingInfo @odata.type"""
KEYS = st.sampled_from(NAMES.split())
WORDS = st.sampled_from(
    [
        "updated",
        "deleted",
        "#microsoft.graph.call",
        "#microsoft.graph.commsOperation",
        f"/communications/calls/{CALL}",
        CALL,
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6))
ITEMS = st.fixed_dictionaries(
    {"changeType": WORDS},
    optional={"resourceUrl": WORDS | st.text(), "resourceData": st.dictionaries(KEYS, JSON) | st.lists(JSON)},
)


class TestAnything:
    @given(JSON | st.fixed_dictionaries({"value": st.lists(ITEMS)}))
    def test_no_payload_does_anything_but_parse_or_be_refused(self, payload: Any) -> None:
        for parse in (parse_notifications, parse_call, parse_operation, parse_operations, parse_participants):
            with contextlib.suppress(WireError):
                parse(payload)

    @given(st.text())
    def test_an_id_is_safe_in_a_url_or_refused(self, value: str) -> None:
        with contextlib.suppress(WireError):
            assert clean_id(value, "id") == quote(value, safe="")
