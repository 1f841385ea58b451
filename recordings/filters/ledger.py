"""The filter of the ledger's entries."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet

from recordings.choices import LedgerAction
from recordings.filters.days import EndOfDay, PeriodFilterSet, PeriodForm, StartOfDay, utc
from recordings.models import Actor, Call, LedgerEntry

_A_DAY, _EPOCH = timedelta(days=1), datetime(1970, 1, 1, tzinfo=UTC)


class SinceDay(StartOfDay):
    """By the moment an entry was recorded; its key, which is of about the same moment, lets an index find it."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return super().filter(qs, value).filter(pk__gte=_key_near(utc(value, time.min), -_A_DAY)) if value else qs


class UntilDay(EndOfDay):
    """The same for the end."""

    def filter(self, qs: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        return super().filter(qs, value).filter(pk__lt=_key_near(utc(value, time.max), _A_DAY)) if value else qs


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
        """Everybody whose label has these words in it: who works in the shell is "root@host for mira" there."""
        actors = Actor.objects.filter(label__icontains=value.strip()).values_list("pk", flat=True)
        return queryset.filter(actor_id__in=list(actors))

    def by_call(self, queryset: QuerySet[LedgerEntry], name: str, value: str) -> QuerySet[LedgerEntry]:
        calls = Call.objects.filter(graph_id=value.strip()).values_list("pk", flat=True)
        return queryset.filter(call_id__in=list(calls))


def _key_near(at: datetime, by: timedelta) -> UUID:
    """The smallest key of that moment, moved by so much, as far as a key can say it."""
    milliseconds = (at - _EPOCH + by) // timedelta(milliseconds=1)
    return UUID(int=min(max(milliseconds, 0), 2**48 - 1) << 80)
