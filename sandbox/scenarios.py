"""What the scripted recorders play: a scenario is a list of steps, a step a delay in seconds and a thing to do.

Most calls go as they should. The opening has, besides, one act for every rule by which the site finds something stuck.
"""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

FIRST, SECOND = "rec-01", "rec-02"


class Step(NamedTuple):
    delay: float
    do: str  # a method of stage.Stage
    what: str = ""


type Steps = tuple[Step, ...]

ANSWER: Steps = (Step(0, "ring"), Step(0.5, "connect"), Step(1, "establish"))
RECORD: Steps = (*ANSWER, Step(1, "tell", "recording"), Step(0.5, "capture"))
FINISH: Steps = (Step(1, "tell", "notRecording"), Step(2, "hang_up", "200/4521"))
A_CALL, A_LONG_WHILE, TWO_DAYS = 150.0, 2700.0, 172_800.0
LAST_FOR_LONG: Steps = (Step(A_LONG_WHILE, "stop"), *FINISH)

# As it should be, or at least told truthfully.
AS_IT_SHOULD_BE: Steps = (*RECORD, Step(A_CALL, "stop"), *FINISH)
WITH_A_PAUSE: Steps = (
    *RECORD,
    Step(60, "pause"),
    Step(1, "tell", "notRecording"),
    Step(20, "tell", "recording"),
    Step(0.5, "capture"),
    Step(60, "stop"),
    *FINISH,
)

# R1: media is captured, and Teams is never told.
NEVER_TOLD: Steps = (*ANSWER, Step(1, "capture"), Step(A_LONG_WHILE, "stop"), Step(2, "hang_up", "200/4521"))

# R2: capture stopped, and `recording` still stands.
STILL_STANDS: Steps = (*RECORD, Step(45, "stop"), Step(A_LONG_WHILE, "hang_up", "200/4521"))

# R3: Teams is told `notRecording`, and capture goes on.
CAPTURE_GOES_ON: Steps = (
    *RECORD,
    Step(60, "tell", "notRecording"),
    Step(A_LONG_WHILE, "stop"),
    Step(2, "hang_up", "200/4521"),
)

# R1 and R4: the recorder's own operation never ends; the correction that a person asks for runs for a while.
LEFT_RUNNING: Steps = (
    *ANSWER,
    Step(0, "leave_running"),
    Step(1, "tell", "recording"),
    Step(0.5, "capture"),
    Step(30, "ask", "recording"),
    *LAST_FOR_LONG,
)

# R2 and R5: capture stopped, and the correction that a person asks for fails; the next one would succeed.
CORRECTION_FAILS: Steps = (
    *RECORD,
    Step(30, "stop"),
    Step(0, "spoil_correction"),
    Step(30, "ask", "notRecording"),
    Step(A_LONG_WHILE, "hang_up", "200/4521"),
)

# R7: the call ended, and `recording` was never taken back.
NEVER_TAKEN_BACK: Steps = (*RECORD, Step(90, "hang_up", "200/4521"))

# R8: nobody speaks of the leg any more, and the stand-in cannot be asked for it.
NOBODY_SPEAKS: Steps = (*RECORD, Step(20, "hide"), Step(0, "leave_out"), *LAST_FOR_LONG)

# R9: the recorder has forgotten the leg, and Graph still has it.
LEFT_ALONE: Steps = (*RECORD, Step(20, "leave_out"), *LAST_FOR_LONG)

# R10: the leg is lost in mid-call, for want of a word from the bot, of its media, or with everybody removed.
DROPPED: Steps = (*RECORD, Step(90, "hang_up", "408/8537"))
CAPTURE_BROKE: Steps = (
    *RECORD,
    Step(60, "fail", "media connectivity lost"),
    Step(1, "tell", "failed"),
    Step(40, "hang_up", "410/301005"),
)
# R10 only because the other leg of this person goes on. Two legs of one person are no error by themselves (R14).
REMOVED: Steps = (*RECORD, Step(60, "hang_up", "200/5000"))
OTHER_LEG: Steps = (*RECORD, *LAST_FOR_LONG)

# R1, R5 and R11: the bot did not come by a recording policy, so every status is refused, a person's wish, too.
NO_POLICY: Steps = (
    Step(0, "ring", "without a policy"),
    *ANSWER[1:],
    Step(1, "tell", "recording"),
    Step(0.5, "capture"),
    Step(30, "ask", "recording"),
    Step(A_LONG_WHILE, "stop"),
    Step(2, "hang_up", "200/4521"),
)

