"""What the pages say is true: commands, links, rules, codes, roles, and the code in them."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command, get_commands
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from recordings import checks, permissions, services
from recordings.choices import (
    AttemptOutcome,
    BulkItemStatus,
    BulkStanding,
    CaptureState,
    LedgerAction,
    OperationStatus,
    RecordingStatus,
    Resolution,
    RootCause,
    Rule,
    Worded,
)
from recordings.graph.errors import explain
from recordings.graph.errors.explanations import KNOWN_CODES
from recordings.ingest import ingest_events, parse_events
from recordings.ingest.cloudevents import MAX_BATCH_EVENTS
from recordings.ingest.event_data import MAX_HEARTBEAT_CALLS, TYPES
from recordings.management.verdicts import Exit
from recordings.models import Call, LedgerEntry, Recorder, append_only
from recordings.rules import Graces
from recordings.views.webhooks import MAX_BATCH_BYTES, MAX_BODY_BYTES
from sandbox.defaults import TENANT_ID
from sandbox.server import Sandbox
from tests import cast

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "sandbox" / "README.md"], key=lambda page: page.as_posix()
)
# Spelled out in steps, so that this file does not hold what it looks for.
FOREIGN = ["/work" + "/", "/ro" + "ot/", "/home" + "/"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def named(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def missing_from(text: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word not in text]


def anchors(document: Path) -> set[str]:
    """The headings' anchors, as code hosts make them."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", PAGES, ids=named)
def test_every_command_a_page_names_exists(document: Path) -> None:
    text = document.read_text()
    commands = set(re.findall(r"manage\.py ([a-z][\w-]*)", text))
    targets = set(re.findall(r"^(?:[A-Z_]+=\S+ )*make ([a-z][\w-]*)|`(?:[A-Z_]+=\S+ )*make ([a-z][\w-]*)", text, re.M))
    modules = set(re.findall(r"python -m ([\w.]+)", text))
    assert commands <= set(get_commands())
    assert {one or other for one, other in targets} <= set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []


@pytest.mark.parametrize("document", PAGES, ids=named)
def test_every_option_a_page_gives_a_command_exists(document: Path) -> None:
    for command, rest in re.findall(r"manage\.py ([a-z][\w-]*)([^`\n|#]*)", document.read_text()):
        options = re.findall(r"--[a-z][\w-]*", rest)
        if options:
            assert missing_from(_help_of(command), options) == [], command


def _help_of(command: str) -> str:
    if command not in _HELP:
        done = subprocess.run(
            [sys.executable, "manage.py", command, "--help"],
            cwd=ROOT,
            env={**os.environ, "DEBUG": "1", "ENV_FILE": os.devnull},
            capture_output=True,
            text=True,
            check=True,
        )
        _HELP[command] = done.stdout
    return _HELP[command]


_HELP: dict[str, str] = {}


@pytest.mark.parametrize("document", PAGES, ids=named)
def test_every_link_inside_the_repository_resolves(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        to = (document.parent / path).resolve() if path else document
        assert to.exists(), target
        assert not anchor or anchor in anchors(to), target


@pytest.mark.parametrize("document", PAGES, ids=named)
def test_no_page_names_a_path_of_one_machine(document: Path) -> None:
    assert [word for word in FOREIGN if word in document.read_text()] == []


def test_the_readme_is_short_and_shows_the_two_commands_first() -> None:
    lines = read("README.md").splitlines()
    assert len(lines) < 200
    (first, *_) = blocks(read("README.md"), "")
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


def test_every_page_is_on_the_list_of_pages() -> None:
    index = read("docs/index.md") + read("docs/decisions/README.md")
    assert (
        missing_from(index, [page.name for page in DOCS.rglob("*.md") if page.name not in ("index.md", "README.md")])
        == []
    )


def test_every_path_of_contributing_exists() -> None:
    paths = re.findall(
        r"`((?:dashboard|docs|recordings|sandbox|templates|tests|pyproject|README|CHANGELOG)[\w./-]*)`",
        read("CONTRIBUTING.md"),
    )
    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    "words",
    [Rule, OperationStatus, AttemptOutcome, Resolution],
    ids=lambda words: words.__name__,
)
def test_the_runbook_names_each(words: type[Worded]) -> None:
    assert missing_from(read("docs/operations.md"), [str(word.label) for word in words]) == []


