"""What Django tells us: tables were migrated, somebody signed in or failed to, a role changed."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connections, transaction
from django.utils import timezone

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.models import Actor, append_only


def keep_triggers(using: str, **_: Any) -> None:
    """A table rebuild on SQLite drops triggers silently, so each migrate puts back what is missing."""
    append_only.install(connections[using])


def record_sign_in(user: User, **_: Any) -> None:
    with transaction.atomic():
        ledger.record(LedgerAction.SIGN_IN, actor=Actor.objects.person(user), now=timezone.now())


def record_failed_sign_in(credentials: dict[str, Any], **_: Any) -> None:
    """Somebody gave a wrong name or password. The name is kept only if it is a user's: others may be a password."""
    tried = str(credentials.get("username", ""))
    user = User.objects.filter(username=tried).first()
    actor = Actor.objects.person(user) if user else Actor.objects.job("sign-in")
    with transaction.atomic():
        ledger.record(LedgerAction.SIGN_IN_FAILED, actor=actor, now=timezone.now(), is_known_user=user is not None)


def record_role_change(instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **_: Any) -> None:
    """A user entered or left groups, from either side of the relation. Django does not say who did it.

    Before a removal what is held tells which part of it is a change.
    """
    if action not in ("post_add", "pre_remove", "pre_clear"):
        return
    held = instance.user_set if reverse else instance.groups
    changed = held.all() if pk_set is None else held.filter(pk__in=pk_set)
    pairs = [(other, instance) if reverse else (instance, other) for other in changed]
    with transaction.atomic():
        for user, group in pairs:
            _record_role(user, group, is_held=action == "post_add")


def _record_role(user: User, group: Group, *, is_held: bool) -> None:
    ledger.record(
        LedgerAction.ROLE_CHANGED,
        actor=Actor.objects.job("roles"),
        now=timezone.now(),
        subject=Actor.objects.person(user).pk,
        role=group.name,
        is_held=is_held,
    )
