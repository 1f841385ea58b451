"""The ledger's entries: what they say, how they are written, and what they stand or fall with."""

import ast
import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

import recordings
from recordings import findings, ledger, services
from recordings.choices import LedgerAction, RootCause
from recordings.ledger import NotCanonical, canonical, timestamp
from recordings.ledger.verifying import verify_all
from recordings.models import Actor, Call, Finding, LedgerEntry, Operation, StatusChange, Unsealed
from recordings.services import CorrectionRefused, Requester
from sandbox.server import Sandbox
from tests import cast, ledgers

DOCUMENT = (Path(recordings.__file__).parent.parent / "docs" / "ledger.md").read_text()
NAMES = ("Dana", "Kessler", "Omar", "Ruiz", "Rates outlook", "user-dana", "user-omar")


def bodies() -> list[dict[str, Any]]:
    return [dict(ledger.body_of(entry)) for entry in LedgerEntry.objects.order_by("id")]


# -- one encoding


def _vectors() -> list[dict[str, Any]]:
    (block,) = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    found: list[dict[str, Any]] = json.loads(block)
    return found


@pytest.mark.parametrize("vector", _vectors())
def test_the_documented_vectors_are_what_the_code_writes(vector: dict[str, Any]) -> None:
    written = canonical(vector["facts"])

    assert written == vector["canonical"]
    assert hashlib.sha256(b"\x00" + written.encode()).hexdigest() == vector["leaf_hash"]


@pytest.mark.parametrize(
    "value", [1.0, 0.5, float("nan"), [], {}, b"bytes", datetime(2026, 11, 18, tzinfo=UTC), 2**53, -(2**53)]
)
def test_what_has_no_one_form_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical({"value": value})


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b"])
def test_half_a_character_is_refused(text: str) -> None:
    with pytest.raises(NotCanonical, match="surrogate"):
        canonical({"reason": text})


def test_keys_are_ascii() -> None:
    with pytest.raises(NotCanonical, match="not ASCII"):
        canonical({"größe": 1})


scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), scalars))
def test_a_body_is_read_back_as_it_was_written_and_written_again_as_it_was_read(body: dict[str, Any]) -> None:
    written = canonical(body)

    assert json.loads(written) == body
    assert canonical(dict(reversed(json.loads(written).items()))) == written


def test_a_time_is_always_written_in_utc_with_six_digits() -> None:
    berlin = timezone(timedelta(hours=1))

    assert timestamp(datetime(2026, 11, 18, 15, 31, 2, tzinfo=berlin)) == "2026-11-18T14:31:02.000000Z"
    assert timestamp(datetime(2026, 11, 18, 14, 31, 2, 250_000, UTC)) == "2026-11-18T14:31:02.250000Z"
    assert timestamp(datetime(1, 2, 3, tzinfo=UTC)) == "0001-02-03T00:00:00.000000Z"
    with pytest.raises(ValueError, match="zone"):
        timestamp(datetime(2026, 11, 18))  # noqa: DTZ001 - that is the point


# -- one transaction


def record(now: datetime, **facts: Any) -> LedgerEntry:
    return ledger.record(LedgerAction.SIGN_IN, actor=Actor.objects.job("test"), now=now, **facts)


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused(now: datetime) -> None:
    with pytest.raises(RuntimeError, match="in the transaction of its step"):
        record(now)
    assert not LedgerEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_entry_and_its_place_in_the_queue_stand_or_fall_with_the_step(now: datetime) -> None:
    with transaction.atomic():
        kept = record(now)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _step_that_fails(now)

    assert list(Unsealed.objects.values_list("entry_id", flat=True)) == [kept.pk]
    assert LedgerEntry.objects.get() == kept


def _step_that_fails(now: datetime) -> None:
    record(now)
    raise ZeroDivisionError


@pytest.mark.django_db
@pytest.mark.parametrize("fact", ["v", "id", "recorded_at"])
def test_no_fact_takes_the_place_of_what_the_entry_itself_says(now: datetime, fact: str) -> None:
    with pytest.raises(NotCanonical, match=fact):
        record(now, **{fact: "forged"})
    assert not LedgerEntry.objects.exists()


@pytest.mark.django_db
def test_no_fact_takes_the_place_of_what_the_entry_refers_to(now: datetime) -> None:
    call = cast.call(at=now)

    with pytest.raises(NotCanonical, match="tenant_id"):
        record(now, call=call, tenant_id="another")


