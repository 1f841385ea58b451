"""python -m sandbox.recorder: one or two recorder bots that play their parts in the demo, well and badly."""

import argparse
import heapq
import itertools
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from random import Random
from types import FrameType

import requests

from sandbox.outbox import Outbox
from sandbox.person import Person
from sandbox.scenarios import FIRST, GO_WELL, OPENING, SECOND, Act, next_act
from sandbox.stage import CallGoneError, Leg, Microsoft, Stage

HEARTBEAT = 15.0
# So many calls that go well are under way; those that got stuck come on top.
FEWEST, MOST = 10, 15
REFILL = 4.0

type Deed = Callable[[], None]


class Recorder:
    """Keeps a handful of calls alive, each at its own place in its scenario. `clock` counts seconds."""

    def __init__(
        self,
        stage: Stage,
        stopping: threading.Event,
        *,
        speed: float = 1.0,
        seed: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage = stage
        self._stopping = stopping
        self._speed = speed
        self._clock = clock
        self._random = Random(seed)  # noqa: S311  a play, not a secret
        self._agenda: list[tuple[float, int, Deed]] = []
        self._numbers = itertools.count()
        self._legs: list[Leg] = []

    def run(self, opening: Sequence[Act] = OPENING, *, refill: bool = True) -> None:
        """Until it is told to stop; without `refill` nothing is played but the opening."""
        for act in opening:
            self._begin(act)
        self._heartbeat()
        if refill:
            self._refill()
        while not self._stopping.is_set():
            self._do_next()

    def _do_next(self) -> None:
        due, _, deed = self._agenda[0]
        if self._stopping.wait(max(0.0, due - self._clock())):
            return
        heapq.heappop(self._agenda)
        deed()

    def _at(self, seconds: float, deed: Deed) -> None:
        heapq.heappush(self._agenda, (self._clock() + seconds, next(self._numbers), deed))

    def _begin(self, act: Act) -> None:
        legs = self._stage.enter(act, self._random)
        self._legs += legs
        if not act.past:
            self._play_all(legs)
        elif legs:
            with self._stage.together(act.recorder):
                self._play_all(legs)
                self._stage.heartbeat(act.recorder, legs)

    def _play_all(self, legs: Sequence[Leg]) -> None:
        for leg in legs:
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
        self._stage.heartbeats(self._legs)
        self._at(HEARTBEAT, self._heartbeat)

    def _refill(self) -> None:
        going_well = sum(leg.steps in GO_WELL for leg in self._legs)
        if going_well < self._random.randint(FEWEST, MOST):
            self._begin(next_act(self._random))
        self._at(REFILL / self._speed, self._refill)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.recorder", description=__doc__)
    parser.add_argument("--url", required=True, help="the recorder hook of the site")
    parser.add_argument("--token", required=True, help=f"the token of {FIRST}")
    parser.add_argument("--second-token", help=f"the token of {SECOND}, which falls silent now and then")
    parser.add_argument("--correct", type=shlex.split, metavar="COMMAND", help="how a person asks for a correction")
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
    tokens = {FIRST: chosen.token, SECOND: chosen.second_token}
    outboxes = {name: Outbox(chosen.url, token, name, is_careless=True) for name, token in tokens.items() if token}
    for outbox in outboxes.values():
        outbox.start()
    stage = Stage(microsoft, outboxes, correct=Person(chosen.correct or ()).correct)
    Recorder(stage, stopping, speed=chosen.speed, seed=chosen.seed).run()
    for outbox in outboxes.values():
        outbox.stop()
    microsoft.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
