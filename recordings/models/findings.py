"""A disagreement between captured, told and evidence that has lasted too long."""

from datetime import datetime
from typing import Self

from django.contrib.auth.models import User
from django.db import models

from recordings import rules
from recordings.choices import SEVERITY_ORDER, Look, Resolution, RootCause, Rule, Severity, Subject, look
from recordings.models.calls import Call
from recordings.models.keys import new_key
from recordings.models.people import Actor, Recorder
from recordings.models.watch import Tenant


class EvidenceFile(models.Model):
    """A file somebody attested with, kept with the records it proves. Append only; served as a download only."""

    LARGEST_BYTES = 5 * 1024 * 1024

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    name = models.CharField(max_length=255)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    added_by = models.ForeignKey(Actor, on_delete=models.PROTECT)
    added_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class FindingQuerySet(models.QuerySet["Finding"]):
    def open(self) -> Self:
        return self.filter(resolved_at__isnull=True)

    def awake(self, now: datetime) -> Self:
        """Not put off, or put off until a moment that has come."""
        return self.filter(models.Q(wakes_after__isnull=True) | models.Q(wakes_after__lte=now))

    def asleep(self, now: datetime) -> Self:
        return self.filter(wakes_after__gt=now)

    def worst_first(self) -> Self:
        whens = [models.When(severity=severity, then=rank) for rank, severity in enumerate(SEVERITY_ORDER)]
        return self.annotate(rank=models.Case(*whens, default=len(whens))).order_by("rank", "since_at", "id")


class Finding(models.Model):
    """At most one open finding a (rule, subject); the subject is a call, a recorder or a tenant.

    Written by `recordings.findings` only. Every step is in the ledger; the row says how it stands now.
    """

    call = models.ForeignKey(Call, null=True, blank=True, on_delete=models.PROTECT)
    recorder = models.ForeignKey(Recorder, null=True, blank=True, on_delete=models.PROTECT)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.PROTECT)
    rule = models.CharField(max_length=8, choices=Rule.choices)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    since_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    reopened_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(Actor, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    assignee = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    wakes_after = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=32, blank=True, choices=Resolution.choices)
    resolved_by = models.ForeignKey(Actor, null=True, blank=True, on_delete=models.PROTECT)
    root_cause = models.CharField(max_length=32, blank=True, choices=RootCause.choices)
    reason = models.CharField(max_length=1024, blank=True)
    evidence = models.CharField(max_length=1024, blank=True)
    evidence_file = models.ForeignKey(EvidenceFile, null=True, blank=True, on_delete=models.PROTECT)

    objects = FindingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "call"], condition=models.Q(resolved_at__isnull=True), name="one_open_finding_a_rule"
            ),
            models.UniqueConstraint(
                fields=["rule", "recorder"],
                condition=models.Q(resolved_at__isnull=True),
                name="one_open_finding_a_recorder",
            ),
            models.UniqueConstraint(
                fields=["rule", "tenant"],
                condition=models.Q(resolved_at__isnull=True),
                name="one_open_finding_a_tenant",
            ),
            models.CheckConstraint(
                condition=models.Q(call__isnull=False, recorder__isnull=True, tenant__isnull=True)
                | models.Q(call__isnull=True, recorder__isnull=False, tenant__isnull=True)
                | models.Q(call__isnull=True, recorder__isnull=True, tenant__isnull=False),
                name="one_subject_a_finding",
            ),
        ]
        indexes = [
            # The queue is read open and worst first, and what was closed from the newest on: few of millions each.
            models.Index(fields=["since_at", "id"], name="finding_open", condition=models.Q(resolved_at__isnull=True)),
            models.Index(fields=["-resolved_at", "-id"], name="finding_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} on {self.subject_name}"

    @property
    def subject(self) -> Subject:
        if self.call_id:
            return Subject.CALL
        return Subject.RECORDER if self.recorder_id else Subject.TENANT

    @property
    def subject_name(self) -> str:
        """The subject's own id or name."""
        return str(self.call or self.recorder or self.tenant)

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    def is_asleep(self, now: datetime) -> bool:
        return self.wakes_after is not None and self.wakes_after > now

    @property
    def rule_look(self) -> Look:
        return look(Rule, self.rule)

    @property
    def severity_look(self) -> Look:
        return look(Severity, self.severity)

    @property
    def resolution_look(self) -> Look:
        return look(Resolution, self.resolution)

    @property
    def root_cause_look(self) -> Look:
        return look(RootCause, self.root_cause)

    def facts(self) -> rules.Facts:
        """The facts of its subject, as its row has them."""
        if self.call:
            return self.call.facts()
        if self.recorder:
            return self.recorder.facts()
        assert self.tenant is not None
        return self.tenant.facts()

    def explained(self, facts: rules.Facts, *, now: datetime) -> rules.Explained:
        """The finding's sentence for `facts` of its subject."""
        verdict = rules.Verdict(Rule(self.rule), Severity(self.severity), self.since_at, self.opened_at)
        return rules.explain(verdict, facts, now=now)