@pytest.mark.django_db
def test_a_refused_entry_leaves_nothing(now: datetime) -> None:
    with pytest.raises(NotCanonical):
        record(now, weight=1.5)
    assert not LedgerEntry.objects.exists()
    assert not Unsealed.objects.exists()


# -- a whole story


@pytest.fixture
def story(sandbox: Sandbox, mira: User, tom: User, now: datetime) -> None:
    """All that can happen to a correction, twice over, and to a finding; and a call that can only be attested.

    It begins earlier than it is written down, since an hour of waiting must not lie in the future of its entries' keys.
    """
    now -= timedelta(minutes=40)
    for call_id in ("call-1", "call-2", "call-3"):
        sandbox.add_call(call_id=call_id)
        cast.call(call_id, at=now, capture="stopped", told="recording")
        organizer = {"id": "user-omar", "displayName": "Omar Ruiz"}
        cast.tell(
            "call.joined", call_id, at=now, tenantId=sandbox.tenant_id, subject="Rates outlook", organizer=organizer
        )
    call = Call.objects.get(graph_id="call-1")
    _refuse(call, mira, now)
    findings.sweep(now)
    later = now + timedelta(minutes=5)
    by_mira, by_tom = Requester.at_screen(mira), Requester.at_screen(tom)

    def ask(wish: str, of: Call = call) -> Operation:
        return services.request_correction(of, wish=wish, reason="stuck", by=by_mira, now=later)

    services.decline(ask("notRecording"), by=by_tom, reason="look again", now=later)
    ask("notRecording")
    services.expire_approvals(later + timedelta(hours=1))
    approved = services.approve(ask("notRecording"), by=by_tom, reason="seen", evidence="INC-7", now=later)
    services.send_operation(approved.pk, clock=lambda: later)
    findings.sweep(later)

    sandbox.fault("operation", operation={"status": "running"})
    hanging = services.send_operation(ask("failed").pk, clock=lambda: later)
    services.close_as_unresolved(hanging, by=by_mira, reason="nobody knows", now=later)
    sandbox.fault("error", action="updateRecordingStatus", status=503)
    services.send_operation(ask("failed").pk, clock=lambda: later)
    sandbox.remove_call("call-1")
    services.settle_due(later + timedelta(minutes=5), clock=lambda: later + timedelta(minutes=5))

    sandbox.fault("operation", operation={"status": "running"})
    slow = services.send_operation(ask("failed", Call.objects.get(graph_id="call-3")).pk, clock=lambda: later)
    sandbox.complete_operation(slow.graph_operation_id)
    services.settle_due(later + timedelta(minutes=5), clock=lambda: later + timedelta(minutes=5))

    cast.tell("call.ended", "call-2", at=later)
    findings.sweep(later + timedelta(minutes=5))
    _handle(by_mira, later)
    services.attest(
        Finding.objects.open().get(call__graph_id="call-2", rule="R7"),
        by=by_mira,
        reason="the recorder log",
        root_cause=RootCause.NETWORK,
        evidence="INC-8",
        now=later,
    )


def _handle(by: Requester, now: datetime) -> None:
    """What people do with an open finding and with a closed one; and the one of call-3 comes back."""
    stuck = Finding.objects.open().get(call__graph_id="call-2", rule="R7")
    services.acknowledge(stuck, by=by, now=now)
    services.assign(stuck, to=by.user, by=by, now=now)
    services.comment(stuck, text="asked the desk", by=by, now=now)
    services.snooze(stuck, until=now + timedelta(hours=1), reason="the desk is at lunch", by=by, now=now)
    healed = Finding.objects.get(call__graph_id="call-3", rule="R2", resolved_at__isnull=False)
    services.resolve(healed, root_cause=RootCause.NETWORK, reason="", by=by, now=now)
    cast.tell("status.told", "call-3", at=now + timedelta(minutes=6), status="recording")
    findings.sweep(now + timedelta(minutes=10))


