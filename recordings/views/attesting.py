"""Closing a finding on a person's word, where Microsoft can no longer be told."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from recordings import ledger, permissions, services
from recordings.forms import AttestForm
from recordings.models import EvidenceFile
from recordings.services import CannotAttest
from recordings.services.attesting import TOO_LARGE
from recordings.views.access import needs
from recordings.views.acting import person, requester
from recordings.views.findings import finding_named
from recordings.views.uploads import is_cut


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.ATTEST)
def attest_finding(request: HttpRequest, pk: int) -> HttpResponse:
    now, finding, refused = timezone.now(), finding_named(pk), ""
    form = attest_form(request)
    if request.method == "POST" and form.is_valid():
        try:
            services.attest(finding, by=requester(request), now=now, **attest_words(form))
        except CannotAttest as refusal:
            refused, finding = str(refusal), finding_named(pk)
        else:
            messages.success(request, "The finding is closed on your word. What Teams was told was not changed.")
            return redirect("call_detail", finding.call.graph_id) if finding.call else redirect("finding_detail", pk)
    ledger.note_finding_read(finding, user=person(request), now=now)
    context = {
        "now": now,
        "finding": finding,
        "call": finding.call,
        "explained": finding.explained(finding.facts(), now=now) if finding.is_open else None,
        "form": form,
        "refused": refused,
        "largest_bytes": EvidenceFile.LARGEST_BYTES,
    }
    return render(request, "recordings/attest_finding.html", context, status=422 if request.method == "POST" else 200)


def attest_form(request: HttpRequest) -> AttestForm:
    """The form as it was sent. A file that was not read to its end was too large."""
    if request.method != "POST":
        return AttestForm()
    form = AttestForm(request.POST, request.FILES)
    if is_cut(request):
        form.add_error("file", TOO_LARGE)
    return form


def attest_words(form: AttestForm) -> dict[str, Any]:
    words = dict(form.cleaned_data)
    file = words.pop("file")
    return {**words, "file": (file.name, file.read()) if file else None}
