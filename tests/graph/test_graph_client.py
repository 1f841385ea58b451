"""One request a call, and never a guess about what became of it."""

import logging
import socket
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recordings.graph import auth
from recordings.graph.client import GraphClient
from recordings.graph.clouds import GraphConfig
from recordings.graph.errors import (
    GraphCallGone,
    GraphError,
    GraphNotARecordingCall,
    GraphNotFound,
    GraphNotPermitted,
    GraphNotSent,
    GraphOutcomeUnknown,
    GraphRefused,
    GraphThrottled,
    GraphUnauthorized,
    Outcome,
)
from recordings.graph.wire import Person
from sandbox.server import Sandbox
from tests.graph.conftest import soon
from tests.graph.servers import HangUp, Proxy, RawServer, resetting, saying, silent, trickling

CONTEXT = "onrecord:6f1c1a52"
REQUEST_ID = "0c7e1b2a-9f57-4a2a-8a53-3f1f6b7a2d11"


@pytest.fixture
def call_id(sandbox: Sandbox) -> str:
    return str(sandbox.add_call(subject="Quarterly review")["call_id"])


def tell(client: GraphClient, call_id: str, status: str = "recording", *, seconds: float = 10.0) -> Any:
    return client.update_recording_status(
        call_id, status=status, client_context=CONTEXT, client_request_id=REQUEST_ID, deadline=soon(seconds)
    )


def get(client: GraphClient, call_id: str, *, seconds: float = 10.0) -> Any:
    return client.get_call(call_id, client_request_id=REQUEST_ID, deadline=soon(seconds))


def with_locals(error: BaseException) -> str:
    """The traceback as an error page shows it, with every variable, but for those of the test itself."""
    assert error.__traceback__ is not None
    below = error.with_traceback(error.__traceback__.tb_next)
    return "".join(traceback.TracebackException.from_exception(below, capture_locals=True).format())


@pytest.fixture
def raw_client(raw: RawServer, config: GraphConfig, sandbox: Sandbox, tmp_path: Path) -> Any:
    """Tokens from the stand-in, Graph from the raw server; both trusted."""
    bundle = tmp_path / "both.pem"
    bundle.write_text(raw.ca_file.read_text() + sandbox.ca_file.read_text())
    client = GraphClient(replace(config, base_url=f"{raw.url}/v1.0", ca_bundle=str(bundle)))
    yield client
    client.close()


