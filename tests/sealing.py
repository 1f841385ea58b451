"""Which environment variables are settings of the product, told from the settings themselves, and taking them away."""

import ast
from collections.abc import MutableMapping
from pathlib import Path

SETTINGS = Path(__file__).resolve().parent.parent / "dashboard" / "settings.py"
# `tests.postgres` says with it which server the tests use; they make a database of their own there.
_MEANT_FOR_TESTS = {"DATABASE_URL"}


def read_from_the_environment(source: str) -> set[str]:
    """The names `env.<kind>("NAME")`, `os.environ.get("NAME")` and `os.environ["NAME"]` ask for."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            asked = ast.unparse(node.func)
            if asked.startswith("env.") or asked in ("os.environ.get", "os.getenv", "env"):
                names.add(_constant(node.args[0]))
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            names.add(_constant(node.slice))
    return names - {""}


def _constant(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def seal(environment: MutableMapping[str, str]) -> None:
    """Take away every setting of a real installation, also one that names a file (`…_FILE`)."""
    for name in read_from_the_environment(SETTINGS.read_text(encoding="utf-8")) - _MEANT_FOR_TESTS:
        environment.pop(name, None)
        environment.pop(f"{name}_FILE", None)
    environment.pop("DATABASE_URL_FILE", None)
