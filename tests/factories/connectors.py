"""Stores and their locations."""

from __future__ import annotations

import factory
from django.utils import timezone

from connectors.models import Store, StoreLocation
from connectors.shopify.capabilities import CAPABILITIES


class StoreFactory(factory.django.DjangoModelFactory[Store]):
    """A store whose last connection test found every scope. Each has its own shop domain."""

    class Meta:
        model = Store

    slug = factory.Sequence(lambda n: f"bucovina-{n}")
    name = factory.Sequence(lambda n: f"Atelier Bucovina {n}")
    shop_domain = factory.LazyAttribute(lambda store: f"{store.slug}.myshopify.com")
    access_token = "shpat_test"
    granted_scopes = factory.LazyFunction(lambda: list(CAPABILITIES[0].scopes))
    connection_checked_at = factory.LazyFunction(timezone.now)


class StoreLocationFactory(factory.django.DjangoModelFactory[StoreLocation]):
    """An active location of a store."""

    class Meta:
        model = StoreLocation

    store = factory.SubFactory(StoreFactory)
    ref = factory.Sequence(lambda n: f"gid://shopify/Location/{1000 + n}")
    name = factory.Sequence(lambda n: f"Depozit {n}")
    seen_at = factory.LazyFunction(timezone.now)
