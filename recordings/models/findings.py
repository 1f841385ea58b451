"""A disagreement between captured, told and evidence that has lasted too long."""

from datetime import datetime
from typing import Self

from django.db import models

from recordings import rules
from recordings.choices import SEVERITY_ORDER, Look, Resolution, RootCause, Rule, Severity, look
from recordings.models.calls import Call
from recordings.models.people import Actor


class FindingQuerySet(models.QuerySet["Finding"]):
    def open(self) -> Self:
        return self.filter(resolved_at__isnull=True)

    def worst_first(self) -> Self:
        whens = [models.When(severity=severity, then=rank) for rank, severity in enumerate(SEVERITY_ORDER)]
        return self.annotate(rank=models.Case(*whens, default=len(whens))).order_by("rank", "since_at", "id")


class Finding(models.Model):
    """At most one open finding a (rule, call); a call can have several."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT)
    rule = models.CharField(max_length=8, choices=Rule.choices)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    since_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=32, blank=True, choices=Resolution.choices)
    resolved_by = models.ForeignKey(Actor, null=True, blank=True, on_delete=models.PROTECT)
    root_cause = models.CharField(max_length=32, blank=True, choices=RootCause.choices)
    reason = models.CharField(max_length=1024, blank=True)
    evidence = models.CharField(max_length=1024, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "call"], condition=models.Q(resolved_at__isnull=True), name="one_open_finding_a_rule"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} on {self.call_id}"

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def rule_look(self) -> Look:
        return look(Rule, self.rule)

    @property
    def severity_look(self) -> Look:
        return look(Severity, self.severity)

    @property
    def resolution_look(self) -> Look:
        return look(Resolution, self.resolution)

    def explained(self, facts: rules.CallFacts, *, now: datetime) -> rules.Explained:
        """The finding's sentence for `facts` of its call."""
        verdict = rules.Verdict(Rule(self.rule), Severity(self.severity), self.since_at, self.opened_at)
        return rules.explain(verdict, facts, now=now)
