"""A forger who holds the ledger's key mends manifest.json and signs it: the rows still differ from the entries."""

from pathlib import Path

import pytest

from tests.verifier import building
from tests.verifier.building import run
from tests.verifier.forging import (
    STRETCH,
    add_a_row,
    change_a_cell,
    drop_a_row,
    history,
    mended,
    refused,
    whole_stretch,
)


@pytest.mark.parametrize("data_format", ["exact", "spreadsheet", "jsonl"])
def test_a_changed_cell_differs_from_its_entry(tmp_path: Path, data_format: str) -> None:
    export = history(data_format)
    change_a_cell(export)

    (failure, *others) = refused(mended(export), tmp_path)

    assert f"Row 3 of {export.data} is not as the ledger has it: new is 'stopped', and its entry" in failure
    assert "says 'capturing'" in failure
    assert not others


@pytest.mark.parametrize("column", [name for name, fact in building.HISTORY.items() if fact and name != "entry_id"])
@pytest.mark.parametrize("data_format", ["exact", "jsonl"])
def test_every_proven_column_is_compared(tmp_path: Path, column: str, data_format: str) -> None:
    export = history(data_format)
    export.rows[0][column] = "another"

    assert f"not as the ledger has it: {column} is 'another', and" in refused(mended(export), tmp_path)[0]


@pytest.mark.parametrize("column", [name for name, fact in building.LEDGER.items() if fact and name != "entry_id"])
def test_every_proven_column_of_the_ledger_is_compared(tmp_path: Path, column: str) -> None:
    export = whole_stretch()
    export.rows[0][column] = "another"

    assert f"not as the ledger has it: {column} is 'another', and" in refused(mended(export), tmp_path)[0]


@pytest.mark.parametrize(("is_repeat", "attempt"), [(1, 1), ("true", 4), (False, "4"), (False, 4.0), (0, 4)])
def test_a_value_of_another_kind_is_another_value(tmp_path: Path, is_repeat: object, attempt: object) -> None:
    export = history("jsonl")
    row = next(row for row in export.rows if row["attempt"] == 4)
    row["is_repeat"], row["attempt"] = is_repeat, attempt

    assert "is not as the ledger has it" in refused(mended(export), tmp_path)[0]


def test_a_name_may_be_erased_since_it_was_never_proven(tmp_path: Path) -> None:
    export = history()
    export.rows[0]["actor"] = "(erased)"

    assert run(mended(export).zip(tmp_path)).code == 0


def test_an_added_row_that_is_not_counted_is_found(tmp_path: Path) -> None:
    export = history()
    export.rows.insert(1, {**export.rows[0], "entry_id": "01a2096f-0b7f-719d-9068-ffffffffffff"})

    assert (
        "history.csv has 2 rows without an entry in entries.jsonl, and manifest.json says 1: a row was added"
        in (refused(mended(export), tmp_path)[0])
    )


def test_an_added_row_that_is_counted_never_counts_as_proven(tmp_path: Path) -> None:
    export = history()
    add_a_row(export)

    outcome = run(mended(export).zip(tmp_path))

    assert outcome.code == 0
    assert "14 rows of history.csv are genuine" in outcome.words
    assert "2 rows, from the one of entry 01a2096f-0b7f-719d-9068-ffffffffffff on" in outcome.words
    assert "or never were in the ledger" in outcome.words


def test_a_row_that_is_there_twice_is_found(tmp_path: Path) -> None:
    export = history()
    export.rows.insert(4, export.rows[3])

    failure = refused(mended(export), tmp_path)[0]
    assert failure.startswith("Row 5 of history.csv is not as the ledger has it: it repeats the entry")
    assert "which has a row already: a row was added" in failure


def test_a_dropped_row_leaves_its_entry_alone(tmp_path: Path) -> None:
    export = history()
    drop_a_row(export)

    assert (
        "A row was dropped from history.csv: 1 of the entries, the first 01a2096f"
        in (refused(mended(export), tmp_path)[0])
    )


def test_an_entry_dropped_with_its_row_and_its_place_is_missing_from_a_complete_stretch(tmp_path: Path) -> None:
    """Everything fits but the promise that every place is there."""
    export = building.ledger().export([place for place in STRETCH if place != 9], sheet="ledger")
    assert export.told["complete_range"] == {"first": 3, "last": 16}

    (failure,) = refused(export, tmp_path)
    assert failure.startswith("manifest.json says that every entry from place 3 to place 16 is in the export, and that")
    assert failure.endswith("is not so: an entry was dropped.")


def test_without_that_promise_it_no_longer_says_that_none_is_missing(tmp_path: Path) -> None:
    export = building.ledger().export([place for place in STRETCH if place != 9], sheet="ledger")
    export.told["complete_range"] = None

    outcome = run(mended(export).zip(tmp_path))

    assert "No entry is missing" not in outcome.words
    assert "That no row is missing." in outcome.words


def test_a_forger_cannot_call_a_changed_cell_unproven(tmp_path: Path) -> None:
    export = history()
    change_a_cell(export)
    export.columns["new"] = ()

    assert (
        "manifest.json says of these columns wrongly whether they are proven: new."
        in (refused(mended(export), tmp_path)[0])
    )


def test_a_forger_cannot_call_the_history_a_snapshot(tmp_path: Path) -> None:
    export = history()
    change_a_cell(export)
    export.told |= {"snapshot": True, "proven_rows": 0, "unproven_rows": len(export.rows)}

    assert "manifest.json says wrongly whether history.csv is a snapshot" in refused(mended(export), tmp_path)[0]


def test_columns_of_another_sheet_are_not_taken(tmp_path: Path) -> None:
    export = history()
    export.columns = building.LEDGER
    export.mend()

    failures = refused(export, tmp_path)
    assert failures[0] == "manifest.json names columns that history does not have: actor_id, body, index."
    assert failures[1].startswith("manifest.json leaves out columns that history has: assignee, attempt, bulk_job")


def test_a_header_with_two_columns_swapped_is_not_taken(tmp_path: Path) -> None:
    export = history()
    export.change("history.csv", lambda content: content.replace(b"old,new", b"new,old"))
    export.mend()

    assert "history.csv does not begin with the columns that manifest.json names" in refused(export, tmp_path)[0]


def test_the_counts_of_the_manifest_are_counted_again(tmp_path: Path) -> None:
    export = history()
    export.told["rows"] += 1

    assert (
        "history.csv has 15 rows, 14 of them with an entry; manifest.json says 16 and 14."
        in (refused(mended(export), tmp_path)[0])
    )


def test_many_differences_are_not_told_for_ever(tmp_path: Path) -> None:
    export = history()
    for row in export.rows:
        row["recorded_at"] = "2026-01-01T00:00:00.000000Z"

    failures = refused(mended(export), tmp_path)

    assert len(failures) == 11
    assert failures[-1].startswith("What follows was not compared.")
