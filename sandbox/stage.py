"""What a step of a scenario does: to the call in the stand-in, to Graph, and to the recorder's hook."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import requests

from sandbox.cast import Part, cast
from sandbox.defaults import CLIENT_ID, CLIENT_SECRET, TENANT_ID
from sandbox.messages import Json, new_id, now
from sandbox.outbox import TIMEOUT, Outbox
from sandbox.scenarios import Steps

SLOW_OPERATION = 90.0  # seconds


class CallGoneError(Exception):
    """The stand-in does not know this call any more, perhaps because it was restarted."""


@dataclass(eq=False)
class Leg:
    part: Part
    steps: Steps
    past: float
    call: Json
    position: int = 0
    capture: str = "stopped"
    over: bool = False

    @property
    def call_id(self) -> str:
        return str(self.call["call_id"])

    def moment(self) -> datetime:
        """When the present step happened: a leg of the opening began some time ago."""
        return now() - timedelta(seconds=self.past)


class Microsoft:
    """The recorder's way to the stand-in: its control endpoint, its sign-in and its calls API."""

    def __init__(self, base_url: str, ca_file: str | None, stopping: threading.Event) -> None:
        self._base_url = base_url
        self._stopping = stopping
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca_file or True
        self._token, self._token_until = "", 0.0

    def close(self) -> None:
        self._session.close()

    def control(self, method: str, path: str, body: Json) -> Any:
        answer = self._patiently(lambda: self._send(method, f"/control/{path}", json=body))
        if answer.status_code == 404:
            raise CallGoneError(path)
        answer.raise_for_status()
        return answer.json()

    def tell(self, call_id: str, status: str) -> Json | None:
        """Tells Graph a status as a bot does; the operation, or None where Graph refused."""
        body = {"status": status, "clientContext": f"rec-01:{new_id()}"}
        path = f"/v1.0/communications/calls/{call_id}/updateRecordingStatus"
        answer = self._patiently(lambda: self._send("POST", path, json=body, headers=self._bearer()))
        if not answer.ok:
            return None
        operation: Json = answer.json()
        return {name: operation.get(name) for name in ("id", "status", "clientContext", "resultInfo")}

    def _bearer(self) -> dict[str, str]:
        if time.monotonic() > self._token_until:
            granted = self._sign_in()
            self._token = granted["access_token"]
            self._token_until = time.monotonic() + granted["expires_in"] / 2
        return {"Authorization": f"Bearer {self._token}"}

    def _sign_in(self) -> Json:
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": f"{self._base_url}/.default",
        }
        answer = self._send("POST", f"/{TENANT_ID}/oauth2/v2.0/token", data=form)
        answer.raise_for_status()
        granted: Json = answer.json()
        return granted

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._session.request(method, self._base_url + path, timeout=TIMEOUT, **options)

    def _patiently(self, send: Callable[[], requests.Response]) -> requests.Response:
        """Again and again while nobody is there; anything else that goes wrong is the caller's."""
        pause = 0.2
        while True:
            try:
                return send()
            except requests.ConnectionError:
                if self._stopping.wait(pause):
                    raise
                pause = min(pause * 2, 5)


class Stage:
    """One method a step. Each takes the leg and the step's word."""

    def __init__(self, microsoft: Microsoft, outbox: Outbox) -> None:
        self._microsoft = microsoft
        self._outbox = outbox

    def enter(self, steps: Steps, past: float, random: Random) -> Leg:
        return Leg(cast(random), steps, past, {})

    def ring(self, leg: Leg, _: str) -> None:
        facts = {"user": leg.part.user, "organizer": leg.part.organizer, "subject": leg.part.subject}
        leg.call = self._microsoft.control("POST", "calls", {**facts, "state": "incoming", "notify": True})
        self._report(leg, "call.joined", joined(leg))

    def connect(self, leg: Leg, _: str) -> None:
        self._move(leg, "establishing")

    def establish(self, leg: Leg, _: str) -> None:
        self._move(leg, "established")

    def capture(self, leg: Leg, _: str) -> None:
        self._switch(leg, "capturing", "capture.started", {})

    def stop(self, leg: Leg, _: str) -> None:
        self._switch(leg, "stopped", "capture.stopped", {})

    def fail(self, leg: Leg, reason: str) -> None:
        self._switch(leg, "failed", "capture.failed", {"reason": reason})

    def tell(self, leg: Leg, status: str) -> None:
        operation = self._microsoft.tell(leg.call_id, status)
        if operation:
            self._report(leg, "status.told", {"status": status, "operation": operation})

    def leave_running(self, leg: Leg, _: str) -> None:
        """The recorder's own operation never ends; a later correction runs for a while and then succeeds."""
        fault = {"do": "operation", "call_id": leg.call_id, "operation": {"status": "running"}}
        self._microsoft.control("POST", "faults", fault)
        slow = {"status": "running", "then": "completed", "after": SLOW_OPERATION}
        self._microsoft.control("PATCH", f"calls/{leg.call_id}", {"operations": slow})

    def hang_up(self, leg: Leg, result: str) -> None:
        code, subcode = (int(number) for number in result.split("/"))
        ending = {"code": code, "subcode": subcode, "message": ""}
        self._microsoft.control("POST", f"calls/{leg.call_id}/end", {**ending, "notify": True})
        leg.over = True
        self._report(leg, "call.ended", {"resultInfo": ending})

    def heartbeat(self, legs: list[Leg]) -> None:
        calls = [{"id": leg.call_id, "captureState": leg.capture} for leg in legs if leg.call]
        self._outbox.put("heartbeat", {"calls": calls})

    def _move(self, leg: Leg, state: str) -> None:
        leg.call = self._microsoft.control("PATCH", f"calls/{leg.call_id}", {"state": state, "notify": True})

    def _switch(self, leg: Leg, state: str, kind: str, data: Json) -> None:
        leg.capture = state
        self._report(leg, kind, data)

    def _report(self, leg: Leg, kind: str, data: Json) -> None:
        self._outbox.put(kind, data, subject=leg.call_id, happened_at=leg.moment())


def joined(leg: Leg) -> Json:
    return {
        "tenantId": leg.call["tenant_id"],
        "callChainId": leg.call["call_chain_id"],
        "scenarioId": leg.call["scenario_id"],
        "state": leg.call["state"],
        "direction": leg.call["direction"],
        "subject": leg.call["subject"],
        "recordedUser": leg.call["user"],
        "organizer": leg.call["organizer"],
        "isPolicyCall": leg.call["policy"],
    }
