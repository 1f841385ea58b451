"""Erase a person's name and leave the ledger whole: no body holds a name, only numbers that names stand behind."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet

from recordings import exports, ingest, ledger
from recordings.choices import ActorKind, LedgerAction
from recordings.models import Actor, LedgerEntry
from recordings.models.people import ERASED


class NotForgotten(Exception):
    """A name cannot be erased. The text says why; nothing was changed."""


@dataclass(frozen=True)
class Forgotten:
    """How many rows name the person, of what kind, and which files go because they may hold the name.

    `is_again`: nothing names the person any more, as after a first run, so that only exports are looked after.
    """

    rows: dict[str, int]
    files: int
    exports_under_way: int
    live_calls: int = 0
    is_again: bool = False

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def would_forget_user(username: str) -> Forgotten:
    """What `forget_user` would erase. Raises NotForgotten."""
    user = _user(username)
    if user is None:
        return _again("There is no user of this name. Nothing was changed.")
    rows = {"labels in the ledger": _actors(user).count(), "lines of the admin's log": _logged(user).count()}
    return Forgotten({**rows, "account": 1}, exports.kept_files(), exports.under_way())


def forget_user(username: str, *, by: Actor, now: datetime) -> Forgotten:
    """Erase the name of somebody who signed in here (aware UTC). Their steps stay theirs, by number.

    Raises NotForgotten where there is no such user and nobody was forgotten before, or the account is still enabled.
    """
    with transaction.atomic():
        found = would_forget_user(username)
        user = _user(username)
        names = {username} | (_erase(user) if user else set())
        exports.forget_in_exports(names, now=now)
        _record("user", found, by=by, now=now)
    return found


def _erase(user: User) -> set[str]:
    """The names that the account had."""
    names = {user.username, *_actors(user).filter(kind=ActorKind.PERSON).values_list("label", flat=True)}
    for key in _actors(user).values_list("pk", flat=True):
        Actor.objects.filter(pk=key).update(label=f"{ERASED} {key}")
    LogEntry.objects.filter(pk__in=_logged(user).values("pk")).update(object_repr=ERASED)
    nobody = {"username": f"erased-{user.pk}", "first_name": "", "last_name": "", "email": ""}
    User.objects.filter(pk=user.pk).update(**nobody, password=make_password(None))
    return names


def would_forget_called(person: str) -> Forgotten:
    """What `forget_called` would erase. Raises NotForgotten."""
    return _found(ingest.called(person))


def forget_called(person: str, *, by: Actor, now: datetime) -> Forgotten:
    """Erase the name of somebody on calls, by their id or their whole name (aware UTC).

    Raises NotForgotten where no call names them and nobody was forgotten before.
    """
    with transaction.atomic():
        known = ingest.called(person)
        found = _found(known)
        ingest.forget_called(person)
        exports.forget_in_exports(known.names, now=now)
        _record("called", found, by=by, now=now)
    return found


def _found(known: ingest.Called) -> Forgotten:
    if not known.rows:
        return _again("No call names this person by this id or whole name. Nothing was changed.")
    rows = {"as the recorded person": known.recorded, "as organizer": known.organized, "in titles": known.titled}
    return Forgotten(rows, exports.kept_files(), exports.under_way(), known.live)


def _again(refused: str) -> Forgotten:
    """What is left to do for a name that is gone. That one was erased before is all that can be known: nothing says
    whose. Raises NotForgotten with the sentence if none was."""
    if not LedgerEntry.objects.filter(action=LedgerAction.PERSON_FORGOTTEN).exists():
        raise NotForgotten(refused)
    return Forgotten({}, exports.kept_files(), exports.under_way(), is_again=True)


def _user(username: str) -> User | None:
    """By the name of today or an earlier one. Raises NotForgotten if the account is enabled."""
    user = User.objects.filter(username=username).first()
    if user is None:
        former = Actor.objects.filter(kind=ActorKind.PERSON, label=username).first()
        user = User.objects.filter(pk=former.subject_id).first() if former else None
    if user and user.is_active:
        raise NotForgotten("This account is enabled. Disable it first, in the admin. Nothing was changed.")
    return user


def _actors(user: User) -> QuerySet[Actor]:
    people = Actor.objects.filter(kind__in=(ActorKind.PERSON, ActorKind.SHELL), subject_id=str(user.pk))
    return people.exclude(label__startswith=ERASED)


def _logged(user: User) -> QuerySet[LogEntry]:
    lines = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    return lines.exclude(object_repr=ERASED)


def _record(kind: str, found: Forgotten, *, by: Actor, now: datetime) -> None:
    ledger.record(LedgerAction.PERSON_FORGOTTEN, actor=by, now=now, kind=kind, rows=found.total)
