"""From changes to what is drawn of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from recordings.choices import CallState, CaptureState, ChangedField, RecordingStatus
from recordings.models import Call, Operation
from recordings.templatetags.charts import Hour, told_chart
from recordings.templatetags.lanes import NARROWEST, spans
from recordings.templatetags.marks import STEP, labels_of, marks_of
from recordings.templatetags.scale import Scale, first_known, fit, ticks

START = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
HOUR = Scale(START, START + timedelta(hours=1))
TOLD = ChangedField.RECORDING_STATUS


@dataclass
class Change:
    old: str
    new: str
    occurred_at: datetime
    field: str = TOLD


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_a_value_stands_until_the_next_one() -> None:
    changes = [Change("unknown", "recording", at(15)), Change("recording", "failed", at(30))]
    drawn = spans(TOLD, changes, current="failed", scale=HOUR, since=at(0), until=at(60))
    assert [(span.shown.value, span.x, span.width) for span in drawn] == [
        ("unknown", 0.0, 25.0),
        ("recording", 25.0, 25.0),
        ("failed", 50.0, 50.0),
    ]
    assert [span.until for span in drawn] == [at(15), at(30), None]


def test_solid_is_recorded_and_everything_else_is_a_gap() -> None:
    for status in RecordingStatus:
        (span,) = spans(TOLD, [], current=status.value, scale=HOUR, since=at(0), until=at(60))
        assert span.is_gap == (status != RecordingStatus.RECORDING)


def test_a_word_graph_invents_later_is_drawn_as_a_gap() -> None:
    (span,) = spans(TOLD, [], current="paused", scale=HOUR, since=at(0), until=at(60))
    assert span.fill.hatch == "h-unknown"
    assert span.shown.label == "Unknown (paused)"


def test_changes_told_out_of_order_are_drawn_in_the_order_they_happened() -> None:
    changes = [Change("recording", "failed", at(30)), Change("unknown", "recording", at(15))]
    drawn = spans(TOLD, changes, current="failed", scale=HOUR, since=at(0), until=at(60))
    assert [span.shown.value for span in drawn] == ["unknown", "recording", "failed"]


def test_another_field_is_another_lane() -> None:
    changes = [Change("stopped", "capturing", at(15), field=ChangedField.CAPTURE_STATE)]
    (span,) = spans(TOLD, changes, current="recording", scale=HOUR, since=at(0), until=at(60))
    assert span.shown.value == "recording"


def test_what_was_told_after_the_end_is_not_drawn_on_the_lane() -> None:
    changes = [Change("unknown", "recording", at(10)), Change("recording", "notRecording", at(50))]
    drawn = spans(TOLD, changes, current="notRecording", scale=HOUR, since=at(0), until=at(40))
    assert [span.shown.value for span in drawn] == ["unknown", "recording"]


def test_the_shortest_span_can_still_be_seen() -> None:
    changes = [Change("unknown", "failed", at(10)), Change("failed", "recording", at(10.001))]
    drawn = spans(TOLD, changes, current="recording", scale=HOUR, since=at(0), until=at(60))
    assert drawn[1].width == NARROWEST


@pytest.mark.parametrize(
    "length", [timedelta(seconds=12), timedelta(minutes=3), timedelta(hours=5), timedelta(days=40)]
)
def test_ticks_are_round_and_few(length: timedelta) -> None:
    found = ticks(Scale(START + timedelta(seconds=7), START + timedelta(seconds=7) + length))
    assert 1 <= len(found) <= 8
    assert all(0 <= tick.x <= 100 for tick in found)


def test_the_chart_and_its_table_say_the_same() -> None:
    hours = [Hour(at(0), {"recording": 5, "failed": 1}), Hour(at(60), {})]
    drawn = told_chart(hours)
    first, second = drawn["columns"]
    assert first.hour.total == 6
    assert first.hour.told == [5, 0, 0, 1]
    assert "6 calls, 5 recording" in first.words
    assert len(first.blocks) == 2
    assert second.blocks == []
    assert [entry.total for entry in drawn["legend"]] == [5, 0, 0, 1]


def test_trouble_sits_at_the_baseline() -> None:
    (column,) = told_chart([Hour(at(0), {"recording": 5, "failed": 1})])["columns"]
    lowest = max(column.blocks, key=lambda block: block.y + block.height)
    assert lowest.fill.css == "f-failed"


def test_words_are_white_on_what_is_solid_and_dark_only() -> None:
    inks = {}
    for field, values in (
        (ChangedField.CAPTURE_STATE, CaptureState),
        (TOLD, RecordingStatus),
        (ChangedField.STATE, CallState),
    ):
        for value in values:
            (span,) = spans(field, [], current=value.value, scale=HOUR, since=at(0), until=at(60))
            inks[span.fill.css or span.fill.hatch] = span.ink
    assert {fill for fill, ink in inks.items() if ink == "on"} == {"f-recording", "f-info"}
    assert {fill for fill, ink in inks.items() if ink == "plain"} == {"f-wash", "f-info-w"}


@pytest.mark.parametrize(("width", "where"), [(60.0, "all"), (20.0, "x2"), (5.0, "")])
def test_words_stand_where_they_fit(width: float, where: str) -> None:
    assert fit("Not reported", width) == where


def test_what_is_known_first_may_be_older_than_the_row() -> None:
    call = Call(created_at=at(30), established_at=at(10))
    assert first_known(call, []) == at(10)
    assert first_known(call, [Change("unknown", "recording", at(5))]) == at(5)
    assert first_known(Call(created_at=at(30)), []) == at(30)


def test_corrections_at_one_moment_make_room_for_each_other_and_stay_in_the_drawing() -> None:
    marks = marks_of([Operation(requested_at=at(59.9)) for _ in range(12)], HOUR)
    assert marks[-1].shift == 0
    assert marks[-2].shift == -STEP
    assert all(mark.shift >= -90 for mark in marks)


def test_a_correction_stands_where_it_was_sent_and_before_that_where_it_was_asked_for() -> None:
    sent = Operation(requested_at=at(10), sent_at=at(40))
    waiting = Operation(requested_at=at(20))
    assert [(mark.at, mark.did) for mark in marks_of([sent, waiting], HOUR)] == [
        (at(20), "asked for"),
        (at(40), "sent"),
    ]


def test_lengths_of_gaps_leave_room_for_one_another_and_for_the_name_of_the_lane() -> None:
    moves = [
        Change("unknown", "recording", at(3)),
        Change("recording", "failed", at(30)),
        Change("failed", "recording", at(31)),
        Change("recording", "failed", at(32)),
        Change("failed", "recording", at(33)),
        Change("recording", "failed", at(38)),
        Change("failed", "recording", at(40)),
    ]
    told = spans(TOLD, moves, current="recording", scale=HOUR, since=at(0), until=at(60))
    assert [(label.words, label.css) for label in labels_of(told, until=at(60))] == [
        ("1 min 0 s", ""),
        ("2 min 0 s", "x2"),
    ]