def _refuse(call: Call, mira: User, now: datetime) -> None:
    """Somebody without a role asks, and somebody with one asks for what is never sent."""
    by_sam, by_mira = Requester.at_screen(User.objects.create_user("sam")), Requester.at_screen(mira)
    with pytest.raises(services.NotAllowed):
        services.request_correction(call, wish="failed", reason="x", by=by_sam, now=now)
    with pytest.raises(CorrectionRefused):
        services.request_correction(call, wish="unknown", reason="x", by=by_mira, now=now)


@pytest.mark.usefixtures("story")
def test_the_story_is_a_whole_one() -> None:
    told = {body["action"] for body in bodies()}

    assert told >= {
        action.value
        for action in LedgerAction
        if action.value.partition(".")[0] in ("status", "correction", "finding")
        and action not in (LedgerAction.CORRECTION_CANCELLED, LedgerAction.CORRECTION_WAITING)
    }


@pytest.mark.usefixtures("story")
def test_no_body_names_the_people_on_a_call() -> None:
    assert Call.objects.filter(recorded_user_name="Dana Kessler", organizer_name="Omar Ruiz").count() == 3

    for body in LedgerEntry.objects.values_list("body", flat=True):
        assert not [name for name in NAMES if name in body]


@pytest.mark.usefixtures("story")
def test_every_change_of_a_status_has_one_entry_that_says_the_same() -> None:
    by_change: dict[str, list[dict[str, Any]]] = {}
    for body in bodies():
        if body["action"] == "status.changed":
            by_change.setdefault(body["change"], []).append(body)
    rows = StatusChange.objects.select_related("call")

    assert set(by_change) == {str(row.pk) for row in rows}
    for row in rows:
        (body,) = by_change[str(row.pk)]
        assert (body["field"], body["old"], body["new"]) == (row.field, row.old, row.new)
        assert (body["source"], body["reason"], body["actor"]) == (row.source, row.reason, row.actor_id)
        assert body["call"] == row.call.graph_id
        assert (body["occurred_at"], body["recorded_at"]) == (timestamp(row.occurred_at), timestamp(row.recorded_at))
        assert body.get("operation") == (str(row.operation_id) if row.operation_id else None)


@pytest.mark.usefixtures("story")
def test_every_entry_waits_for_its_place_in_the_tree_and_its_columns_copy_its_body() -> None:
    entries = LedgerEntry.objects.select_related("call")

    assert set(Unsealed.objects.values_list("entry_id", flat=True)) == {entry.pk for entry in entries}
    for entry in entries:
        body = ledger.body_of(entry)
        assert canonical(body) == entry.body
        assert (body["id"], body["action"], body["actor"]) == (str(entry.pk), entry.action, entry.actor_id)
        assert body["recorded_at"] == timestamp(entry.recorded_at)
        assert body["occurred_at"] == timestamp(entry.occurred_at)
        assert body.get("call") == (entry.call.graph_id if entry.call else None)
        assert body.get("operation") == (str(entry.operation_id) if entry.operation_id else None)
        assert body.get("finding") == entry.finding_id


@pytest.mark.usefixtures("story")
def test_keys_follow_time() -> None:
    keys = list(LedgerEntry.objects.order_by("id").values_list("id", flat=True))

    assert {key.version for key in keys} == {7}
    assert [uuid.UUID(body["id"]) for body in bodies()] == keys


@pytest.mark.usefixtures("story")
def test_verification_finds_nothing_in_a_true_story() -> None:
    assert ledger.seal(datetime.now(UTC), key=ledgers.signing_key())
    report = verify_all()

    assert list(report.alarms) == []
    assert report.checked + report.unsealed == LedgerEntry.objects.count()
    assert report.rows > StatusChange.objects.count()


# -- the document


def _documented() -> dict[str, set[str]]:
    """What docs/ledger.md says of each action's own fields."""
    rows = re.findall(r"^\| `([a-zA-Z]+\.[a-z]+)` \|(.*)\|$", DOCUMENT, re.MULTILINE)
    listed = {action: (re.findall(r"`([a-zA-Z_.0-9]+)`", cell), "as `" in cell) for action, cell in rows}
    return {action: set(listed[names[0]][0] if same else names) for action, (names, same) in listed.items()}


ALWAYS = {"v", "id", "action", "actor", "occurred_at", "recorded_at"}
REFERENCES = {"call", "call_chain_id", "tenant_id", "operation", "client_context", "finding", "rule", "job"}


def test_every_action_is_documented_and_no_other() -> None:
    assert set(_documented()) == {action.value for action in LedgerAction}


