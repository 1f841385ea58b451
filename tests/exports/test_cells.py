"""No cell of the spreadsheet flavour runs; every cell of the exact flavour is the very value."""

import csv
import io
import re
import unicodedata
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.exports.cells import Flavour, neutralised, text
from recordings.exports.stream import lines

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
INVISIBLE = "\u200b\u200e\u2060\ufeff"
NASTY = st.text(st.sampled_from(SIGNS + INVISIBLE + "\t\r\n ;,'\"|!aA1049.()%\x00\u00a0"), max_size=12)
ANY_TEXT = st.one_of(st.text(), NASTY)


def looks_like_a_formula(cell: str) -> bool:
    """A spreadsheet's view of one cell, written independently of the product's: what is not a number, and has a sign
    in front once white space and invisible characters are gone."""
    shown = "".join(c for c in cell if not c.isspace() and c not in INVISIBLE and unicodedata.category(c) != "Cc")
    if not shown or shown[0] not in SIGNS:
        return False
    is_number = re.fullmatch(r"[+-][0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?", shown)
    is_phone_number = re.fullmatch(r"\+[0-9][0-9.()]*", shown)
    return not is_number and not is_phone_number


@given(ANY_TEXT)
def test_no_cell_of_the_spreadsheet_flavour_is_a_formula(value: str) -> None:
    assert not looks_like_a_formula(neutralised(value))


@given(ANY_TEXT)
def test_no_part_of_a_cell_is_a_formula_for_a_spreadsheet_that_splits_it_elsewhere(value: str) -> None:
    parts = re.split(r"[;\t\r\n]", neutralised(value))
    assert not any(looks_like_a_formula(part) for part in parts if not re.fullmatch(r"\s*[+-][0-9 .()]*", part))


@given(ANY_TEXT)
def test_neutralising_only_adds_apostrophes(value: str) -> None:
    assert neutralised(value).replace("'", "") == value.replace("'", "")


@pytest.mark.parametrize(
    "value",
    [
        "+4930123456789",
        "+49 30 1234567",
        "+49 (0)30 1234567",
        "+49.30.1234567",
        "-5",
        "+5",
        "-5.25",
        "-1,5",
        "-1e5",
        " -5",
    ],
)
def test_phone_numbers_and_signed_numbers_stay_as_they_are(value: str) -> None:
    assert neutralised(value) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-1-1", "'-1-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\rtext", "'\rtext"),
        ("  =1", "'  =1"),
        ("＝1+1", "'＝1+1"),  # noqa: RUF001
        ("－cmd", "'－cmd"),  # noqa: RUF001
        ("+49-30-1234567", "'+49-30-1234567"),
        ("told;=1+1", "told;'=1+1"),
        ("line\n=1+1", "line\n'=1+1"),
        ("nothing = here", "nothing = here"),
        ("a-b", "a-b"),
        ("", ""),
    ],
)
def test_what_would_run_gets_an_apostrophe(value: str, written: str) -> None:
    assert neutralised(value) == written


@given(st.lists(st.lists(ANY_TEXT, min_size=2, max_size=4), max_size=5))
def test_what_was_written_exactly_is_read_back_exactly(rows: list[list[str]]) -> None:
    written = lines(rows, Flavour.EXACT).decode()
    assert list(csv.reader(io.StringIO(written, newline=""), strict=True)) == rows


@given(st.lists(st.lists(ANY_TEXT, min_size=2, max_size=4), max_size=5))
def test_the_spreadsheet_flavour_is_read_back_as_it_was_neutralised(rows: list[list[str]]) -> None:
    written = lines(rows, Flavour.SPREADSHEET).decode()
    read = list(csv.reader(io.StringIO(written, newline=""), strict=True))
    assert read == [[neutralised(cell) for cell in row] for row in rows]


def test_values_have_one_form() -> None:
    key = uuid.uuid4()
    berlin = datetime(2026, 11, 18, 15, 31, 2, tzinfo=timezone(timedelta(hours=1)))
    values = [None, True, False, 0, 200, key, "", "text", berlin, datetime(2026, 1, 1, tzinfo=UTC)]
    assert [text(value) for value in values] == [
        "",
        "true",
        "false",
        "0",
        "200",
        str(key),
        "",
        "text",
        "2026-11-18T14:31:02.000000Z",
        "2026-01-01T00:00:00.000000Z",
    ]
