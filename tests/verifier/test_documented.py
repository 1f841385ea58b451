"""docs/verifying.md and the README.txt of an export speak of verify.py as it is."""

import re
from pathlib import Path

from recordings.exports import HISTORY
from tests.verifier import building
from tests.verifier.building import HISTORY_PLACES, VERIFIER, fingerprint, run

PAGE = (VERIFIER.parents[3] / "docs" / "verifying.md").read_text()
README = (VERIFIER.parent / "README.txt").read_text()


def test_the_sample_is_what_it_prints(tmp_path: Path) -> None:
    (sample,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    outcome = run(building.ledger().export(HISTORY_PLACES).zip(tmp_path), "--key", fingerprint())

    assert outcome.said.startswith(sample)
    assert f"--key {fingerprint()}" in PAGE


def test_the_sentences_of_the_table_are_sentences_of_the_verifier() -> None:
    table = PAGE.partition("| it says | it means |")[2].partition("\n\n")[0]
    quoted = [sentence for row in table.splitlines() for sentence in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    source = re.sub(r'"\s+f?"', "", VERIFIER.read_text())

    assert len(quoted) >= 14
    assert [sentence for sentence in quoted if sentence not in source] == []


def test_the_readme_names_every_file_of_an_export() -> None:
    members = building.ledger().export(HISTORY_PLACES, earlier=9).members

    assert [name for name in members if name not in README and name != "README.txt"] == []
    assert f"{HISTORY.name}.csv" in README


def test_the_readme_is_one_page_of_plain_text() -> None:
    lines = README.splitlines()

    assert README.isascii()
    assert len(lines) < 66
    assert max(map(len, lines)) <= 120
