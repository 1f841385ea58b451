"""A forger who can sign declares away what would betray the rows. It fails, or is called the signer's word alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.verifier import building
from tests.verifier.building import HISTORY_PLACES, Built, fingerprint, run
from tests.verifier.forging import STRETCH, change_a_cell, history, mended, refused, whole_stretch


def renamed(export: Built, old: str, new: str) -> Built:
    """A column under another name, which no fact fills."""
    names = {name: new if name == old else name for name in export.columns}
    export.rows = [{names[name]: value for name, value in row.items()} for row in export.rows]
    export.columns = {names[name]: () if name == old else facts for name, facts in export.columns.items()}
    return mended(export)


def called(export: Built, sheet: str) -> Built:
    """The same rows as a snapshot of that sheet."""
    unproven = [{"name": name, "meaning": "", "proven": False} for name in export.columns]
    counts = {"rows": len(export.rows), "unproven_rows": len(export.rows), "proven_rows": 0}
    export.told |= {"sheet": sheet, "snapshot": True, "columns": unproven, **counts}
    return mended(export)


def test_a_proven_column_cannot_hide_under_another_name(tmp_path: Path) -> None:
    export = history()
    change_a_cell(export)

    failures = refused(renamed(export, "new", "New"), tmp_path)
    assert failures == [
        "manifest.json names columns that history does not have: New.",
        "manifest.json leaves out columns that history has: new.",
    ]


def test_a_proven_column_cannot_be_left_out(tmp_path: Path) -> None:
    export = history()
    export.columns = {name: facts for name, facts in export.columns.items() if name != "new"}

    assert refused(mended(export), tmp_path) == ["manifest.json leaves out columns that history has: new."]


def test_columns_in_another_order_are_not_taken(tmp_path: Path) -> None:
    export = history()
    export.columns = dict(reversed(export.columns.items()))

    (failure,) = refused(mended(export), tmp_path)
    assert failure == "manifest.json has the columns of history in another order than On Record."


def test_a_column_that_is_named_twice_is_not_taken(tmp_path: Path) -> None:
    """Of two that are called alike the reader sees both, and only one would be compared."""
    export = history()
    described = [{"name": name, "meaning": "", "proven": bool(facts)} for name, facts in export.columns.items()]
    export.told["columns"] = [*described, {"name": "new", "meaning": "", "proven": True}]

    assert refused(mended(export), tmp_path) == ["manifest.json names a column twice."]


@pytest.mark.parametrize("sheet", ["History", "history ", "pack", "", "Calls"])
def test_a_sheet_that_there_is_none_is_no_snapshot(tmp_path: Path, sheet: str) -> None:
    export = history()
    change_a_cell(export)

    (failure,) = refused(called(export, sheet), tmp_path)
    assert failure.startswith("manifest.json names a sheet that On Record does not have: ")


@pytest.mark.parametrize("sheet", ["calls", "operations", "findings"])
def test_the_history_cannot_pass_for_another_sheet(tmp_path: Path, sheet: str) -> None:
    export = history()
    change_a_cell(export)

    (failure,) = refused(called(export, sheet), tmp_path)
    assert failure == f"manifest.json names 'history.csv' as the rows, and On Record calls that file {sheet}.csv."


@pytest.mark.parametrize("sheet", ["calls", "operations", "findings"])
def test_a_snapshot_has_the_columns_of_its_sheet(tmp_path: Path, sheet: str) -> None:
    export = building.ledger().export([], sheet=sheet, is_snapshot=True)
    export.columns = {**export.columns, "proven_status": ()}
    export.rows = [{**row, "proven_status": "stopped"} for row in export.rows]

    assert refused(mended(export), tmp_path) == [
        f"manifest.json names columns that {sheet} does not have: proven_status."
    ]


@pytest.mark.parametrize("name", ["history.jsonl", "ledger.csv", "history.CSV", "calls.csv"])
def test_the_rows_are_in_a_file_of_the_sheets_name(tmp_path: Path, name: str) -> None:
    export = history()
    export.members[name] = export.members.pop("history.csv")
    export.told["data"] = name
    export.mend()

    (failure,) = refused(export, tmp_path)
    assert failure.endswith("as the rows, and On Record calls that file history.csv.")


def test_a_snapshot_as_of_a_moment_has_the_columns_that_the_ledger_can_fill(tmp_path: Path) -> None:
    export = building.ledger().export([], sheet="calls", is_snapshot=True)
    export.told["as_of"] = "2026-11-18T14:31:10.000000Z"

    failures = refused(mended(export), tmp_path)
    assert failures[0].startswith("manifest.json names columns that calls does not have: blind_spots, capture_at")
    assert failures[1].startswith("manifest.json leaves out columns that calls has: arrived_later")


@pytest.mark.parametrize("name", ["from_at", "until_at", "as_of"])
@pytest.mark.parametrize("value", ["zzzz", "2026-11-18", "", 0, "2026-11-18T14:31:10Z"])
def test_a_time_has_the_one_form_in_which_times_compare(tmp_path: Path, name: str, value: object) -> None:
    export = history()
    export.told[name] = value

    assert refused(mended(export), tmp_path) == [f"manifest.json does not say {name} in the form that it must have."]


@pytest.mark.parametrize("end", ["from_at", "until_at"])
def test_rows_of_another_time_than_the_manifest_names_are_found(tmp_path: Path, end: str) -> None:
    export = whole_stretch()
    export.told[end] = "2026-11-18T14:31:08.000000Z"

    failure = refused(mended(export), tmp_path)[0]
    assert "is not as the ledger has it: it was recorded at '2026-11-18T14:31:" in failure
    assert failure.endswith("outside of the time that manifest.json names.")


def test_rows_that_were_not_known_yet_are_found(tmp_path: Path) -> None:
    export = whole_stretch()
    export.columns = {**export.columns, "arrived_later": ("$arrived_later",)}
    export.told["as_of"] = as_of = "2026-11-18T14:31:08.000000Z"
    export.rows = [{**row, "arrived_later": row["recorded_at"] > as_of} for row in export.rows]

    failure = refused(mended(export), tmp_path)[0]
    assert failure.endswith("it is younger than the moment as of which manifest.json has the rows.")


def test_a_selection_cannot_call_itself_complete(tmp_path: Path) -> None:
    export = building.ledger().export([3, 4, 6, 7])
    export.told["complete_range"] = {"first": 3, "last": 7}

    (failure,) = refused(mended(export), tmp_path)
    assert failure.startswith("manifest.json calls a stretch complete, which On Record does for the ledger's own rows")


def test_the_number_of_entries_is_counted_again(tmp_path: Path) -> None:
    export = history()
    export.told["entries"] = 20

    assert refused(mended(export), tmp_path) == ["entries.jsonl has 14 entries, and manifest.json says 20."]


def test_the_checkpoint_in_the_manifest_is_the_one_beside_it(tmp_path: Path) -> None:
    export = history()
    export.told["checkpoint"] = export.ledger.checkpoint(20).decode()

    assert refused(mended(export), tmp_path)[0] == "checkpoint.txt is another one than manifest.json has."


@pytest.mark.parametrize("since", [None, {"size": 9, "root": "00" * 32}, {"size": 8, "root": "00" * 32}])
def test_what_the_ledger_is_said_to_have_grown_from_is_proven(tmp_path: Path, since: object) -> None:
    export = history()
    export.told["since"] = since

    (failure,) = refused(mended(export), tmp_path)
    assert failure.startswith("consistency.json ")


def test_an_earlier_checkpoint_that_is_named_without_a_proof_is_refused(tmp_path: Path) -> None:
    export = history()
    del export.members["consistency.json"]

    (failure,) = refused(mended(export), tmp_path)
    assert failure.startswith("consistency.json does not show that the ledger only grew")


def test_a_genuine_proof_names_the_root_to_compare(tmp_path: Path) -> None:
    root = building.root_of(building.ledger().leaves(9)).hex()

    assert f"at size 9, as manifest.json has it: its root is {root}." in run(history().zip(tmp_path)).words


# -- rows whose entries were taken out, so that they count as not sealed yet


def taken_out(export: Built, change: Callable[[dict[str, Any]], None]) -> Built:
    """The entry of the row at place 9 is left out, and the row stays, changed."""
    left = [place for place in HISTORY_PLACES if place != 9]
    without = export.ledger.export(left, earlier=9)
    row = dict(next(row for row in export.rows if str(row["entry_id"]).endswith("9")))
    change(row)
    without.rows.append(row)
    without.told["rows"] += 1
    without.told["unproven_rows"] += 1
    return mended(without)


@pytest.mark.parametrize("key", ["", "9", "01A2096F-0B7F-719D-9068-000000000009", "01a2096f0b7f719d9068000000000009"])
def test_a_row_names_its_entry_in_the_one_form(tmp_path: Path, key: str) -> None:
    """Written in another way it would not be found among the entries."""
    (failure, *_) = refused(taken_out(history(), lambda row: row.update(entry_id=key)), tmp_path)

    assert f"its entry_id {key!r} is none that On Record gives: a row was added" in failure


def test_a_row_without_its_entry_has_no_place(tmp_path: Path) -> None:
    export = whole_stretch()
    export.rows.append({**export.rows[0], "entry_id": "01a2096f-0b7f-719d-9068-ffffffffffff"})
    export.told["rows"] += 1
    export.told["unproven_rows"] = 1

    (failure,) = refused(mended(export), tmp_path)
    assert "it names a place, '3', and its entry is not in entries.jsonl" in failure


def test_a_row_that_is_not_sealed_yet_is_there_once(tmp_path: Path) -> None:
    export = history()
    export.rows.append(export.rows[-1])
    export.told["rows"] += 1
    export.told["unproven_rows"] += 1

    assert "which has a row already: a row was added" in refused(mended(export), tmp_path)[0]


def test_a_row_that_should_have_been_sealed_long_ago_is_noted(tmp_path: Path) -> None:
    """Nothing can tell it from a genuine one, but that it is old."""
    ledger = building.ledger()
    for number in range(12, 21):
        ledger.bodies[number]["id"] = f"01a21dc2-0b7f-719d-9068-{number:012x}"
    export = taken_out(ledger.export(HISTORY_PLACES), lambda row: row.update(new="stopped"))

    outcome = run(export.zip(tmp_path), "--key", fingerprint())

    assert outcome.code == 0
    assert "1 rows, from the one of entry 01a2096f-0b7f-719d-9068-000000000009 on: their entries were" in outcome.words
    assert "1 of these rows call themselves more than 10 minutes older than entries that were sealed." in outcome.words


def test_a_young_row_that_is_not_sealed_yet_is_not_called_late(tmp_path: Path) -> None:
    assert "call themselves more than" not in run(history().zip(tmp_path)).words


# -- what nothing but the signer's word is behind


def test_what_the_signer_alone_vouches_for_is_named(tmp_path: Path) -> None:
    export = whole_stretch()
    export.told |= {"filter": {"sentence": "everything", "query": ""}, "zone": "Mars/Olympus", "blind_spots": []}

    outcome = run(mended(export).zip(tmp_path), "--key", fingerprint())

    assert outcome.code == 0
    assert "which filter chose the rows, the zone, what columns mean, who asked and why" in outcome.words
    assert "Only whoever signed it vouches for that." in outcome.words
    assert "who holds the key can sign another one" in outcome.words


def test_an_export_that_brings_another_verifier_along_says_so(tmp_path: Path) -> None:
    export = history()
    genuine = run(export.zip(tmp_path)).words
    export.change("verify.py", lambda content: content + b"# passes\n")

    assert "The verify.py in the export is not this one" in run(mended(export).zip(tmp_path)).words
    assert "is not this one" not in genuine


def test_a_cut_stretch_is_complete_only_as_far_as_it_goes(tmp_path: Path) -> None:
    """The manifest names a whole day; entries of that day before and behind the stretch were left out."""
    export = building.ledger().export(STRETCH, sheet="ledger")
    export.told |= {"from_at": "2026-11-18T00:00:00.000000Z", "until_at": "2026-11-19T00:00:00.000000Z"}

    outcome = run(mended(export).zip(tmp_path))

    assert outcome.code == 0
    assert "That the stretch holds all of the time which manifest.json names" in outcome.words
