"""What people do with a finding: one address for each step. A refused step shows the page again and says why."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from recordings import permissions, services
from recordings.forms import AssignForm, CommentForm, ResolveForm, SnoozeForm, WakeForm
from recordings.models import Finding
from recordings.services import NotHandled, handling
from recordings.views.access import needs
from recordings.views.acting import requester
from recordings.views.finding_page import Forms, finding_page, seen_assignee, seen_cause, seen_snooze
from recordings.views.findings import finding_named
from recordings.views.parts import asks_for_part

type Words = dict[str, Any]

ASLEEP = "The finding is put off until {until:%Y-%m-%d %H:%M} UTC."


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.HANDLE)
def acknowledge_finding(request: HttpRequest, pk: int) -> HttpResponse:
    def step(finding: Finding, words: Words, now: datetime) -> str:
        services.acknowledge(finding, by=requester(request), now=now)
        return "You have acknowledged the finding."

    return _take(request, pk, "", forms.Form, step)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.HANDLE)
def assign_finding(request: HttpRequest, pk: int) -> HttpResponse:
    def step(finding: Finding, words: Words, now: datetime) -> str:
        _check_seen(words, seen_assignee(finding), handling.assigned_meanwhile(finding))
        given = services.assign(finding, to=words["to"], by=requester(request), now=now)
        return f"The finding is assigned to {given.assignee.get_username() if given.assignee else 'nobody'}."

    return _take(request, pk, "assign", AssignForm, step)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.HANDLE)
def comment_finding(request: HttpRequest, pk: int) -> HttpResponse:
    def step(finding: Finding, words: Words, now: datetime) -> str:
        services.comment(finding, text=words["text"], by=requester(request), now=now)
        return "Your comment is in the ledger."

    return _take(request, pk, "comment", CommentForm, step)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.HANDLE)
def snooze_finding(request: HttpRequest, pk: int) -> HttpResponse:
    """Put it off, or, with `wake`, wake it."""
    is_waking = "wake" in request.POST

    def step(finding: Finding, words: Words, now: datetime) -> str:
        _check_seen(words, seen_snooze(finding), handling.snoozed_meanwhile(finding, now=now))
        until, reason = words.get("until"), words.get("reason", "")
        services.snooze(finding, until=until, reason=reason, by=requester(request), now=now)
        return ASLEEP.format(until=until) if until else "The finding is awake again."

    return _take(request, pk, "snooze", WakeForm if is_waking else SnoozeForm, step)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(permissions.HANDLE)
def resolve_finding(request: HttpRequest, pk: int) -> HttpResponse:
    def step(finding: Finding, words: Words, now: datetime) -> str:
        _check_seen(words, seen_cause(finding), handling.named_meanwhile(finding))
        closed = services.resolve(
            finding, root_cause=words["root_cause"], reason=words["reason"], by=requester(request), now=now
        )
        by_itself = closed.resolved_at != now
        return "Its root cause is named; it had closed by itself." if by_itself else "The finding is closed."

    return _take(request, pk, "resolve", ResolveForm, step)


def _check_seen(words: Words, is_now: str, refusal: str) -> None:
    """Refuse what was decided on a page that showed something else; a form that says nothing of it passes."""
    if words["seen"] and words["seen"] != is_now:
        raise NotHandled(refusal)


def _take(
    request: HttpRequest,
    pk: int,
    name: str,
    form_class: type[forms.Form],
    step: Callable[[Finding, Words, datetime], str],
) -> HttpResponse:
    """Take one step with the words of the form that the page calls `name`. A GET, as after signing in, takes none."""
    if request.method != "POST":
        return redirect("finding_detail", pk=pk)
    now, finding, form = timezone.now(), finding_named(pk), form_class(request.POST)
    if not form.is_valid():
        return _refused(request, pk, name, form, now=now)
    try:
        said = step(finding, form.cleaned_data, now)
    except NotHandled as refusal:
        return _refused(request, pk, name, form, now=now, refusal=str(refusal))
    messages.success(request, said)
    if not asks_for_part(request):
        return redirect("finding_detail", pk=pk)
    page = finding_page(finding_named(pk), now=now)
    context = {"page": page, "finding": page.finding, "now": now, "said": said}
    return render(request, "recordings/finding_detail.html#after", context)


def _refused(
    request: HttpRequest, pk: int, name: str, form: forms.Form, *, now: datetime, refusal: str = ""
) -> HttpResponse:
    known = Forms(**{name: form}) if name and not isinstance(form, WakeForm) else Forms()
    page = finding_page(finding_named(pk), now=now, forms=known, refusal=refusal)
    part = "#whole" if asks_for_part(request) else ""
    context = {"page": page, "finding": page.finding, "now": now}
    return render(request, f"recordings/finding_detail.html{part}", context, status=422)
