from django.apps import AppConfig


class RecordingsConfig(AppConfig):
    name = "recordings"
    verbose_name = "On Record"
    default_auto_field = "django.db.models.BigAutoField"
