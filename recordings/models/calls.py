"""One bot leg, and every change of what is known of it."""

from datetime import datetime
from typing import Self, TypedDict, Unpack

from django.db import models

from recordings import rules
from recordings.choices import (
    CallDirection,
    CallState,
    CaptureState,
    ChangedField,
    Look,
    RecordingStatus,
    Source,
    look,
)
from recordings.models.keys import new_key
from recordings.models.many import CopyQuerySet
from recordings.models.people import Actor, Recorder


class CallQuerySet(models.QuerySet["Call"]):
    def live(self) -> Self:
        return self.filter(ended_at__isnull=True, gone_at__isnull=True)

    def over(self) -> Self:
        """Ended, or found gone: no longer live."""
        return self.exclude(ended_at__isnull=True, gone_at__isnull=True)

    def stuck(self) -> Self:
        """Stuck means: has an open finding."""
        return self.filter(finding__opened_at__isnull=False, finding__resolved_at__isnull=True).distinct()

    def due(self, now: datetime) -> Self:
        return self.filter(due_after__lte=now).order_by("due_after")

    def to_probe(self, now: datetime, *, tenant_id: str) -> Self:
        """Live calls of which nobody has spoken for so long that Graph is to be asked, the longest silent first."""
        return self.filter(tenant_id=tenant_id.lower(), probe_after__lte=now).order_by("probe_after")


class FactsBeside(TypedDict, total=False):
    """Facts of a call that lie in other rows: its corrections, and other legs of its conversation."""

    operation_status: str
    operation_since: datetime | None
    failing_since: datetime | None
    failed_operation_at: datetime | None
    failed_operation_wish: str
    siblings_over_at: datetime | None


