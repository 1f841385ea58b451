"""docs/exports.md says of every column what the code says."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from recordings import exports
from recordings.choices import HISTORY_ACTIONS
from recordings.exports.past import PAST

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"


@pytest.mark.parametrize("sheet", exports.EVERY_SHEET.values(), ids=exports.EVERY_SHEET)
def test_every_column_is_documented_in_its_order(sheet: exports.Sheet) -> None:
    _, _, section = PAGE.read_text().partition(f"## Columns of {sheet.name}.csv\n")
    documented = re.findall(r"^\| `(\w+)` \| (.+) \|$", section.split("\n## ")[0], re.MULTILINE)
    assert documented == [(column.name, column.meaning) for column in sheet.columns]


@pytest.mark.parametrize("name", PAST)
def test_every_column_of_the_past_is_documented_in_its_order(name: str, now: datetime) -> None:
    _, _, section = PAGE.read_text().partition(f"## Columns of {name}.csv as of a moment\n")
    documented = re.findall(r"^\| `(\w+)` \| (.+) \|$", section.split("\n## ")[0], re.MULTILINE)
    assert documented == [(column.name, column.meaning) for column in PAST[name](now).columns]


def test_every_action_of_the_history_is_documented() -> None:
    documented = dict(re.findall(r"^\| `([\w.]+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE))
    assert {str(action): action.label for action in HISTORY_ACTIONS}.items() <= documented.items()
