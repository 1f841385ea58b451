"""The filter of the list of calls."""

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from recordings.choices import CallState, CaptureState, RecordingStatus
from recordings.filters.days import EndOfDay, PeriodFilterSet, PeriodForm, StartOfDay
from recordings.filters.ids import id_is, is_id
from recordings.models import Call, Recorder

# How the title of a call without a subject begins.
_CALL_OF = "call of "

CALL_STATES = [(state.value, state.label) for state in CallState if state != CallState.UNKNOWN]


class CallFilter(PeriodFilterSet):
    """`?q=&chain=&scenario=&state=&told=&captured=&stuck=1&phase=open|ended&recorder=&from=&to=`"""

    q = django_filters.CharFilter(method="by_words", max_length=128, label="Search")
    chain = django_filters.CharFilter(field_name="call_chain_id", max_length=128, label="Call chain")
    scenario = django_filters.CharFilter(field_name="scenario_id", max_length=128, label="Scenario")
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
        form = PeriodForm
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
        """An id (call, call chain, scenario, recorded person) or its beginning, or a part of the call's title."""
        words = value.strip()
        if is_id(words):
            columns = ("graph_id", "call_chain_id", "scenario_id", "recorded_user_id")
            return queryset.filter(Q(*(id_is(column, words) for column in columns), _connector=Q.OR))
        if words.lower().startswith(_CALL_OF):
            words = words[len(_CALL_OF) :]
        return queryset.filter(
            Q(subject__icontains=words) | Q(recorded_user_name__icontains=words) | Q(organizer_name__icontains=words)
        )

    def only_stuck(self, queryset: QuerySet[Call], name: str, value: bool) -> QuerySet[Call]:
        """Stuck means: has an open finding. A subquery, so that order and pages stay those of the calls."""
        return queryset.filter(pk__in=Call.objects.stuck().values("pk")) if value else queryset

    def by_phase(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        if value == "open":
            return queryset.filter(ended_at__isnull=True, gone_at__isnull=True)
        return queryset.exclude(ended_at__isnull=True, gone_at__isnull=True)
