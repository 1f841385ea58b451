"""What the scripted recorder plays: a scenario is a list of steps, a step a delay in seconds and a thing to do."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple


class Step(NamedTuple):
    delay: float
    do: str  # a method of play.Stage
    what: str = ""


type Steps = tuple[Step, ...]

ANSWER: Steps = (Step(0, "ring"), Step(0.5, "connect"), Step(1, "establish"))
RECORD: Steps = (*ANSWER, Step(1, "tell", "recording"), Step(0.5, "capture"))
FINISH: Steps = (Step(1, "tell", "notRecording"), Step(2, "hang_up", "200/4521"))
A_CALL, A_LONG_WHILE = 150.0, 2700.0

AS_IT_SHOULD_BE: Steps = (*RECORD, Step(A_CALL, "stop"), *FINISH)
WITH_A_PAUSE: Steps = (
    *RECORD,
    Step(60, "stop"),
    Step(1, "tell", "notRecording"),
    Step(20, "tell", "recording"),
    Step(0.5, "capture"),
    Step(60, "stop"),
    *FINISH,
)
CAPTURE_BROKE: Steps = (
    *RECORD,
    Step(60, "fail", "media connectivity lost"),
    Step(1, "tell", "failed"),
    Step(40, "hang_up", "410/301005"),
)
NEVER_ANSWERED: Steps = (Step(0, "ring"), Step(0.5, "connect"), Step(12, "hang_up", "480/10037"))

# The four ways to get stuck.
NEVER_TAKEN_BACK: Steps = (*RECORD, Step(90, "hang_up", "408/8537"))
NEVER_TOLD: Steps = (*ANSWER, Step(1, "capture"), Step(A_LONG_WHILE, "stop"), Step(2, "hang_up", "200/4521"))
STILL_STANDS: Steps = (*RECORD, Step(45, "stop"), Step(A_LONG_WHILE, "hang_up", "200/4521"))
LEFT_RUNNING: Steps = (
    *ANSWER,
    Step(0, "leave_running"),
    Step(1, "tell", "recording"),
    Step(0.5, "capture"),
    Step(A_LONG_WHILE, "stop"),
    *FINISH,
)


@dataclass(frozen=True)
class Act:
    """A scenario that begins, for the opening, so many seconds ago."""

    steps: Steps
    past: float = 0.0


OPENING = (
    Act(STILL_STANDS, past=720),
    Act(NEVER_TOLD, past=540),
    Act(LEFT_RUNNING, past=600),
    Act(NEVER_TAKEN_BACK, past=900),
    Act(AS_IT_SHOULD_BE, past=130),
    Act(AS_IT_SHOULD_BE, past=75),
    Act(AS_IT_SHOULD_BE, past=20),
    Act(WITH_A_PAUSE, past=40),
    Act(CAPTURE_BROKE, past=50),
    Act(AS_IT_SHOULD_BE),
)
WEIGHTS: dict[Steps, int] = {
    AS_IT_SHOULD_BE: 20,
    WITH_A_PAUSE: 4,
    CAPTURE_BROKE: 2,
    NEVER_ANSWERED: 2,
    NEVER_TAKEN_BACK: 2,
    STILL_STANDS: 1,
    NEVER_TOLD: 1,
    LEFT_RUNNING: 1,
}


def next_act(random: Random) -> Act:
    return Act(random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0])
