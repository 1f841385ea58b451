"""Receivers for Django's own signals stand here; we have no signals of our own."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import m2m_changed, post_migrate, post_save, pre_delete, pre_save


class RecordingsConfig(AppConfig):
    name = "recordings"
    verbose_name = "On Record"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Models can only be imported once the apps are loaded, so the receivers' module is reached from here."""
        from recordings import checks, receivers  # noqa: F401, PLC0415

        user_model: Any = self.apps.get_model("auth", "User")  # type: ignore[union-attr]
        group_model: Any = self.apps.get_model("auth", "Group")  # type: ignore[union-attr]
        post_migrate.connect(receivers.keep_triggers, sender=self)
        user_logged_in.connect(receivers.record_sign_in)
        user_login_failed.connect(receivers.record_failed_sign_in)
        m2m_changed.connect(receivers.record_role_change, sender=user_model.groups.through)
        m2m_changed.connect(receivers.record_right_change, sender=group_model.permissions.through)
        pre_save.connect(receivers.record_account_change, sender=user_model)
        post_save.connect(receivers.record_new_account, sender=user_model)
        pre_save.connect(receivers.record_new_name, sender=group_model)
        pre_delete.connect(receivers.record_deleted_group, sender=group_model)
        pre_delete.connect(receivers.keep_user, sender=user_model)