class TestSuccess:
    def test_telling_teams_returns_the_operation_with_all_that_support_asks_for(
        self, client: GraphClient, call_id: str, sandbox: Sandbox
    ) -> None:
        answer = tell(client, call_id)

        assert answer.value.status == "completed"
        assert answer.value.client_context == CONTEXT
        assert answer.value.id == sandbox.operations(call_id)[0]["operation_id"]
        assert answer.http_status == 200
        assert answer.client_request_id == REQUEST_ID
        assert answer.request_id == sandbox.log()[0]["request_id"]
        assert answer.server_date.tzinfo is not None
        assert answer.latency_seconds > 0

    def test_exactly_the_documented_body_and_our_request_id_arrive(
        self, client: GraphClient, call_id: str, sandbox: Sandbox
    ) -> None:
        tell(client, call_id, "notRecording")

        (entry,) = sandbox.log()
        assert entry["body"] == {"status": "notRecording", "clientContext": CONTEXT}
        assert entry["client_request_id"] == REQUEST_ID
        assert entry["action"] == "updateRecordingStatus"

    def test_a_pascal_case_status_is_read_in_graphs_own_spelling(
        self, client: GraphClient, call_id: str, sandbox: Sandbox
    ) -> None:
        sandbox.settings(pascal_case=True)

        assert tell(client, call_id).value.status == "completed"

    def test_a_null_status_is_an_operation_that_is_not_finished(
        self, client: GraphClient, call_id: str, sandbox: Sandbox
    ) -> None:
        sandbox.fault("operation", operation={"status": None})

        assert tell(client, call_id).value.status == ""

    def test_an_empty_acceptance_takes_the_operation_id_from_location(
        self, client: GraphClient, call_id: str, sandbox: Sandbox
    ) -> None:
        location = f"https://elsewhere.example/calls/{call_id}/operations/op-7"
        sandbox.fault("error", status=202, envelope="empty", headers={"Location": location})

        answer = tell(client, call_id)

        assert (answer.http_status, answer.value.id, answer.value.status) == (202, "op-7", "")

    def test_a_call_is_read_with_its_people(self, client: GraphClient, sandbox: Sandbox) -> None:
        facts = sandbox.add_call(subject="Quarterly review", user={"id": "u-1", "displayName": "Alice"})

        call = get(client, facts["call_id"]).value

        assert (call.id, call.state, call.subject) == (facts["call_id"], "established", "Quarterly review")
        assert call.recorded_user == Person("u-1", "Alice")
        assert call.tenant_id == sandbox.tenant_id

    def test_the_operation_can_be_asked_for_and_listed(
        self, client: GraphClient, call_id: str, sandbox: Sandbox
    ) -> None:
        sandbox.settings(list_operations=True)
        operation = tell(client, call_id).value

        one = client.get_operation(call_id, operation.id, client_request_id=REQUEST_ID, deadline=soon())
        every = client.list_operations(call_id, client_request_id=REQUEST_ID, deadline=soon())

        assert one.value == operation
        assert every.value == (operation,)

    def test_the_roster_echoes_what_teams_was_told(self, client: GraphClient, call_id: str) -> None:
        tell(client, call_id)

        roster = client.get_participants(call_id, client_request_id=REQUEST_ID, deadline=soon()).value

        assert [member.is_human for member in roster] == [True, False]
        assert roster[1].recording_status == "recording"


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (400, "BadRequest", GraphRefused),
            (401, "InvalidAuthenticationToken", GraphUnauthorized),
            (403, "7503", GraphNotPermitted),
            (403, "7504", GraphNotPermitted),
            (403, "7505", GraphNotPermitted),
            (403, "8506", GraphNotARecordingCall),
            (404, "8522", GraphCallGone),
            (404, "NotFound", GraphCallGone),
            (409, "Conflict", GraphRefused),
            (412, "9999", GraphRefused),
            (429, "TooManyRequests", GraphThrottled),
            (408, "RequestTimeout", GraphOutcomeUnknown),
            (500, "InternalServerError", GraphOutcomeUnknown),
            (502, "BadGateway", GraphOutcomeUnknown),
            (503, "ServiceUnavailable", GraphOutcomeUnknown),
            (504, "GatewayTimeout", GraphOutcomeUnknown),
        ],
    )
    @pytest.mark.parametrize("envelope", ["standard", "raw"])
    def test_each_refusal_has_its_own_error(
        self,
        client: GraphClient,
        call_id: str,
        sandbox: Sandbox,
        *,
        status: int,
        code: str,
        kind: type[GraphError],
        envelope: str,
    ) -> None:
        sandbox.fault("error", status=status, code=code, envelope=envelope)

        with pytest.raises(GraphError) as caught:
            tell(client, call_id)

        assert type(caught.value) is kind
        assert (caught.value.http_status, caught.value.code) == (status, code)
        assert caught.value.request_id == sandbox.log()[0]["request_id"]
        assert caught.value.client_request_id == REQUEST_ID
        assert len(sandbox.log()) == 1

    @pytest.mark.parametrize("envelope", ["html", "empty"])
    @pytest.mark.parametrize(
        ("status", "kind"), [(403, GraphNotPermitted), (404, GraphCallGone), (503, GraphOutcomeUnknown)]
    )
    def test_a_refusal_without_graphs_envelope_is_told_by_its_status(
        self,
        client: GraphClient,
        call_id: str,
        sandbox: Sandbox,
        *,
        envelope: str,
        status: int,
        kind: type[GraphError],
    ) -> None:
        sandbox.fault("error", status=status, envelope=envelope)

        with pytest.raises(kind) as caught:
            tell(client, call_id)

        assert "<html>" not in str(caught.value)

    def test_throttling_carries_the_wait(self, client: GraphClient, call_id: str, sandbox: Sandbox) -> None:
        sandbox.fault("error", status=429, retry_after="17")

        with pytest.raises(GraphThrottled) as caught:
            tell(client, call_id)

        assert caught.value.retry_after_seconds == 17.0
        assert caught.value.can_retry

    def test_a_redirect_is_refused_and_not_followed(
        self, client: GraphClient, call_id: str, sandbox: Sandbox, raw: RawServer
    ) -> None:
        sandbox.fault("error", status=307, headers={"Location": f"{raw.url}/elsewhere"})

        with pytest.raises(GraphRefused) as caught:
            tell(client, call_id)

        assert not caught.value.can_retry
        assert raw.connections == 0

    def test_a_missing_operation_does_not_say_that_the_call_is_gone(self, client: GraphClient, call_id: str) -> None:
        with pytest.raises(GraphNotFound) as caught:
            client.get_operation(call_id, "op-404", client_request_id=REQUEST_ID, deadline=soon())

        assert not isinstance(caught.value, GraphCallGone)

    def test_an_ended_call_is_gone_for_every_question(
        self, client: GraphClient, call_id: str, sandbox: Sandbox
    ) -> None:
        sandbox.end_call(call_id)

        with pytest.raises(GraphCallGone):
            client.list_operations(call_id, client_request_id=REQUEST_ID, deadline=soon())
        with pytest.raises(GraphCallGone):
            get(client, call_id)

    def test_a_renewed_token_is_a_new_one(self, client: GraphClient, call_id: str, sandbox: Sandbox) -> None:
        get(client, call_id)
        sandbox.rotate_keys(which="tokens", keep_old=False)
        with pytest.raises(GraphUnauthorized):
            get(client, call_id)

        client.renew_token()

        assert get(client, call_id).http_status == 200
        assert len(sandbox.log()) == 3


