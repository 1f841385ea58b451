"""Asking for the evidence pack of a call or a finding. The worker makes it; it waits among the exports."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from recordings import exports, permissions
from recordings.exports import BadFilter, Subject, WantedPack
from recordings.forms import EvidencePackForm
from recordings.models import Call, Seal
from recordings.views.access import needs
from recordings.views.acting import requester
from recordings.views.findings import finding_named


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.EXPORT)
def call_pack(request: HttpRequest, graph_id: str) -> HttpResponse:
    return _pack(request, Subject(get_object_or_404(Call, graph_id=graph_id)))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.EXPORT)
def finding_pack(request: HttpRequest, pk: int) -> HttpResponse:
    finding = finding_named(pk)
    return _pack(request, Subject(finding.call, finding))


def _pack(request: HttpRequest, subject: Subject) -> HttpResponse:
    if request.method != "POST":
        asked = {"reason": "", "checkpoint": request.GET.get("checkpoint", "")}
        return _page(request, subject, EvidencePackForm(initial=asked))
    form = EvidencePackForm(request.POST)
    if not form.is_valid():
        return _page(request, subject, form, status=422)
    by, words = requester(request), form.cleaned_data
    wish = WantedPack(subject, words["reason"], words["checkpoint"])
    try:
        exports.request_pack(wish, actor=by.actor, user=by.user, now=timezone.now())
    except BadFilter as problem:
        return _page(request, subject, form, refused=str(problem), status=422)
    messages.success(request, "The evidence pack is in line. It appears here once it is made; you can leave this page.")
    return redirect("export_list")


def _page(
    request: HttpRequest, subject: Subject, form: EvidencePackForm, *, refused: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "now": timezone.now(),
        "subject": subject,
        "form": form,
        "refused": refused,
        "newest": Seal.objects.order_by("-size").first(),
        "longest_reason": exports.LONGEST_REASON,
    }
    return render(request, "recordings/pack_new.html", context, status=status)
