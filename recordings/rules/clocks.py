"""What one answer of Graph's says of our clock: its Date header has whole seconds, and took its time to come."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Further apart than this, times that both of us wrote cannot be laid side by side.
APART = timedelta(seconds=2)
# A Date of 14:32:08 was written somewhere within that second (RFC 9110, 5.6.7).
WHOLE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Heard:
    """Our clock minus Graph's when the answer was written, between these two; `at` is when it came, by our clock."""

    at: datetime
    least: timedelta
    most: timedelta

    @property
    def seconds(self) -> float:
        """The middle, which is off by at most half a second and half the latency."""
        return (self.least + self.most).total_seconds() / 2

    @property
    def side(self) -> int:
        """1 if ours is surely ahead by more than APART, -1 if it is surely behind, else 0."""
        if self.least > APART:
            return 1
        return -1 if self.most < -APART else 0


def heard(server_date: datetime, *, received_at: datetime, latency_seconds: float) -> Heard:
    """What an answer says that Graph dated `server_date` and we had at `received_at` (both aware UTC).

    Graph wrote it at some moment of that second, after our request left and before the answer was here.
    """
    latest = received_at - server_date
    return Heard(received_at, latest - timedelta(seconds=latency_seconds) - WHOLE_SECOND, latest)
