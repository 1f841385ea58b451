"""The filters of the lists; the CSV exports take the same ones, so that people get what they see.

A word that is not understood is an error of its field, never a filter that silently lets everything through.
"""

import re
from datetime import UTC, date, datetime, time
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from recordings.choices import FINAL_STATUSES, LIVE_STATUSES, CallState, CaptureState, OperationStatus, RecordingStatus
from recordings.models import Call, Operation, Recorder
from recordings.models.keys import parse_key

# What looks like an id is asked for whole, which an index serves; anything else is part of a name.
_LIKE_AN_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9_:-]{6,128}")

CALL_STATES = [(state.value, state.label) for state in CallState if state != CallState.UNKNOWN]


class StartOfDay(django_filters.DateFilter):
    """From this day on, UTC."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__gte": _utc(value, time.min)}) if value else qs


class EndOfDay(django_filters.DateFilter):
    """Up to this day and with it, UTC."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__lte": _utc(value, time.max)}) if value else qs


class CallFilter(django_filters.FilterSet):
    """`?q=&state=&told=&captured=&stuck=1&phase=open|ended&recorder=&from=&to=`"""

    q = django_filters.CharFilter(method="by_words", max_length=128, label="Search")
    state = django_filters.ChoiceFilter(choices=CALL_STATES, label="Call state", empty_label="Any")
    told = django_filters.ChoiceFilter(
        field_name="recording_status", choices=RecordingStatus.choices, label="Told to Teams", empty_label="Any"
    )
    captured = django_filters.ChoiceFilter(
        field_name="capture_state", choices=CaptureState.choices, label="Captured", empty_label="Any"
    )
    stuck = django_filters.BooleanFilter(method="only_stuck", widget=forms.CheckboxInput, label="Stuck only")
    phase = django_filters.ChoiceFilter(
        method="by_phase", choices=[("open", "In progress"), ("ended", "Ended")], label="Phase", empty_label="Any"
    )
    recorder = django_filters.ModelChoiceFilter(
        queryset=Recorder.objects.all(), to_field_name="name", label="Recorder", empty_label="Any"
    )

    class Meta:
        model = Call
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        """`from` is a word of Python's, so the two days are added by name."""
        days = {
            "from": StartOfDay(field_name="created_at", label="From"),
            "to": EndOfDay(field_name="created_at", label="To"),
        }
        return {**super().get_filters(), **days}

    def by_words(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        """An id (call, call chain, scenario, recorded person), or a part of a recorded name."""
        words = value.strip()
        if not _LIKE_AN_ID.fullmatch(words):
            return queryset.filter(recorded_user_name__icontains=words)
        return queryset.filter(
            Q(graph_id=words) | Q(call_chain_id=words) | Q(scenario_id=words) | Q(recorded_user_id=words)
        )

    def only_stuck(self, queryset: QuerySet[Call], name: str, value: bool) -> QuerySet[Call]:
        """Stuck means: has an open finding. A subquery, so that order and pages stay those of the calls."""
        return queryset.filter(pk__in=Call.objects.stuck().values("pk")) if value else queryset

    def by_phase(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        if value == "open":
            return queryset.filter(ended_at__isnull=True, gone_at__isnull=True)
        return queryset.exclude(ended_at__isnull=True, gone_at__isnull=True)


class OperationFilter(django_filters.FilterSet):
    """`?q=&status=&wish=&phase=live|waiting|final&requester=&from=&to=`"""

    q = django_filters.CharFilter(method="by_words", max_length=128, label="Search")
    status = django_filters.ChoiceFilter(choices=OperationStatus.choices, label="Status", empty_label="Any")
    wish = django_filters.ChoiceFilter(
        field_name="requested_status", choices=RecordingStatus.choices, label="Asked for", empty_label="Any"
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
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        days = {
            "from": StartOfDay(field_name="requested_at", label="From"),
            "to": EndOfDay(field_name="requested_at", label="To"),
        }
        return {**super().get_filters(), **days}

    def by_words(self, queryset: QuerySet[Operation], name: str, value: str) -> QuerySet[Operation]:
        """An id of the correction, of its call, or one that Microsoft gave to one of its tries."""
        words = value.strip()
        match = (
            Q(client_context=words)
            | Q(graph_operation_id=words)
            | Q(call__graph_id=words)
            | Q(pk__in=Operation.objects.filter(attempts__result__request_id=words).values("pk"))
        )
        key = parse_key(words.removeprefix("onrecord:"))
        return queryset.filter(match | Q(pk=key) if key else match)

    def by_phase(self, queryset: QuerySet[Operation], name: str, value: str) -> QuerySet[Operation]:
        statuses = {"live": LIVE_STATUSES, "waiting": (OperationStatus.AWAITING_APPROVAL,), "final": FINAL_STATUSES}
        return queryset.filter(status__in=statuses[value])


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=UTC)
