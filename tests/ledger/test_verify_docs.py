"""docs/verifying.md names every alarm."""

import re
from pathlib import Path

from recordings.choices import Alarm

PAGE = (Path(__file__).parents[2] / "docs" / "verifying.md").read_text()


def test_every_alarm_is_documented() -> None:
    section = PAGE.partition("### What an alarm says")[2].partition("\n### ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(Alarm.values)
