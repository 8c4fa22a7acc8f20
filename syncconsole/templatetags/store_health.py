"""`{% store_health store as health %}`: the health word of a store, for the frame around its pages."""

from __future__ import annotations

from django import template

from connectors.models import Store
from syncconsole.store_health import StoreHealth, health_of

register = template.Library()


@register.simple_tag
def store_health(store: Store) -> StoreHealth:
    """The word and reason of `store`."""
    return health_of(store)
