"""Who acts and speaks, what was taken in, and what stands beside the calls."""

from django.contrib import admin

from recordings.admin.read_only import ReadOnlyAdmin
from recordings.models import Actor, Beat, BlindSpot, Delivery, Recorder, RequestBudget, Tenant


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


@admin.register(Tenant)
class TenantAdmin(ReadOnlyAdmin):
    list_display = ("tenant_id", "blocked_at", "blocked_code", "blocked_message", "served_at")
    search_fields = ("tenant_id__exact",)


@admin.register(BlindSpot)
class BlindSpotAdmin(ReadOnlyAdmin):
    list_display = ("id", "recorder", "from_at", "until_at", "why")
    list_select_related = ("recorder",)


@admin.register(Beat)
class BeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "beat_at")


@admin.register(RequestBudget)
class RequestBudgetAdmin(ReadOnlyAdmin):
    list_display = ("name", "tokens", "refilled_at", "closed_until")
