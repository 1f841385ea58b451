"""What of bulk jobs waits for a second person is found by an index of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recordings", "0005_sync_and_blocked")]

    operations = [
        migrations.AddIndex(
            model_name="bulkitem",
            index=models.Index(
                condition=models.Q(("status", "awaitingApproval")), fields=["id"], name="item_to_approve"
            ),
        ),
    ]
