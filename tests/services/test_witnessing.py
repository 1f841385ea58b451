"""Witnesses: each checkpoint reaches whoever keeps it elsewhere, and what a witness does never holds sealing up."""

import logging
import os
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from recordings import ledger, services
from recordings.models import Receipt, Seal, SealKey, Witness
from recordings.services.witnessing import WitnessAway, post_to
from tests.graph.servers import HangUp, Listener, RawServer, read_request, resetting, saying, trickling

pytestmark = pytest.mark.django_db

TICK = timedelta(seconds=2)


def seal(size: int, *, now: datetime) -> Seal:
    """A seal with a checkpoint of its own; nobody here looks at its signature."""
    key, _ = SealKey.objects.get_or_create(
        fingerprint="0" * 64, defaults={"name": "onrecord.local/ledger", "public_key": b"\3" * 32, "first_used_at": now}
    )
    text = f"onrecord.local/ledger\n{size}\nroot-of-{size}\n\n\N{EM DASH} onrecord.local/ledger c2lnbmF0dXJl\n"
    return Seal.objects.create(size=size, root_hash=bytes(32), checkpoint=text, key=key, sealed_at=now)


@pytest.fixture
def directory(tmp_path: Path, settings: Settings) -> Path:
    settings.LEDGER_WITNESSES = [f"file://{tmp_path}"]
    return tmp_path


@pytest.fixture
def endpoint(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RawServer]:
    """A witness that takes POSTs over TLS, with a certificate of a CA this machine trusts."""
    ca_file = (
        tmp_path_factory.mktemp("witness") / "ca.pem"
    )  # it is written here; that of the stand-in serves every other test
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    with RawServer(ca_file) as server:
        settings.LEDGER_WITNESSES = [f"{server.url}/checkpoints?key=pa55word"]
        yield server


