"""The names of called people stand on the calls alone, so that here they can be erased and the ledger stays whole."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from recordings.models import Call
from recordings.models.people import ERASED

# A shorter name stands in too many titles by chance.
SHORTEST_IN_A_TITLE = 4


@dataclass(frozen=True)
class Called:
    """Where a called person's name stands; `live` of the calls are not over, so that Graph may say it again."""

    names: frozenset[str]
    recorded: int
    organized: int
    titled: int
    live: int

    @property
    def rows(self) -> int:
        return self.recorded + self.organized + self.titled


def called(person: str) -> Called:
    """What is known of a person by their id in Microsoft Entra or by their whole name. Reads all calls."""
    names = _named(person)
    recorded, organized, titled = _unerased("recorded_user", person), _unerased("organizer", person), _titled(names)
    return Called(
        names,
        recorded=Call.objects.filter(recorded).count(),
        organized=Call.objects.filter(organized).count(),
        titled=Call.objects.filter(titled).count(),
        live=Call.objects.live().filter(recorded | organized | titled).count(),
    )


def forget_called(person: str) -> Called:
    """Erase the names `called` finds, in the caller's transaction. Their ids stay: they say who it was to nobody here.

    A title that holds one of the names goes as a whole. Raises RuntimeError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a name is erased in the transaction of the entry that says so")
    known = called(person)
    Call.objects.filter(_titled(known.names)).update(subject=ERASED)
    Call.objects.filter(_unerased("recorded_user", person)).update(recorded_user_name=ERASED)
    Call.objects.filter(_unerased("organizer", person)).update(organizer_name=ERASED)
    return known


def _named(person: str) -> frozenset[str]:
    """Every name that is to be erased: the one that was given, and those beside the id."""
    found = {person}
    for role in ("recorded_user", "organizer"):
        found.update(Call.objects.filter(_is(role, person)).values_list(f"{role}_name", flat=True).distinct())
    return frozenset(name for name in found if name and name != ERASED)


def _unerased(role: str, person: str) -> Q:
    return _is(role, person) & ~Q(**{f"{role}_name__in": ("", ERASED)})


def _is(role: str, person: str) -> Q:
    return Q(**{f"{role}_id__iexact": person}) | Q(**{f"{role}_name__iexact": person})


def _titled(names: frozenset[str]) -> Q:
    titled = Q(pk__in=[])
    for name in names:
        if len(name) >= SHORTEST_IN_A_TITLE:
            titled |= Q(subject__icontains=name)
    return titled
