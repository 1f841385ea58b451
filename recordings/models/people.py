"""Who did something, and the machines that may speak to us."""

import getpass
import hashlib
import socket

from django.contrib.auth.models import User
from django.db import models

from recordings import rules
from recordings.choices import ActorKind

# What stands where a name was erased; an actor's label has its number behind it, since no two are alike.
ERASED = "(erased)"


class ActorManager(models.Manager["Actor"]):
    """Actors by what they are; each answers the row with the label of today."""

    def person(self, user: User) -> "Actor":
        return self._named(ActorKind.PERSON, str(user.pk), user.get_username())

    def recorder(self, recorder: "Recorder") -> "Actor":
        return self._named(ActorKind.RECORDER, str(recorder.pk), recorder.name)

    def graph(self) -> "Actor":
        return self._named(ActorKind.GRAPH, "graph", "Microsoft Graph")

    def job(self, name: str) -> "Actor":
        return self._named(ActorKind.JOB, name, f"On Record: {name}")

    def shell(self, user: User | None = None) -> "Actor":
        """The command line: the operating system's user and host, on behalf of `user` where there is one."""
        where = f"{getpass.getuser()}@{socket.gethostname()}"
        if user is None:
            return self._named(ActorKind.SHELL, "", where)
        return self._named(ActorKind.SHELL, str(user.pk), f"{where} for {user.get_username()}")

    def _named(self, kind: ActorKind, subject_id: str, label: str) -> "Actor":
        actor, _ = self.get_or_create(kind=kind, subject_id=subject_id, label=label[:255])
        return actor


class Actor(models.Model):
    """Somebody or something that acts, with the label it had then: a new label makes a new row.

    The ledger's bodies name an actor by this row's id only, so that a name can be erased and the tree stays whole.
    """

    kind = models.CharField(max_length=16, choices=ActorKind.choices)
    subject_id = models.CharField(max_length=128)
    label = models.CharField(max_length=255)

    objects = ActorManager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id", "label"], name="one_actor_a_label")]

    def __str__(self) -> str:
        return self.label

    @property
    def is_erased(self) -> bool:
        return self.label.startswith(ERASED)

    def is_same_person_as(self, other: "Actor") -> bool:
        """Whether both stand for one person, at the screen or on the command line."""
        people = (ActorKind.PERSON, ActorKind.SHELL)
        return bool(self.subject_id) and self.subject_id == other.subject_id and {self.kind, other.kind} <= set(people)


class Recorder(models.Model):
    """A recorder bot. Its token is kept as a hash only, and speaks for its own tenants and calls."""

    name = models.CharField(max_length=64, unique=True)
    token_hash = models.CharField(max_length=64, unique=True)
    tenants = models.JSONField(default=list)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    last_word_at = models.DateTimeField(null=True, blank=True)
    due_after = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        indexes = [models.Index(fields=["due_after"], name="recorder_due", condition=models.Q(due_after__isnull=False))]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def hash_token(token: str) -> str:
        """The SHA-256 of a token. The token itself is 256 random bits, so a slow hash would add nothing."""
        return hashlib.sha256(token.encode()).hexdigest()

    def facts(self) -> rules.RecorderFacts:
        """What the rules need of this recorder."""
        return rules.RecorderFacts(last_word_at=self.last_word_at, is_disabled=self.disabled_at is not None)

    def speaks_for(self, tenant_id: str) -> bool:
        return tenant_id.lower() in (tenant.lower() for tenant in self.tenants)
