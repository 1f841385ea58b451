from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recordings", "0010_evidence"),
    ]

    operations = [
        migrations.CreateModel(
            name="Witness",
            fields=[
                ("name", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("tried_at", models.DateTimeField(blank=True, null=True)),
                ("problem", models.TextField(blank=True, default="")),
                ("problem_since_at", models.DateTimeField(blank=True, null=True)),
                ("conflict", models.TextField(blank=True, default="")),
                ("conflict_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "witnesses",
                "default_permissions": (),
            },
        ),
    ]
