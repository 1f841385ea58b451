"""One page of the ledger's entries: keyset paging both ways, and what each row says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from recordings import ledger
from recordings.choices import LedgerAction, Look
from recordings.ledger.canonical import Scalar
from recordings.models import Actor, LeafBatch, LedgerEntry
from recordings.models.keys import parse_key

PAGE_SIZE = 50
_KEY_BYTES = 16
# What the row shows in columns of its own, or what only the proof is about.
_IN_COLUMNS = {"v", "id", "action", "actor", "occurred_at", "recorded_at", "call", "call_chain_id", "tenant_id"}
# What nobody reads in one line: ids, which its page has.
_IDS = {
    "operation",
    "client_context",
    "finding",
    "change",
    "job",
    "client_request_id",
    "request_id",
    "graph_operation_id",
    "blind_spot",
    "export",
    "verification",
}
_ABOUT_PEOPLE = (LedgerAction.ROLE_CHANGED, LedgerAction.ACCOUNT_CHANGED)
_UNSEALED = Look("unsealed", "Not sealed yet", "mute", "seal-open")


@dataclass(frozen=True)
class Row:
    """One entry. `index` is its place in the tree, from 0; None while it waits for its seal."""

    entry: LedgerEntry
    index: int | None
    facts: Mapping[str, Scalar]
    subject: str = ""
    is_readable: bool = True

    @property
    def seal_look(self) -> Look:
        return _UNSEALED if self.index is None else Look("sealed", f"No. {self.index:,}", "ok", "seal")

    @property
    def job(self) -> str:
        """The bulk job it belongs to, where its key can be one."""
        return str(parse_key(str(self.facts.get("job", ""))) or "")

    @property
    def words(self) -> str:
        """Its own facts in one line, the reason first."""
        if self.entry.action == LedgerAction.ROLE_CHANGED:
            return (
                f"{self.facts.get('role')} {'given to' if self.facts.get('is_held') else 'taken from'} {self.subject}"
            )
        if self.entry.action == LedgerAction.ACCOUNT_CHANGED:
            flag = str(self.facts.get("flag")).removeprefix("is_")
            return f"{self.subject} {'is' if self.facts.get('is_held') else 'is no longer'} {flag}"
        said = {name: value for name, value in self.facts.items() if name not in _IDS and value not in ("", None)}
        return ", ".join(f"{name} {_said(said[name])}" for name in sorted(said, key=lambda name: name != "reason"))


@dataclass(frozen=True)
class Page:
    """Newest first. `older` and `newer` are the cursors of the neighbouring pages, empty where there is none."""

    rows: Sequence[Row]
    older: str = ""
    newer: str = ""


def page_before(found: QuerySet[LedgerEntry], *, before: UUID | None) -> Page:
    """The newest entries, or those older than `before`."""
    older = found.filter(pk__lt=before) if before else found
    entries = list(_related(older.order_by("-pk"))[: PAGE_SIZE + 1])
    shown = entries[:PAGE_SIZE]
    newer = shown[0].pk if shown and before else ""
    return Page(rows_of(shown), older=_last(entries), newer=str(newer))


def page_after(found: QuerySet[LedgerEntry], *, after: UUID) -> Page:
    """The entries that follow `after`; the newest ones where that is no whole page."""
    entries = list(_related(found.filter(pk__gt=after).order_by("pk"))[: PAGE_SIZE + 1])
    if len(entries) <= PAGE_SIZE:
        return page_before(found, before=None)
    shown = entries[:PAGE_SIZE][::-1]
    return Page(rows_of(shown), older=str(shown[-1].pk), newer=str(shown[0].pk))


def page_at(found: QuerySet[LedgerEntry], *, key: UUID) -> Page:
    """The page that begins with this entry."""
    entries = list(_related(found.filter(pk__lte=key).order_by("-pk"))[: PAGE_SIZE + 1])
    return Page(rows_of(entries[:PAGE_SIZE]), older=_last(entries), newer=str(key))


def _last(entries: Sequence[LedgerEntry]) -> str:
    return str(entries[PAGE_SIZE - 1].pk) if len(entries) > PAGE_SIZE else ""


def _related(entries: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
    return entries.select_related("actor", "call", "operation__call", "finding")


def rows_of(entries: Sequence[LedgerEntry]) -> list[Row]:
    """Each entry with its place. Two queries for all of them."""
    places = ledger.places_of([entry.pk for entry in entries])
    rows = [_row(entry, places.get(entry.pk)) for entry in entries]
    return _with_subjects(rows)


def row_of(entry: LedgerEntry) -> Row:
    return rows_of([entry])[0]


def entry_with(pk: UUID) -> LedgerEntry | None:
    return _related(LedgerEntry.objects.filter(pk=pk)).first()


def _row(entry: LedgerEntry, index: int | None) -> Row:
    """Also of a body that somebody has made unreadable: finding that is for verification, showing it is for us."""
    try:
        body = ledger.body_of(entry)
        facts = {name: value for name, value in body.items() if name not in _IN_COLUMNS}
    except ledger.Unreadable:
        return Row(entry, index, {}, is_readable=False)
    return Row(entry, index, facts)


def _with_subjects(rows: Sequence[Row]) -> list[Row]:
    """The people whose roles or accounts changed, by the label they had; the body names a number."""
    numbers = {row.facts.get("subject") for row in rows if row.entry.action in _ABOUT_PEOPLE}
    labels = _labels(number for number in numbers if isinstance(number, int))
    return [
        Row(row.entry, row.index, row.facts, labels.get(row.facts.get("subject"), ""), row.is_readable) for row in rows
    ]


def _labels(numbers: Iterable[int]) -> dict[Scalar, str]:
    wanted = list(numbers)
    return dict(Actor.objects.filter(pk__in=wanted).values_list("pk", "label")) if wanted else {}


def _said(value: Scalar) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def key_at(place: str) -> UUID | None:
    """The entry that `place` names: its id, or its number in the tree; None where there is none such."""
    key = parse_key(place)
    if key:
        return LedgerEntry.objects.filter(pk=key).values_list("pk", flat=True).first()
    digits = place.replace(",", "").replace(" ", "")
    # Longer numbers are beyond what the database counts.
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    return _key_numbered(int(digits))


def _key_numbered(index: int) -> UUID | None:
    batch = LeafBatch.objects.filter(first_index__lte=index).order_by("-first_index").first()
    if batch is None or index >= batch.first_index + batch.count:
        return None
    at = (index - batch.first_index) * _KEY_BYTES
    return UUID(bytes=bytes(batch.entry_ids)[at : at + _KEY_BYTES])
