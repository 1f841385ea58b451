"""Users and groups, for superusers alone."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import models
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest

from recordings import permissions


class ForSuperusers(admin.ModelAdmin):
    """Who may sign in and with which role is the business of superusers alone. Many of a few are checkboxes."""

    filter_horizontal = ()
    formfield_overrides = {models.ManyToManyField: {"widget": CheckboxSelectMultiple}}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_active and request.user.is_superuser


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class PeopleAdmin(ForSuperusers, UserAdmin):
    """People are disabled, never deleted: the ledger goes on naming them (invariant 6). Rights come by roles only."""

    list_display = ("username", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "last_login")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Role",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "groups"),
                "description": "To end a person's access, take away “Active”. Nobody is ever deleted here, because "
                "the record goes on naming them. Being a superuser does not allow anybody to correct or approve.",
            },
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(Group)
class RolesAdmin(ForSuperusers, GroupAdmin):
    """Groups. Those that are a role keep their name and stay; others can go, one at a time."""

    filter_horizontal = ()

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return isinstance(obj, Group) and not _is_role(obj) and _is_superuser(request)

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> tuple[str, ...]:
        return ("name",) if isinstance(obj, Group) and _is_role(obj) else ()


def _is_role(group: Group) -> bool:
    return group.name in permissions.ROLES
