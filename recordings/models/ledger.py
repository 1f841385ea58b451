"""The ledger's rows. `recordings.ledger` is their only writer.

Append only are the entries, their leaves and nodes, the seals and their keys; the rest are ordinary tables.
"""

from datetime import timedelta

from django.db import models

from recordings.choices import LedgerAction, Look, look
from recordings.models.calls import Call
from recordings.models.findings import Finding
from recordings.models.keys import new_key
from recordings.models.many import CopyQuerySet
from recordings.models.operations import Operation
from recordings.models.people import Actor


class LedgerEntry(models.Model):
    """One step. `body` is the truth: canonical JSON as text, the very bytes that are hashed.

    The other columns are copies for look-ups, which verification compares with the body.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    action = models.CharField(max_length=32, choices=LedgerAction.choices)
    body = models.TextField()
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT)
    # entry_of_call begins with it
    call = models.ForeignKey(Call, null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    operation = models.ForeignKey(Operation, null=True, blank=True, on_delete=models.PROTECT)
    finding = models.ForeignKey(Finding, null=True, blank=True, on_delete=models.PROTECT)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    objects = CopyQuerySet["LedgerEntry"].as_manager()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "ledger entries"
        indexes = [
            models.Index(fields=["call", "-id"], name="entry_of_call"),
            models.Index(fields=["action", "-id"], name="entry_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.id}"

    @property
    def action_look(self) -> Look:
        return look(LedgerAction, self.action)


class Unsealed(models.Model):
    """An entry that waits for its place in the tree. An ordinary table: the row goes when its leaf comes.

    A trigger of the entries' table inserts it, see append_only.
    """

    entry = models.OneToOneField(LedgerEntry, primary_key=True, on_delete=models.PROTECT)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "unsealed"

    def __str__(self) -> str:
        return str(self.entry_id)


class LeafBatch(models.Model):
    """Leaves that lie side by side in the tree (RFC 9162): the entries of one seal, at most MOST of them.

    A row for each leaf would cost three times the space and most of the sealer's time. The keys of a batch are sorted
    and begin within WIDTH of the first one, so that the batch of an entry is found by its key.
    """

    MOST = 1024
    WIDTH = timedelta(minutes=10)

    first_index = models.BigIntegerField(primary_key=True)
    first_entry = models.UUIDField(db_index=True)
    count = models.PositiveSmallIntegerField()
    entry_ids = models.BinaryField()
    leaf_hashes = models.BinaryField()

    objects = CopyQuerySet["LeafBatch"].as_manager()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "leaf batches"

    def __str__(self) -> str:
        return f"{self.first_index} to {self.first_index + self.count - 1}"


class Node(models.Model):
    """The root of a complete subtree of 2**level leaves. Those below LOWEST are worked out from the leaves."""

    LOWEST = 8

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    level = models.PositiveSmallIntegerField()
    position = models.BigIntegerField()
    node_hash = models.BinaryField(max_length=32)

    objects = CopyQuerySet["Node"].as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["level", "position"], name="one_node_a_place")]

    def __str__(self) -> str:
        return f"{self.level}/{self.position}"


class SealKey(models.Model):
    """A public key that seals were signed with. The fingerprint is the SHA-256 of its 32 bytes, in hexadecimal."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=255)
    public_key = models.BinaryField(max_length=32)
    first_used_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} {self.fingerprint[:16]}"


class Seal(models.Model):
    """A signed checkpoint of the tree, in the form of a C2SP signed note."""

    size = models.BigIntegerField(primary_key=True)
    root_hash = models.BinaryField(max_length=32)
    checkpoint = models.TextField()
    key = models.ForeignKey(SealKey, on_delete=models.PROTECT)
    sealed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.size)


class SealingTurn(models.Model):
    """One row, whose lock says which sealer's turn it is. Nothing else is read from it."""

    id = models.PositiveSmallIntegerField(primary_key=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "the sealer's turn"


class Receipt(models.Model):
    """A witness has a checkpoint. An ordinary table: what a witness really keeps is read there, not here."""

    seal = models.ForeignKey(Seal, on_delete=models.PROTECT)
    witness = models.CharField(max_length=255)
    received_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["witness", "seal"], name="one_receipt_a_seal")]

    def __str__(self) -> str:
        return f"{self.seal_id} at {self.witness}"
