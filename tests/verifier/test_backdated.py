"""Whoever may write to the ledger can put in an entry of the past; its place in the tree betrays it."""

from pathlib import Path

import pytest

from tests.verifier import building
from tests.verifier.building import Outcome, fingerprint, run

LATE = "note Recorded late or backdated: "


def checked(folder: Path, told: dict[str, str], *, place: int = 17, sheet: str = "ledger") -> Outcome:
    ledger = building.ledger()
    ledger.bodies[place].update(told)
    return run(ledger.export(range(21), sheet=sheet).zip(folder), "--key", fingerprint())


@pytest.mark.parametrize(
    "told",
    [
        {"recorded_at": "2026-01-22T14:31:17.000000Z"},
        {"recorded_at": "2026-11-18T14:21:15.999000Z"},
        {"recorded_at": "a year ago"},
        {"id": "019be62c-0b7f-719d-9068-000000000011"},
        {"id": "7d444840-9dc0-41d1-b245-5ffdce74fad2"},
    ],
)
@pytest.mark.parametrize("sheet", ["ledger", "history"])
def test_an_entry_older_than_one_before_it_is_noted_with_its_place(
    tmp_path: Path, sheet: str, told: dict[str, str]
) -> None:
    outcome = checked(tmp_path, told, sheet=sheet)

    assert outcome.code == 0
    assert f"{LATE}1 entries say by their key or their recorded_at" in outcome.words
    assert "their places: 17." in outcome.words


@pytest.mark.parametrize("recorded_at", ["2026-11-18T14:21:16.000000Z", "2026-11-18T14:31:17.000000Z"])
def test_up_to_ten_minutes_are_the_time_that_sealing_takes(tmp_path: Path, recorded_at: str) -> None:
    assert LATE not in checked(tmp_path, {"recorded_at": recorded_at}).words


def test_one_that_was_dated_ahead_makes_those_behind_it_late(tmp_path: Path) -> None:
    outcome = checked(tmp_path, {"recorded_at": "2027-11-18T14:31:04.000000Z"}, place=4)

    assert f"{LATE}16 entries" in outcome.words
    assert "their places: 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 ..." in outcome.words
    assert "An entry that was dated ahead makes those behind it look late, too." in outcome.words


def test_the_times_of_entries_are_called_their_own_word(tmp_path: Path) -> None:
    assert "whoever may write to the ledger chooses an entry's times" in checked(tmp_path, {}).words
