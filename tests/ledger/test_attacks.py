"""The owner of the database attacks with the triggers off. Verification finds each deed, and names the place.

What the site's own role may not do is in tests/test_append_only.py and tests/test_site_role.py.
"""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.ledger import checkpoint
from recordings.ledger.checkpoint import Checkpoint
from recordings.ledger.verifying import verify_all
from recordings.models import (
    Actor,
    Attempt,
    AttemptResult,
    Call,
    EvidenceFile,
    Finding,
    LeafBatch,
    LedgerEntry,
    Node,
    Operation,
    Seal,
    SealKey,
    StatusChange,
    Unsealed,
)
from recordings.models.keys import new_key
from tests import cast, ledgers
from tests.ledger.attacked import MIDDLE, UNSEALED, alarms, attacked, places
from tests.owning import change, delete, entry_at, insert, place_of, plant_anew, references_forgotten

__all__ = ["attacked"]

pytestmark = pytest.mark.usefixtures("attacked")

# In the middle of those that only say that somebody read the history.
INDEX = 300


@pytest.fixture
def entry(attacked: datetime) -> LedgerEntry:
    found = entry_at(INDEX)
    assert found.action == LedgerAction.HISTORY_READ
    return found


def entry_of(row: StatusChange | Operation, action: LedgerAction) -> LedgerEntry:
    return next(one for one in LedgerEntry.objects.filter(action=action) if str(row.pk) in one.body)


def test_what_nobody_touched_passes() -> None:
    report = verify_all()

    assert report.alarms == []
    assert report.checked == report.size == LedgerEntry.objects.count() - UNSEALED
    assert report.unsealed == UNSEALED
    # two calls, a correction, its try, its result, a finding, a file, a key
    assert report.rows == StatusChange.objects.count() + 8


# -- entries


def test_one_byte_of_a_body(entry: LedgerEntry) -> None:
    change(entry, body=entry.body.replace("page=", "pagf="))

    (found,) = alarms()
    assert (found.kind.name, found.index, found.entry) == ("BODY_CHANGED", INDEX, entry.pk)
    assert f"Entry {INDEX} ({entry.pk})" in found.sentence


@pytest.mark.parametrize("body", ["", "no JSON at all", "[]", "null", '{"id":7}', '{"v":1', "\n", "é\\"])
def test_a_body_that_is_none(entry: LedgerEntry, body: str) -> None:
    change(entry, body=body)

    assert sorted(places()) == [("BODY_CHANGED", INDEX), ("COLUMN_CHANGED", INDEX)]


COLUMNS = ["action", "actor_id", "call_id", "operation_id", "finding_id", "occurred_at", "recorded_at"]


def _another(column: str, now: datetime) -> object:
    return {
        "action": LedgerAction.CALL_READ,
        "actor_id": Actor.objects.graph().pk,
        "call_id": Call.objects.earliest("pk").pk,
        "operation_id": Operation.objects.get().pk,
        "finding_id": Finding.objects.get().pk,
    }.get(column, now - timedelta(microseconds=1))


@pytest.mark.parametrize("column", COLUMNS)
def test_one_copied_column(attacked: datetime, entry: LedgerEntry, column: str) -> None:
    change(entry, **{column: _another(column, attacked)})

    (found,) = alarms()
    assert (found.kind.name, found.index, found.entry) == ("COLUMN_CHANGED", INDEX, entry.pk)
    assert found.sentence.endswith(f": {column.removesuffix('_id')}.")


@pytest.mark.parametrize("column", ["call_id", "operation_id", "finding_id"])
def test_a_reference_that_was_taken_away(column: str) -> None:
    entry = LedgerEntry.objects.filter(**{f"{column}__isnull": False}).latest("pk")
    change(entry, **{column: None})

    assert ("COLUMN_CHANGED", place_of(entry)) in places()


def test_another_key(entry: LedgerEntry) -> None:
    key = new_key()
    change(entry, id=key)

    assert sorted(places(), key=str) == [("COLUMN_CHANGED", None), ("ENTRY_INSERTED", None), ("ENTRY_MISSING", INDEX)]


@pytest.mark.parametrize("index", [0, INDEX, MIDDLE])
def test_a_deleted_row(index: int) -> None:
    entry = entry_at(index)
    delete([entry])

    found = alarms()[0]
    assert (found.kind.name, found.index, found.entry) == ("ENTRY_MISSING", index, entry.pk)