class TestNotSent:
    def test_nobody_listening_means_not_sent(self, config: GraphConfig, raw: RawServer, sandbox: Sandbox) -> None:
        auth.token(config, deadline=soon())
        raw.__exit__()
        with GraphClient(replace(config, base_url=raw.url)) as client, pytest.raises(GraphNotSent) as caught:
            tell(client, "call-1")

        assert (caught.value.code, caught.value.outcome) == ("connect", Outcome.NOT_SENT)
        assert caught.value.can_retry

    def test_an_untrusted_certificate_means_not_sent(self, config: GraphConfig, raw: RawServer) -> None:
        with GraphClient(replace(config, base_url=raw.url)) as client, pytest.raises(GraphNotSent) as caught:
            tell(client, "call-1")

        assert caught.value.code == "tls"
        assert not caught.value.can_retry
        assert raw.requests == []

    def test_a_handshake_that_breaks_off_means_not_sent_and_may_be_tried_again(self, config: GraphConfig) -> None:
        with HangUp() as server:
            client = GraphClient(replace(config, base_url=server.url))
            with client, pytest.raises(GraphNotSent) as caught:
                tell(client, "call-1")

        assert caught.value.code == "connect"
        assert caught.value.can_retry

    def test_a_deadline_in_the_past_sends_nothing(self, client: GraphClient, call_id: str, sandbox: Sandbox) -> None:
        with pytest.raises(GraphNotSent) as caught:
            tell(client, call_id, seconds=-1)

        assert caught.value.code == "deadline"
        assert sandbox.log() == []

    def test_a_proxy_that_refuses_means_not_sent(self, config: GraphConfig, call_id: str, sandbox: Sandbox) -> None:
        refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        with Proxy(refusal) as proxy, GraphClient(replace(config, proxy=proxy.url)) as client:
            with pytest.raises(GraphNotSent) as caught:
                tell(client, call_id)

            assert caught.value.code == "proxy"
            assert sandbox.log() == []

    def test_a_ca_bundle_that_is_not_there_means_not_sent(self, config: GraphConfig, call_id: str) -> None:
        with GraphClient(replace(config, ca_bundle="/nowhere/ca.pem")) as client, pytest.raises(GraphNotSent) as caught:
            tell(client, call_id)

        assert caught.value.code == "configuration"

    @pytest.mark.parametrize("status", ["unknown", "unknownFutureValue", "Recording", ""])
    def test_only_documented_statuses_leave(
        self, client: GraphClient, call_id: str, sandbox: Sandbox, *, status: str
    ) -> None:
        with pytest.raises(ValueError, match="may be sent"):
            tell(client, call_id, status)

        assert sandbox.log() == []

    def test_an_odd_call_id_never_reaches_a_url(self, client: GraphClient, sandbox: Sandbox) -> None:
        with pytest.raises(ValueError, match="call id"):
            get(client, "../users")

        assert sandbox.log() == []


