"""The ledger's rows. `recordings.ledger` is their only writer; all but `Unsealed` are append only."""

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


class Leaf(models.Model):
    """The place of an entry in the tree (RFC 9162)."""

    index = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT)
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "leaves"

    def __str__(self) -> str:
        return str(self.index)


class Node(models.Model):
    """The root of a complete subtree: `level` 0 would be leaves, so stored levels start at 1."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    level = models.PositiveSmallIntegerField()
    position = models.BigIntegerField()
    node_hash = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["level", "position"], name="one_node_a_place")]

    def __str__(self) -> str:
        return f"{self.level}/{self.position}"


class Seal(models.Model):
    """A signed checkpoint of the tree."""

    size = models.BigIntegerField(primary_key=True)
    root_hash = models.BinaryField(max_length=32)
    checkpoint = models.TextField()
    sealed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.size)