def test_a_deleted_row_that_waits_for_its_seal() -> None:
    key = Unsealed.objects.earliest("pk").pk
    Unsealed.objects.filter(pk=key).delete()
    delete([LedgerEntry.objects.get(pk=key)])
    assert places() == []  # both are gone: that is what "younger than the last seal" means


def test_two_swapped_rows(entry: LedgerEntry) -> None:
    other = entry_at(INDEX + 100)
    change(entry, body=other.body)
    change(other, body=entry.body)

    assert [place for place in places() if place[0] == "BODY_CHANGED"] == [
        ("BODY_CHANGED", INDEX),
        ("BODY_CHANGED", INDEX + 100),
    ]


@pytest.mark.parametrize("beside", [INDEX, 0, MIDDLE])
def test_an_inserted_row(beside: int) -> None:
    neighbour = entry_at(beside)
    key = UUID(int=neighbour.pk.int + 1)
    body = ledger.canonical(json.loads(neighbour.body) | {"id": str(key)})
    insert(LedgerEntry(**_columns(neighbour) | {"id": key, "body": body}))

    found = [one for one in alarms() if one.kind.name == "ENTRY_INSERTED"]
    assert [(one.index, one.entry) for one in found] == [(None, key)]
    assert str(key) in found[0].sentence


@pytest.mark.parametrize("number", [0, 2**128 - 1])
def test_an_inserted_row_with_the_smallest_or_the_largest_key(entry: LedgerEntry, number: int) -> None:
    key = UUID(int=number)
    body = ledger.canonical(json.loads(entry.body) | {"id": str(key)})
    insert(LedgerEntry(**_columns(entry) | {"id": key, "body": body}))

    assert [(one.index, one.entry) for one in alarms() if one.kind.name == "ENTRY_INSERTED"] == [(None, key)]


def _columns(row: LedgerEntry) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


# -- leaves, nodes and seals


def batch_of(index: int) -> LeafBatch:
    return LeafBatch.objects.filter(first_index__lte=index).latest("first_index")


def test_a_leaf_that_was_changed_with_its_body(entry: LedgerEntry) -> None:
    change(entry, body=entry.body.replace("page=", "pagf="))
    plant_anew()

    wrong = {name for name, _ in places()}
    assert wrong == {"SEAL_REPLACED"}
    assert alarms()[0].index == Seal.objects.earliest("size").size  # up to there all fits


def test_a_changed_leaf() -> None:
    batch = batch_of(INDEX)
    leaves = bytearray(batch.leaf_hashes)
    leaves[(INDEX - batch.first_index) * 32] ^= 1
    change(batch, leaf_hashes=bytes(leaves))

    assert ("BODY_CHANGED", INDEX) in places()
    assert {name for name, _ in places()} == {"BODY_CHANGED", "NODE_CHANGED", "SEAL_REPLACED"}


def test_two_swapped_leaves() -> None:
    batch = batch_of(INDEX)
    keys, leaves = bytes(batch.entry_ids), bytes(batch.leaf_hashes)
    change(batch, entry_ids=keys[16:32] + keys[:16] + keys[32:], leaf_hashes=leaves[32:64] + leaves[:32] + leaves[64:])

    assert ("LEAVES_CHANGED", batch.first_index) in places()
    assert {name for name, _ in places()} == {"LEAVES_CHANGED", "NODE_CHANGED", "SEAL_REPLACED"}


@pytest.mark.parametrize("size", [0, 31])
def test_leaves_cut_short(size: int) -> None:
    batch = batch_of(INDEX)
    change(batch, leaf_hashes=bytes(batch.leaf_hashes)[:size])

    assert ("LEAVES_CHANGED", batch.first_index) in places()


def test_a_deleted_leaf_batch() -> None:
    batch = batch_of(INDEX)
    delete([batch])

    assert ("LEAVES_CHANGED", batch.first_index) in places()
    assert alarms()[0].sentence.startswith(f"The stored leaves jump from {batch.first_index} to ")


def test_the_last_leaf_batch_deleted() -> None:
    batch = LeafBatch.objects.latest("first_index")
    delete([batch])

    assert places()[0] == ("LEAVES_CHANGED", batch.first_index)


def test_leaves_filed_under_another_key() -> None:
    batch = batch_of(INDEX)
    change(batch, first_entry=new_key())

    assert places() == [("LEAVES_CHANGED", batch.first_index)]


def test_a_leaf_batch_put_in_behind(attacked: datetime) -> None:
    size = Seal.objects.latest("size").size
    key = Unsealed.objects.earliest("pk").pk
    insert(LeafBatch(first_index=size, first_entry=key, count=1, entry_ids=key.bytes, leaf_hashes=b"\x01" * 32))

    assert places() == [("SEAL_MISSING", size)]


