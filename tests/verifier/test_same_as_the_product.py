"""verify.py says again what the product says elsewhere, since it may import nothing of it: the two are compared."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import exports
from recordings.choices import ExportSheet
from recordings.exports.archive.proofs import complete_subtrees
from recordings.exports.cells import neutralised
from recordings.exports.jobs.making import sheet_of
from recordings.exports.sheet import Sheet
from recordings.ledger import canonical, tree
from recordings.models import Export
from tests.verifier import building
from tests.verifier.loading import verify


@pytest.mark.parametrize("sheet", exports.EVERY_SHEET.values(), ids=exports.EVERY_SHEET)
def test_it_knows_every_column_in_its_order_and_the_facts_that_prove_it(sheet: Sheet) -> None:
    """A column that the product adds and the verifier does not know would make genuine exports fail."""
    assert list(verify.SHEETS[sheet.name].items()) == [(column.name, column.facts) for column in sheet.columns]


def test_it_knows_no_other_sheets() -> None:
    assert set(verify.SHEETS) == set(exports.EVERY_SHEET)


def test_it_knows_the_column_of_a_moment_in_the_past(now: datetime) -> None:
    sheet = sheet_of(Export(sheet=ExportSheet.HISTORY, as_of=now))

    known = {**verify.SHEETS["history"], **verify.AS_OF}
    assert list(known.items()) == [(column.name, column.facts) for column in sheet.columns]


@pytest.mark.parametrize("sheet", verify.PAST)
def test_it_knows_every_column_of_what_stood_at_a_moment_in_the_past(now: datetime, sheet: str) -> None:
    columns = sheet_of(Export(sheet=sheet, as_of=now)).columns
    assert list(verify.PAST[sheet].items()) == [(column.name, column.facts) for column in columns]


def test_every_sheet_has_its_columns_of_the_past() -> None:
    assert {*verify.PAST, "history", "ledger"} == set(exports.EVERY_SHEET)


@given(st.text(st.sampled_from("=+-@0123456789.,eE ;\t\r\n\x00'\u00a0\u200b\ufeff\uff1dabä()")))
def test_it_makes_cells_safe_in_the_same_way(text: str) -> None:
    assert verify.neutralised(text) == neutralised(text)


@given(st.integers(0, 600), st.integers(0, 600))
def test_a_gap_has_the_same_complete_subtrees_for_who_writes_and_who_reads_it(start: int, length: int) -> None:
    levels, at = [], start
    while at < start + length:
        levels.append(verify.largest_level(at, start + length))
        at += 1 << levels[-1]

    assert levels == [level for level, _ in complete_subtrees(start, start + length)]


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_tree_has_the_root_of_the_recursion_in_the_rfc_and_that_of_the_product(bodies: Sequence[bytes]) -> None:
    leaves = [building.leaf(body) for body in bodies]
    theirs, ours = verify.Tree(), tree.Frontier()
    for leaf in leaves:
        theirs.add(0, leaf)
        ours.append(leaf)

    assert theirs.root() == ours.root() == building.root_of(leaves)


@given(st.integers(1, 70), st.data())
def test_consistency_is_judged_alike(size: int, data: st.DataObject) -> None:
    """Genuine proofs and ones with a hash changed, dropped or added."""
    leaves = [building.leaf(bytes([number])) for number in range(size)]
    old = data.draw(st.integers(1, size - 1)) if size > 1 else 0
    nodes = building.consistency(old, leaves) if old else []
    change = data.draw(st.sampled_from(["none", "drop", "add", "flip"]))
    nodes = {"none": nodes, "drop": nodes[1:], "add": [*nodes, bytes(32)], "flip": [bytes(32), *nodes[1:]]}[change]
    ends = [verify.Checkpoint("", number, building.root_of(leaves[:number])) for number in (old, size)]

    judged = verify.is_consistent(*ends, nodes)

    assert judged == tree.verify_consistency(old, ends[0].root, size, ends[1].root, nodes)
    assert judged or change != "none"


@given(
    st.dictionaries(
        st.text(st.characters(max_codepoint=127)),
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(),
        min_size=1,
    )
)
def test_what_the_ledger_writes_is_canonical(facts: dict[str, str | int | bool | None]) -> None:
    line = canonical({**facts, "id": "an id"}).encode() + b"\n"

    assert verify.entry_of(line, 0)["id"] == "an id"
