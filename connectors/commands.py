"""What commands about a store share."""

from __future__ import annotations

from connectors.models import Store
from syncconsole.kernel.commands import Refused


def named_store(slug: str) -> Store:
    """The store with this short name. Raises Refused naming those there are."""
    store = Store.objects.filter(slug=slug).first()
    if store is None:
        there = ", ".join(Store.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise Refused(f"There is no store {slug}.", f"Use one of: {there}; or add it with add_store.")
    return store