def test_a_changed_node() -> None:
    node = Node.objects.get(level=8, position=1)
    change(node, node_hash=b"\x01" * 32)

    assert places() == [("NODE_CHANGED", 256)]
    assert "entries 256 to 511" in alarms()[0].sentence


def test_a_deleted_node() -> None:
    delete([Node.objects.get(level=9, position=0)])

    assert places() == [("NODE_CHANGED", 0)]


@pytest.mark.parametrize(("level", "position"), [(8, 2), (7, 0), (40, 0), (8, 2**55)])
def test_a_node_where_none_belongs(level: int, position: int) -> None:
    insert(Node(level=level, position=position, node_hash=b"\x01" * 32))

    assert places() == [("NODE_CHANGED", None)]


def test_a_replaced_seal() -> None:
    """Signed with the ledger's own key, over another root."""
    first, second, _ = Seal.objects.order_by("size")
    key = ledgers.signing_key()
    text = checkpoint.sign(Checkpoint(key.name, second.size, b"\x01" * 32), key)
    change(second, root_hash=b"\x01" * 32, checkpoint=text)

    (found,) = alarms()
    assert (found.kind.name, found.index) == ("SEAL_REPLACED", first.size)
    assert f"The seal over the first {second.size} entries" in found.sentence


def test_a_seal_whose_columns_say_something_else_than_its_text() -> None:
    first, second, _ = Seal.objects.order_by("size")
    change(second, root_hash=b"\x01" * 32)

    assert {one.kind.name for one in alarms()} == {"SEAL_REPLACED"}
    assert alarms()[0].index == first.size


@pytest.mark.parametrize("text", ["", "onrecord.contoso.example/ledger\n3\n", "\n\n\n"])
def test_a_seal_whose_text_is_no_checkpoint(text: str) -> None:
    seal = Seal.objects.latest("size")
    change(seal, checkpoint=text)

    assert [one.kind.name for one in alarms()] == ["SEAL_REPLACED"]


def test_a_foreign_signature() -> None:
    seal, key = Seal.objects.latest("size"), ledgers.signing_key(seed=2)
    change(seal, checkpoint=checkpoint.sign(Checkpoint(key.name, seal.size, bytes(seal.root_hash)), key))

    assert [one.kind.name for one in alarms()] == ["SEAL_UNSIGNED"]


def test_a_foreign_key_that_was_filed_as_the_ledgers(attacked: datetime) -> None:
    seal, key = Seal.objects.latest("size"), ledgers.signing_key(seed=2)
    insert(SealKey(fingerprint=key.fingerprint, name=key.name, public_key=key.public_key, first_used_at=attacked))
    text = checkpoint.sign(Checkpoint(key.name, seal.size, bytes(seal.root_hash)), key)
    change(seal, checkpoint=text, key_id=key.fingerprint)

    first = Seal.objects.earliest("size")
    assert sorted(places(), key=str) == [("KEY_FOREIGN", first.size), ("ROW_UNTOLD", None)]
    named = verify_all(only_keys=[ledgers.signing_key().fingerprint])
    assert {one.kind.name for one in named.alarms} == {"KEY_FOREIGN", "ROW_UNTOLD", "SEAL_UNSIGNED"}


def test_another_public_key_under_the_old_fingerprint() -> None:
    change(SealKey.objects.get(), public_key=ledgers.signing_key(seed=2).public_key)

    assert {one.kind.name for one in alarms()} == {"ROW_DIFFERS", "SEAL_UNSIGNED"}


def test_the_newest_seal_deleted() -> None:
    _, second, third = Seal.objects.order_by("size")
    delete([third])

    assert ("SEAL_MISSING", second.size) in places()


# -- records beside the ledger


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("field", "state"),
        ("old", "recording"),
        ("new", "failed"),
        ("source", "graph"),
        ("reason", "as agreed"),
        ("occurred_at", None),
        ("recorded_at", None),
    ],
)
def test_a_change_that_no_longer_matches_its_entry(attacked: datetime, column: str, value: str | None) -> None:
    row = StatusChange.objects.filter(field="recording_status").earliest("pk")
    entry = entry_of(row, LedgerAction.STATUS_CHANGED)
    change(row, **{column: value or attacked - timedelta(microseconds=1)})

    (found,) = alarms()
    assert (found.kind.name, found.index, found.entry) == ("ROW_DIFFERS", place_of(entry), entry.pk)
    assert found.sentence == f"The change {row.pk} differs from entry {entry.pk} in {column}."


