import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recordings", "0016_leaves_as_they_are")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="stopped_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="recordings.actor",
            ),
        ),
    ]
