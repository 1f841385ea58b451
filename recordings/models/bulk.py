"""One wish for many calls: the job, and what became of each of its items. Written by `recordings.services` only."""

from django.db import models

from recordings.choices import BulkItemStatus, BulkKind, Look, RecordingStatus, RootCause, look
from recordings.models.calls import Call
from recordings.models.findings import EvidenceFile
from recordings.models.keys import new_key
from recordings.models.operations import Operation
from recordings.models.people import Actor


class BulkJob(models.Model):
    """What one person asked for, once, about many calls."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    kind = models.CharField(max_length=16, choices=BulkKind.choices)
    requested_status = models.CharField(max_length=32, blank=True, choices=RecordingStatus.choices)
    reason = models.CharField(max_length=1024)
    root_cause = models.CharField(max_length=32, blank=True, choices=RootCause.choices)
    evidence = models.CharField(max_length=1024, blank=True)
    evidence_file = models.ForeignKey(EvidenceFile, null=True, blank=True, on_delete=models.PROTECT)
    selection = models.CharField(max_length=1024)
    requested_by = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="+")
    retry_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="retries")
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.ForeignKey(Actor, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["id"], name="bulk_job_running", condition=models.Q(finished_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def kind_look(self) -> Look:
        return look(BulkKind, self.kind)

    @property
    def wish_look(self) -> Look:
        return look(RecordingStatus, self.requested_status)


class BulkItem(models.Model):
    """One call of a job. `operation` is the correction it came to, where there was one."""

    job = models.ForeignKey(BulkJob, on_delete=models.PROTECT, related_name="items", db_index=False)
    call = models.ForeignKey(Call, on_delete=models.PROTECT)
    operation = models.ForeignKey(Operation, null=True, blank=True, on_delete=models.PROTECT)
    status = models.CharField(max_length=32, choices=BulkItemStatus.choices, default=BulkItemStatus.WAITING)
    message = models.CharField(max_length=1024, blank=True)
    send_after = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "call"], name="one_item_a_call")]
        indexes = [
            models.Index(fields=["job", "status", "id"], name="item_of_job"),
            models.Index(
                fields=["id"],
                name="item_to_do",
                condition=models.Q(status__in=(BulkItemStatus.WAITING, BulkItemStatus.WORKING, BulkItemStatus.OPEN)),
            ),
            models.Index(
                fields=["id"],
                name="item_to_approve",
                condition=models.Q(status=BulkItemStatus.AWAITING_APPROVAL),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} in {self.job_id}"

    @property
    def status_look(self) -> Look:
        return look(BulkItemStatus, self.status)