@pytest.mark.usefixtures("story")
def test_the_fields_of_the_story_are_the_documented_ones() -> None:
    documented = _documented()

    for body in bodies():
        assert set(body) >= ALWAYS
        references = REFERENCES | ({"subject", "recorder", "tenant"} if "finding" in body else set())
        assert set(body) - ALWAYS - references == documented[body["action"]] - references, body["action"]


def _recorded() -> Iterator[tuple[str, set[str]]]:
    """Every place in the code that names its action outright, with the facts it adds."""
    parameters = {"actor", "now", "occurred_at", "call", "operation", "finding", "about", "facts"}
    for path in Path(recordings.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("ledger.record", "ledger.entry_of"):
                action = ast.unparse(node.args[0])
                if action.startswith("LedgerAction."):
                    facts = {keyword.arg or "" for keyword in node.keywords} - parameters
                    yield LedgerAction[action.removeprefix("LedgerAction.")].value, facts | _of_many(node)


def _of_many(call: ast.Call) -> set[str]:
    """The facts of an entry that is appended together with others."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "facts"]
    return {ast.literal_eval(key) for facts in given if isinstance(facts, ast.Dict) for key in facts.keys if key}


def test_the_fields_in_the_code_are_the_documented_ones() -> None:
    documented = _documented()

    assert {action for action, _ in _recorded()} >= {"token.issued", "role.changed", "signin.failed"}
    for action, facts in _recorded():
        assert facts == documented[action], action


# -- people at the door


@pytest.mark.django_db
def test_signing_in_leaves_an_entry(mira: User) -> None:
    assert Client().login(username="mira", password=cast.PASSWORD)

    entry = LedgerEntry.objects.get(action="signin.succeeded")
    assert (entry.actor.kind, entry.actor.subject_id, entry.actor.label) == ("person", str(mira.pk), "mira")


@pytest.mark.django_db
def test_a_wrong_password_leaves_an_entry_with_the_users_name_and_without_the_password(mira: User) -> None:
    assert not Client().login(username="mira", password="hunter2-hunter2")

    entry = LedgerEntry.objects.get(action="signin.failed")
    assert (entry.actor.label, ledger.body_of(entry)["is_known_user"]) == ("mira", True)
    assert "hunter2" not in entry.body


@pytest.mark.django_db
def test_what_was_typed_as_a_user_name_and_is_none_is_not_kept() -> None:
    assert not Client().login(username=cast.PASSWORD, password="")

    entry = LedgerEntry.objects.get(action="signin.failed")
    assert ledger.body_of(entry)["is_known_user"] is False
    assert cast.PASSWORD not in entry.body
    assert not Actor.objects.filter(label__contains="horse").exists()


def _role_changes() -> list[tuple[str, str, bool]]:
    """Whose role, which, and whether it is held now; in the order of the changes, then of the names."""
    found = []
    for entry in LedgerEntry.objects.filter(action="role.changed").order_by("id"):
        body = ledger.body_of(entry)
        found.append((Actor.objects.get(pk=str(body["subject"])).label, str(body["role"]), bool(body["is_held"])))
    return found


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann")


@pytest.fixture
def auditor(db: None) -> Group:
    return Group.objects.get(name="Auditor")


def test_gaining_and_losing_a_role_leaves_entries(ann: User, auditor: Group) -> None:
    ann.groups.add(auditor)
    ann.groups.add(auditor)
    ann.groups.set([Group.objects.get(name="Approver")])
    ann.groups.clear()

    assert _role_changes() == [
        ("ann", "Auditor", True),
        ("ann", "Auditor", False),
        ("ann", "Approver", True),
        ("ann", "Approver", False),
    ]


def test_so_does_the_other_side_of_the_relation(ann: User, auditor: Group) -> None:
    auditor.user_set.add(ann)
    auditor.user_set.remove(ann)
    auditor.user_set.set([ann])
    auditor.user_set.clear()

    assert _role_changes() == [("ann", "Auditor", True), ("ann", "Auditor", False)] * 2


def test_taking_away_a_role_that_was_not_held_is_no_change(ann: User, auditor: Group) -> None:
    ann.groups.remove(auditor)
    auditor.user_set.remove(ann)
    ann.groups.clear()

    assert _role_changes() == []
