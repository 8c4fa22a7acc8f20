"""`{% store_health store as health %}`: the health word of a store, for the frame around its pages."""

from __future__ import annotations

from django import template
from django.template import Context

from connectors.models import Store
from syncconsole.store_health import StoreHealth, health_of

register = template.Library()


@register.simple_tag(takes_context=True)
def store_health(context: Context, store: Store) -> StoreHealth:
    """The word and reason of `store`, as the person who looks sees them."""
    return health_of(store, context["request"].user.pk)
