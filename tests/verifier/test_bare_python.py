"""verify.py runs on the Python that an auditor has: 3.9 or newer, and nothing but its standard library."""

import ast
import subprocess
import sys
from pathlib import Path

import recordings
from tests.verifier.building import VERIFIER

SOURCE = VERIFIER.read_text()
OLDEST = (3, 9)


def test_its_syntax_is_that_of_python_3_9() -> None:
    ast.parse(SOURCE, feature_version=OLDEST)


def test_it_uses_nothing_that_python_3_9_lacks() -> None:
    """vermin knows since when each function, argument and class of the standard library is there."""
    done = vermin(VERIFIER)

    assert done.returncode == 0, done.stdout


def test_vermin_would_find_what_is_newer(tmp_path: Path) -> None:
    newer = tmp_path / "newer.py"
    newer.write_text("from itertools import batched\n")

    assert vermin(newer).returncode == 1


def vermin(source: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).parent / "vermin"
    options = ["--no-config-file", "--no-tips", "--violations", f"-t={OLDEST[0]}.{OLDEST[1]}-"]
    return subprocess.run([program, *options, source], capture_output=True, text=True, check=False)


def test_it_imports_the_standard_library_only() -> None:
    imported = {
        name.name for node in ast.walk(ast.parse(SOURCE)) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {str(node.module) for node in ast.walk(ast.parse(SOURCE)) if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
    assert not imported & {"socket", "urllib.request", "http.client", "subprocess", "ctypes", "pickle"}


def test_the_product_does_not_import_it() -> None:
    """It lies in the repository as a file that is packed, in a folder that is no package."""
    assert not (VERIFIER.parent / "__init__.py").exists()
    for path in Path(recordings.__file__).parent.rglob("*.py"):
        assert "exports.verifier" not in path.read_text(), path
