"""The filter of the list of corrections."""

import django_filters
from django.db.models import Q, QuerySet

from recordings.choices import FINAL_STATUSES, LIVE_STATUSES, SENDABLE_STATUSES, OperationStatus
from recordings.filters.days import EndOfDay, PeriodFilterSet, PeriodForm, StartOfDay
from recordings.filters.ids import id_is
from recordings.models import AttemptResult, Call, Operation
from recordings.models.keys import parse_key


class OperationFilter(PeriodFilterSet):
    """`?q=&status=&wish=&phase=live|waiting|final&requester=&from=&to=`"""

    q = django_filters.CharFilter(method="by_words", max_length=128, label="Search")
    status = django_filters.ChoiceFilter(choices=OperationStatus.choices, label="Status", empty_label="Any")
    wish = django_filters.ChoiceFilter(
        field_name="requested_status",
        choices=[(status.value, status.label) for status in SENDABLE_STATUSES],
        label="Asked for",
        empty_label="Any",
    )
    phase = django_filters.ChoiceFilter(
        method="by_phase",
        choices=[("live", "In progress"), ("waiting", "Waiting for approval"), ("final", "Finished")],
        label="Phase",
        empty_label="Any",
    )
    requester = django_filters.CharFilter(field_name="requested_by__label", max_length=255, label="Asked by")

    class Meta:
        model = Operation
        form = PeriodForm
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        days = {
            "from": StartOfDay(field_name="requested_at", label="From"),
            "to": EndOfDay(field_name="requested_at", label="To"),
        }
        return {**super().get_filters(), **days}

    def by_words(self, queryset: QuerySet[Operation], name: str, value: str) -> QuerySet[Operation]:
        """An id of the correction, of its call, or one that Microsoft gave to one of its tries; or its beginning."""
        words = value.strip()
        calls = Call.objects.filter(id_is("graph_id", words))
        results = AttemptResult.objects.filter(id_is("request_id", words))
        match = (
            id_is("client_context", words)
            | id_is("client_context", f"onrecord:{words}")
            | id_is("graph_operation_id", words)
            | Q(call__in=calls.values("pk"))
            | Q(pk__in=results.values("attempt__operation"))
        )
        key = parse_key(words.removeprefix("onrecord:"))
        return queryset.filter(match | Q(pk=key) if key else match)

    def by_phase(self, queryset: QuerySet[Operation], name: str, value: str) -> QuerySet[Operation]:
        statuses = {"live": LIVE_STATUSES, "waiting": (OperationStatus.AWAITING_APPROVAL,), "final": FINAL_STATUSES}
        return queryset.filter(status__in=statuses[value])
