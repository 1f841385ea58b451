"""Signed notifications, as a receiver gets and checks them."""

from typing import Any

import jwt
import pytest

from sandbox.messages import RefusedError
from sandbox.server import Sandbox
from tests.sandbox.clients import Browser, Receiver


def checked(sandbox: Sandbox, header: str) -> dict[str, Any]:
    """The claims of a notification's token, found by way of the published metadata."""
    token = header.removeprefix("Bearer ")
    with Browser(sandbox) as browser:
        metadata = browser.send("GET", "/v1/.well-known/OpenIdConfiguration").json()
        keys = browser.session.get(metadata["jwks_uri"], timeout=5).json()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, audience=sandbox.client_id, issuer=metadata["issuer"])
    return claims


def test_a_notification_bears_a_token_that_can_be_checked(sandbox: Sandbox, receiver: Receiver) -> None:
    call = sandbox.add_call(notify=True)
    got = receiver.next()
    claims = checked(sandbox, got.headers["Authorization"])
    assert claims["iss"] == "https://api.botframework.com"
    assert claims["tid"] == sandbox.tenant_id
    assert claims["exp"] - claims["iat"] == 3900
    assert got.headers["X-Microsoft-Skype-Chain-ID"] == call["call_chain_id"]
    assert got.headers["Scenario-Id"] == call["scenario_id"]
    assert got.headers["X-Microsoft-Skype-Message-ID"]


def test_an_incoming_call_is_told_at_length(sandbox: Sandbox, receiver: Receiver) -> None:
    call = sandbox.add_call(state="incoming", subject="Rates outlook", notify=True)
    body = receiver.next().body
    assert body["@odata.type"] == "#microsoft.graph.commsNotifications"
    notice = body["value"][0]
    assert (notice["changeType"], notice["resource"]) == ("created", f"/app/calls/{call['call_id']}")
    data = notice["resourceData"]
    assert (data["id"], data["state"], data["subject"]) == (call["call_id"], "incoming", "Rates outlook")
    assert data["source"]["identity"]["user"]["displayName"] == call["user"]["displayName"]
    assert data["applicationMetadata"]["botData"]["inviteReasons"] == ["PolicyBasedRecording"]


def test_a_call_outside_a_policy_has_no_bot_data(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.add_call(policy=False, notify=True)
    assert "applicationMetadata" not in receiver.next().first["resourceData"]


def test_a_life_is_told_in_order_and_sparsely(sandbox: Sandbox, receiver: Receiver) -> None:
    call_id = sandbox.add_call(state="incoming", notify=True)["call_id"]
    for state in ("establishing", "established"):
        sandbox.change_call(call_id, state=state, notify=True)
    sandbox.end_call(call_id, code=408, subcode=8537, message="Timed out.", notify=True)
    incoming, *updates, end = [receiver.next().first for _ in range(4)]
    assert incoming["changeType"] == "created"
    assert [each["resourceData"]["state"] for each in updates] == ["establishing", "established"]
    assert all("tenantId" not in each["resourceData"] for each in updates)
    assert (end["changeType"], end["resourceData"]["state"]) == ("deleted", "terminated")
    assert end["resourceData"]["resultInfo"] == {"code": 408, "subcode": 8537, "message": "Timed out."}


def test_the_roster_comes_as_a_list_and_content_sharing_without_data(sandbox: Sandbox, receiver: Receiver) -> None:
    call_id = sandbox.add_call(recording_status="recording")["call_id"]
    sandbox.notify(call_id, kind="roster")
    sandbox.notify(call_id, kind="content")
    roster, content = receiver.next().first, receiver.next().first
    assert roster["resourceUrl"].endswith(f"{call_id}/participants")
    assert roster["resourceData"][1]["recordingInfo"]["recordingStatus"] == "recording"
    assert "resourceData" not in content


def test_a_notification_can_be_doubled_anonymous_shouted_and_untimely(sandbox: Sandbox, receiver: Receiver) -> None:
    call_id = sandbox.add_call()["call_id"]
    sent = sandbox.notify(call_id, kind="updated", state="establishing", copies=2, pascal_case=True)
    first, second = receiver.next(), receiver.next()
    assert first.headers["X-Microsoft-Skype-Message-ID"] == sent["message_id"]
    assert second.headers["X-Microsoft-Skype-Message-ID"] == sent["message_id"]
    assert (first.first["changeType"], first.first["resourceData"]["state"]) == ("Updated", "Establishing")
    sandbox.notify(call_id, kind="deleted", state="terminated", after=0.05, without_message_id=True)
    sandbox.notify(call_id, kind="updated")
    assert receiver.next().first["changeType"] == "updated"
    last = receiver.next()
    assert last.first["changeType"] == "deleted"
    assert "X-Microsoft-Skype-Message-ID" not in last.headers


def test_a_notification_can_be_badly_signed_or_not_at_all(sandbox: Sandbox, receiver: Receiver) -> None:
    call_id = sandbox.add_call()["call_id"]
    sandbox.notify(call_id, token=False)
    sandbox.notify(call_id, claims={"aud": "somebody-else"})
    assert "Authorization" not in receiver.next().headers
    with pytest.raises(jwt.InvalidAudienceError):
        checked(sandbox, receiver.next().headers["Authorization"])


def test_keys_change_with_or_without_the_old_one(sandbox: Sandbox) -> None:
    old = sandbox.callback_token()
    sandbox.rotate_keys(keep_old=True)
    assert checked(sandbox, old)["tid"] == sandbox.tenant_id
    sandbox.rotate_keys(keep_old=False)
    with pytest.raises(KeyError):
        checked(sandbox, old)
    assert checked(sandbox, sandbox.callback_token(tid="other"))["tid"] == "other"


def test_delivery_is_tried_again_after_a_5xx_but_not_after_a_4xx(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.statuses += [503, 500, 202, 401]
    call_id = sandbox.add_call()["call_id"]
    sandbox.notify(call_id)
    sandbox.notify(call_id)
    assert sandbox.wait_for_deliveries()
    assert [(each["tries"], each["answered"]) for each in sandbox.deliveries()] == [(3, 202), (1, 401)]
    assert receiver.posts.qsize() == 4


def test_a_receiver_that_is_not_there_harms_nobody(sandbox: Sandbox) -> None:
    with Receiver() as gone:
        url = gone.url
    sandbox.settings(callback_url=url, callback_tries=2, callback_pause=0.01)
    sandbox.add_call(notify=True)
    assert sandbox.wait_for_deliveries()
    assert sandbox.deliveries()[0]["error"] == "ConnectionError"


def test_without_an_address_nothing_is_sent(sandbox: Sandbox) -> None:
    call_id = sandbox.add_call()["call_id"]
    assert sandbox.notify(call_id) == {"message_id": None, "sent": False}


def test_a_notification_of_no_known_kind_is_refused(sandbox: Sandbox) -> None:
    call_id = sandbox.add_call()["call_id"]
    with pytest.raises(RefusedError, match="created, updated, deleted"):
        sandbox.notify(call_id, kind="gossip")
