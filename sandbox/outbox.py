"""The recorder's events on their way to the hook: in order, kept until somebody takes them."""

import json
import queue
import sys
import threading
from datetime import datetime

import requests

from sandbox.messages import Json, new_id, now, stamp

TIMEOUT = (3.05, 10)
LONGEST_PAUSE = 15.0


class Outbox:
    """What one recorder has to say. While it `is_dead`, it says nothing."""

    def __init__(self, url: str, token: str, name: str = "rec-01") -> None:
        self.is_dead = False
        self._url = url
        self._source = f"/recorders/{name}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
        self._sequence = 0
        self._waiting: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name}-outbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._waiting.put(None)
        self._thread.join()

    def put(self, kind: str, data: Json, *, subject: str | None = None, happened_at: datetime | None = None) -> None:
        if self.is_dead:
            return
        self._sequence += 1
        event = {
            "specversion": "1.0",
            "id": new_id(),
            "source": self._source,
            "type": f"onrecord.{kind}",
            "time": stamp(happened_at or now()),
            "sequence": str(self._sequence),
            "datacontenttype": "application/json",
            "data": data,
        }
        self._waiting.put({**event, "subject": subject} if subject else event)

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while event := self._waiting.get():
                self._deliver(session, event)

    def _deliver(self, session: requests.Session, event: Json) -> None:
        pause = 0.5
        while not self._stopping.is_set() and not self._taken(session, event):
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _taken(self, session: requests.Session, event: Json) -> bool:
        """True when the event is out of the way: accepted, or refused for good."""
        try:
            answer = session.post(self._url, data=json.dumps(event), headers=self._headers, timeout=TIMEOUT)
        except requests.RequestException:
            return False
        if 400 <= answer.status_code < 500 and answer.status_code not in (408, 429):
            sys.stderr.write(f"{event['type']} was refused with {answer.status_code}: {answer.text[:200]}\n")
            return True
        return answer.ok
