"""Invariant 2 on the syntax tree: each kind of row is written in one room, and imports stand where they can be seen."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import recordings

ROOT = Path(recordings.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if "migrations" not in path.parts)

# Who writes what. Models that are not named here have no writer of their own.
ROOMS = {
    "Call": "ingest/",
    "StatusChange": "ingest/",
    "Delivery": "ingest/",
    "Operation": "operations/",
    "Attempt": "operations/",
    "AttemptResult": "operations/",
    "LedgerEntry": "ledger/",
    "Unsealed": "ledger/",
    "LeafBatch": "ledger/",
    "Node": "ledger/",
    "Seal": "ledger/",
    "SealKey": "ledger/",
    "SealingTurn": "ledger/",
    "Receipt": "ledger/",
    "Witness": "ledger/",
    "Reading": "ledger/",
    "SettingsNote": "ledger/",
    "Verification": "ledger/",
    "Export": "exports/",
    "ExportPart": "exports/",
    "ClockSkew": "ingest/",
    "Finding": "findings/",
    "EvidenceFile": "findings/",
    "Tenant": "ingest/",
    "BlindSpot": "ingest/",
    "Beat": "ingest/",
    "BulkJob": "services/bulk/",
    "BulkItem": "services/bulk/",
    "RequestBudget": "services/budget.py",
}
LOCKS = {"locked_call": "Call", "locked_or_new_call": "Call", "lock_call": "Call"}
FREE = {"Actor", "Recorder", "User", "Group", "LogEntry"}
WRITES = {"save", "create", "update", "delete", "get_or_create", "update_or_create", "_raw_delete", "save_base"}
WRITES |= {f"a{name}" for name in WRITES}
# What cannot be told from the syntax alone, and why it is in order.
EXPLAINED = {
    ("models/people.py", "self.get_or_create"),  # the manager of Actor
    ("models/append_only.py", "cursor.execute"),  # the triggers
    ("models/many.py", "self.bulk_create"),  # a queryset's own: who calls bulk_copy is asked for the model
    ("models/many.py", "cursor.copy"),
    ("models/grants.py", "cursor.execute"),  # asks the database's own catalogue
    ("management/commands/grants.py", "cursor.execute"),  # GRANT and REVOKE, written by models/grants.py
    ("ledger/verifying/entries.py", "cursor.execute"),  # reads entries a block at a time
    ("ledger/verifying/dates.py", "cursor.execute"),  # reads keys whose time is another than their row says
    ("exports/archive/entries.py", "self._rows.execute"),  # a file of its own
    ("exports/archive/entries.py", "self._rows.executemany"),
    ("exports/verifier/verify.py", "self._database.execute"),  # a temporary one, on the auditor's machine
    ("ledger/waiting.py", "cursor.execute"),  # SELECT and COPY ... TO STDOUT: reads what waits for its seal
    ("ledger/waiting.py", "cursor.copy"),
    ("checks.py", "cursor.execute"),  # reads the database's own settings
    ("views/health.py", "cursor.execute"),  # SELECT 1
}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -- who writes


def offences(source: str, room: str) -> list[str]:
    """Every write in `source` that does not belong into `room`, or of which nobody can tell what it writes."""
    return [
        f"{room}:{call.lineno}: {ast.unparse(call)[:80]}"
        for scope in _scopes(ast.parse(source))
        for call in _own_calls(scope)
        if _is_write(call) and not _belongs(call, _known_names(scope), room)
    ]


def _scopes(tree: ast.Module) -> Iterator[ast.AST]:
    yield tree
    yield from (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    )


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands in this scope and not in a function inside it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _own_nodes(child)


def _own_calls(scope: ast.AST) -> Iterator[ast.Call]:
    yield from (node for node in _own_nodes(scope) if isinstance(node, ast.Call))


def _is_write(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    name = call.func.attr
    if name.removeprefix("a") == "update" and call.args:
        return False  # a dict or a hash: a queryset's update takes no positional arguments
    if name == "copy" and not call.args:
        return False  # a dict; a cursor copies what its argument says
    return name in WRITES or name.removeprefix("a").startswith("bulk_") or name in ("execute", "executemany", "copy")


def _belongs(call: ast.Call, known: dict[str, str], room: str) -> bool:
    assert isinstance(call.func, ast.Attribute)
    if (room, ast.unparse(call.func)) in EXPLAINED:
        return True
    model = _model(call.func.value, known)
    if model in ROOMS:
        return room.startswith(ROOMS[model])
    return model in FREE or model == "a module"


def _model(receiver: ast.expr, known: dict[str, str]) -> str:
    """The model a write goes to: `Call.objects.filter().update()`, or a name whose model is known."""
    if isinstance(receiver, ast.Name):
        name = LOCKS.get(receiver.id, receiver.id)
        return name if name in ROOMS or name in FREE else known.get(name, "")
    if isinstance(receiver, ast.Call):
        inner = receiver.func
        return _model(inner.value if isinstance(inner, ast.Attribute) else inner, known)
    if isinstance(receiver, ast.Attribute) and receiver.attr in ("objects", "_base_manager"):
        return _model(receiver.value, known)
    return ""


def _known_names(scope: ast.AST) -> dict[str, str]:
    """Names of this scope whose model its annotations and assignments tell; and the modules of the domain."""
    known = dict.fromkeys(("ledger", "operations", "findings", "ingest", "services"), "a module")
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        every = (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)
        known |= {each.arg: ast.unparse(each.annotation) for each in every if each.annotation}
    for node in _own_nodes(scope):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = _model(node.value, known)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            known[node.target.id] = ast.unparse(node.annotation).removesuffix(" | None")
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            known[node.target.id] = _model(node.iter, known)
    return known


@pytest.mark.parametrize("path", FILES, ids=room_of)
def test_each_kind_of_row_is_written_in_its_own_room(path: Path) -> None:
    assert offences(path.read_text(), room_of(path)) == []


def test_the_writers_are_seen_at_work() -> None:
    seen = {
        _model(call.func.value, _known_names(scope))
        for path in FILES
        for scope in _scopes(ast.parse(path.read_text()))
        for call in _own_calls(scope)
        if _is_write(call) and isinstance(call.func, ast.Attribute)
    }

    assert seen >= {
        "Call",
        "StatusChange",
        "Delivery",
        "Operation",
        "Attempt",
        "AttemptResult",
        "LedgerEntry",
        "Finding",
    }


@pytest.mark.parametrize(
    "planted",
    [
        "Call.objects.filter(pk=1).update(state='terminated')",
        "Call.objects.bulk_update(calls, ['state'])",
        "Operation.objects.create(call=call)",
        "Operation.objects.live().filter(call=1).delete()",
        "StatusChange(call=call).save(force_insert=True)",
        "LedgerEntry._base_manager.filter(pk=1)._raw_delete('default')",
        "def f(finding: Finding) -> None:\n    finding.save()",
        "def f(call: Call) -> None:\n    def g(call: Call) -> None:\n        call.save()",
        "def f() -> None:\n    for call in Call.objects.all():\n        call.save()",
        "async def f(call: Call) -> None:\n    await call.asave()",
        "def f(operation: Operation) -> None:\n    operation.call.save()",
        "def f() -> None:\n    call, operation = lock_both(key)\n    operation.save()",
        "def f() -> None:\n    call = locked_call('call-1')\n    call.save()",
        "write = lambda call: call.save()",
        "[each.delete() for each in somewhere()]",
        "cursor.execute('UPDATE recordings_call SET state = %s')",
        "with connection.cursor() as cursor:\n    cursor.executemany(sql, rows)",
        "with cursor.copy('COPY recordings_statuschange FROM STDIN') as copy:\n    pass",
    ],
)
def test_a_write_in_the_wrong_room_is_found(planted: str) -> None:
    assert offences(planted, "views/calls.py")


@pytest.mark.parametrize(
    ("planted", "room"),
    [
        ("Call.objects.filter(pk=1).update(state='terminated')", "ingest/calls.py"),
        ("def f(finding: Finding) -> None:\n    finding.save()", "findings/working.py"),
        ("places.update({'page': 2})", "views/calls.py"),
        ("operations.create(call, actor=actor)", "services/corrections.py"),
        ("Recorder.objects.filter(pk=1).update(name='x')", "services/tokens.py"),
    ],
)
def test_a_write_in_its_own_room_is_not(planted: str, room: str) -> None:
    assert offences(planted, room) == []


# -- who imports


def imports(source: str) -> Iterator[tuple[str, bool]]:
    """Each module that is imported, with every name taken from it; and whether that stands inside a function."""
    tree = ast.parse(source)
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in inside) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", id(node) in inside) for alias in node.names)
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).endswith(("import_module", "__import__")):
            yield ast.unparse(node), True


def misplaced(source: str, room: str) -> list[str]:
    return [
        name
        for name, is_inside in imports(source)
        if (is_inside and room != "apps.py")
        or name.startswith("dashboard")
        or (name.startswith("sandbox") and not _starts_the_stand_in(room))
        or (name.startswith(("recordings.graph.client", "recordings.graph.auth")) and not _may_reach_microsoft(room))
    ]


def _starts_the_stand_in(room: str) -> bool:
    return room in ("management/commands/sandbox.py", "management/commands/demo.py", "management/demo.py")


def _may_reach_microsoft(room: str) -> bool:
    return room.startswith(("services/", "graph/"))


@pytest.mark.parametrize("path", FILES, ids=room_of)
def test_imports_stand_on_top_and_lead_where_they_may(path: Path) -> None:
    assert misplaced(path.read_text(), room_of(path)) == []


@pytest.mark.parametrize(
    "planted",
    [
        "def f() -> None:\n    import json",
        "def f() -> None:\n    from recordings import services",
        "class C:\n    def f(self) -> None:\n        from recordings import services",
        "import importlib\nclient = importlib.import_module('recordings.graph.client')",
        "from dashboard import settings",
        "import dashboard.settings",
        "from sandbox.defaults import TENANT_ID",
        "from recordings.graph.client import GraphClient",
        "from recordings.graph import client",
        "import recordings.graph.auth",
    ],
)
def test_an_import_in_the_wrong_place_is_found(planted: str) -> None:
    assert misplaced(planted, "views/calls.py")