def test_the_runbook_has_a_section_and_the_severity_of_each_rule() -> None:
    runbook = read("docs/operations.md")
    for rule in Rule:
        assert f"### {rule}: {rule.label}" in runbook
        assert re.search(
            rf"^\| `{rule}` \| (critical|high|medium|low) \| {rule.label} \| (`STUCK_\w+`|none) \|$", runbook, re.M
        )


def test_the_runbook_names_every_root_cause() -> None:
    assert missing_from(read("docs/operations.md"), [str(cause.label) for cause in RootCause]) == []


@pytest.mark.parametrize("choices", [BulkStanding, BulkItemStatus])
def test_the_runbook_names_every_word_of_a_bulk_job(choices: type[Worded]) -> None:
    runbook = read("docs/operations.md")
    assert [choice.label for choice in choices if not re.search(rf"^ *\| {choice.label} \| ", runbook, re.M)] == []


def test_the_runbook_names_every_action_of_the_ledger() -> None:
    assert missing_from(read("docs/operations.md"), [f"`{action}`" for action in LedgerAction]) == []


def test_the_runbook_names_every_code_with_its_title() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| .*\|$", read("docs/operations.md"), re.MULTILINE)
    for code in sorted(KNOWN_CODES):
        titles = [title for codes, title in rows if re.search(rf"\b{re.escape(code)}\b", codes)]
        assert any(explain(None, code).title.lower() in title.lower() for title in titles) or code in (
            "dns",
            "connect",
            "proxy",
        ), code


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 412, 429])
def test_the_runbook_gives_each_http_status_the_title_of_the_page(status: int) -> None:
    assert re.search(rf"^\| {status}\b[^|]*\| {explain(status, '').title} \|", read("docs/operations.md"), re.MULTILINE)


def test_the_runbook_names_every_check() -> None:
    ids = set(re.findall(r"onrecord\.[EW]\d{3}", Path(checks.__file__).read_text()))
    assert ids == set(re.findall(r"^\| `(onrecord\.[EW]\d{3})`", read("docs/operations.md"), re.MULTILINE))


def test_the_roles_page_says_what_each_role_may() -> None:
    table = re.findall(r"^\| ([A-Z][\w ]+) \|(.+)\|$", read("docs/roles.md"), re.MULTILINE)
    verbs = ("look", "export", "handle", "correct", "attest", "approve", "verify")
    said = {
        role: tuple(verb for verb, cell in zip(verbs, cells.split("|"), strict=True) if cell.strip() == "yes")
        for role, cells in table
    }
    assert said == permissions.ROLES


def test_every_exit_code_is_documented() -> None:
    page = read("docs/commands.md")
    assert [code.value for code in Exit if not re.search(rf"^\| `?{code.value}`? \|", page, re.MULTILINE)] == []


def test_every_command_of_ours_is_documented() -> None:
    ours = [name for name, app in get_commands().items() if app == "recordings"]
    assert [name for name in ours if not re.search(rf"^## .*\b{name}\b", read("docs/commands.md"), re.MULTILINE)] == []


