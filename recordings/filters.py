"""The filters of the lists; the CSV exports take the same ones, so that people get what they see.

A word that is not understood is an error of its field, never a filter that silently lets everything through.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from recordings import permissions
from recordings.choices import (
    FINAL_STATUSES,
    LIVE_STATUSES,
    SENDABLE_STATUSES,
    CallState,
    CaptureState,
    LedgerAction,
    OperationStatus,
    RecordingStatus,
    Rule,
    Severity,
    Subject,
)
from recordings.models import Actor, AttemptResult, Call, Finding, FindingQuerySet, LedgerEntry, Operation, Recorder
from recordings.models.keys import parse_key

# What looks like an id is asked for whole or from its beginning, which indexes serve; anything else is part of a name.
_LIKE_AN_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9_:-]{6,128}")
# As the pages show it: the beginning and the end of an id.
_SHORT_ID = re.compile(r"([A-Za-z0-9_:-]{8,64})(?:\N{HORIZONTAL ELLIPSIS}|\.\.\.)([A-Za-z0-9_:-]{1,64})")
_BEGINNING = re.compile(r"[A-Za-z0-9_:-]{8,128}")
# How the title of a call without a subject begins.
_CALL_OF = "call of "
_A_DAY, _EPOCH = timedelta(days=1), datetime(1970, 1, 1, tzinfo=UTC)

CALL_STATES = [(state.value, state.label) for state in CallState if state != CallState.UNKNOWN]


class StartOfDay(django_filters.DateFilter):
    """From this day on, UTC."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__gte": _utc(value, time.min)}) if value else qs


class EndOfDay(django_filters.DateFilter):
    """Up to this day and with it, UTC."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__lte": _utc(value, time.max)}) if value else qs


class PeriodForm(forms.Form):
    """The form of a filter with two days."""

    def clean(self) -> dict[str, Any]:
        words: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = words.get("from"), words.get("to")
        if since and until and since > until:
            raise forms.ValidationError("From is after To, so nothing is listed. Change one of the two days.")
        return words


class PeriodFilterSet(django_filters.FilterSet):
    """Lists nothing where the words contradict each other: no row fits them all."""

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.form.non_field_errors():
            return queryset.none()
        found: QuerySet[Any] = super().filter_queryset(queryset)
        return found


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
        if _is_id(words):
            columns = ("graph_id", "call_chain_id", "scenario_id", "recorded_user_id")
            return queryset.filter(Q(*(_id_is(column, words) for column in columns), _connector=Q.OR))
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
        calls = Call.objects.filter(_id_is("graph_id", words))
        results = AttemptResult.objects.filter(_id_is("request_id", words))
        match = (
            _id_is("client_context", words)
            | _id_is("client_context", f"onrecord:{words}")
            | _id_is("graph_operation_id", words)
            | Q(call__in=calls.values("pk"))
            | Q(pk__in=results.values("attempt__operation"))
        )
        key = parse_key(words.removeprefix("onrecord:"))
        return queryset.filter(match | Q(pk=key) if key else match)

    def by_phase(self, queryset: QuerySet[Operation], name: str, value: str) -> QuerySet[Operation]:
        statuses = {"live": LIVE_STATUSES, "waiting": (OperationStatus.AWAITING_APPROVAL,), "final": FINAL_STATUSES}
        return queryset.filter(status__in=statuses[value])


class FindingFilter(django_filters.FilterSet):
    """`?phase=mine|asleep|closed&severity=&rule=&subject=&assignee=`"""

    # Which findings a phase holds depends on the reader and the time: in_phase.
    phase = django_filters.ChoiceFilter(
        method="all_phases",
        choices=[("mine", "Mine"), ("asleep", "Put off"), ("closed", "Closed")],
        label="Phase",
        empty_label="Open",
    )
    severity = django_filters.ChoiceFilter(choices=Severity.choices, label="Severity", empty_label="Any")
    rule = django_filters.ChoiceFilter(
        choices=[(rule.value, f"{rule.value} {rule.label}") for rule in Rule], label="Rule", empty_label="Any"
    )
    subject = django_filters.ChoiceFilter(
        method="by_subject", choices=Subject.choices, label="About", empty_label="Anything"
    )
    assignee = django_filters.ModelChoiceFilter(
        queryset=lambda request: permissions.people_who_may(permissions.HANDLE),
        to_field_name="username",
        label="Assigned to",
        empty_label="Anybody",
        null_label="Nobody",
        null_value="(nobody)",
    )

    class Meta:
        model = Finding
        fields: list[str] = []

    def all_phases(self, queryset: QuerySet[Finding], name: str, value: str) -> QuerySet[Finding]:
        return queryset

    def by_subject(self, queryset: QuerySet[Finding], name: str, value: str) -> QuerySet[Finding]:
        return queryset.filter(**{f"{value}__isnull": False})


class SinceDay(StartOfDay):
    """By the moment an entry was recorded; its key, which is of about the same moment, lets an index find it."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return super().filter(qs, value).filter(pk__gte=_key_near(_utc(value, time.min), -_A_DAY)) if value else qs


