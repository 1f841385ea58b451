"""Who looks after calls also handles findings: acknowledges, assigns, comments, puts off and closes them."""

from django.apps import apps as real_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

HANDLERS = ("Compliance officer", "Recording admin", "Approver")


def let_them_handle(apps, schema_editor):
    """Permissions are usually made after the last migration, so they are made here first."""
    alias = schema_editor.connection.alias
    create_permissions(real_apps.get_app_config("recordings"), verbosity=0, using=alias, apps=apps)
    permission_model = apps.get_model("auth", "Permission")
    handle = permission_model.objects.using(alias).get(content_type__app_label="recordings", codename="handle")
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=HANDLERS):
        group.permissions.add(handle)


class Migration(migrations.Migration):
    dependencies = [("recordings", "0003_findings")]

    operations = [migrations.RunPython(let_them_handle, migrations.RunPython.noop)]
