"""The exports that were asked for: how far they are, their files while they are kept, and ending one."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling

from recordings import exports, permissions
from recordings.choices import ExportFormat, ExportSheet, ExportStatus, Look, look
from recordings.models import Export, Seal
from recordings.models.keys import parse_key
from recordings.views.access import needs
from recordings.views.acting import requester
from recordings.views.parts import is_poll

PAGE_SIZE = 30


@dataclass(frozen=True)
class ExportRow:
    """One line of the list."""

    export: Export
    name: str

    @property
    def sheet_look(self) -> Look:
        return look(ExportSheet, self.export.sheet)

    @property
    def format_look(self) -> Look:
        return look(ExportFormat, self.export.format)

    @property
    def is_ready(self) -> bool:
        return self.export.status == ExportStatus.READY

    @property
    def is_running(self) -> bool:
        return self.export.status == ExportStatus.RUNNING

    @property
    def is_expired(self) -> bool:
        return self.export.status == ExportStatus.EXPIRED

    @property
    def message(self) -> str:
        """Why there is no file; the name of who stopped it, as long as it is not erased, comes from its own row."""
        stopped_by = self.export.stopped_by
        return f"Stopped by {stopped_by.label}." if stopped_by else self.export.message

    @property
    def can_stop(self) -> bool:
        return self.export.finished_at is None

    @property
    def progress_most(self) -> int:
        """What the bar is full at: an estimate, which the rows may have passed."""
        return max(self.export.estimated_rows, self.export.rows, 1)

    @property
    def again_url(self) -> str:
        """The page that asks for the same once more; empty for what that page does not offer."""
        if self.export.sheet not in exports.EVERY_SHEET:
            return ""
        words = f"sheet={self.export.sheet}&{self.export.query}".rstrip("&")
        times = {
            name: f"{at:%Y-%m-%dT%H:%M:%S}Z"
            for name in ("from_at", "until_at", "as_of")
            if (at := getattr(self.export, name))
        }
        more = {**times, "zone": self.export.zone, "format": self.export.format}
        return f"{reverse('export_new')}?{words}&{urlencode(more)}"


@require_safe
@needs(permissions.EXPORT)
def export_list(request: HttpRequest) -> HttpResponse:
    """Everybody's, the newest first: who asked and why is for all who may export."""
    before = parse_key(request.GET.get("before", ""))
    found = list(_page(before))
    rows = [_row(export) for export in found[:PAGE_SIZE]]
    is_under_way = any(row.can_stop for row in rows)
    context = {
        "now": timezone.now(),
        "rows": rows,
        "is_first": before is None,
        "is_under_way": is_under_way,
        "is_sealed": Seal.objects.exists() if is_under_way else True,
        "older_url": f"{reverse('export_list')}?before={rows[-1].export.pk}" if len(found) > PAGE_SIZE else "",
        "poll_url": f"{reverse('export_list')}?{urlencode({**request.GET.dict(), 'poll': '1'})}",
    }
    if not is_poll(request):
        return render(request, "recordings/export_list.html", context)
    response = render(request, "recordings/export_list.html#rows", context)
    if not is_under_way:
        response.status_code = HttpResponseStopPolling.status_code
    return response


def _page(before: UUID | None) -> QuerySet[Export]:
    """By key, which grows with the time of asking; and one more."""
    found = Export.objects.select_related("requested_by", "stopped_by").order_by("-pk")
    return (found.filter(pk__lt=before) if before else found)[: PAGE_SIZE + 1]


def _row(export: Export) -> ExportRow:
    return ExportRow(export, file_name(export))


def file_name(export: Export) -> str:
    return f"{export.sheet}-{export.requested_at:%Y%m%dT%H%M%SZ}.zip"


@require_GET
@needs(permissions.EXPORT)
def export_download(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The file, part by part. Its length is told first, so that a cut one never looks whole."""
    export = get_object_or_404(Export, pk=pk)
    try:
        parts = exports.download(export, by=requester(request).actor, now=timezone.now())
    except exports.NoFile as gone:
        messages.warning(request, str(gone))
        return redirect("export_list")
    response = StreamingHttpResponse(parts, content_type="application/zip")
    response["Content-Length"] = str(export.bytes)
    response["Content-Disposition"] = f'attachment; filename="{file_name(export)}"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@needs(permissions.EXPORT)
def export_stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    export = get_object_or_404(Export, pk=pk)
    if exports.stop_export(export, actor=requester(request).actor, now=timezone.now()):
        messages.success(request, "Stopped. Nothing of it was kept but that it was asked for.")
    else:
        messages.warning(request, "It was over already, so nothing was stopped.")
    return redirect("export_list")
