"""The same words give the same answer in whatever order they came, and no more is kept than is needed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from recordings.rules import Heard, Word
from recordings.rules.heard import KEPT, changes

T0 = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def began(seconds: float, value: str) -> tuple[Word, bool]:
    return Word(at(seconds), value=value), True


def beat(seconds: float, value: str) -> tuple[Word, bool]:
    return Word(at(seconds), value=value), False


def captures(*words: tuple[Word, bool]) -> Heard:
    heard = Heard()
    for word, is_beginning in words:
        heard = heard.with_claim(word, is_beginning=is_beginning)
    return heard


def told(*words: tuple[float, str]) -> Heard:
    heard = Heard()
    for seconds, value in words:
        heard = heard.with_told(Word(at(seconds), value=value))
    return heard


def test_capture_began_with_its_first_word_whatever_came_after() -> None:
    heard = captures(began(10, "capturing"), beat(20, "capturing"), began(30, "capturing"))

    assert heard.capture == Word(at(30), value="capturing")
    assert heard.capture_changed_at == at(10)


def test_capture_began_anew_after_the_last_word_that_said_otherwise() -> None:
    heard = captures(began(0, "capturing"), beat(100, "capturing"), began(110, "stopped"), beat(120, "stopped"))

    assert heard.capture_changed_at == at(110)


def test_where_only_heartbeats_tell_of_it_the_last_other_word_is_the_earliest_it_can_have_begun() -> None:
    assert captures(beat(0, "capturing"), beat(100, "capturing"), beat(115, "stopped")).capture_changed_at == at(100)


def test_a_word_heard_late_that_lies_between_two_others_begins_the_second_of_them_anew() -> None:
    heard = captures(began(1, "capturing"), began(3, "capturing"), began(2, "stopped"))

    assert heard.capture == Word(at(3), value="capturing")
    assert heard.capture_changed_at == at(3)


def test_what_was_told_stands_since_it_was_first_told_after_anything_else() -> None:
    heard = told((0, "recording"), (10, "notRecording"), (20, "recording"), (30, "recording"))

    assert heard.status == Word(at(30), value="recording")
    assert heard.told_changed_at == at(20)


def test_at_one_moment_graphs_word_outranks_the_recorders_and_a_sequence_decides_between_its_own() -> None:
    graph, recorder = Word(at(0), 2, 0, "notRecording"), Word(at(0), 1, 99, "recording")

    assert Heard().with_told(graph).with_told(recorder).status == graph
    assert Heard().with_told(recorder).with_told(graph).status == graph
    assert max(Word(at(0), 1, 2, "failed"), Word(at(0), 1, 1, "recording")).sequence == 2


def test_changes_are_the_moments_at_which_something_else_was_said() -> None:
    words = [Word(at(3), value="a"), Word(at(1), value="a"), Word(at(2), value="b")]

    assert changes(words) == (at(2), at(3))


values = st.sampled_from(["capturing", "paused", "stopped", "failed"])
claims = st.builds(
    lambda seconds, sequence, value, is_beginning: (Word(at(seconds), 0, sequence, value), is_beginning),
    st.integers(0, 40),
    st.integers(0, 3),
    values,
    st.booleans(),
)


@given(st.lists(claims, max_size=30), st.randoms())
def test_words_on_capture_give_the_same_in_any_order(words: list[tuple[Word, bool]], random: Random) -> None:
    shuffled = random.sample(words, len(words))

    assert captures(*words).as_json() == captures(*shuffled).as_json()
    assert captures(*words).capture_changed_at == captures(*shuffled).capture_changed_at


@given(st.lists(st.tuples(st.integers(0, 99), values), max_size=3 * KEPT), st.randoms())
def test_words_on_what_was_told_give_the_same_in_any_order(words: list[tuple[float, str]], random: Random) -> None:
    assert told(*words).as_json() == told(*random.sample(words, len(words))).as_json()


@given(st.lists(claims, max_size=9), st.lists(st.tuples(st.integers(0, 99), values), max_size=9))
def test_what_is_kept_comes_back_as_it_was(words: Sequence[tuple[Word, bool]], status: list[tuple[float, str]]) -> None:
    heard = captures(*words)
    for seconds, value in status:
        heard = heard.with_told(Word(at(seconds) + timedelta(microseconds=1), 2, 7, value))

    assert Heard.from_json(heard.as_json()) == heard


@given(st.lists(claims, max_size=4 * KEPT))
def test_no_more_is_kept_than_a_leg_says_in_earnest(words: list[tuple[Word, bool]]) -> None:
    kept = captures(*words).as_json()

    assert len(kept["captures"]) <= KEPT
    assert len(kept["claims"]) <= 4
