from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "connectors"
    verbose_name = "Connections"

    def ready(self) -> None:
        """Register the checks of the configuration."""
        from connectors import checks  # noqa: F401
