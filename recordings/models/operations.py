"""A correction: what was asked for, each try at the wire, and what came back."""

from datetime import datetime
from typing import Self

from django.db import models

from recordings.choices import (
    FINAL_STATUSES,
    LIVE_STATUSES,
    ON_THE_WIRE,
    ActorKind,
    AttemptOutcome,
    Look,
    OperationStatus,
    RecordingStatus,
    look,
)
from recordings.graph.errors import CorrectionFacts, Explainer, explain_correction
from recordings.models.calls import Call
from recordings.models.keys import new_key
from recordings.models.many import CopyQuerySet
from recordings.models.people import Actor


class OperationQuerySet(CopyQuerySet["Operation"]):
    def live(self) -> Self:
        return self.filter(status__in=LIVE_STATUSES)

    def awaiting_approval(self) -> Self:
        return self.filter(status=OperationStatus.AWAITING_APPROVAL)

    def to_decide(self, person_id: object, *, now: datetime) -> Self:
        """What the person with this key may approve or decline now (aware UTC): neither expired nor their own wish,
        at the screen or on the command line (Actor.is_same_person_as). Whether they may decide at all is not asked."""
        waiting = self.awaiting_approval().exclude(expires_after__lte=now)
        people = (ActorKind.PERSON, ActorKind.SHELL)
        return waiting.exclude(requested_by__kind__in=people, requested_by__subject_id=str(person_id))

    def to_send(self, now: datetime) -> Self:
        """Wishes whose moment has come and that nobody holds."""
        return self.filter(status=OperationStatus.PENDING).due(now)

    def to_settle(self, now: datetime) -> Self:
        """Operations on the wire whose lease or waiting time has run out."""
        return self.filter(status__in=ON_THE_WIRE).due(now)

    def due(self, now: datetime) -> Self:
        return self.filter(
            models.Q(send_after__isnull=True) | models.Q(send_after__lte=now),
            models.Q(leased_until__isnull=True) | models.Q(leased_until__lte=now),
        ).order_by("id")


class Operation(models.Model):
    """One correction of one call's recording status. Written by `recordings.operations` only."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, db_index=False)  # operation_of_call begins with it
    requested_status = models.CharField(max_length=32, choices=RecordingStatus.choices)
    status = models.CharField(max_length=32, choices=OperationStatus.choices)
    client_context = models.CharField(max_length=256, unique=True)
    graph_operation_id = models.CharField(max_length=128, blank=True)
    result_code = models.CharField(max_length=32, blank=True)
    result_subcode = models.CharField(max_length=32, blank=True)
    result_message = models.CharField(max_length=1024, blank=True)

    requested_by = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="requested_operations")
    requested_at = models.DateTimeField()
    reason = models.CharField(max_length=1024)
    needs_approval_why = models.CharField(max_length=255, blank=True)
    approved_by = models.ForeignKey(
        Actor, null=True, blank=True, on_delete=models.PROTECT, related_name="approved_operations"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    evidence = models.CharField(max_length=1024, blank=True)
    expires_after = models.DateTimeField(null=True, blank=True)

    status_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    send_after = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["call"], condition=models.Q(status__in=LIVE_STATUSES), name="one_live_operation_a_call"
            )
        ]
        indexes = [
            models.Index(fields=["call", "-id"], name="operation_of_call"),
            models.Index(fields=["status", "-id"], name="operation_by_status"),
            models.Index(fields=["graph_operation_id"], name="operation_at_graph"),
        ]

    def __str__(self) -> str:
        return f"{self.requested_status} ({self.status})"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_STATUSES

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def status_look(self) -> Look:
        return look(OperationStatus, self.status)

    @property
    def wish_look(self) -> Look:
        return look(RecordingStatus, self.requested_status)

    @property
    def last_result(self) -> "AttemptResult | None":
        """Of the last try; None before any try, and while its answer is not stored."""
        attempts = list(self.attempts.all())
        return getattr(attempts[-1], "result", None) if attempts else None

    def explained(self) -> Explainer | None:
        """What it means as it stands, what to do, and whether a retry can work; None where nothing went wrong."""
        result = self.last_result
        return explain_correction(
            CorrectionFacts(
                status=self.status,
                outcome=result.outcome if result else "",
                http_status=result.http_status if result else None,
                error_code=result.error_code if result else "",
                result_code=self.result_code,
                result_subcode=self.result_subcode,
                is_call_over=not self.call.is_live,
            )
        )


class Attempt(models.Model):
    """One try at the wire, committed before its first byte. Append only."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    # one_attempt_a_number begins with it
    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()
    client_request_id = models.UUIDField(unique=True)
    is_repeat = models.BooleanField(default=False)
    started_at = models.DateTimeField()

    objects = CopyQuerySet["Attempt"].as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["operation", "number"], name="one_attempt_a_number")]

    def __str__(self) -> str:
        return f"attempt {self.number}"


class AttemptResult(models.Model):
    """What one try came to, written after the wire. Append only; a try without one lost its process."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, related_name="result")
    outcome = models.CharField(max_length=16, choices=AttemptOutcome.choices)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    message = models.CharField(max_length=1024, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    graph_operation_id = models.CharField(max_length=128, blank=True)
    graph_status = models.CharField(max_length=32, blank=True)
    latency_seconds = models.FloatField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    objects = CopyQuerySet["AttemptResult"].as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["request_id"], name="result_request"),
            models.Index(fields=["graph_operation_id"], name="result_graph_operation"),
        ]

    def __str__(self) -> str:
        return self.outcome

    @property
    def look(self) -> Look:
        return look(AttemptOutcome, self.outcome)
