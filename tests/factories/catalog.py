"""Products, variants and how stores list them."""

from __future__ import annotations

import factory
from django.utils import timezone

from catalog.models import ListedVariant, Listing, MatchedBy, Product, Variant, fold_tags
from tests.factories.connectors import StoreFactory


class ProductFactory(factory.django.DjangoModelFactory[Product]):
    class Meta:
        model = Product

    handle = factory.Sequence(lambda n: f"tricou-negru-{n}")
    title = factory.Sequence(lambda n: f"Tricou negru {n}")


class VariantFactory(factory.django.DjangoModelFactory[Variant]):
    """A tracked variant; `tag_keys` follow the tags of variant and product, as the import keeps them."""

    class Meta:
        model = Variant

    product = factory.SubFactory(ProductFactory)
    item_number = factory.Sequence(lambda n: f"AB-{n:05}")
    sku = factory.LazyAttribute(lambda variant: variant.item_number)
    tags = factory.LazyFunction(list)
    tag_keys = factory.LazyAttribute(lambda variant: fold_tags([*variant.tags, *variant.product.tags]))


class ListingFactory(factory.django.DjangoModelFactory[Listing]):
    class Meta:
        model = Listing

    store = factory.SubFactory(StoreFactory)
    product = factory.SubFactory(ProductFactory)
    remote_ref = factory.Sequence(lambda n: f"gid://shopify/Product/{1000 + n}")
    handle = factory.LazyAttribute(lambda listing: listing.product.handle)
    linked_at = factory.LazyFunction(timezone.now)


class ListedVariantFactory(factory.django.DjangoModelFactory[ListedVariant]):
    """A linked variant, by its SKU. Give `store` and `variant`, or nothing; the listing is of the same two."""

    class Meta:
        model = ListedVariant

    store = factory.SubFactory(StoreFactory)
    variant = factory.SubFactory(VariantFactory)
    listing = factory.LazyAttribute(
        lambda listed: (
            Listing.objects.filter(store=listed.store, product=listed.variant.product).first()
            or ListingFactory(store=listed.store, product=listed.variant.product)
        )
    )
    remote_ref = factory.Sequence(lambda n: f"gid://shopify/ProductVariant/{1000 + n}")
    item_ref = factory.Sequence(lambda n: f"gid://shopify/InventoryItem/{1000 + n}")
    matched_by = MatchedBy.SKU
    linked_at = factory.LazyFunction(timezone.now)