class UntilDay(EndOfDay):
    """The same for the end."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return super().filter(qs, value).filter(pk__lt=_key_near(_utc(value, time.max), _A_DAY)) if value else qs


class LedgerFilter(PeriodFilterSet):
    """`?action=&actor=&call=&from=&to=`; names and ids are looked up first, so that an index serves the entries."""

    action = django_filters.ChoiceFilter(choices=LedgerAction.choices, label="What", empty_label="Anything")
    actor = django_filters.CharFilter(method="by_actor", max_length=255, label="Who")
    call = django_filters.CharFilter(method="by_call", max_length=128, label="Call")

    class Meta:
        model = LedgerEntry
        form = PeriodForm
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        days = {
            "from": SinceDay(field_name="recorded_at", label="From"),
            "to": UntilDay(field_name="recorded_at", label="To"),
        }
        return {**super().get_filters(), **days}

    def by_actor(self, queryset: QuerySet[LedgerEntry], name: str, value: str) -> QuerySet[LedgerEntry]:
        """Everybody who bore this label."""
        return queryset.filter(actor_id__in=list(Actor.objects.filter(label=value).values_list("pk", flat=True)))

    def by_call(self, queryset: QuerySet[LedgerEntry], name: str, value: str) -> QuerySet[LedgerEntry]:
        calls = Call.objects.filter(graph_id=value.strip()).values_list("pk", flat=True)
        return queryset.filter(call_id__in=list(calls))


def in_phase(found: FindingQuerySet, phase: str, *, reader: User | None, now: datetime) -> FindingQuerySet:
    """The findings of one phase; whatever is no phase counts as open."""
    if phase == "closed":
        return found.filter(resolved_at__isnull=False)
    if phase == "mine":
        return found.open().filter(assignee=reader)
    return found.open().asleep(now) if phase == "asleep" else found.open().awake(now)


def words_of(asked: django_filters.FilterSet) -> str:
    """A filter in the words of its page: "Told to Teams: Recording; Stuck only"."""
    form = asked.form
    shown = [(field, form.cleaned_data.get(field.name)) for field in form]
    return "; ".join(_said(field, value) for field, value in shown if value not in (None, "", False))


def _said(field: forms.BoundField, value: Any) -> str:
    label = str(field.label)
    if value is True:
        return label
    of_rows = isinstance(field.field, forms.ModelChoiceField)
    choices = dict(field.field.widget.choices) if isinstance(field.field, forms.ChoiceField) and not of_rows else {}
    return f"{label}: {choices.get(value, value)}"


def _is_id(words: str) -> bool:
    return bool(_LIKE_AN_ID.fullmatch(words) or _SHORT_ID.fullmatch(words))


def _id_is(column: str, words: str) -> Q:
    """The whole id; or, from eight characters on, its beginning, with its end where that was given, too."""
    short = _SHORT_ID.fullmatch(words)
    if short:
        return _begins(column, short[1]) & Q(**{f"{column}__endswith": short[2]})
    return _begins(column, words) if _BEGINNING.fullmatch(words) else Q(**{column: words})


def _begins(column: str, beginning: str) -> Q:
    """As a range, which an index serves whatever its collation; `z` sorts last of all that an id is made of."""
    bounds = {f"{column}__gte": beginning, f"{column}__lte": f"{beginning}{'z' * 128}"}
    return Q(**bounds, **{f"{column}__startswith": beginning})


def _key_near(at: datetime, by: timedelta) -> UUID:
    """The smallest key of that moment, moved by so much, as far as a key can say it."""
    milliseconds = (at - _EPOCH + by) // timedelta(milliseconds=1)
    return UUID(int=min(max(milliseconds, 0), 2**48 - 1) << 80)


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=UTC)
