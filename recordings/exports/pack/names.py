"""The names in a pack. They stand outside the ledger, so that they can be erased; then the pack says so.

What an actor is, and which actors are one person, stands in the same rows and is as little proven; the pack says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from recordings.choices import ActorKind, LedgerAction
from recordings.exports.known import Step
from recordings.exports.pack.reading import Sealed
from recordings.models import Actor, Call
from recordings.models.people import ERASED

# In a pack, where a name was.
GONE = "erased"
_OF_CALL = ("subject", "recorded_user_name", "organizer_name")


@dataclass(frozen=True)
class Names:
    """The actors that the entries name by their numbers."""

    actors: dict[int, Actor]

    @classmethod
    def in_entries(cls, sealed: Sealed) -> "Names":
        """One query: whoever acted, and to whom something was assigned or given."""
        said = (step.number(name) for step in sealed.all for name in ("actor", "assignee", "subject"))
        return cls(Actor.objects.in_bulk({number for number in said if number is not None}))

    def of(self, number: int | None) -> str:
        actor = self.actors.get(number) if number is not None else None
        if actor is None:
            return ""
        return GONE if actor.is_erased else actor.label

    @property
    def erased(self) -> int:
        return sum(actor.is_erased for actor in self.actors.values())


def name_of_call(call: Call, column: str) -> str:
    value: str = getattr(call, column)
    return GONE if value.startswith(ERASED) else value


def erased_of_call(call: Call | None) -> int:
    return sum(name_of_call(call, column) == GONE for column in _OF_CALL) if call else 0


def roles_of(actor: Actor, sealed: Sealed, names: Names) -> list[str]:
    """The roles that person held when the pack's entries were sealed, by the ledger's changes of them.

    Which of them are that person's is the word of the actors' rows, which nothing proves.
    """
    if actor.kind != ActorKind.PERSON:
        return []
    held: dict[str, bool] = {}
    for step in sealed.roles:
        subject = names.actors.get(step.number("subject") or 0)
        if subject and subject.subject_id == actor.subject_id:
            held[step.text("role")] = step.body.get("is_held") is True
    return sorted(role for role, is_held in held.items() if is_held)


def did(number: int, sealed: Sealed) -> list[str]:
    """What that actor did in these entries, in words, each once."""
    return sorted({step.look.label for step in _acts(sealed) if step.number("actor") == number})


def _acts(sealed: Sealed) -> Iterable[Step]:
    return (step for step in sealed.all if step.action != LedgerAction.ROLE_CHANGED)