class PlainServer(Listener):
    """Takes one checkpoint without TLS."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        self.requests: list[bytes] = []

    def serve(self, connection: socket.socket) -> None:
        self.requests.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def sizes() -> list[int]:
    return sorted(Receipt.objects.values_list("seal_id", flat=True))


def state() -> Witness:
    return Witness.objects.get()


# -- a directory


def test_a_directory_gets_the_very_bytes_of_the_checkpoint(directory: Path, now: datetime) -> None:
    first = seal(3, now=now)

    assert services.hand_to_witnesses(now) == 1
    assert [path.name for path in directory.iterdir()] == ["3.checkpoint"]
    assert (directory / "3.checkpoint").read_bytes() == first.checkpoint.encode()
    assert [(receipt.seal_id, receipt.witness, receipt.received_at) for receipt in Receipt.objects.all()] == [
        (3, f"file://{directory}", now)
    ]


def test_what_a_witness_has_is_not_handed_again(directory: Path, now: datetime) -> None:
    seal(3, now=now)
    services.hand_to_witnesses(now)
    (directory / "3.checkpoint").unlink()

    assert services.hand_to_witnesses(now + TICK) == 0
    assert list(directory.iterdir()) == []


def test_a_new_directory_begins_with_the_newest_and_then_gets_every_one(directory: Path, now: datetime) -> None:
    seal(3, now=now)
    seal(5, now=now)
    services.hand_to_witnesses(now)
    for size in (8, 9, 12):
        seal(size, now=now)

    assert services.hand_to_witnesses(now + TICK) == 3
    assert sorted(path.name for path in directory.iterdir()) == [
        "12.checkpoint",
        "5.checkpoint",
        "8.checkpoint",
        "9.checkpoint",
    ]


def test_the_same_bytes_already_there_are_as_good_as_written(directory: Path, now: datetime) -> None:
    (directory / "3.checkpoint").write_text(seal(3, now=now).checkpoint)

    services.hand_to_witnesses(now)

    assert sizes() == [3]


@pytest.mark.parametrize("written", [0, 1, 40])
def test_a_file_cut_short_by_a_crash_is_completed(directory: Path, now: datetime, written: int) -> None:
    whole = seal(3, now=now).checkpoint.encode()
    (directory / "3.checkpoint").write_bytes(whole[:written])

    services.hand_to_witnesses(now)

    assert (directory / "3.checkpoint").read_bytes() == whole
    assert sizes() == [3]


def test_other_bytes_under_the_same_size_are_an_alarm_that_stays(
    directory: Path, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    (directory / "3.checkpoint").write_text("onrecord.local/ledger\n3\nanother-root\n")
    seal(3, now=now)

    with caplog.at_level(logging.ERROR):
        services.hand_to_witnesses(now)
        services.hand_to_witnesses(now + TICK)
    seal(5, now=now + TICK)
    services.hand_to_witnesses(now + 2 * TICK)

    assert (directory / "3.checkpoint").read_text() == "onrecord.local/ledger\n3\nanother-root\n"
    assert sizes() == [5]
    assert (state().conflict, state().conflict_at) == ("It holds something else under 3.checkpoint.", now)
    assert [record.getMessage() for record in caplog.records] == [
        f"the witness file://{directory}: It holds something else under 3.checkpoint."
    ]


def test_a_longer_file_is_something_else(directory: Path, now: datetime) -> None:
    (directory / "3.checkpoint").write_text(f"{seal(3, now=now).checkpoint}and more")

    services.hand_to_witnesses(now)

    assert sizes() == []
    assert state().conflict


def test_a_directory_that_is_not_mounted_is_not_made(
    directory: Path, settings: Settings, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LEDGER_WITNESSES = [f"file://worm.contoso.example{directory}/absent"]
    seal(3, now=now)

    with caplog.at_level(logging.ERROR):
        services.hand_to_witnesses(now)
        services.hand_to_witnesses(now + TICK)

    assert not (directory / "absent").exists()
    assert (state().problem, state().problem_since_at) == (
        "Its directory could not be written: No such file or directory.",
        now,
    )
    assert state().tried_at == now + TICK
    assert len(caplog.records) == 1


def test_once_the_directory_is_back_it_is_served_and_the_problem_is_gone(
    directory: Path, settings: Settings, now: datetime
) -> None:
    settings.LEDGER_WITNESSES = [f"file://{directory}/absent"]
    seal(3, now=now)
    services.hand_to_witnesses(now)
    (directory / "absent").mkdir()

    services.hand_to_witnesses(now + TICK)

    assert sizes() == [3]
    assert (state().problem, state().problem_since_at) == ("", None)


def test_a_long_outage_is_made_up_for_a_hundred_at_a_time(directory: Path, now: datetime) -> None:
    seal(1, now=now)
    services.hand_to_witnesses(now)
    for size in range(2, 104):
        seal(size, now=now)

    assert [services.hand_to_witnesses(now) for _ in range(3)] == [100, 2, 0]


# -- an endpoint


def test_an_endpoint_gets_the_checkpoint_as_text(endpoint: RawServer, now: datetime) -> None:
    first = seal(3, now=now)

    assert services.hand_to_witnesses(now) == 1
    head, _, body = endpoint.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /checkpoints?key=pa55word HTTP/1.1")
    assert b"Content-Type: text/plain; charset=utf-8" in head
    assert body == first.checkpoint.encode()


def test_no_secret_of_the_address_is_kept(endpoint: RawServer, now: datetime) -> None:
    endpoint.behaviour = resetting
    seal(3, now=now)

    services.hand_to_witnesses(now)

    assert state().name == f"{endpoint.url}/checkpoints"
    assert "pa55word" not in state().problem


def test_after_an_outage_an_endpoint_gets_the_newest_only(endpoint: RawServer, now: datetime) -> None:
    endpoint.behaviour = saying(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
    for size in (3, 5):
        seal(size, now=now)
        assert services.hand_to_witnesses(now) == 0
    assert state().problem == "It answered HTTP 503."
    endpoint.behaviour = saying(b"HTTP/1.1 201 Created\r\n\r\n")
    seal(8, now=now)

    assert services.hand_to_witnesses(now + TICK) == 1
    assert sizes() == [8]
    assert state().problem == ""


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\n\r\n", "It answered HTTP 302."),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "It answered HTTP 400."),
        (b"nonsense\r\n\r\n", "No connection came about, or it broke before an answer came."),
    ],
)
def test_anything_but_2xx_is_no_receipt(endpoint: RawServer, now: datetime, answer: bytes, problem: str) -> None:
    endpoint.behaviour = saying(answer)
    seal(3, now=now)

    assert services.hand_to_witnesses(now) == 0
    assert sizes() == []
    assert state().problem == problem
    assert endpoint.connections == 1


def test_a_conflict_at_the_endpoint_is_an_alarm(endpoint: RawServer, now: datetime) -> None:
    endpoint.behaviour = saying(b"HTTP/1.1 409 Conflict\r\n\r\n")
    seal(3, now=now)

    services.hand_to_witnesses(now)

    assert state().conflict == "It answered HTTP 409 to the checkpoint of 3 entries: it holds another one."


def test_a_certificate_that_is_not_trusted_gets_nothing(
    endpoint: RawServer, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    seal(3, now=now)

    services.hand_to_witnesses(now)

    assert state().problem == "Its certificate is not trusted here."
    assert endpoint.requests == []


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 100 Continue\r\nX-Slow: "]
)
def test_an_endpoint_that_answers_a_byte_at_a_time_is_waited_for_only_so_long(
    endpoint: RawServer, now: datetime, answer: bytes
) -> None:
    endpoint.behaviour = trickling(answer)
    with pytest.raises(WitnessAway, match="It did not answer in time"):
        post_to(endpoint.url, seal(3, now=now), seconds=0.5)
    assert len(endpoint.requests) == 1


def test_what_an_endpoint_says_beside_its_status_is_not_waited_for(endpoint: RawServer, now: datetime) -> None:
    endpoint.behaviour = trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    seal(3, now=now)

    assert services.hand_to_witnesses(now) == 1


def test_an_endpoint_that_ends_the_handshake_without_a_word_is_away_and_not_untrusted(now: datetime) -> None:
    with HangUp() as server, pytest.raises(WitnessAway, match="it broke before an answer came"):
        post_to(server.url, seal(3, now=now))


def test_a_witness_of_this_machine_needs_no_tls(now: datetime) -> None:
    with PlainServer() as server:
        post_to(f"{server.url}/ledger?for=me", seal(3, now=now))
    assert server.requests[0].startswith(b"POST /ledger?for=me HTTP/1.1")


def test_the_machines_proxy_is_not_asked(endpoint: RawServer, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    seal(3, now=now)

    assert services.hand_to_witnesses(now) == 1


# -- several


def test_one_witness_that_is_away_does_not_keep_another_waiting(
    endpoint: RawServer, settings: Settings, tmp_path: Path, now: datetime
) -> None:
    endpoint.behaviour = resetting
    settings.LEDGER_WITNESSES = [*settings.LEDGER_WITNESSES, f"file://{tmp_path}"]
    seal(3, now=now)

    assert services.hand_to_witnesses(now) == 1
    assert os.listdir(tmp_path) == ["3.checkpoint"]


def test_while_one_worker_hands_over_another_does_not(directory: Path, now: datetime) -> None:
    seal(3, now=now)
    (address,) = ledger.witness_addresses()

    assert ledger.take_turn(address, now=now, until=now + timedelta(minutes=2))
    assert services.hand_to_witnesses(now + TICK) == 0
    assert services.hand_to_witnesses(now + timedelta(minutes=2)) == 1


def test_without_witnesses_nothing_is_handed(settings: Settings, now: datetime) -> None:
    settings.LEDGER_WITNESSES = []
    seal(3, now=now)

    assert services.hand_to_witnesses(now) == 0
    assert ledger.witnessed_until() is None


def test_without_seals_no_witness_is_troubled(directory: Path, now: datetime) -> None:
    assert services.hand_to_witnesses(now) == 0
    assert not Witness.objects.exists()


# -- witnessed until


def test_witnessed_until_is_the_newest_seal_that_one_witness_off_this_host_has(
    endpoint: RawServer, settings: Settings, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "far").mkdir()
    near, far = f"file://{tmp_path}", f"file://worm.contoso.example{tmp_path}/far"
    settings.LEDGER_WITNESSES = [far]
    seal(3, now=now)
    services.hand_to_witnesses(now)
    settings.LEDGER_WITNESSES = [near]
    seal(5, now=now + TICK)
    services.hand_to_witnesses(now + TICK)

    settings.LEDGER_WITNESSES = [near, far]
    assert (ledger.witnessed().until, ledger.witnessed().is_off_host) == (now, True)
    assert ledger.witnessed_until() == now
    settings.LEDGER_WITNESSES = [near]
    assert (ledger.witnessed().until, ledger.witnessed().is_off_host) == (now + TICK, False)


def test_a_seal_no_witness_has_is_not_witnessed(endpoint: RawServer, now: datetime) -> None:
    endpoint.behaviour = resetting
    seal(3, now=now)
    services.hand_to_witnesses(now)

    assert ledger.witnessed_until() is None
    assert [standing.until for standing in ledger.witnessed().standings] == [None]
