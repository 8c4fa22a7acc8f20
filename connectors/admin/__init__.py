from connectors.admin import notices, runs, schedules  # noqa: F401
