"""Our GraphQL documents (queries/*.graphql): their text, and what each one does in words.

Fragments that several documents use stand in queries/fragments/; each document is sent with those it needs and no more.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from connectors.pacing import Lane
from connectors.shopify.decoding import decode

QUERIES: Final = Path(__file__).parent / "queries"
_SPREAD: Final = re.compile(r"\.\.\.(?!on\b)(\w+)")
_FRAGMENT: Final = re.compile(r"^fragment (\w+) on .*?^}$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Document:
    """One operation: its text without comments, the name inside it, what it does, and its expected points."""

    text: str
    operation_name: str
    purpose: str
    points: int
    """Requested points by the cost rules of reference 2.2; the client learns the real number from replies."""
    lane: Lane = Lane.BULK
    """Whether it goes before bulk where points are short."""


# file name -> (operation name, what it does as an operator says it, expected points)
_DOCUMENTS: Final[dict[str, tuple[str, str, int]]] = {
    "overview": ("Overview", "test the connection", 4),
    "schema": ("Schema", "read the schema", 10),
    "orders_changed": ("OrdersChanged", "list the changed orders", 13),
    "orders_by_ids": ("OrdersByIds", "read orders", 257),
    "order_branches": ("OrderBranches", "read what hangs on orders", 50),
    "fulfillment_create": ("FulfillmentCreate", "tell of a shipment", 10),
    "orders_count": ("OrdersCount", "count the changed orders", 10),
    "order_agreements": ("OrderAgreements", "read what was agreed of orders", 192),
    "order_versions": ("OrderVersions", "compare versions of orders", 1),
    "order_fields": ("OrderFieldValues", "read custom fields of orders", 12),
    "order_pages": ("OrderPages", "read the rest of an order", 111),
    "refund_pages": ("RefundPages", "read the rest of a refund", 40),
    "return_pages": ("ReturnPages", "read the rest of a return", 30),
    "fulfillment_pages": ("FulfillmentPages", "read the rest of a fulfilment", 25),
    "fulfillment_order_pages": ("FulfillmentOrderPages", "read the rest of a fulfilment order", 25),
    "webhooks_list": ("WebhooksList", "list the webhook subscriptions", 10),
    "webhook_create": ("WebhookCreate", "subscribe to webhooks", 10),
    "webhook_delete": ("WebhookDelete", "remove a webhook subscription", 10),
    "locations": ("Locations", "list the locations", 13),
    "products_page": ("ProductsPage", "list the products", 191),
    "product_variants_page": ("ProductVariantsPage", "list a product's variants", 36),
    "products_by_ids": ("ProductsByIds", "read products", 58),
    "product_by_handle": ("ProductByHandle", "find a product by its handle", 58),
    "product_pages": ("ProductPages", "read the rest of a product", 36),
    "product_create": ("ProductCreate", "create a product", 10),
    "product_update": ("ProductUpdate", "update a product", 10),
    "product_tags_add": ("ProductTagsAdd", "add tags to a product", 10),
    "product_tags_remove": ("ProductTagsRemove", "remove tags from a product", 10),
    "product_images_add": ("ProductImagesAdd", "add images to a product", 10),
    "images_by_ids": ("ImagesByIds", "look at images", 3),
    "variants_create": ("VariantsCreate", "create variants", 10),
    "variants_update": ("VariantsUpdate", "update variants", 10),
    "variant_prices": ("VariantPrices", "write prices", 10),
    "metafields_set": ("MetafieldsSet", "write metafields", 10),
    "publications": ("Publications", "list the publications", 51),
    "product_publish": ("ProductPublish", "publish a product", 10),
    "product_visibility": ("ProductVisibility", "see where a product is published", 17),
    "levels_by_items": ("LevelsByItems", "read quantities", 3),
    "inventory_adjust": ("InventoryAdjust", "adjust quantities", 10),
    "inventory_set": ("InventorySet", "overwrite quantities", 10),
    "inventory_activate": ("InventoryActivate", "stock an item at a location", 10),
    "inventory_item_tracked": ("InventoryItemTracked", "switch Track quantity", 10),
    "variants_count": ("VariantsCount", "count the variants", 10),
    "bulk_run_query": ("BulkRunQuery", "start a bulk query", 10),
    "bulk_run_mutation": ("BulkRunMutation", "start a bulk change", 10),
    "bulk_operation": ("BulkOperation", "see how a bulk operation is doing", 1),
    "bulk_operations": ("BulkOperations", "list the bulk operations", 9),
    "bulk_cancel": ("BulkCancel", "cancel a bulk operation", 10),
    "staged_upload": ("StagedUpload", "reserve a place for an upload", 11),
    # Sent inside a bulk operation, which charges no points by rows.
    "bulk_products": ("BulkProducts", "list the products in bulk", 0),
    "bulk_orders": ("BulkOrders", "list the orders in bulk", 0),
    "bulk_inventory_set": ("BulkInventorySet", "overwrite quantities in bulk", 0),
}


_URGENT: Final = frozenset(
    {
        *("overview", "locations", "webhooks_list", "webhook_create", "webhook_delete"),
        *("orders_changed", "orders_by_ids", "order_agreements", "order_versions", "order_pages"),
        *("order_fields", "refund_pages", "return_pages", "fulfillment_pages", "fulfillment_order_pages"),
    }
)
"""What a person waits for, and what says what was sold."""


@functools.cache
def document(name: str) -> Document:
    """The document in `queries/<name>.graphql`."""
    operation_name, purpose, points = _DOCUMENTS[name]
    lane = Lane.URGENT if name in _URGENT else Lane.BULK
    text = _squeezed(_complete((QUERIES / f"{name}.graphql").read_text(encoding="utf-8")))
    return Document(text=text, operation_name=operation_name, purpose=purpose, points=points, lane=lane)


def _complete(text: str) -> str:
    """`text` with the shared fragments it names and those that these name, each once."""
    shared = _shared_fragments()
    have = {found[1] for found in _FRAGMENT.finditer(text)}
    while missing := [name for name in dict.fromkeys(_SPREAD.findall(text)) if name not in have]:
        text = "\n".join([text.rstrip(), *(shared[name] for name in missing)])
        have.update(missing)
    return text


@functools.cache
def _shared_fragments() -> dict[str, str]:
    files = [path.read_text(encoding="utf-8") for path in sorted((QUERIES / "fragments").glob("*.graphql"))]
    return {found[1]: found[0] for text in files for found in _FRAGMENT.finditer(text)}


def _squeezed(text: str) -> str:
    """Without comments, indentation and empty lines, which cost bytes and say nothing to the shop."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def document_of(body: bytes) -> Document:
    """The document a stored body was made from, found by the operation name it carries."""
    operation_name = decode(body, _Named).operation_name
    for name, (known, _, _) in _DOCUMENTS.items():
        if known == operation_name:
            return document(name)
    raise LookupError(f"A stored request names the operation {operation_name!r}, which this version does not know.")


def encode(name: str, variables: dict[str, Any]) -> bytes:
    """Compact JSON of one request, the same bytes for the same input."""
    source = document(name)
    return msgspec.json.encode({"query": source.text, "variables": variables, "operationName": source.operation_name})


class _Named(msgspec.Struct, rename="camel"):
    operation_name: str
