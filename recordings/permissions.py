"""What a role may do, asked from one place by views, admin, commands and templates.

A role is a group made by a migration. Superuser is no role: who keeps the users does not thereby correct records.
"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.db.models import QuerySet

LOOK = "look"
EXPORT = "export"
HANDLE = "handle"
CORRECT = "correct"
ATTEST = "attest"
APPROVE = "approve"
VERIFY = "verify"

# The roles as the first migrations made them. Another role or right comes with a migration of its own.
ROLES = {
    "Compliance officer": (LOOK, EXPORT, HANDLE),
    "Recording admin": (LOOK, EXPORT, HANDLE, CORRECT, ATTEST),
    "Approver": (LOOK, EXPORT, HANDLE, CORRECT, ATTEST, APPROVE),
    "Auditor": (LOOK, EXPORT, VERIFY),
}

# What an account can be beside its roles. Neither is one: staff may enter the admin, superusers keep the accounts.
FLAGS = ("is_superuser", "is_staff")


class NotAllowed(Exception):
    """A person without the right asked for something. Nothing was changed."""

    def __init__(self, verb: str) -> None:
        super().__init__(f"Your role does not include the right to {verb}. Nothing was changed.")
        self.verb = verb


def verbs_of(user: AbstractBaseUser | AnonymousUser) -> frozenset[str]:
    """The verbs the user's groups allow; read once a request, since a user object lives as long."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    known: frozenset[str] | None = vars(user).get("_onrecord_verbs")
    if known is None:
        groups = Group.objects.filter(user=user, permissions__content_type__app_label="recordings")
        known = frozenset(groups.values_list("permissions__codename", flat=True))
        vars(user)["_onrecord_verbs"] = known
    return known


def may(user: AbstractBaseUser | AnonymousUser, verb: str) -> bool:
    return verb in verbs_of(user)


def require(user: AbstractBaseUser | AnonymousUser, verb: str) -> None:
    """Raise NotAllowed unless `user` may."""
    if not may(user, verb):
        raise NotAllowed(verb)


def people_who_may(verb: str) -> QuerySet[User]:
    """The active users whose role includes `verb`, by name."""
    roles = Group.objects.filter(permissions__codename=verb, permissions__content_type__app_label="recordings")
    return User.objects.filter(is_active=True, groups__in=roles).distinct().order_by("username")
