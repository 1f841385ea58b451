"""What was called a lease of an item only ever said before when it is not looked at, as it does for an operation."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("recordings", "0007_left_out")]

    operations = [migrations.RenameField("bulkitem", "leased_until", "send_after")]
