from inventory.admin import levels, stores  # noqa: F401
