"""Every setting is in README.md's table, and the table names no other."""

import re

from tests.sealing import SETTINGS, read_from_the_environment

ROOT = SETTINGS.parent.parent
NAME = re.compile(r"`([A-Z][A-Z0-9_]+)`")


def documented(page: str) -> set[str]:
    """The names in the first column of the tables under the heading "## Settings"."""
    _, _, section = page.partition("\n## Settings\n")
    section, _, _ = section.partition("\n## ")
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return {name for row in rows for name in NAME.findall(row.split("|")[1])}


def test_the_readme_names_every_setting_and_no_other() -> None:
    asked = read_from_the_environment(SETTINGS.read_text())
    named = documented((ROOT / "README.md").read_text())

    assert sorted(asked - named) == [], "not in README.md"
    assert sorted(named - asked) == [], "only in README.md"


def test_every_way_of_asking_is_seen() -> None:
    source = 'a = env.bool("A"); b = os.environ.get("B", ""); c = os.environ["C"]; d = [env.list("D")]; e = f("E")'

    assert read_from_the_environment(source) == {"A", "B", "C", "D"}


def test_only_the_first_column_of_the_settings_table_counts() -> None:
    table = "| name | means |\n| --- | --- |\n| `A_B`, `CD` (`E_FILE`) | not `FG` |\n"
    page = f"# On Record\n\n`HI`\n\n## Settings\n\n{table}\n## Next\n\n| `JK` | |\n"

    assert documented(page) == {"A_B", "CD", "E_FILE"}