class Call(models.Model):
    """One bot leg: the bot's own call at Graph, the thing a recording status is bound to."""

    graph_id = models.CharField(max_length=128, unique=True)
    tenant_id = models.CharField(max_length=64)
    call_chain_id = models.CharField(max_length=128, blank=True)
    scenario_id = models.CharField(max_length=128, blank=True)
    recorder = models.ForeignKey(Recorder, null=True, blank=True, on_delete=models.PROTECT)
    direction = models.CharField(max_length=16, blank=True, choices=CallDirection.choices)
    subject = models.CharField(max_length=255, blank=True)
    recorded_user_id = models.CharField(max_length=128, blank=True)
    recorded_user_name = models.CharField(max_length=255, blank=True)
    organizer_id = models.CharField(max_length=128, blank=True)
    organizer_name = models.CharField(max_length=255, blank=True)
    is_policy_call = models.BooleanField(null=True, blank=True)

    # Evidence
    state = models.CharField(max_length=32, blank=True, default=CallState.UNKNOWN)
    established_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    status_refused_at = models.DateTimeField(null=True, blank=True)
    result_code = models.IntegerField(null=True, blank=True)
    result_subcode = models.IntegerField(null=True, blank=True)
    result_message = models.CharField(max_length=1024, blank=True)
    # Captured: the time of the recorder's latest word, and since when it has been so
    capture_state = models.CharField(max_length=16, default=CaptureState.UNKNOWN, choices=CaptureState.choices)
    capture_at = models.DateTimeField(null=True, blank=True)
    capture_changed_at = models.DateTimeField(null=True, blank=True)
    # Told: the time of the latest word, and since when it has been so
    recording_status = models.CharField(max_length=32, default=RecordingStatus.UNKNOWN)
    recording_status_at = models.DateTimeField(null=True, blank=True)
    recording_status_source = models.CharField(max_length=16, blank=True, choices=Source.choices)
    told_changed_at = models.DateTimeField(null=True, blank=True)
    # The words behind all of it, so that their order of arrival does not matter: see recordings/ingest/observing.py
    heard = models.JSONField(default=dict, blank=True)

    created_at = models.DateTimeField()
    first_signal_at = models.DateTimeField(null=True, blank=True)
    last_signal_at = models.DateTimeField(null=True, blank=True)
    graph_seen_at = models.DateTimeField(null=True, blank=True)
    recorder_word_at = models.DateTimeField(null=True, blank=True)
    due_after = models.DateTimeField(null=True, blank=True)
    # When Graph is asked for the call if nobody speaks of it; NULL once it is over. Pushed ahead, it is a lease.
    probe_after = models.DateTimeField(null=True, blank=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        # One place for what a role may do: see recordings/permissions.py.
        permissions = [
            ("look", "Can look at calls, findings, operations and the ledger"),
            ("export", "Can export history"),
            ("handle", "Can handle findings: acknowledge, assign, comment, put off and close them"),
            ("correct", "Can ask for a correction"),
            ("attest", "Can attest what Graph cannot be told any more"),
            ("approve", "Can approve or decline somebody else's correction"),
            ("verify", "Can verify the ledger"),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="call_newest"),
            models.Index(fields=["due_after"], name="call_due", condition=models.Q(due_after__isnull=False)),
            models.Index(
                fields=["tenant_id", "probe_after"],
                name="call_probe",
                condition=models.Q(probe_after__isnull=False),
            ),
            # Ids are asked for whole. Of a column with db_index PostgreSQL gets a second index, for LIKE.
            models.Index(fields=["call_chain_id"], name="call_chain"),
            models.Index(fields=["scenario_id"], name="call_scenario"),
            models.Index(fields=["recorded_user_id"], name="call_recorded_user"),
            # Every page counts the calls in progress: few of millions.
            models.Index(
                fields=["-created_at", "-id"],
                name="call_live",
                condition=models.Q(ended_at__isnull=True, gone_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.graph_id

    @property
    def over_at(self) -> datetime | None:
        """When the leg ended or was found gone; None while it lives, as far as anybody told us."""
        return self.ended_at or self.gone_at

    @property
    def is_live(self) -> bool:
        return self.over_at is None

    @property
    def began_at(self) -> datetime:
        """The earliest moment anything is known of; On Record itself may have heard of the call long after it."""
        return min(at for at in (self.created_at, self.first_signal_at, self.established_at) if at)

    @property
    def title(self) -> str:
        """What people call this call; names of people live here only."""
        who = self.recorded_user_name or self.organizer_name
        return self.subject or (f"Call of {who}" if who else "Call")

    @property
    def state_look(self) -> Look:
        return look(CallState, self.state)

    @property
    def capture_look(self) -> Look:
        return look(CaptureState, self.capture_state)

    @property
    def told_look(self) -> Look:
        return look(RecordingStatus, self.recording_status)

    def facts(self, **beside: Unpack[FactsBeside]) -> rules.CallFacts:
        """What the rules need of this call; what lies in other rows is named by the caller who read it."""
        heard = rules.Heard.from_json(self.heard)
        return rules.CallFacts(
            state=self.state,
            first_signal_at=self.first_signal_at,
            established_at=self.established_at,
            ended_at=self.ended_at,
            gone_at=self.gone_at,
            last_signal_at=self.last_signal_at,
            graph_seen_at=self.graph_seen_at,
            recorder_word_at=self.recorder_word_at,
            result_code=self.result_code,
            result_subcode=self.result_subcode,
            is_policy_call=self.is_policy_call,
            status_refused_at=self.status_refused_at,
            capture_state=self.capture_state,
            capture_at=self.capture_at,
            capture_changed_at=self.capture_changed_at,
            recording_status=self.recording_status,
            recording_status_at=self.recording_status_at,
            recording_status_source=self.recording_status_source,
            told_changed_at=self.told_changed_at,
            told=heard.told,
            not_capturing_since=heard.capture_since(rules.NOT_CAPTURING) or self.capture_changed_at,
            **beside,
        )


class StatusChange(models.Model):
    """One observed move of one of the things kept apart. Append only."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, db_index=False)  # change_of_call begins with it
    field = models.CharField(max_length=32, choices=ChangedField.choices)
    old = models.CharField(max_length=32, blank=True)
    new = models.CharField(max_length=32, blank=True)
    source = models.CharField(max_length=16, choices=Source.choices)
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT)
    reason = models.CharField(max_length=1024, blank=True)
    operation = models.ForeignKey("recordings.Operation", null=True, blank=True, on_delete=models.PROTECT)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    objects = CopyQuerySet["StatusChange"].as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["call", "-id"], name="change_of_call")]

    def __str__(self) -> str:
        return f"{self.field}: {self.old} → {self.new}"


class Delivery(models.Model):
    """A message we took in, so that its double is dropped. Written in the same transaction as what it changed."""

    source = models.CharField(max_length=80)
    message_id = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["source", "message_id"], name="one_delivery_a_message")]
        # The overview asks for the latest of Graph's, among millions of heartbeats.
        indexes = [models.Index(fields=["-id"], name="delivery_of_graph", condition=models.Q(source="graph"))]

    def __str__(self) -> str:
        return f"{self.source} {self.message_id}"
