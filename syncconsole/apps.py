from django.apps import AppConfig


class SyncConsoleConfig(AppConfig):
    """Names every app: commands that span apps, and the migration that makes the roles. No models."""

    name = "syncconsole"
    verbose_name = "Sync Console"

    def ready(self) -> None:
        """Make the Celery application the current one, so that tasks are published through it."""
        from syncconsole import celery  # noqa: F401