def test_a_change_of_another_call() -> None:
    row = StatusChange.objects.earliest("pk")
    change(row, call_id=Call.objects.latest("pk").pk)

    assert {one.kind.name for one in alarms()} == {"ROW_MISSING", "ROW_UNTOLD"}


def test_a_deleted_change() -> None:
    row = StatusChange.objects.earliest("pk")
    entry = entry_of(row, LedgerAction.STATUS_CHANGED)
    delete([row])

    (found,) = alarms()
    assert (found.kind.name, found.index, found.entry) == ("ROW_MISSING", place_of(entry), entry.pk)


def test_a_change_of_which_no_entry_tells() -> None:
    row = StatusChange.objects.earliest("pk")
    row.pk = new_key()
    insert(row)

    (found,) = alarms()
    assert found.kind.name == "ROW_UNTOLD"
    assert str(row.pk) in found.sentence


def test_a_change_of_a_call_before_all_others() -> None:
    """Keys begin with 1, and nothing says that they must."""
    row, call = StatusChange.objects.earliest("pk"), Call.objects.earliest("pk")
    call.pk, call.graph_id = -1, "call-0"
    insert(call)
    row.pk, row.call_id = new_key(), call.pk
    insert(row)

    (found,) = [one for one in alarms() if one.kind.name == "ROW_UNTOLD"]
    assert str(row.pk) in found.sentence


def test_changes_of_a_call_that_was_taken_away_between_others(attacked: datetime) -> None:
    gone = cast.call("call-3", at=attacked, capture="stopped", told="recording")
    cast.call("call-4", at=attacked, capture="stopped", told="recording")
    changes = StatusChange.objects.filter(call=gone).values_list("pk", flat=True)
    with references_forgotten():
        delete([gone])

    sentences = {one.sentence for one in alarms()}
    assert {f"The change {key} belongs to a record that is gone." for key in changes} <= sentences
    insert(gone)


@pytest.mark.parametrize(
    ("model", "column", "value", "action"),
    [
        (AttemptResult, "outcome", "refused", LedgerAction.CORRECTION_ANSWERED),
        (AttemptResult, "http_status", 503, LedgerAction.CORRECTION_ANSWERED),
        (AttemptResult, "message", "all is well", LedgerAction.CORRECTION_ANSWERED),
        (Attempt, "is_repeat", True, LedgerAction.CORRECTION_SENT),
        (Operation, "reason", "as agreed", LedgerAction.CORRECTION_REQUESTED),
        (Operation, "requested_status", "failed", LedgerAction.CORRECTION_REQUESTED),
        (Operation, "status", "failed", LedgerAction.CORRECTION_ANSWERED),
    ],
)
def test_a_correction_that_differs(model: Any, column: str, value: object, action: LedgerAction) -> None:
    change(model.objects.get(), **{column: value})

    (found,) = alarms()
    entry = LedgerEntry.objects.get(action=action)
    assert (found.kind.name, found.index, found.entry) == ("ROW_DIFFERS", place_of(entry), entry.pk)


def test_a_result_deleted() -> None:
    delete([AttemptResult.objects.get()])

    assert [one.kind.name for one in alarms()] == ["ROW_MISSING"]


def test_an_approval_that_nobody_gave(attacked: datetime) -> None:
    change(Operation.objects.get(), approved_by=Actor.objects.graph(), approved_at=attacked, evidence="a ticket")

    assert [one.kind.name for one in alarms()] == ["ROW_UNTOLD"]


def test_evidence_with_other_bytes() -> None:
    file = EvidenceFile.objects.get()
    change(file, content=b"another log")

    assert [one.kind.name for one in alarms()] == ["ROW_DIFFERS"]
    assert str(file.pk) in alarms()[0].sentence


def test_evidence_replaced_with_its_hash() -> None:
    content = b"another log"
    digest = "a5e1d7b8a8b4a3c9e3a3f2b8d6c1e0f4a5e1d7b8a8b4a3c9e3a3f2b8d6c1e0f4"
    change(EvidenceFile.objects.get(), content=content, sha256=digest, size_bytes=len(content))

    entry = LedgerEntry.objects.get(action=LedgerAction.FINDING_ATTESTED)
    assert ("ROW_DIFFERS", place_of(entry)) in places()


def test_so_much_that_not_all_is_kept() -> None:
    for index in range(100, 150):
        entry = entry_at(index)
        change(entry, body=entry.body.replace("page=", "pagf="))

    report = verify_all()
    assert report.alarm_count == 50
    assert [one.index for one in report.alarms] == list(range(100, 120))
