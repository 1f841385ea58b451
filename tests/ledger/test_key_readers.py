"""Only the worker reads the signing key: on the syntax tree, what reads it is reached from the worker alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import recordings

ROOT = Path(recordings.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if "migrations" not in path.parts)

# Where each name may stand. First what reads the key, then, each after what it is reached from, what leads there.
MAY_NAME = {
    "LEDGER_SIGNING_KEY": ("ledger/keys.py",),
    "signing_key": (
        "ledger/__init__.py",
        "ledger/keys.py",
        "ledger/sealing.py",
        "exports/jobs/making.py",
        "management/commands/seal.py",
        "management/commands/work.py",
    ),
    "own_fingerprint": ("ledger/verifying/own_key.py",),
    "seal_due": ("ledger/__init__.py", "tasks.py"),
    "make_exports": ("exports/__init__.py", "exports/jobs/__init__.py", "tasks.py"),
    "verify_due": ("ledger/__init__.py", "ledger/verifying/__init__.py", "tasks.py"),
    "verify_now": ("ledger/__init__.py", "ledger/verifying/__init__.py", "management/commands/verify.py"),
    "verify_all": ("ledger/verifying/__init__.py", "ledger/verifying/runs.py"),
}


def named(source: str) -> Iterator[str]:
    """Every name, attribute and imported name, and every text that could be one for `getattr`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            yield node.id
        if isinstance(node, ast.Attribute):
            yield node.attr
        if isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def misplaced(source: str, room: str) -> set[str]:
    return {name for name in named(source) if name in MAY_NAME and room not in MAY_NAME[name]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_but_the_worker_reaches_the_key(path: Path) -> None:
    assert misplaced(path.read_text(), path.relative_to(ROOT).as_posix()) == set()


@pytest.mark.parametrize("name", MAY_NAME)
def test_each_of_these_names_is_used_where_it_may_be(name: str) -> None:
    using = {path.relative_to(ROOT).as_posix() for path in FILES if name in named(path.read_text())}
    assert using >= set(MAY_NAME[name])


@pytest.mark.parametrize(
    "planted",
    [
        "from recordings import ledger\nkey = ledger.signing_key()",
        "from recordings.ledger.keys import signing_key as read",
        "from recordings.ledger import keys\nread = keys.signing_key",
        "from django.conf import settings\nopen(settings.LEDGER_SIGNING_KEY)",
        "getattr(settings, 'LEDGER_SIGNING_KEY')",
        "ledger.seal_due(now)",
        "exports.make_exports(now, rows_of=rows_of)",
        "ledger.verify_now(actor)",
    ],
)
def test_a_page_that_would_is_found(planted: str) -> None:
    assert misplaced(planted, "views/ledger.py")
