"""The days of a list, UTC; `from` and `to` in an address."""

from datetime import UTC, date, datetime, time
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet


class StartOfDay(django_filters.DateFilter):
    """From this day on, UTC."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__gte": utc(value, time.min)}) if value else qs


class EndOfDay(django_filters.DateFilter):
    """Up to this day and with it, UTC."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__lte": utc(value, time.max)}) if value else qs


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


def utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=UTC)
