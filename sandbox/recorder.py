"""python -m sandbox.recorder: a recorder bot that plays its part in the demo, well and badly."""

import argparse
import heapq
import itertools
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from random import Random
from types import FrameType

import requests

from sandbox.outbox import Outbox
from sandbox.scenarios import OPENING, Act, next_act
from sandbox.stage import CallGoneError, Leg, Microsoft, Stage

HEARTBEAT = 15.0
FEWEST, MOST = 8, 13
REFILL = 4.0

type Deed = Callable[[], None]


class Recorder:
    """Keeps a handful of calls alive, each at its own place in its scenario."""

    def __init__(self, stage: Stage, stopping: threading.Event, *, speed: float = 1.0, seed: int | None = None) -> None:
        self._stage = stage
        self._stopping = stopping
        self._speed = speed
        self._random = Random(seed)  # noqa: S311  a play, not a secret
        self._agenda: list[tuple[float, int, Deed]] = []
        self._numbers = itertools.count()
        self._legs: list[Leg] = []

    def run(self, opening: Sequence[Act] = OPENING) -> None:
        for act in opening:
            self._begin(act)
        self._heartbeat()
        self._refill()
        while not self._stopping.is_set():
            self._do_next()

    def _do_next(self) -> None:
        due, _, deed = self._agenda[0]
        if self._stopping.wait(max(0.0, due - time.monotonic())):
            return
        heapq.heappop(self._agenda)
        deed()

    def _at(self, seconds: float, deed: Deed) -> None:
        heapq.heappush(self._agenda, (time.monotonic() + seconds, next(self._numbers), deed))

    def _begin(self, act: Act) -> None:
        leg = self._stage.enter(act.steps, act.past, self._random)
        self._legs.append(leg)
        self._play(leg)

    def _play(self, leg: Leg) -> None:
        """Plays the steps that lie in the leg's past at once, and notes the first that lies ahead."""
        while leg.position < len(leg.steps) and not leg.over:
            delay = leg.steps[leg.position].delay
            if delay > leg.past:
                ahead, leg.past = delay - leg.past, 0.0
                self._at(ahead / self._speed, lambda: self._resume(leg))
                return
            leg.past -= delay
            self._act(leg)
        self._legs.remove(leg)

    def _resume(self, leg: Leg) -> None:
        self._act(leg)
        self._play(leg)

    def _act(self, leg: Leg) -> None:
        step = leg.steps[leg.position]
        leg.position += 1
        try:
            getattr(self._stage, step.do)(leg, step.what)
        except CallGoneError:
            leg.over = True
        except requests.RequestException as error:
            sys.stderr.write(f"{step.do} failed: {type(error).__name__}\n")
            leg.over = leg.over or not leg.call

    def _heartbeat(self) -> None:
        self._stage.heartbeat(self._legs)
        self._at(HEARTBEAT, self._heartbeat)

    def _refill(self) -> None:
        if len(self._legs) < self._random.randint(FEWEST, MOST):
            self._begin(next_act(self._random))
        self._at(REFILL / self._speed, self._refill)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.recorder", description=__doc__)
    parser.add_argument("--url", required=True, help="the recorder hook of the site")
    parser.add_argument("--token", required=True, help="this recorder's token")
    parser.add_argument("--sandbox", required=True, help="where the stand-in listens")
    parser.add_argument("--ca", help="the stand-in's ca.pem")
    parser.add_argument("--speed", type=float, default=1.0, help="2 plays twice as fast; heartbeats stay as they are")
    parser.add_argument("--seed", type=int, help="the same number plays the same calls")
    return parser.parse_args()


def main() -> int:
    chosen = arguments()
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    microsoft = Microsoft(chosen.sandbox, chosen.ca, stopping)
    outbox = Outbox(chosen.url, chosen.token)
    outbox.start()
    Recorder(Stage(microsoft, outbox), stopping, speed=chosen.speed, seed=chosen.seed).run()
    outbox.stop()
    microsoft.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
