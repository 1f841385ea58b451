"""Roles are groups. The lists stand here as they were when this was written; a later change is a later migration."""

from django.apps import apps as real_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

ROLES = {
    "Compliance officer": ("look", "export"),
    "Recording admin": ("look", "export", "correct", "attest"),
    "Approver": ("look", "export", "correct", "attest", "approve"),
    "Auditor": ("look", "export", "verify"),
}


def make_roles(apps, schema_editor):
    """Permissions are usually made after the last migration, so they are made here first."""
    alias = schema_editor.connection.alias
    create_permissions(real_apps.get_app_config("recordings"), verbosity=0, using=alias, apps=apps)
    permission_model = apps.get_model("auth", "Permission")
    for name, verbs in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name=name)
        rights = permission_model.objects.using(alias).filter(content_type__app_label="recordings", codename__in=verbs)
        group.permissions.set(rights)


class Migration(migrations.Migration):
    dependencies = [
        ("recordings", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
