"""The settings of a real installation reach neither the tests nor what make starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sealing import SETTINGS, read_from_the_environment

ROOT = SETTINGS.parent.parent
NAMES = sorted(read_from_the_environment(SETTINGS.read_text()))
SHOWN = "from tests import settings as s; print({n: repr(v) for n, v in sorted(vars(s).items()) if n.isupper()})"


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    """The environment of a real installation, none of whose values a test could live with."""
    leaked = {name: "alwyas" for name in NAMES if name != "DATABASE_URL"}
    leaked["ENV_FILE"] = str(tmp_path / "env")
    (tmp_path / "env").write_text("REQUIRE_APPROVAL=always\nSTUCK_OPERATION=1\n")
    (tmp_path / "secret").write_text("kept elsewhere")
    return leaked | {
        "GRAPH_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
        "DATABASE_URL_FILE": str(tmp_path / "secret"),
    }


def shown(**more: str) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-c", SHOWN]
    return subprocess.run(command, cwd=ROOT, env=kept | more, capture_output=True, text=True, check=True).stdout


def test_no_setting_of_a_real_installation_reaches_a_test(installation: dict[str, str]) -> None:
    assert shown(**installation) == shown()


def test_make_hands_none_of_them_on(installation: dict[str, str], tmp_path: Path) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"include {ROOT / 'Makefile'}\nshow:\n\t@env\n")
    ran = subprocess.run(
        ["make", "-s", "-C", str(ROOT), "-f", str(makefile), "show"],
        env={**os.environ, **installation, "DATABASE_URL": "postgres://the-real-one"},
        capture_output=True,
        text=True,
        check=True,
    )
    handed_on = {line.partition("=")[0] for line in ran.stdout.splitlines()}
    assert "PATH" in handed_on
    assert handed_on & {*NAMES, *(f"{name}_FILE" for name in NAMES)} == set()
