"""When Graph is asked for a silent call, and when a refused tenant was tried last."""

from django.db import migrations, models
from django.db.models.functions import Coalesce


def ask_for_those_that_live(apps, schema_editor):
    """A live call that nobody speaks of any more would never come up by itself."""
    calls = apps.get_model("recordings", "Call").objects.using(schema_editor.connection.alias)
    live = calls.filter(ended_at__isnull=True, gone_at__isnull=True)
    live.update(probe_after=Coalesce("last_signal_at", "created_at"))


class Migration(migrations.Migration):
    dependencies = [("recordings", "0004_who_handles_findings")]

    operations = [
        migrations.AddField(model_name="call", name="probe_after", field=models.DateTimeField(blank=True, null=True)),
        migrations.AddField(model_name="tenant", name="refused_at", field=models.DateTimeField(blank=True, null=True)),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("probe_after__isnull", False)),
                fields=["tenant_id", "probe_after"],
                name="call_probe",
            ),
        ),
        migrations.RunPython(ask_for_those_that_live, migrations.RunPython.noop),
    ]
