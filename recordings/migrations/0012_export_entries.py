from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recordings", "0011_witness"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="tries",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="export",
            name="with_entries",
            field=models.BooleanField(default=False),
        ),
    ]
