"""The ledger's seals: the list, one of them, and each checkpoint as the text that is signed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from recordings import permissions
from recordings.ledger import verifier_key
from recordings.models import Receipt, Seal
from recordings.views.access import needs

PAGE_SIZE = 50


@dataclass(frozen=True)
class SealRow:
    """A seal with the entries it was the first to cover, `first` to `last`, and who has its checkpoint."""

    seal: Seal
    first: int
    witnesses: Sequence[Receipt]

    @property
    def last(self) -> int:
        return self.seal.size - 1

    @property
    def root(self) -> str:
        return bytes(self.seal.root_hash).hex()

    @property
    def verifier_key(self) -> str:
        return verifier_key(self.seal.key.name, bytes(self.seal.key.public_key))


@require_safe
@needs(permissions.LOOK)
def seal_list(request: HttpRequest) -> HttpResponse:
    before = _size(request.GET.get("before", ""))
    found = Seal.objects.select_related("key").order_by("-size")
    seals = list((found.filter(size__lt=before) if before is not None else found)[: PAGE_SIZE + 1])
    rows = _rows(seals)[:PAGE_SIZE]
    context = {
        "now": timezone.now(),
        "rows": rows,
        "is_first": before is None,
        "older_url": f"{reverse('seal_list')}?before={rows[-1].seal.size}" if len(seals) > PAGE_SIZE else "",
    }
    return render(request, "recordings/seal_list.html", context)


def _size(text: str) -> int | None:
    """Longer numbers are beyond what the database counts."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _rows(seals: Sequence[Seal]) -> list[SealRow]:
    """Newest first; each begins where the next one in the list ends. One query for the receipts of all of them."""
    receipts: dict[int, list[Receipt]] = {seal.size: [] for seal in seals}
    for receipt in Receipt.objects.filter(seal__in=seals).order_by("witness"):
        receipts[receipt.seal_id].append(receipt)
    starts = [seal.size for seal in seals[1:]]
    return [
        SealRow(seal, first, receipts[seal.size])
        for seal, first in zip(seals, [*starts, _start_of(seals)], strict=False)
    ]


def _start_of(seals: Sequence[Seal]) -> int:
    """Where the last of these seals begins: at the end of the one before it."""
    if not seals:
        return 0
    before = Seal.objects.filter(size__lt=seals[-1].size).order_by("-size").values_list("size", flat=True).first()
    return before or 0


@require_safe
@needs(permissions.LOOK)
def seal_detail(request: HttpRequest, size: int) -> HttpResponse:
    seal = _seal(size)
    return render(request, "recordings/seal_detail.html", {"now": timezone.now(), "row": _rows([seal])[0]})


@require_safe
@needs(permissions.LOOK)
def seal_checkpoint(request: HttpRequest, size: int) -> HttpResponse:
    return _note(_seal(size), download=True)


@require_safe
@needs(permissions.LOOK)
def ledger_checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest checkpoint, byte for byte as witnesses get it."""
    newest = Seal.objects.order_by("-size").first()
    if newest is None:
        words = "Nothing is sealed yet, so there is no checkpoint.\n"
        return HttpResponse(words, status=404, content_type="text/plain; charset=utf-8")
    return _note(newest)


def _note(seal: Seal, *, download: bool = False) -> HttpResponse:
    response = HttpResponse(seal.checkpoint.encode(), content_type="text/plain; charset=utf-8")
    if download:
        response["Content-Disposition"] = f'attachment; filename="{seal.size}.checkpoint"'
    return response


def _seal(size: int) -> Seal:
    seal = Seal.objects.select_related("key").filter(size=size).first() if size < 2**63 else None
    if seal is None:
        raise Http404
    return seal
