"""Products as Shopify's answers carry them (queries/products_by_ids.graphql), and in the port's words."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from connectors.ports.products import (
    Metafield,
    Placement,
    ProductImage,
    ProductOption,
    ProductVariant,
    RemoteProduct,
    Weight,
)
from connectors.shopify.mutations import SimpleWrite
from connectors.shopify.pages import Connection


class _Named(msgspec.Struct):
    name: str


class _Option(msgspec.Struct, rename="camel"):
    id: str
    name: str
    option_values: list[_Named]


class _Chosen(msgspec.Struct):
    name: str
    value: str


class _Amount(msgspec.Struct):
    amount: Decimal


class _Weight(msgspec.Struct):
    value: Decimal
    unit: str


class _Measurement(msgspec.Struct):
    weight: _Weight | None = None


class _Item(msgspec.Struct, rename="camel"):
    id: str
    tracked: bool
    requires_shipping: bool
    measurement: _Measurement
    unit_cost: _Amount | None = None


class VariantNode(msgspec.Struct, rename="camel"):
    """One variant with its inventory item."""

    id: str
    position: int
    price: Decimal
    taxable: bool
    updated_at: dt.datetime
    selected_options: list[_Chosen]
    inventory_item: _Item
    sku: str | None = None
    barcode: str | None = None
    compare_at_price: Decimal | None = None


class _Picture(msgspec.Struct):
    url: str


class _Failure(msgspec.Struct):
    message: str


class MediumNode(msgspec.Struct, rename="camel"):
    """One image, or another medium; `image` is null until it is ready."""

    id: str
    media_content_type: str
    status: str
    alt: str | None = None
    media_errors: list[_Failure] = []
    image: _Picture | None = None


class FieldNode(msgspec.Struct):
    """One metafield."""

    namespace: str
    key: str
    type: str
    value: str


class _Id(msgspec.Struct):
    id: str


class PlaceNode(msgspec.Struct, rename="camel"):
    """One publication of a product, scheduled ones included."""

    is_published: bool
    publication: _Id
    publish_date: dt.datetime | None = None


class _Count(msgspec.Struct):
    count: int


class ProductNode(msgspec.Struct, rename="camel"):
    """One product, its connections as far as they have been read. `resource_publications_v2` is missing where the
    scope is."""

    id: str
    handle: str
    title: str
    description_html: str
    vendor: str
    product_type: str
    status: str
    tags: list[str]
    is_gift_card: bool
    created_at: dt.datetime
    updated_at: dt.datetime
    options: list[_Option]
    variants: Connection[VariantNode]
    media: Connection[MediumNode]
    metafields: Connection[FieldNode]
    resource_publications_v2: Connection[PlaceNode] | None = None
    variants_count: _Count | None = None

    @property
    def is_torn(self) -> bool:
        """Variants came or went while their pages were followed."""
        refs = {variant.id for variant in self.variants.nodes}
        expected = self.variants_count.count if self.variants_count else len(refs)
        return len(refs) != len(self.variants.nodes) or len(refs) != expected


class ProductsData(msgspec.Struct):
    """Answer to `products_by_ids.graphql`, aligned with the ids asked for; null where there is none."""

    nodes: list[ProductNode | None]


class _Handled(msgspec.Struct):
    id: str
    handle: str


class ProductWrite(SimpleWrite, rename="camel"):
    """Payload of the mutations that make or change a product."""

    product: _Handled | None = None


class RowsWrite(SimpleWrite, rename="camel"):
    """Payload of the mutations of many rows; of variants, those that were written."""

    product_variants: list[_Id] | None = None


class FoundData(msgspec.Struct, rename="camel"):
    """Answer to `product_by_handle.graphql`."""

    product_by_identifier: ProductNode | None


def product(node: ProductNode) -> RemoteProduct:
    """One product whose connections have been read to the end."""
    places = node.resource_publications_v2
    return RemoteProduct(
        ref=node.id,
        handle=node.handle,
        title=node.title,
        description_html=node.description_html,
        vendor=node.vendor,
        kind=node.product_type,
        status=node.status.lower(),
        tags=tuple(node.tags),
        is_gift_card=node.is_gift_card,
        created_at=node.created_at,
        updated_at=node.updated_at,
        options=tuple(
            ProductOption(option.id, option.name, tuple(value.name for value in option.option_values))
            for option in node.options
        ),
        variants=tuple(_variant(node, variant) for variant in node.variants.nodes),
        images=tuple(image(medium) for medium in node.media.nodes),
        metafields=tuple(Metafield(own.namespace, own.key, own.type, own.value) for own in node.metafields.nodes),
        placements=None if places is None else tuple(placement(place) for place in places.nodes),
    )


def image(node: MediumNode) -> ProductImage:
    """One medium."""
    return ProductImage(
        ref=node.id,
        kind=node.media_content_type.lower(),
        status=node.status.lower(),
        alt=node.alt or "",
        url=node.image.url if node.image else "",
        problem="; ".join(dict.fromkeys(failure.message for failure in node.media_errors)),
    )


def placement(node: PlaceNode) -> Placement:
    """One publication the product is on."""
    return Placement(node.publication.id, node.is_published, node.publish_date)


def _variant(owner: ProductNode, node: VariantNode) -> ProductVariant:
    item = node.inventory_item
    weight = item.measurement.weight
    return ProductVariant(
        product_ref=owner.id,
        product_handle=owner.handle,
        product_title=owner.title,
        product_status=owner.status.lower(),
        product_tags=tuple(owner.tags),
        ref=node.id,
        item_ref=item.id,
        sku=node.sku or "",
        barcode=node.barcode or "",
        option_values=tuple(chosen.value for chosen in node.selected_options),
        price=node.price,
        tracked=item.tracked,
        position=node.position,
        compare_at=node.compare_at_price,
        cost=item.unit_cost.amount if item.unit_cost else None,
        weight=Weight(weight.value, weight.unit.lower()) if weight else None,
        taxable=node.taxable,
        requires_shipping=item.requires_shipping,
        updated_at=node.updated_at,
    )
