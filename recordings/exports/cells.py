"""Values to cells. The exact flavour leaves every text as it is; the spreadsheet flavour leaves none that would run.

A spreadsheet takes a cell for a formula if it begins with = + - or @, also in their full-width forms and behind white
space. Such a cell gets an apostrophe in front, and so does such a place behind a semicolon, a tab or a line break
inside a cell, because a spreadsheet that is set to another separator begins a new cell there. Plain numbers with a
sign and phone numbers stay as they are: there is nothing in them to run.
Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
import uuid
from datetime import datetime
from enum import StrEnum

from recordings.ledger import timestamp

type Value = str | int | bool | datetime | uuid.UUID | None


class Flavour(StrEnum):
    """`spreadsheet` opens safely in Excel and LibreOffice; `exact` is for programs, cell by cell what was stored."""

    SPREADSHEET = "spreadsheet"
    EXACT = "exact"


_NUMBER = r"[+-][0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?"
# No hyphens and no slashes: +49-30-1234 is a subtraction, and what a spreadsheet would show is -1215.
_PHONE = r"\+[0-9][0-9 .()\u00a0\u202f]*"
_INVISIBLE = r"\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff"
_SIGN = r"=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"

_HARMLESS = re.compile(rf"[{_INVISIBLE}]*(?:{_NUMBER}|{_PHONE})\s*")
_RISKY = re.compile(rf"(?:\A|(?<=[;\t\r\n]))(?=[{_INVISIBLE}]*[{_SIGN}])")
_CONTROL_FIRST = ("\t", "\r", "\n", "\x00")


def text(value: Value) -> str:
    """One value in its one documented form: times in UTC with six digits and a Z, nothing for what is not known."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return timestamp(value)
        case _:
            return str(value)


def neutralised(cell: str) -> str:
    """The cell as the spreadsheet flavour writes it."""
    if _HARMLESS.fullmatch(cell) and not cell.startswith(_CONTROL_FIRST):
        return cell
    if cell.startswith(_CONTROL_FIRST):
        cell = f"'{cell}"
    return _RISKY.sub("'", cell)
