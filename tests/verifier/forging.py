"""What a forger does to an export, and that it is refused."""

from pathlib import Path

from tests.verifier import building
from tests.verifier.building import HISTORY_PLACES, Built, fingerprint, run

STRETCH = range(3, 17)


def history(data_format: str = "exact") -> Built:
    return building.ledger(waiting=1).export(HISTORY_PLACES, data_format=data_format, earlier=9)


def whole_stretch(data_format: str = "exact") -> Built:
    return building.ledger().export(STRETCH, sheet="ledger", data_format=data_format)


def refused(export: Built, tmp_path: Path) -> list[str]:
    outcome = run(export.zip(tmp_path), "--key", fingerprint())
    assert outcome.code == 1
    assert "PASSED" not in outcome.said
    return outcome.failures


def mended(export: Built) -> Built:
    """With the rows as they are now and a manifest that fits, signed by whoever holds the ledger's key."""
    export.write_data()
    export.mend()
    return export


def change_a_cell(export: Built) -> None:
    export.rows[2]["new"] = "stopped"


def add_a_row(export: Built) -> None:
    export.rows.insert(1, {**export.rows[0], "entry_id": "01a2096f-0b7f-719d-9068-ffffffffffff"})
    export.told["rows"] += 1
    export.told["unproven_rows"] += 1


def drop_a_row(export: Built) -> None:
    del export.rows[1]
    export.told["rows"] -= 1
    export.told["proven_rows"] -= 1


CHANGES = [change_a_cell, add_a_row, drop_a_row]
