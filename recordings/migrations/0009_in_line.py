from django.db import migrations

from recordings.models import append_only


def install_triggers(apps, schema_editor):
    """From here on the database itself puts new entries in line for their seal."""
    append_only.install(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("recordings", "0008_not_before")]

    operations = [migrations.RunPython(install_triggers, migrations.RunPython.noop)]
