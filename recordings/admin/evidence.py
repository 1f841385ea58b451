"""Calls, what changed of them, what was found, and the ledger."""

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator

from recordings import ledger, permissions
from recordings.admin.read_only import ReadOnlyAdmin
from recordings.models import Call, CallQuerySet, EvidenceFile, Finding, LedgerEntry, StatusChange

# The facts of a ledger entry that say in a list what it is about, and why it was done.
_SAY_WHAT = ("requested_status", "status", "outcome", "rule", "resolution", "what", "file", "role", "recorder_name")
_SAY_WHY = ("reason", "why", "result_message", "root_cause", "evidence")


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    list_display = ("graph_id", "title", "state", "captured", "told", "recorder", "created_at")
    list_select_related = ("recorder",)
    ordering = ("-created_at", "-id")
    search_fields = ("graph_id__exact", "call_chain_id__exact", "scenario_id__exact", "recorded_user_id__exact")
    actions = ("correct_status",)

    @admin.display(description="captured")
    def captured(self, call: Call) -> str:
        return call.capture_look.label

    @admin.display(description="told to Teams")
    def told(self, call: Call) -> str:
        return call.told_look.label

    def has_correct_permission(self, request: HttpRequest) -> bool:
        return permissions.may(request.user, permissions.CORRECT)

    @admin.action(description="Correct the recording status…", permissions=["correct"])
    def correct_status(self, request: HttpRequest, queryset: CallQuerySet) -> HttpResponse | None:
        """Lead to the one form that corrects; the admin itself sends nothing."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            why = "Select one call at a time for now. Nothing was sent."
            self.message_user(request, why, messages.WARNING)
            return None
        return redirect("correct_call", graph_id=chosen[0].graph_id)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        may_correct = {"may_correct": self.has_correct_permission(request)}
        response = super().change_view(request, object_id, form_url, (extra_context or {}) | may_correct)
        if call := self.get_object(request, object_id):
            assert isinstance(request.user, User)
            ledger.note_call_read(call, user=request.user, now=timezone.now())
        return response

    def view_on_site(self, call: Call) -> str:
        return reverse("call_detail", args=[call.graph_id])


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnlyAdmin):
    is_history = True
    list_display = ("id", "call", "field", "old", "new", "source", "actor", "occurred_at")
    list_select_related = ("call", "actor")
    search_fields = ("id__exact", "call__graph_id__exact")


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    is_history = True
    list_display = ("id", "about", "rule", "severity", "assignee", "opened_at", "resolved_at", "resolution")
    list_select_related = ("call", "recorder", "tenant", "assignee")
    search_fields = ("call__graph_id__exact", "recorder__name__exact", "tenant__tenant_id__exact")

    @admin.display(description="about")
    def about(self, finding: Finding) -> str:
        return finding.subject_name

    def view_on_site(self, finding: Finding) -> str:
        return reverse("finding_detail", args=[finding.pk])


@admin.register(EvidenceFile)
class EvidenceFileAdmin(ReadOnlyAdmin):
    """The bytes leave by the finding's page only, as a download."""

    list_display = ("id", "name", "size_bytes", "sha256", "added_by", "added_at")
    list_select_related = ("added_by",)
    search_fields = ("id__exact", "sha256__exact")
    hidden = ("content",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).defer("content")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """What changed and why stand in the body alone, which is the truth."""

    is_history = True
    list_display = ("short_id", "action", "what", "why", "actor", "call", "occurred_at")
    list_select_related = ("actor", "call")
    list_filter = ("action",)
    search_fields = ("id__exact", "call__graph_id__exact")

    @admin.display(description="id")
    def short_id(self, entry: LedgerEntry) -> str:
        return f"{str(entry.pk)[:8]}…{str(entry.pk)[-4:]}"

    @admin.display(description="what")
    def what(self, entry: LedgerEntry) -> str:
        body = ledger.facts_in(entry)
        if not body:
            return "Its text cannot be read: somebody changed it. Have the ledger verified."
        if "old" in body:
            return f"{body.get('field')}: {body['old'] or 'nothing'} → {body.get('new') or 'nothing'}"
        return ", ".join(str(body[name]) for name in _SAY_WHAT if body.get(name) not in (None, ""))

    @admin.display(description="reason")
    def why(self, entry: LedgerEntry) -> str:
        body = ledger.facts_in(entry)
        return Truncator(" · ".join(str(body[name]) for name in _SAY_WHY if body.get(name))).chars(120)
