"""Settings of a store, changed by people: one door for every page and command, so that each change is in the audit log."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction

from connectors.models import Store
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

CHANGE_RIGHT: Final = "connectors.change_store"


def change(store: Store, action: str, wanted: dict[str, Any], *, by: User, address: str | None = None) -> bool:
    """Save these settings (name of the field → value, checked already), with an audit entry `action` that names both
    values; `store` has them afterwards. The same once more changes and notes nothing. Returns whether anything changed.

    The store's row stays locked until the transaction around it ends.
    """
    with transaction.atomic():
        row = Store.objects.select_for_update().get(pk=store.pk)
        before = {name: getattr(row, name) for name in wanted}
        changed = before != wanted
        if changed:
            Store.objects.filter(pk=store.pk).update(**wanted)
            audit.record(by, action, store.name, before=_plain(before), after=_plain(wanted), address=address)
    for name, value in wanted.items():
        setattr(store, name, value)
    return changed


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """As the audit log keeps them: yes and no, numbers, lists and nothing as they are, all else as words."""
    kept = (int, list, type(None))
    return {name: value if isinstance(value, kept) else str(value) for name, value in values.items()}
