"""What is remembered beside the ledger: verifications, who read what this hour, old settings, how witnesses fare."""

from django.db import models
from django.db.models.functions import Coalesce

from recordings.choices import Look, VerificationStatus, look
from recordings.models.calls import Call
from recordings.models.keys import new_key
from recordings.models.people import Actor


class Verification(models.Model):
    """One run of verification, asked for or daily. What it found is in the ledger, too."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    status = models.CharField(max_length=16, choices=VerificationStatus.choices, default=VerificationStatus.WAITING)
    requested_by = models.ForeignKey(Actor, on_delete=models.PROTECT)
    requested_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    checked = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    unsealed = models.BigIntegerField(default=0)
    alarms = models.JSONField(default=list, blank=True)  # the first of each kind
    alarm_count = models.BigIntegerField(default=0)
    # Of the largest checkpoint from elsewhere that it was held against; without one it cannot find it inconsistent.
    kept_size = models.BigIntegerField(null=True, blank=True)
    is_inconsistent = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["requested_at"],
                name="verification_to_do",
                condition=models.Q(finished_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def status_look(self) -> Look:
        return look(VerificationStatus, self.status)


class Reading(models.Model):
    """Somebody read a call's page, or the history, in this hour: so that the ledger says it once."""

    actor = models.ForeignKey(Actor, on_delete=models.PROTECT)
    call = models.ForeignKey(Call, null=True, blank=True, on_delete=models.PROTECT)
    hour_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            # NULLs are never alike; no call has the key 0.
            models.UniqueConstraint("actor", Coalesce("call", 0), "hour_at", name="one_reading_an_hour")
        ]

    def __str__(self) -> str:
        return f"{self.actor_id} read {self.call_id or 'the history'}"


class SettingsNote(models.Model):
    """One row: the settings as they were last recorded, secrets as digests only."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    values = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "settings"


class Witness(models.Model):
    """How handing checkpoints to one witness goes. What it holds is in Receipt, and truly only with the witness.

    `problem` is why the last try came to nothing; `conflict` that the witness holds something else than we have,
    which stays until somebody has found out why.
    """

    name = models.CharField(max_length=255, primary_key=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True, default="")
    problem_since_at = models.DateTimeField(null=True, blank=True)
    conflict = models.TextField(blank=True, default="")
    conflict_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "witnesses"

    def __str__(self) -> str:
        return self.name