class TestUnknown:
    @pytest.mark.parametrize("do", ["close", "garbage", "half"])
    def test_a_lost_or_unreadable_answer_is_unknown_after_exactly_one_request(
        self, client: GraphClient, call_id: str, sandbox: Sandbox, *, do: str
    ) -> None:
        sandbox.fault(do, when="after")

        with pytest.raises(GraphOutcomeUnknown) as caught:
            tell(client, call_id)

        assert caught.value.outcome is Outcome.UNKNOWN
        (entry,) = sandbox.log()
        assert entry["acted"]

    def test_an_answer_that_drips_is_given_up_at_the_deadline(
        self, client: GraphClient, call_id: str, sandbox: Sandbox
    ) -> None:
        get(client, call_id)
        sandbox.fault("drip", seconds=0.05)

        with pytest.raises(GraphOutcomeUnknown) as caught:
            tell(client, call_id, seconds=0.5)

        assert caught.value.latency_seconds < 2
        assert caught.value.http_status == 200

    def test_headers_that_trickle_are_given_up_at_the_deadline(self, raw: RawServer, raw_client: GraphClient) -> None:
        raw.behaviour = trickling(b"HTTP/1.1 200 OK\r\nX-Slow: ")

        with pytest.raises(GraphOutcomeUnknown) as caught:
            tell(raw_client, "call-1", seconds=0.8)

        assert caught.value.code == "deadline"
        assert caught.value.latency_seconds < 2
        assert len(raw.requests) == 1

    def test_silence_is_given_up_at_the_read_timeout(
        self, raw: RawServer, raw_client: GraphClient, config: GraphConfig
    ) -> None:
        raw.behaviour = silent
        impatient = replace(raw_client._config, read_timeout_seconds=0.2)
        with GraphClient(impatient) as client, pytest.raises(GraphOutcomeUnknown) as caught:
            tell(client, "call-1")

        assert caught.value.code == "timeout"
        assert len(raw.requests) == 1

    def test_a_reset_after_the_request_is_unknown(self, raw: RawServer, raw_client: GraphClient) -> None:
        raw.behaviour = resetting

        with pytest.raises(GraphOutcomeUnknown) as caught:
            tell(raw_client, "call-1")

        assert caught.value.code == "reset"
        assert len(raw.requests) == 1

    def test_an_answer_without_end_is_not_read_to_the_end(
        self, client: GraphClient, call_id: str, sandbox: Sandbox
    ) -> None:
        sandbox.fault("garbage", size=3 * 1024 * 1024)

        with pytest.raises(GraphOutcomeUnknown, match="read whole"):
            tell(client, call_id)

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b'HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n{"status":"completed","clientContext":"mine"}',
            b'HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{"id":"a/b","status":"running"}',
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
            b"not http at all\r\n\r\n",
        ],
    )
    def test_a_success_that_names_no_operation_of_ours_is_unknown(
        self, raw: RawServer, raw_client: GraphClient, *, answer: bytes
    ) -> None:
        raw.behaviour = saying(answer)

        with pytest.raises(GraphOutcomeUnknown):
            tell(raw_client, "call-1")

        assert len(raw.requests) == 1

    def test_another_calls_facts_are_not_taken(self, raw: RawServer, raw_client: GraphClient) -> None:
        raw.behaviour = saying(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"id":"call-2"}')

        with pytest.raises(GraphOutcomeUnknown, match=r"call\.id"):
            get(raw_client, "call-1")


class TestTheWire:
    def test_a_post_never_goes_out_on_a_kept_connection(self, raw: RawServer, raw_client: GraphClient) -> None:
        def keeping(connection: socket.socket, stopping: threading.Event) -> None:
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"id":"call-1"}')
            silent(connection, stopping)

        raw.behaviour = keeping
        get(raw_client, "call-1")

        raw.behaviour = saying(b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"status":"running"}')
        tell(raw_client, "call-1")

        assert raw.connections == 2

    def test_the_environment_does_not_disturb(
        self, client: GraphClient, call_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, "/nowhere/ca.pem")
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv("MSAL_FORCE_REGION", "westus")

        assert tell(client, call_id).value.status == "completed"

    def test_the_way_through_a_proxy_is_a_tunnel(self, config: GraphConfig, call_id: str, sandbox: Sandbox) -> None:
        with Proxy() as proxy, GraphClient(replace(config, proxy=proxy.url)) as client:
            assert tell(client, call_id).value.status == "completed"

        assert {line.split()[0] for line in proxy.asked} == {b"CONNECT"}
        assert len(sandbox.log()) == 1

    def test_a_lost_answer_behind_a_proxy_is_unknown(self, config: GraphConfig, call_id: str, sandbox: Sandbox) -> None:
        sandbox.fault("close", when="after", action="updateRecordingStatus")

        with (
            Proxy() as proxy,
            GraphClient(replace(config, proxy=proxy.url)) as client,
            pytest.raises(GraphOutcomeUnknown),
        ):
            tell(client, call_id)

        assert len(sandbox.log()) == 1

    def test_threads_may_share_a_client(self, client: GraphClient, call_id: str, sandbox: Sandbox) -> None:
        statuses: list[int] = []
        work: Callable[[], None] = lambda: statuses.append(get(client, call_id).http_status)  # noqa: E731
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert statuses == [200] * 8


class TestSecrets:
    @pytest.mark.parametrize("do", ["close", "garbage", "error", "half"])
    def test_no_token_and_no_secret_in_errors_tracebacks_or_logs(
        self,
        client: GraphClient,
        config: GraphConfig,
        call_id: str,
        sandbox: Sandbox,
        caplog: pytest.LogCaptureFixture,
        *,
        do: str,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        token = auth.token(config, deadline=soon())
        echo = {"message": f"Bearer {token} is not good", "status": 403} if do == "error" else {}
        sandbox.fault(do, when="after", action="updateRecordingStatus", **echo)

        with pytest.raises(GraphError) as caught:
            tell(client, call_id)

        for text in (
            with_locals(caught.value),
            str(caught.value),
            repr(caught.value),
            repr(client),
            repr(config),
            caplog.text,
        ):
            assert config.client_secret not in text
            assert token.rpartition(".")[2] not in text
