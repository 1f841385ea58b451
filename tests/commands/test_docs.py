"""docs/commands.md names every command, every field of an import and every exit code."""

import re
from pathlib import Path

from recordings.ingest.import_lines import FIELDS
from recordings.management.verdicts import Exit

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text()


def test_every_command_is_documented() -> None:
    commands = {file.stem for file in (ROOT / "recordings" / "management" / "commands").glob("[a-z]*.py")}
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert commands == {name for heading in headings for name in heading.split(" and ")}


def test_every_field_of_an_import_is_documented_in_its_order() -> None:
    section = PAGE.partition("## import_calls")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \| ", section, re.MULTILINE) == list(FIELDS)


def test_every_exit_code_is_documented() -> None:
    assert {int(code) for code in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)} == {int(code) for code in Exit}
