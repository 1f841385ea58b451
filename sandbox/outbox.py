"""A recorder's events on their way to the hook: kept until somebody takes them, one by one or as a batch."""

import itertools
import json
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import requests

from sandbox.messages import Json, new_id, now, stamp

TIMEOUT = (3.05, 10)
LONGEST_PAUSE = 15.0
# A careless recorder lets every ninth post be overtaken by the next, if that comes soon, and says every seventh twice.
LATE, TWICE = 9, 7
SOON = 0.6  # seconds

type Post = Json | list[Json]


class Outbox:
    """What one recorder has to say. While it `is_dead`, it says nothing."""

    def __init__(self, url: str, token: str, name: str = "rec-01", *, is_careless: bool = False) -> None:
        self.is_dead = False
        self._url = url
        self._source = f"/recorders/{name}"
        self._authorization = f"Bearer {token}"
        self._is_careless = is_careless
        self._sequence = 0
        self._batch: list[Json] | None = None
        self._waiting: queue.Queue[Post | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name}-outbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._waiting.put(None)
        self._thread.join()

    def wait_until_idle(self, seconds: float) -> bool:
        """Whether everything said so far has been taken, or refused for good, within so many seconds."""
        with self._waiting.all_tasks_done:
            return self._waiting.all_tasks_done.wait_for(lambda: not self._waiting.unfinished_tasks, seconds)

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
        self._send({**event, "subject": subject} if subject else event)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is put meanwhile goes out as one batch, so that nobody hears half of it."""
        batch: list[Json] = []
        self._batch = batch
        try:
            yield
        finally:
            self._batch = None
        if batch:
            self._waiting.put(batch)

    def _send(self, event: Json) -> None:
        if self._batch is not None:
            self._batch.append(event)
            return
        for _ in range(2 if self._is_careless and self._sequence % TWICE == 0 else 1):
            self._waiting.put(event)

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            numbers = itertools.count(1)
            while post := self._waiting.get():
                if self._is_careless and next(numbers) % LATE == 0:
                    self._let_another_pass(session)
                self._deliver(session, post)
                self._waiting.task_done()

    def _let_another_pass(self, session: requests.Session) -> None:
        """The next post goes before the present one, if it comes soon."""
        try:
            following = self._waiting.get(timeout=SOON)
        except queue.Empty:
            return
        if following is None:
            self._waiting.put(None)
        else:
            self._deliver(session, following)
        self._waiting.task_done()

    def _deliver(self, session: requests.Session, post: Post) -> None:
        pause = 0.5
        while not self._stopping.is_set() and not self._is_taken(session, post):
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _is_taken(self, session: requests.Session, post: Post) -> bool:
        """True when the post is out of the way: accepted, or refused for good."""
        kind, what = ("-batch", f"a batch of {len(post)}") if isinstance(post, list) else ("", post["type"])
        headers = {"Authorization": self._authorization, "Content-Type": f"application/cloudevents{kind}+json"}
        try:
            answer = session.post(self._url, data=json.dumps(post), headers=headers, timeout=TIMEOUT)
        except requests.RequestException:
            return False
        if 400 <= answer.status_code < 500 and answer.status_code not in (408, 429):
            sys.stderr.write(f"{what} was refused with {answer.status_code}: {answer.text[:200]}\n")
            return True
        return answer.ok
