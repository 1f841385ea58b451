"""Corrections, their tries, and bulk jobs."""

from django.contrib import admin

from recordings.admin.read_only import ReadOnlyAdmin
from recordings.models import Attempt, AttemptResult, BulkItem, BulkJob, Operation


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    is_history = True
    list_display = ("id", "call", "requested_status", "status", "requested_by", "approved_by", "requested_at")
    list_select_related = ("call", "requested_by", "approved_by")
    list_filter = ("status",)
    search_fields = ("id__exact", "graph_operation_id__exact", "client_context__exact", "call__graph_id__exact")


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    is_history = True
    list_display = ("id", "operation", "number", "is_repeat", "client_request_id", "started_at")
    list_select_related = ("operation",)
    search_fields = ("id__exact", "client_request_id__exact", "operation__id__exact")


@admin.register(AttemptResult)
class AttemptResultAdmin(ReadOnlyAdmin):
    is_history = True
    list_display = ("id", "attempt", "outcome", "http_status", "error_code", "request_id", "recorded_at")
    list_select_related = ("attempt",)
    search_fields = ("id__exact", "request_id__exact")


@admin.register(BulkJob)
class BulkJobAdmin(ReadOnlyAdmin):
    is_history = True
    list_display = ("id", "kind", "requested_status", "reason", "requested_by", "started_at", "finished_at")
    list_select_related = ("requested_by",)


@admin.register(BulkItem)
class BulkItemAdmin(ReadOnlyAdmin):
    is_history = True
    list_display = ("id", "job", "call", "status", "message", "finished_at")
    list_select_related = ("job", "call")
    search_fields = ("job__id__exact", "call__graph_id__exact")
