from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recordings", "0012_export_entries")]

    operations = [
        migrations.AddIndex(
            model_name="attemptresult",
            index=models.Index(fields=["graph_operation_id"], name="result_graph_operation"),
        ),
    ]
