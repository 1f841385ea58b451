"""What a step of a scenario does: to the call in the stand-in, to Graph, and to the recorder's hook."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import requests

from sandbox.cast import Part, cast
from sandbox.defaults import CLIENT_ID, CLIENT_SECRET, TENANT_ID
from sandbox.messages import Json, new_id, now
from sandbox.outbox import TIMEOUT, Outbox
from sandbox.scenarios import Act, Steps

SLOW_OPERATION = 75.0  # seconds

type Correct = Callable[[str, str], None]


class CallGoneError(Exception):
    """The stand-in does not know this call any more, perhaps because it was restarted."""


@dataclass(eq=False)
class Leg:
    part: Part
    steps: Steps
    past: float
    recorder: str
    beside: "Leg | None" = None
    call: Json = field(default_factory=dict)
    position: int = 0
    capture: str = "stopped"
    over: bool = False
    is_left_out: bool = False

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

    def tell(self, call_id: str, status: str, *, recorder: str) -> Json | None:
        """Tells Graph a status as a bot does; the operation, or None where Graph refused."""
        body = {"status": status, "clientContext": f"{recorder}:{new_id()}"}
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

    def __init__(
        self, microsoft: Microsoft, outboxes: Mapping[str, Outbox], *, correct: Correct = lambda call_id, status: None
    ) -> None:
        self._microsoft = microsoft
        self._outboxes = outboxes
        self._correct = correct

    def enter(self, act: Act, random: Random) -> list[Leg]:
        """The legs of an act. None where nobody plays the act's recorder."""
        if act.recorder not in self._outboxes:
            return []
        first = Leg(cast(random), act.steps, act.past, act.recorder)
        return [first, Leg(first.part, act.beside, act.past, act.recorder, first)] if act.beside else [first]

    def together(self, recorder: str) -> AbstractContextManager[None]:
        """What the recorder says meanwhile goes out as one batch, as from one that was cut off for a while."""
        return self._outboxes[recorder].together()

    # -- what a recorder does

    def ring(self, leg: Leg, how: str) -> None:
        facts: Json = {"user": leg.part.user, "organizer": leg.part.organizer, "subject": leg.part.subject}
        if leg.beside and leg.beside.call:
            facts["call_chain_id"] = leg.beside.call["call_chain_id"]
        if how == "without a policy":
            facts["policy"] = False
        leg.call = self._microsoft.control("POST", "calls", {**facts, "state": "incoming", "notify": True})
        self._report(leg, "call.joined", joined(leg))

    def connect(self, leg: Leg, _: str) -> None:
        self._move(leg, "establishing")

    def establish(self, leg: Leg, _: str) -> None:
        self._move(leg, "established")

    def capture(self, leg: Leg, _: str) -> None:
        self._switch(leg, "capturing", "capture.started", {})

    def pause(self, leg: Leg, _: str) -> None:
        self._switch(leg, "paused", "capture.paused", {})

    def stop(self, leg: Leg, _: str) -> None:
        self._switch(leg, "stopped", "capture.stopped", {})

    def fail(self, leg: Leg, reason: str) -> None:
        self._switch(leg, "failed", "capture.failed", {"reason": reason})

    def tell(self, leg: Leg, status: str) -> None:
        operation = self._microsoft.tell(leg.call_id, status, recorder=leg.recorder)
        if operation:
            self._report(leg, "status.told", {"status": status, "operation": operation})

    def hang_up(self, leg: Leg, result: str) -> None:
        code, subcode = (int(number) for number in result.split("/"))
        ending = {"code": code, "subcode": subcode, "message": ""}
        self._microsoft.control("POST", f"calls/{leg.call_id}/end", {**ending, "notify": True})
        leg.over = True
        self._report(leg, "call.ended", {"resultInfo": ending})

    def heartbeats(self, legs: Sequence[Leg]) -> None:
        for recorder in self._outboxes:
            self.heartbeat(recorder, legs)

    def heartbeat(self, recorder: str, legs: Sequence[Leg]) -> None:
        """The recorder speaks of its own legs, but for those that are over and those it has forgotten."""
        own = [leg for leg in legs if leg.recorder == recorder and leg.call and not (leg.over or leg.is_left_out)]
        calls = [{"id": leg.call_id, "captureState": leg.capture} for leg in own]
        self._outboxes[recorder].put("heartbeat", {"calls": calls})

    # -- what goes wrong with it

    def leave_out(self, leg: Leg, _: str) -> None:
        """The recorder forgets the leg: its heartbeats do not speak of it."""
        leg.is_left_out = True

    def take_up(self, leg: Leg, _: str) -> None:
        leg.is_left_out = False

    def fall_silent(self, leg: Leg, _: str) -> None:
        """The whole recorder dies; what it would have said is lost."""
        self._outboxes[leg.recorder].is_dead = True

    def speak_again(self, leg: Leg, _: str) -> None:
        self._outboxes[leg.recorder].is_dead = False

    # -- what Graph does, and what a person does

    def leave_running(self, leg: Leg, _: str) -> None:
        """The recorder's own operation never ends; a later correction runs for a while and then succeeds."""
        self._fault(do="operation", call_id=leg.call_id, operation={"status": "running"})
        slow = {"status": "running", "then": "completed", "after": SLOW_OPERATION}
        self._microsoft.control("PATCH", f"calls/{leg.call_id}", {"operations": slow})

    def spoil_correction(self, leg: Leg, _: str) -> None:
        """The next operation of this call fails; the one after it does not."""
        failing = {"status": "failed", "code": 500, "subcode": 7, "message": "The status could not be updated."}
        self._fault(do="operation", call_id=leg.call_id, operation=failing)

    def hide(self, leg: Leg, _: str) -> None:
        """Whoever asks for this call gets no answer that says how it is."""
        self._fault(do="error", status=503, action="getCall", call_id=leg.call_id, times=None)

    def refuse_tenant(self, leg: Leg, seconds: str) -> None:
        """Nobody may look at any call. Statuses still go through, or every other act would be stuck, too."""
        self._fault(do="error", code="7504", envelope="raw", action="getCall", times=None, lasts=float(seconds))

    def set_clock(self, leg: Leg, words: str) -> None:
        """For so many seconds Graph dates its answers so many seconds ahead: `90 -5` is five behind for 90."""
        lasts, ahead = words.split()
        self._fault(do="clock", seconds=float(ahead), action="getCall", times=None, lasts=float(lasts))

    def ask(self, leg: Leg, status: str) -> None:
        """A person asks the site for a correction."""
        self._correct(leg.call_id, status)

    def _fault(self, **fault: Any) -> None:
        self._microsoft.control("POST", "faults", fault)

    def _move(self, leg: Leg, state: str) -> None:
        leg.call = self._microsoft.control("PATCH", f"calls/{leg.call_id}", {"state": state, "notify": True})
        self._report(leg, "call.stateChanged", {"state": state})

    def _switch(self, leg: Leg, state: str, kind: str, data: Json) -> None:
        leg.capture = state
        self._report(leg, kind, data)

    def _report(self, leg: Leg, kind: str, data: Json) -> None:
        self._outboxes[leg.recorder].put(kind, data, subject=leg.call_id, happened_at=leg.moment())


def joined(leg: Leg) -> Json:
    """What the recorder knows of the call. That a policy is missing it does not know: Graph says so with 8506."""
    policy = {"isPolicyCall": True} if leg.call["policy"] else {}
    return {
        "tenantId": leg.call["tenant_id"],
        "callChainId": leg.call["call_chain_id"],
        "scenarioId": leg.call["scenario_id"],
        "state": leg.call["state"],
        "direction": leg.call["direction"],
        "subject": leg.call["subject"],
        "recordedUser": leg.call["user"],
        "organizer": leg.call["organizer"],
        **policy,
    }
