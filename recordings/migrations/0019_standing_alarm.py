from typing import Any

from django.db import migrations, models


def name_those_before(apps: Any, schema_editor: Any) -> None:
    """How large their checkpoints were was not kept: as large as the ledger was, at the least."""
    for run in apps.get_model("recordings", "Verification").objects.filter(alarm_count__gt=0):
        if any(alarm.get("kind") == "notConsistent" for alarm in run.alarms):
            run.is_inconsistent, run.kept_size = True, run.size
            run.save(update_fields=["is_inconsistent", "kept_size"])


class Migration(migrations.Migration):
    dependencies = [
        ("recordings", "0018_account_changed"),
    ]

    operations = [
        migrations.AddField(
            model_name="verification",
            name="is_inconsistent",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="verification",
            name="kept_size",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.RunPython(name_those_before, migrations.RunPython.noop),
    ]
