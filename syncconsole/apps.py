from typing import Any

from django.apps import AppConfig
from django.apps import apps as all_apps
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate


class SyncConsoleConfig(AppConfig):
    """Names every app: commands that span apps, and the migration that makes the roles. No models."""

    default = True
    name = "syncconsole"
    verbose_name = "Sync Console"

    def ready(self) -> None:
        """Make the Celery application the current one, so that tasks are published through it; keep the roles."""
        from syncconsole import celery  # noqa: F401

        # Django tells nobody of the migrations of an app without models, so another one is listened to.
        post_migrate.connect(keep_roles, sender=all_apps.get_app_config("kernel"), dispatch_uid="roles")


def keep_roles(apps: Any = None, **_: Any) -> None:
    """After every migration: the roles have the rights of the table, of models that are new, too."""
    from syncconsole.kernel import roles

    try:
        roles.apply(apps or all_apps)
    except LookupError:
        # Only part of the apps was migrated, and groups are not among them yet.
        return


class ConsoleAdminConfig(admin_apps.AdminConfig):
    """Django's admin, served by our site."""

    default = False
    default_site = "syncconsole.site.ConsoleSite"
