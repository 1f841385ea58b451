"""The filter of the list of findings, and what its phases hold."""

from datetime import datetime

import django_filters
from django.contrib.auth.models import User
from django.db.models import QuerySet

from recordings import permissions
from recordings.choices import Rule, Severity, Subject
from recordings.models import Finding, FindingQuerySet


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


def in_phase(found: FindingQuerySet, phase: str, *, reader: User | None, now: datetime) -> FindingQuerySet:
    """The findings of one phase; whatever is no phase counts as open."""
    if phase == "closed":
        return found.filter(resolved_at__isnull=False)
    if phase == "mine":
        return found.open().filter(assignee=reader)
    return found.open().asleep(now) if phase == "asleep" else found.open().awake(now)
