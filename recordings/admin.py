"""The admin: every row of the domain to be read, none to be changed; users and groups for who keeps them.

Reading asks the same role as the site does, superuser or not. Lists are bounded: they count and sort no table.
"""

from collections.abc import Callable
from typing import ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.paginator import Paginator
from django.db import models
from django.forms import CheckboxSelectMultiple
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import Truncator

from recordings import ledger, permissions
from recordings.models import (
    Actor,
    Attempt,
    AttemptResult,
    Call,
    CallQuerySet,
    Delivery,
    Finding,
    LedgerEntry,
    Operation,
    Recorder,
    StatusChange,
)

LONGEST_LIST = 1000
# The facts of a ledger entry that say in a list what it is about, and why it was done.
_SAY_WHAT = ("requested_status", "status", "outcome", "rule", "resolution", "what", "file", "role", "recorder_name")
_SAY_WHY = ("reason", "why", "result_message", "root_cause", "evidence")

admin.site.site_title = "On Record"
admin.site.site_header = "On Record, admin"
admin.site.index_title = "Stored rows"


class BoundedPaginator(Paginator):
    """Counts to LONGEST_LIST and no further, so that no list ever counts a whole table."""

    object_list: models.QuerySet

    @cached_property
    def count(self) -> int:
        return self.object_list[:LONGEST_LIST].count()


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only their own room may write (invariant 2): the admin shows them and nothing else."""

    paginator = BoundedPaginator
    list_per_page = 50
    show_full_result_count = False
    sortable_by = ()
    ordering: ClassVar[tuple[str, ...]] = ("-id",)
    hidden: ClassVar[tuple[str, ...]] = ()
    actions: tuple[str, ...] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return permissions.may(request.user, permissions.LOOK)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return permissions.may(request.user, permissions.LOOK)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list:
        """Every column, hashes as hex. `hidden` ones never leave."""
        columns = (field for field in self.opts.concrete_fields if field.name not in self.hidden)
        return [_hex(field.name) if isinstance(field, models.BinaryField) else field.name for field in columns]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list:
        return self.get_fields(request, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Nothing is changed here, so Django's own history would always be empty, which is misleading."""
        raise Http404("The history of a call is on its own page.")


def _hex(name: str) -> Callable[[models.Model], str]:
    @admin.display(description=name.replace("_", " "))
    def shown(row: models.Model) -> str:
        return bytes(getattr(row, name)).hex()

    return shown


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
        return super().change_view(request, object_id, form_url, (extra_context or {}) | may_correct)

    def view_on_site(self, call: Call) -> str:
        return reverse("call_detail", args=[call.graph_id])


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnlyAdmin):
    list_display = ("id", "call", "field", "old", "new", "source", "actor", "occurred_at")
    list_select_related = ("call", "actor")
    search_fields = ("id__exact", "call__graph_id__exact")


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ("id", "call", "requested_status", "status", "requested_by", "approved_by", "requested_at")
    list_select_related = ("call", "requested_by", "approved_by")
    list_filter = ("status",)
    search_fields = ("id__exact", "graph_operation_id__exact", "client_context__exact", "call__graph_id__exact")


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ("id", "operation", "number", "is_repeat", "client_request_id", "started_at")
    list_select_related = ("operation",)
    search_fields = ("id__exact", "client_request_id__exact", "operation__id__exact")


@admin.register(AttemptResult)
class AttemptResultAdmin(ReadOnlyAdmin):
    list_display = ("id", "attempt", "outcome", "http_status", "error_code", "request_id", "recorded_at")
    list_select_related = ("attempt",)
    search_fields = ("id__exact", "request_id__exact")


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    list_display = ("id", "call", "rule", "severity", "opened_at", "resolved_at", "resolution")
    list_select_related = ("call",)
    search_fields = ("call__graph_id__exact",)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """What changed and why stand in the body alone, which is the truth."""

    list_display = ("short_id", "action", "what", "why", "actor", "call", "occurred_at")
    list_select_related = ("actor", "call")
    list_filter = ("action",)
    search_fields = ("id__exact", "call__graph_id__exact")

    @admin.display(description="id")
    def short_id(self, entry: LedgerEntry) -> str:
        return f"{str(entry.pk)[:8]}…{str(entry.pk)[-4:]}"

    @admin.display(description="what")
    def what(self, entry: LedgerEntry) -> str:
        body = ledger.body_of(entry)
        if "old" in body:
            return f"{body['field']}: {body['old'] or 'nothing'} → {body['new'] or 'nothing'}"
        return ", ".join(str(body[name]) for name in _SAY_WHAT if body.get(name) not in (None, ""))

    @admin.display(description="reason")
    def why(self, entry: LedgerEntry) -> str:
        body = ledger.body_of(entry)
        return Truncator(" · ".join(str(body[name]) for name in _SAY_WHY if body.get(name))).chars(120)


@admin.register(Actor)
class ActorAdmin(ReadOnlyAdmin):
    list_display = ("label", "kind", "subject_id")


@admin.register(Recorder)
class RecorderAdmin(ReadOnlyAdmin):
    list_display = ("name", "created_at", "disabled_at", "last_word_at")
    ordering = ("name",)
    search_fields = ("name__exact",)
    hidden = ("token_hash",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("id", "source", "message_id", "received_at")


class ForSuperusers(admin.ModelAdmin):
    """Who may sign in and with which role is the business of superusers alone. Many of a few are checkboxes."""

    filter_horizontal = ()
    formfield_overrides = {models.ManyToManyField: {"widget": CheckboxSelectMultiple}}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_active and request.user.is_superuser


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class PeopleAdmin(ForSuperusers, UserAdmin):
    """People are disabled, never deleted: the ledger goes on naming them (invariant 6). Rights come by roles only."""

    list_display = ("username", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "last_login")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Role",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "groups"),
                "description": "To end a person's access, take away “Active”. Nobody is ever deleted here, because "
                "the record goes on naming them. Being a superuser does not allow anybody to correct or approve.",
            },
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(Group)
class RolesAdmin(ForSuperusers, GroupAdmin):
    """Groups. Those that are a role keep their name and stay; others can go, one at a time."""

    filter_horizontal = ()

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return isinstance(obj, Group) and not _is_role(obj) and _is_superuser(request)

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> tuple[str, ...]:
        return ("name",) if isinstance(obj, Group) and _is_role(obj) else ()


def _is_role(group: Group) -> bool:
    return group.name in permissions.ROLES
