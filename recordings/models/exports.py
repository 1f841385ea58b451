"""Exports that run in the background: who asked for which rows and why, how far they are, the file while it is kept."""

from django.contrib.auth.models import User
from django.db import models

from recordings.choices import ExportFormat, ExportSheet, ExportStatus, Look, look
from recordings.models.keys import new_key
from recordings.models.ledger import Seal
from recordings.models.people import Actor


class Export(models.Model):
    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    status = models.CharField(max_length=16, choices=ExportStatus.choices, default=ExportStatus.WAITING)
    sheet = models.CharField(max_length=16, choices=ExportSheet.choices)
    # The words of the filter as a query string, as the page's own filter reads it.
    query = models.TextField(blank=True)
    # The filter as a sentence.
    sentence = models.TextField(blank=True)
    from_at = models.DateTimeField(null=True, blank=True)
    until_at = models.DateTimeField(null=True, blank=True)
    zone = models.CharField(max_length=64, default="UTC")
    format = models.CharField(max_length=16, choices=ExportFormat.choices)
    as_of = models.DateTimeField(null=True, blank=True)
    # Of calls, corrections or findings: whether the ledger's entries about them are in the file, too.
    with_entries = models.BooleanField(default=False)
    # The checkpoint of an earlier export, to which consistency is proven.
    since = models.TextField(blank=True)
    reason = models.CharField(max_length=1024)
    requested_by = models.ForeignKey(Actor, on_delete=models.PROTECT)
    requester = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT)
    requested_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_after = models.DateTimeField(null=True, blank=True)
    estimated_rows = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    seal = models.ForeignKey(Seal, null=True, blank=True, on_delete=models.PROTECT)
    message = models.CharField(max_length=1024, blank=True)
    stopped_by = models.ForeignKey(Actor, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["requested_at"], name="export_to_do", condition=models.Q(finished_at__isnull=True)),
            models.Index(
                fields=["expires_after"], name="export_expires", condition=models.Q(expires_after__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sheet} {self.id}"

    @property
    def status_look(self) -> Look:
        return look(ExportStatus, self.status)


class ExportPart(models.Model):
    """A piece of an export's file. It stands in the database, since site and worker may be on different machines."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="one_part_a_number")]

    def __str__(self) -> str:
        return f"part {self.number}"
