"""Delivers notifications, signed as the calling platform signs them, in the background and with a few tries."""

import json
import queue
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import requests

from sandbox.defaults import CALLBACK_ISSUER, CALLBACK_TOKEN_LIFETIME, CLIENT_ID
from sandbox.messages import Json
from sandbox.state import Call, World
from sandbox.tokens import KeyRing

LANES = 4
TIMEOUT = (3.05, 10)


@dataclass
class Delivery:
    """One notification on its way; `answered` is the last HTTP status, `error` the last failure to get one."""

    call_id: str
    kind: str
    message_id: str | None
    tries: int = 0
    answered: int | None = None
    error: str | None = None
    done: bool = False


@dataclass
class Parcel:
    url: str
    body: Json
    headers: dict[str, str]
    tenant_id: str
    delivery: Delivery
    token: bool = True
    claims: Json = field(default_factory=dict)


def headers(call: Call, message_id: str | None) -> dict[str, str]:
    named = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Microsoft-Skype/3.0,(Calling/1.0)",
        "X-Microsoft-Skype-Chain-ID": call.call_chain_id,
        "Scenario-Id": call.scenario_id,
    }
    return {**named, "X-Microsoft-Skype-Message-ID": message_id} if message_id else named


class Postman:
    """Each call has its lane, so that its notifications keep their order unless somebody asks for disorder."""

    def __init__(self, world: World, keys: KeyRing) -> None:
        self._world = world
        self._keys = keys
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._deliveries: list[Delivery] = []
        self._lanes: list[queue.SimpleQueue[Parcel | None]] = [queue.SimpleQueue() for _ in range(LANES)]
        self._threads = [threading.Thread(target=self._run, args=(lane,), daemon=True) for lane in self._lanes]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for lane in self._lanes:
            lane.put(None)
        for thread in self._threads:
            thread.join()

    def token(self, tenant_id: str, **claims: Any) -> str:
        issued = int(time.time())
        usual = {
            "iss": CALLBACK_ISSUER,
            "aud": CLIENT_ID,
            "tid": tenant_id,
            "serviceurl": "https://sandbox.invalid/",
            "iat": issued,
            "nbf": issued,
            "exp": issued + CALLBACK_TOKEN_LIFETIME,
        }
        merged = {**usual, **claims}
        return self._keys.sign({name: value for name, value in merged.items() if value is not None})

    def post(self, parcel: Parcel) -> None:
        with self._changed:
            self._deliveries.append(parcel.delivery)
        self._lanes[hash(parcel.delivery.call_id) % LANES].put(parcel)

    def deliveries(self) -> list[Json]:
        with self._changed:
            return [asdict(each) for each in self._deliveries]

    def clear(self) -> None:
        with self._changed:
            self._deliveries.clear()

    def wait_until_idle(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: all(each.done for each in self._deliveries), seconds)

    def _run(self, lane: "queue.SimpleQueue[Parcel | None]") -> None:
        with requests.Session() as session:
            session.trust_env = False
            while parcel := lane.get():
                self._deliver(session, parcel)
                with self._changed:
                    parcel.delivery.done = True
                    self._changed.notify_all()

    def _deliver(self, session: requests.Session, parcel: Parcel) -> None:
        settings = self._world.settings
        for number in range(settings.callback_tries):
            if self._stopping.wait(settings.callback_pause * number):
                return
            if self._try(session, parcel):
                return

    def _try(self, session: requests.Session, parcel: Parcel) -> bool:
        """True when there is no sense in another try."""
        delivery = parcel.delivery
        delivery.tries += 1
        sent = dict(parcel.headers)
        if parcel.token:
            sent["Authorization"] = f"Bearer {self.token(parcel.tenant_id, **parcel.claims)}"
        try:
            answer = session.post(
                parcel.url, data=json.dumps(parcel.body), headers=sent, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            delivery.error = type(error).__name__
            return False
        delivery.answered, delivery.error = answer.status_code, None
        return answer.status_code < 500
