"""Closing a finding on a person's word, where Microsoft can no longer be told."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from recordings import permissions, services
from recordings.forms import AttestForm
from recordings.models import Finding
from recordings.services import CannotAttest
from recordings.views.access import needs
from recordings.views.acting import requester


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.ATTEST)
def attest_finding(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    finding = get_object_or_404(Finding.objects.select_related("call", "resolved_by"), pk=pk, call__isnull=False)
    assert finding.call is not None
    form = AttestForm(request.POST or None)
    refused = ""
    if request.method == "POST" and form.is_valid():
        try:
            services.attest(finding, by=requester(request), now=now, **form.cleaned_data)
        except CannotAttest as refusal:
            refused = str(refusal)
        else:
            messages.success(request, "The finding is closed on your word. What Teams was told was not changed.")
            return redirect("call_detail", finding.call.graph_id)
    context = {
        "now": now,
        "finding": finding,
        "call": finding.call,
        "explained": finding.explained(finding.facts(), now=now),
        "form": form,
        "refused": refused,
    }
    return render(request, "recordings/attest_finding.html", context, status=422 if request.method == "POST" else 200)
