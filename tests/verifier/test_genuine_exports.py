"""An auditor checks an export that nobody touched: it passes, and says in plain words what that proves and what not."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.verifier import building
from tests.verifier.building import HISTORY_PLACES, fingerprint, run


@pytest.mark.parametrize("data_format", ["exact", "spreadsheet", "jsonl"])
@pytest.mark.parametrize(("sheet", "places"), [("history", HISTORY_PLACES), ("ledger", range(3, 17))])
def test_every_sheet_in_every_format_passes(tmp_path: Path, sheet: str, places: list[int], data_format: str) -> None:
    export = building.ledger().export(places, sheet=sheet, data_format=data_format)

    outcome = run(export.zip(tmp_path), "--key", fingerprint())

    assert outcome.code == 0
    assert f"14 rows of {export.data} say in every proven cell what their entries say" in outcome.said
    assert "PASSED" in outcome.said


@pytest.mark.parametrize("size", [1, 2, 3, 8, 9])
def test_every_entry_of_a_small_ledger_is_found_at_its_place(tmp_path: Path, size: int) -> None:
    for first in {0, size // 2, size - 1}:
        export = building.ledger(size).export({first, size - 1})
        folder = tmp_path / str(first)
        folder.mkdir()

        assert run(export.zip(folder)).code == 0


def test_a_folder_is_as_good_as_the_zip(tmp_path: Path) -> None:
    folder = building.ledger().export(HISTORY_PLACES).folder(tmp_path)
    (folder / "notes of mine.txt").write_text("call the desk")

    outcome = run(folder)

    assert outcome.code == 0
    assert "Not part of the export: notes of mine.txt." in " ".join(outcome.said.split())


def test_without_an_export_named_the_folder_of_verify_py_is_checked(tmp_path: Path) -> None:
    folder = building.ledger().export(HISTORY_PLACES).folder(tmp_path)

    assert building.run_copy(folder / "verify.py", cwd=tmp_path).code == 0


def test_a_complete_stretch_of_the_ledger_says_that_none_is_missing(tmp_path: Path) -> None:
    outcome = run(building.ledger().export(range(3, 17), sheet="ledger").zip(tmp_path))

    assert "No entry is missing from place 3 to place 16 of the ledger" in outcome.words
    assert "recorded from 2026-11-18T14:31:03.000000Z to 2026-11-18T14:31:16.000000Z." in outcome.words
    assert "That no row is missing" not in outcome.words
    assert "whoever signed it can have cut it short at either end" in outcome.words


def test_the_whole_ledger_leaves_no_end_open(tmp_path: Path) -> None:
    outcome = run(building.ledger().export(range(21), sheet="ledger").zip(tmp_path))

    assert "No entry is missing from place 0 to place 20 of the ledger" in outcome.words
    assert "cut it short" not in outcome.words


def test_a_selection_says_that_rows_may_be_missing(tmp_path: Path) -> None:
    outcome = run(building.ledger().export(HISTORY_PLACES).zip(tmp_path))

    assert "What this does not prove - " in outcome.words
    assert "That no row is missing. The entries are a selection" in outcome.words
    assert "No entry is missing" not in outcome.words


def test_a_selection_that_happens_to_lie_side_by_side_is_still_a_selection(tmp_path: Path) -> None:
    outcome = run(building.ledger().export([3, 4]).zip(tmp_path))

    assert "That no row is missing. The entries are a selection" in outcome.words


def test_columns_that_no_entry_holds_are_named(tmp_path: Path) -> None:
    outcome = run(building.ledger().export(HISTORY_PLACES).zip(tmp_path))

    assert (
        "These columns, which the entries do not hold (names, labels): actor, actor_kind, assignee, event."
        in outcome.words
    )


def test_rows_that_were_not_sealed_yet_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    ledger = building.ledger(waiting=2)
    outcome = run(ledger.export(HISTORY_PLACES).zip(tmp_path))

    assert outcome.code == 0
    assert f"2 rows, from the one of entry {ledger.waiting[0]['id']} on" in outcome.words


def test_without_a_key_from_elsewhere_it_says_whose_key_it_took(tmp_path: Path) -> None:
    """A forger with a key of their own passes, so that sentence must be there; with the fingerprint they fail."""
    forged = (
        building.ledger(key=Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)).export(HISTORY_PLACES).zip(tmp_path)
    )

    taken, compared = run(forged), run(forged, "--key", fingerprint())

    assert taken.code == 0
    assert "note The key is the one in the export itself. Its fingerprint is " in taken.words
    assert "Whose key it is. It was taken from the export itself" in taken.words
    assert compared.code == 1
    assert "signed with another key than yours" in compared.failures[0]


def test_a_fingerprint_may_be_grouped_and_in_capitals(tmp_path: Path) -> None:
    grouped = " ".join(fingerprint()[at : at + 8].upper() for at in range(0, 64, 8))

    outcome = run(building.ledger().export(HISTORY_PLACES).zip(tmp_path), "--key", grouped)

    assert "The key is the one you gave." in outcome.said
    assert "Whose key it is" not in outcome.said


def test_a_snapshot_is_called_one(tmp_path: Path) -> None:
    outcome = run(building.ledger().export([], sheet="calls", is_snapshot=True).zip(tmp_path))

    assert "note No row of calls.csv is proven." in outcome.words
    assert "PASSED: Every check passed, within the limits above; no row is proven." in outcome.words

    assert outcome.code == 0
    assert "What calls.csv says: it is a snapshot, not proven" in outcome.words
    assert "genuine" not in outcome.words


def test_the_entries_beside_a_snapshot_are_proven_and_its_rows_are_not(tmp_path: Path) -> None:
    outcome = run(building.ledger().export(HISTORY_PLACES, sheet="calls", is_snapshot=True).zip(tmp_path))

    assert outcome.code == 0
    assert "The 14 entries in entries.jsonl are genuine." in outcome.words
    assert "What calls.csv says: it is a snapshot, not proven" in outcome.words


def test_other_files_are_called_signed_and_not_compared(tmp_path: Path) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    export.members["evidence.html"] = b"<p>what happened</p>"
    export.mend()

    outcome = run(export.zip(tmp_path))

    assert outcome.code == 0
    said = "These files, which are signed as they are but compared with nothing: README.txt, evidence.html."
    assert said in outcome.words


def test_it_says_until_when_a_witness_has_seen_the_ledger(tmp_path: Path) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    told = {"size": 20, "sealed_at": "2026-11-18T14:31:20.000000Z", "is_off_host": True, "note": "Ask it."}
    export.told["witnessed"] = told
    export.mend()

    words = run(export.zip(tmp_path)).words
    assert "Nothing but the export's own word is here for that." in words
    assert "Witnessed until 2026-11-18T14:31:20.000000Z, it says, off the machine of On Record. Ask it." in words


def test_copies_on_the_same_machine_are_not_called_witnessed(tmp_path: Path) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    export.told["witnessed"] = {"size": 20, "sealed_at": "2026-11-18T14:31:20.000000Z", "is_off_host": False}
    export.mend()

    words = run(export.zip(tmp_path)).words
    assert "copies until 2026-11-18T14:31:20.000000Z on the machine of On Record itself: no witness." in words
    assert "Witnessed until" not in words


def test_it_says_that_no_witness_is_known(tmp_path: Path) -> None:
    export = building.ledger().export(HISTORY_PLACES)
    export.told["witnessed"] = {"size": None, "sealed_at": None, "note": "Ask for one."}
    export.mend()

    assert "It names no witness that has one. Ask for one." in run(export.zip(tmp_path)).words


def test_what_arrived_later_is_recomputed_from_the_entries(tmp_path: Path) -> None:
    ledger = building.ledger()
    for body in ledger.bodies:
        body["occurred_at"] = "2026-11-18T14:31:00.000000Z"
    export = ledger.export(HISTORY_PLACES)
    export.told["as_of"] = "2026-11-18T14:31:10.000000Z"
    export.columns = {**export.columns, "arrived_later": ("$arrived_later",)}
    export.rows = [{**row, "arrived_later": row["recorded_at"] > export.told["as_of"]} for row in export.rows]
    export.write_data()
    export.mend()
    genuine = run(export.zip(tmp_path))
    export.rows[-1]["arrived_later"] = False
    export.write_data()
    export.mend()

    assert genuine.code == 0
    assert "arrived_later is 'false', and its entry" in run(export.zip(tmp_path)).failures[0]


# -- since an earlier export


@pytest.mark.parametrize("earlier", range(22))
def test_a_ledger_that_only_grew_is_consistent_with_every_earlier_checkpoint(tmp_path: Path, earlier: int) -> None:
    ledger = building.ledger()
    (tmp_path / "earlier.txt").write_bytes(ledger.checkpoint(earlier))

    outcome = run(ledger.export([20], earlier=earlier).zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt"))

    assert outcome.code == 0
    assert f"The ledger has only grown since your earlier checkpoint at size {earlier}." in outcome.words


def test_an_earlier_export_can_be_given_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    earlier = building.ledger(9).export([8]).zip(tmp_path / "before")

    outcome = run(building.ledger().export([20], earlier=9).zip(tmp_path), "--earlier", str(earlier))

    assert outcome.code == 0


def test_a_rewritten_ledger_is_found_out_by_an_earlier_checkpoint(tmp_path: Path) -> None:
    """Signed again with the very key, the forged ledger passes alone."""
    (tmp_path / "earlier.txt").write_bytes(building.ledger().checkpoint(9))
    forged = building.ledger()
    forged.bodies[4]["new"] = "stopped"
    export = forged.export(HISTORY_PLACES, earlier=9).zip(tmp_path)

    assert run(export, "--key", fingerprint()).code == 0
    outcome = run(export, "--key", fingerprint(), "--earlier", str(tmp_path / "earlier.txt"))
    assert outcome.code == 1
    assert outcome.failures[0].startswith("The ledger was rewritten: what it held at size 9")


def test_a_rewound_ledger_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "earlier.txt").write_bytes(building.ledger(30).checkpoint())

    outcome = run(building.ledger(21).export([20]).zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt"))

    assert outcome.code == 1
    assert "Your earlier checkpoint is at size 30, and this export's at 21" in outcome.failures[0]
    assert "the ledger was rewound" in outcome.failures[0]


def test_another_ledger_of_the_same_size_is_found_out(tmp_path: Path) -> None:
    forged = building.ledger()
    forged.bodies[4]["new"] = "stopped"
    (tmp_path / "earlier.txt").write_bytes(forged.checkpoint())

    outcome = run(building.ledger().export([20]).zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt"))

    assert "The ledger was rewritten" in outcome.failures[0]


def test_an_export_that_was_not_asked_for_since_that_checkpoint_says_so(tmp_path: Path) -> None:
    (tmp_path / "earlier.txt").write_bytes(building.ledger().checkpoint(9))

    without = run(building.ledger().export([20]).zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt"))
    another = run(building.ledger().export([20], earlier=8).zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt"))

    assert without.code == another.code == 1
    assert "The export holds no proof from your earlier checkpoint, which is at size 9." in without.failures[0]
    assert without.failures == another.failures
    assert "What this proves" in without.words
    assert "FAILED: Nothing is wrong with what was checked" in without.words


def test_an_earlier_checkpoint_of_an_earlier_key_is_taken_with_a_word_of_caution(tmp_path: Path) -> None:
    old_key = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    (tmp_path / "earlier.txt").write_bytes(building.ledger(key=old_key).checkpoint(9))

    outcome = run(building.ledger().export([20], earlier=9).zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt"))

    assert outcome.code == 0
    assert "That one is signed with another key, which was not checked here" in outcome.words


def test_an_earlier_checkpoint_with_a_forged_signature_is_refused(tmp_path: Path) -> None:
    forged = building.ledger().checkpoint(9).replace(b"\n9\n", b"\n8\n")
    (tmp_path / "earlier.txt").write_bytes(forged)

    outcome = run(building.ledger().export([20], earlier=8).zip(tmp_path), "--earlier", str(tmp_path / "earlier.txt"))

    assert "The signature of The earlier checkpoint" not in outcome.words
    assert outcome.failures[0].startswith("The signature of the earlier checkpoint")