# R12: Microsoft refuses to let the app look at any call of the tenant, for a minute. The site looks at this one,
# because its recorder leaves it out for a while.
TENANT_REFUSED: Steps = (
    *RECORD,
    Step(105, "leave_out"),
    Step(0, "refuse_tenant", "60"),
    Step(30, "take_up"),
    *LAST_FOR_LONG,
)

# R13: the call rings and nobody answers, or the answer leads nowhere.
RINGS_FOR_EVER: Steps = (Step(0, "ring"), Step(A_LONG_WHILE, "hang_up", "480/10037"))
NEVER_ANSWERED: Steps = (Step(0, "ring"), Step(0.5, "connect"), Step(12, "hang_up", "480/10037"))

# R17: the recorder switches what Teams is told by a timer.
FLIPS: Steps = (*RECORD, *(Step(4, "tell", "notRecording"), Step(4, "tell", "recording")) * 12, *LAST_FOR_LONG)

# R19: the call is older than any call can be.
OVER_AGE: Steps = (*RECORD, Step(TWO_DAYS, "stop"), *FINISH)

# R20, and R9 for its call: a recorder falls silent for three minutes, again and again. Nobody knows what it captured.
FALLS_SILENT: Steps = (
    *RECORD,
    *(Step(20, "fall_silent"), Step(180, "speak_again")),
    *(Step(400, "fall_silent"), Step(180, "speak_again")) * 3,
    *LAST_FOR_LONG,
)


# R21, and R9 for its call, of which only Graph speaks: for a while Graph's clock is ten seconds behind ours.
CLOCKS_APART: Steps = (*RECORD, Step(20, "leave_out"), Step(0, "set_clock", "90 -10"), *LAST_FOR_LONG)


@dataclass(frozen=True)
class Act:
    """A scenario that begins, for the opening, so many seconds ago; perhaps with a second leg of the same person.

    `shows` has the code of every rule by which the site finds its first leg stuck within three minutes.
    """

    steps: Steps
    past: float = 0.0
    beside: Steps = ()
    recorder: str = FIRST
    shows: tuple[str, ...] = ()


OPENING = (
    Act(NEVER_TOLD, past=540, shows=("R1",)),
    Act(STILL_STANDS, past=720, shows=("R2",)),
    Act(CAPTURE_GOES_ON, past=400, shows=("R3",)),
    Act(LEFT_RUNNING, past=20, shows=("R1", "R4")),
    Act(CORRECTION_FAILS, past=45, shows=("R2", "R5")),
    Act(NEVER_TAKEN_BACK, past=900, shows=("R7",)),
    Act(NOBODY_SPEAKS, past=23, shows=("R8",)),
    Act(LEFT_ALONE, past=23, shows=("R9",)),
    Act(REMOVED, past=50, beside=OTHER_LEG, shows=("R7", "R10")),
    Act(NO_POLICY, past=15, shows=("R1", "R5", "R11")),
    Act(TENANT_REFUSED, shows=("R12",)),
    Act(RINGS_FOR_EVER, shows=("R13",)),
    Act(FLIPS, shows=("R17",)),
    Act(OVER_AGE, past=90_000, shows=("R19",)),
    Act(FALLS_SILENT, recorder=SECOND, shows=("R9", "R20")),
    Act(CLOCKS_APART, past=15, shows=("R9", "R21")),
    Act(CAPTURE_BROKE, past=50, shows=("R10",)),
    *(Act(AS_IT_SHOULD_BE, past=past) for past in range(0, 150, 15)),
    Act(WITH_A_PAUSE, past=40),
    Act(WITH_A_PAUSE),
)
GO_WELL: dict[Steps, int] = {AS_IT_SHOULD_BE: 80, WITH_A_PAUSE: 15}
GET_STUCK: dict[Steps, int] = {
    NEVER_ANSWERED: 2,
    NEVER_TAKEN_BACK: 1,
    CAPTURE_BROKE: 1,
    DROPPED: 1,
    STILL_STANDS: 1,
    NEVER_TOLD: 1,
    LEFT_RUNNING: 1,
}
WEIGHTS = GO_WELL | GET_STUCK


def next_act(random: Random) -> Act:
    return Act(random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0])
