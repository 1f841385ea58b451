"""One bot leg, and every change of what is known of it."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Change:
    """One thing that is known differently now."""

    field: ChangedField
    old: str
    new: str


@dataclass(frozen=True)
class Observation:
    """One word on a call, for the moment `at` (aware UTC); None is "nothing said of that".

    `is_heartbeat`: it says how capture stands, not that it began then. `sequence` orders a recorder's own words.
    """

    at: datetime
    source: str = ""
    sequence: int = 0
    is_heartbeat: bool = False
    state: str | None = None
    capture_state: str | None = None
    recording_status: str | None = None
    gone: bool | None = None
    is_policy_call: bool | None = None


class FactsBeside(TypedDict, total=False):
    """Facts of a call that lie in other rows: its corrections, and other legs of its conversation."""

    operation_status: str
    operation_since: datetime | None
    failed_operation_at: datetime | None
    failed_operation_wish: str
    siblings_over_at: datetime | None


# At one and the same moment Graph's word on what was told outranks a recorder's account of it.
_WEIGHTS: dict[str, int] = {Source.IMPORT: 0, Source.RECORDER: 1, Source.GRAPH: 2}
_SOURCES = {0: Source.IMPORT, 1: Source.RECORDER, 2: Source.GRAPH}


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
    # The words behind both, so that their order of arrival does not matter: see recordings/rules/heard.py
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
            told=rules.Heard.from_json(self.heard).told,
            **beside,
        )

    def observe(self, said: Observation) -> tuple[Change, ...]:
        """Take over what was said for the moment `said.at` (aware UTC) and derive the moments. Sets, does not save.

        The same words give the same moments in whatever order they come; ended is absorbing; a 404 sets `gone_at`, and
        a later sign of life clears it (invariants 5 and 10). Returns what is known differently now.
        """
        changes = [
            self._observe_gone(said.gone, said.at),
            self._observe_state(said.state, said.at),
            self._observe_capture(said),
            self._observe_told(said),
            self._observe_policy(said.is_policy_call),
        ]
        self._observe_signal(said)
        return tuple(change for change in changes if change)

    def _observe_signal(self, said: Observation) -> None:
        """Whose word came when. That something is gone is no sign of life."""
        if said.gone:
            return
        self.first_signal_at = min(said.at, self.first_signal_at or said.at)
        self.last_signal_at = max(said.at, self.last_signal_at or said.at)
        if said.source == Source.RECORDER:
            self.recorder_word_at = max(said.at, self.recorder_word_at or said.at)
        elif said.source == Source.GRAPH and said.gone is False:
            self.graph_seen_at = max(said.at, self.graph_seen_at or said.at)

    def _observe_gone(self, gone: bool | None, at: datetime) -> Change | None:
        if gone and self.is_live:
            self.gone_at = at
            return Change(ChangedField.GONE, "found", "gone")
        if gone is False and self.gone_at and at > self.gone_at:
            self.gone_at = None
            return Change(ChangedField.GONE, "gone", "found")
        return None

    def _observe_policy(self, is_policy_call: bool | None) -> Change | None:
        if is_policy_call is None or is_policy_call == self.is_policy_call:
            return None
        words = {None: "", True: "yes", False: "no"}
        old, self.is_policy_call = self.is_policy_call, is_policy_call
        return Change(ChangedField.IS_POLICY_CALL, words[old], words[is_policy_call])

    def _observe_state(self, state: str | None, at: datetime) -> Change | None:
        """Moments take the earliest word of them, so that a late word mends what an earlier one had to guess."""
        if state is None:
            return None
        if rules.is_established(rules.CallFacts(state=state)):
            self.established_at = min(at, self.established_at or at)
        if state == CallState.TERMINATED:
            self.ended_at = min(at, self.ended_at or at)
        old, self.state = self.state, rules.merged_state(self.state, state[:32])
        return Change(ChangedField.STATE, old, self.state) if self.state != old else None

    def _observe_capture(self, said: Observation) -> Change | None:
        if said.capture_state is None:
            return None
        word = rules.Word(said.at, 0, said.sequence, said.capture_state)
        heard = self._heard().with_claim(word, is_beginning=not said.is_heartbeat)
        self.heard = heard.as_json()
        latest = heard.capture or word
        old, self.capture_state, self.capture_at = self.capture_state, latest.value, latest.at
        self.capture_changed_at = heard.capture_changed_at
        return Change(ChangedField.CAPTURE_STATE, old, self.capture_state) if old != self.capture_state else None

    def _observe_told(self, said: Observation) -> Change | None:
        if said.recording_status is None:
            return None
        weight = _WEIGHTS.get(said.source, 0)
        heard = self._heard().with_told(rules.Word(said.at, weight, said.sequence, said.recording_status))
        self.heard = heard.as_json()
        latest = heard.status
        assert latest is not None
        old, self.recording_status, self.recording_status_at = self.recording_status, latest.value, latest.at
        self.recording_status_source = _SOURCES[latest.weight]
        self.told_changed_at = heard.told_changed_at
        return Change(ChangedField.RECORDING_STATUS, old, self.recording_status) if old != latest.value else None

    def _heard(self) -> rules.Heard:
        """The words kept; of a call that came with columns only, as an import brings it, those the columns tell of."""
        heard = rules.Heard.from_json(self.heard)
        if not heard.claims and self.capture_at and self.capture_state != CaptureState.UNKNOWN:
            begun = rules.Word(self.capture_changed_at or self.capture_at, value=self.capture_state)
            heard = heard.with_claim(begun, is_beginning=True)
            heard = heard.with_claim(rules.Word(self.capture_at, value=self.capture_state), is_beginning=False)
        if not heard.told and self.recording_status_at and self.recording_status != RecordingStatus.UNKNOWN:
            weight = _WEIGHTS.get(self.recording_status_source, 0)
            heard = heard.with_told(rules.Word(self.recording_status_at, weight, value=self.recording_status))
        return heard


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
