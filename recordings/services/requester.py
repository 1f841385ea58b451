"""Who asks: the user whose rights count, and the actor the ledger names."""

from dataclasses import dataclass
from typing import Self

from django.contrib.auth.models import User

from recordings import permissions
from recordings.models import Actor


@dataclass(frozen=True)
class Requester:
    user: User
    actor: Actor

    @classmethod
    def at_screen(cls, user: User) -> Self:
        return cls(user, Actor.objects.person(user))

    @classmethod
    def at_shell(cls, user: User) -> Self:
        """The command line on behalf of `user`: it can ask, never approve."""
        return cls(user, Actor.objects.shell(user))

    def require(self, verb: str) -> None:
        """Raise permissions.NotAllowed unless the user's role includes `verb`."""
        permissions.require(self.user, verb)
