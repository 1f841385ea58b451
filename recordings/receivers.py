"""What Django tells us: tables were migrated, somebody signed in or failed to, roles, rights and accounts changed."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import connections, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from recordings import ledger
from recordings.choices import LedgerAction
from recordings.models import Actor, append_only
from recordings.permissions import FLAGS


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
    """A user entered or left groups, from either side of the relation. Django does not say who did it."""
    held = instance.user_set if reverse else instance.groups
    with transaction.atomic():
        for other in _changed(held, action, pk_set):
            user, group = (other, instance) if reverse else (instance, other)
            if user.is_active:  # a disabled account holds nothing: it gets its roles with its return
                _record_role(user, group.name, is_held=action == "post_add")


def record_right_change(instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **_: Any) -> None:
    """A group gained or lost rights, from either side of the relation."""
    held = instance.group_set if reverse else instance.permissions
    with transaction.atomic():
        for other in _changed(held, action, pk_set):
            group, right = (other, instance) if reverse else (instance, other)
            _record_right(group.name, right, is_held=action == "post_add")


def record_account_change(
    instance: User, raw: bool = False, update_fields: Collection[str] | None = None, **_: Any
) -> None:
    """Before a user is saved: who is disabled holds nothing any more, and who comes back holds theirs again."""
    known = None if raw else User.objects.filter(pk=instance.pk).first()
    if known is None:
        return
    is_saved = {name: update_fields is None or name in update_fields for name in ("is_active", *FLAGS)}
    after = {name: getattr(instance if is_saved[name] else known, name) for name in is_saved}
    with transaction.atomic():
        if known.is_active != after["is_active"]:
            for group in known.groups.all():
                _record_role(known, group.name, is_held=after["is_active"])
        for flag in FLAGS:
            is_held = after["is_active"] and after[flag]
            if is_held != (known.is_active and getattr(known, flag)):
                _record_flag(known, flag, is_held=is_held)


def record_new_account(instance: User, created: bool, raw: bool = False, **_: Any) -> None:
    """After a user is saved the first time, as by `createsuperuser`: only then there is somebody to name."""
    if raw or not created or not instance.is_active:
        return
    with transaction.atomic():
        for flag in FLAGS:
            if getattr(instance, flag):
                _record_flag(instance, flag, is_held=True)


def record_new_name(instance: Group, raw: bool = False, **_: Any) -> None:
    """Before a group is saved: with another name it is another role to whoever reads the ledger."""
    known = None if raw else Group.objects.filter(pk=instance.pk).first()
    if known is None or known.name == instance.name:
        return
    with transaction.atomic():
        _record_all(known, name=known.name, is_held=False)
        _record_all(known, name=instance.name, is_held=True)


def record_deleted_group(instance: Group, **_: Any) -> None:
    """Before a group goes: its rights and its people's role go with it, of which Django says nothing more."""
    with transaction.atomic():
        _record_all(instance, name=instance.name, is_held=False)


def keep_user(instance: User, **_: Any) -> None:
    """Before a user goes: nobody ever does. Raises ProtectedError."""
    raise ProtectedError(
        "People are disabled, never deleted: the record goes on naming them. Nothing was changed.", {instance}
    )


def _changed(held: Any, action: str, pk_set: set[int] | None) -> list[Any]:
    """The other side of a relation that changes. Before a removal what is held tells which part of it is a change."""
    if action not in ("post_add", "pre_remove", "pre_clear"):
        return []
    return list(held.all() if pk_set is None else held.filter(pk__in=pk_set))


def _record_all(group: Group, *, name: str, is_held: bool) -> None:
    for right in group.permissions.select_related("content_type"):
        _record_right(name, right, is_held=is_held)
    for user in group.user_set.filter(is_active=True):
        _record_role(user, name, is_held=is_held)


def _record_role(user: User, role: str, *, is_held: bool) -> None:
    ledger.record(
        LedgerAction.ROLE_CHANGED,
        actor=Actor.objects.job("roles"),
        now=timezone.now(),
        subject=Actor.objects.person(user).pk,
        role=role,
        is_held=is_held,
    )


def _record_flag(user: User, flag: str, *, is_held: bool) -> None:
    ledger.record(
        LedgerAction.ACCOUNT_CHANGED,
        actor=Actor.objects.job("roles"),
        now=timezone.now(),
        subject=Actor.objects.person(user).pk,
        flag=flag,
        is_held=is_held,
    )


def _record_right(role: str, right: Permission, *, is_held: bool) -> None:
    ledger.record(
        LedgerAction.GROUP_CHANGED,
        actor=Actor.objects.job("roles"),
        now=timezone.now(),
        role=role,
        right=f"{right.content_type.app_label}.{right.codename}",
        is_held=is_held,
    )
