"""What one dated answer proves of our clock, and what it does not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.rules import clock_heard

DATE = datetime(2026, 11, 18, 14, 32, 8, tzinfo=UTC)


def side(seconds: float, latency: float = 0.0) -> int:
    """Of an answer that came so many seconds after its Date, by our clock."""
    return clock_heard(DATE, received_at=DATE + timedelta(seconds=seconds), latency_seconds=latency).side


@pytest.mark.parametrize(
    ("seconds", "latency", "expected"),
    [
        (0.0, 0.0, 0),
        (0.9, 0.2, 0),
        (3.0, 0.0, 0),  # 2.0 s apart at least: not more than two
        (3.1, 0.0, 1),
        (3.1, 0.2, 0),  # perhaps it was under way for 0.2 s
        (13.0, 9.9, 1),
        (-2.0, 0.0, 0),
        (-2.1, 0.0, -1),
        (-2.1, 5.0, -1),  # a long way makes a clock that is behind only more so
    ],
)
def test_only_what_is_surely_more_than_two_seconds_apart_counts(seconds: float, latency: float, expected: int) -> None:
    assert side(seconds, latency) == expected


@given(
    truth=st.floats(-60, 60),
    fraction=st.floats(0, 0.999),
    there=st.floats(0, 10),
    back=st.floats(0, 10),
)
def test_the_truth_always_lies_between_least_and_most(truth: float, fraction: float, there: float, back: float) -> None:
    """Graph wrote the answer at DATE and a fraction; it came `back` seconds later, by a clock that is `truth` ahead."""
    received = DATE + timedelta(seconds=fraction + back + truth)
    heard = clock_heard(DATE, received_at=received, latency_seconds=there + back)
    slack = timedelta(microseconds=5)
    assert heard.least - slack <= timedelta(seconds=truth) <= heard.most + slack
    assert abs(heard.seconds - truth) <= 0.5 + (there + back) / 2 + 1e-5