@pytest.mark.parametrize("document", sorted((DOCS / "decisions").glob("0*.md")), ids=named)
def test_a_decision_says_context_decision_and_consequences(document: Path) -> None:
    assert re.findall(r"^## (.+)$", document.read_text(), re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert document.read_text().startswith(f"# {document.name[:4]}: ")


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(page.name[:4]) for page in (DOCS / "decisions").glob("0*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_recorder_page_names_types_states_statuses_and_limits() -> None:
    page = read("docs/recorder.md")
    told = [status for status in RecordingStatus if status != RecordingStatus.UNKNOWN]
    states = [state for state in CaptureState if state != CaptureState.UNKNOWN]
    assert re.findall(r"^\| `(onrecord\.[\w.]+)` \|", page, re.MULTILINE) == list(TYPES)
    assert missing_from(page, [f"`{word}`" for word in [*told, *states]]) == []
    assert f"at most {MAX_HEARTBEAT_CALLS} " in page
    assert f"at most {MAX_BATCH_EVENTS} " in page
    assert f"({MAX_BATCH_BYTES:,} bytes)" in page
    assert f"({MAX_BODY_BYTES:,} bytes)" in read("docs/graph-notifications.md")
    assert f"at most {Graces().claim_fresh.seconds} seconds old" in " ".join(page.split())


@pytest.mark.django_db
def test_the_recorder_page_has_an_event_of_each_type_that_is_taken(now: datetime) -> None:
    (batch,) = (each for each in blocks(read("docs/recorder.md"), "json") if each.startswith("["))
    events, later = parse_events(batch.encode(), now=now + timedelta(hours=1)), now + timedelta(hours=1)
    teller = Recorder.objects.create(
        name="rec-01", tenants=["11111111-2222-3333-4444-555555555555"], created_at=now, token_hash="x"
    )

    assert {event.type for event in events} == set(TYPES)
    assert ingest_events(events, recorder=teller, body=batch.encode(), now=later) == len(TYPES)
    assert [call.state for call in Call.objects.order_by("graph_id")] == ["terminated", "established"]


@pytest.mark.django_db(transaction=True)
def test_the_python_of_the_recorder_page_reports_a_call(live_server: LiveServer) -> None:
    (program,) = blocks(read("docs/recorder.md"), "python")
    token = StringIO()
    call_command("recorder_token", "rec-01", tenant=[TENANT_ID], stdout=token, stderr=StringIO())
    environment = {
        "ONRECORD_URL": f"{live_server.url}/hooks/recorder/",
        "ONRECORD_TOKEN": token.getvalue().strip(),
        "ONRECORD_TENANT": TENANT_ID,
    }

    subprocess.run([sys.executable, "-c", program], env={**os.environ, **environment}, check=True, timeout=60)

    call = Call.objects.get()
    assert (call.state, call.capture_state, call.recording_status) == ("established", "capturing", "recording")
    assert (call.recorded_user_name, call.is_policy_call) == ("Dana Kessler", True)
    assert call.capture_at is not None
    assert call.capture_changed_at is not None
    assert call.capture_at > call.capture_changed_at, "the heartbeat is the latest word"


if connection.vendor == "postgresql":

    @pytest.mark.django_db
    def test_a_correction_succeeds_under_the_grants_of_the_deploy_page(sandbox: Sandbox, mira: User) -> None:
        """The role and its grants go with the test's transaction."""
        assert "manage.py grants --role onrecord --apply" in read("docs/deploy.md")
        now = timezone.now()
        call_id = str(sandbox.add_call(state="established")["call_id"])
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE site_of_this_test NOLOGIN")
            call_command("grants", role="site_of_this_test", apply=True, stdout=StringIO())
            cursor.execute("SET LOCAL ROLE site_of_this_test")
        call = cast.call(call_id, at=now, capture="started", told="recording")
        cast.tell("capture.stopped", call_id, at=now)

        by = services.Requester.at_screen(mira)
        asked = services.request_correction(call, wish="notRecording", reason="capture stopped", by=by, now=now)
        done = services.send_operation(asked.pk)

        assert done.status == OperationStatus.COMPLETED, f"{done.result_code}: {done.result_message}"
        for table in append_only.TABLES:
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                LedgerEntry.objects.raw(f"DELETE FROM {table} RETURNING 1 AS id")[0]
