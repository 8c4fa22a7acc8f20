"""Shopify's webhooks: their topics, headers, signature and bodies (reference 7)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from connectors.ports.webhooks import Envelope, NotUnderstood, Subject, Topic, Understood, level_ref

_ORDERS: Final = ("read_orders",)
_PRODUCTS: Final = ("read_products",)
_STOCK: Final = ("read_inventory",)
_ITEMS: Final = ("read_inventory", "read_products")
_PLACES: Final = ("read_locations",)
_SHIPMENTS: Final = ("read_fulfillments",)
_RETURNS: Final = ("read_returns",)


@dataclass(frozen=True, slots=True)
class _About:
    """How a topic's body names its object: `path` to the numeric id of a `type`, dotted; `dated` when the body's
    updated_at is the object's own."""

    subject: Subject
    scopes: tuple[str, ...] = ()
    kind: str = ""
    type: str = ""
    paths: tuple[str, ...] = ("id",)
    dated: bool = False
    wanted: bool = True


def _order(*paths: str, scopes: tuple[str, ...] = _ORDERS, wanted: bool = True) -> _About:
    dated = not paths
    return _About(Subject.CHANGE, scopes, "order", "Order", paths or ("id",), dated, wanted)


_PRODUCT: Final = _About(Subject.CHANGE, _PRODUCTS, "product", "Product", dated=True)
_LEVEL: Final = _About(Subject.CHANGE, _STOCK, "level")
_ITEM: Final = _About(Subject.NOTED, _ITEMS, "item", "InventoryItem")
_PLACE: Final = _About(Subject.NOTED, _PLACES, "location", "Location")
_SHOP: Final = _About(Subject.NOTED, (), "shop", "Shop", wanted=False)

_TOPICS: Final[dict[str, _About]] = {
    "orders/create": _order(),
    "orders/updated": _order(),
    "orders/cancelled": _order(),
    "orders/edited": _order("order_edit.order_id"),
    "orders/delete": _order("id"),
    # Each of these comes with orders/updated, which is enough.
    "orders/paid": _order(wanted=False),
    "orders/fulfilled": _order(wanted=False),
    "orders/partially_fulfilled": _order(wanted=False),
    "refunds/create": _order("order_id"),
    "order_transactions/create": _order("order_id"),
    "fulfillments/create": _order("order_id", scopes=_SHIPMENTS),
    "fulfillments/update": _order("order_id", scopes=_SHIPMENTS),
    **{
        f"returns/{step}": _order("order_id", "order.id", scopes=_RETURNS)
        for step in ("request", "approve", "update", "process", "close", "reopen", "cancel", "decline")
    },
    "products/create": _PRODUCT,
    "products/update": _PRODUCT,
    "products/delete": _PRODUCT,
    "inventory_levels/update": _LEVEL,
    "inventory_levels/connect": _LEVEL,
    "inventory_levels/disconnect": _LEVEL,
    "inventory_items/create": _ITEM,
    "inventory_items/update": _ITEM,
    "inventory_items/delete": _ITEM,
    **{f"locations/{step}": _PLACE for step in ("create", "update", "delete", "activate", "deactivate")},
    "bulk_operations/finish": _About(Subject.NOTED, (), "bulk operation"),
    "shop/update": _SHOP,
    "app/uninstalled": _About(Subject.UNINSTALLED),
    "app/scopes_update": _About(Subject.SCOPES),
    # Mandatory topics are set in the app's configuration and cannot be subscribed to.
    "customers/data_request": _About(Subject.DATA_REQUEST, wanted=False),
    "customers/redact": _About(Subject.CUSTOMER_REDACT, wanted=False),
    "shop/redact": _About(Subject.SHOP_REDACT, wanted=False),
}

TOPIC_OF: Final = {name.replace("/", "_").upper(): name for name in _TOPICS}
"""The API's word for a topic → the name that deliveries carry."""
_TOPIC: Final = re.compile(r"[a-z_]{2,30}/[a-z_]{2,28}")
_KEPT: Final = frozenset(
    {"id", "admin_graphql_api_id", "order_id", "order", "order_edit", "updated_at", "created_at", "inventory_item_id"}
    | {"location_id", "shop_id", "shop_domain"}
)
_SECRET: Final = re.compile(r"(^|_)(token|secret|authorization|password)$|^order_status_url$|^landing_site(_ref)?$")
_PERSONAL: Final = frozenset(
    {"email", "contact_email", "phone", "browser_ip", "note", "note_attributes", "properties", "customer_locale"}
    | {"first_name", "last_name", "company", "address1", "address2", "city", "zip", "latitude", "longitude"}
    | {"billing_address", "shipping_address", "default_address", "origin_address", "destination", "addresses"}
    | {"client_details", "payment_details", "receipt", "user_agent", "referring_site", "customer", "shop_owner"}
    | {"customer_email", "name_on_card", "recipient", "tracking_number", "tracking_numbers", "tracking_url"}
    | {"tracking_urls", "po_number", "staff_note"}
)
MASKED: Final = "•••"


class ShopifyWebhooks:
    """`WebhookDialect` of Shopify."""

    topics: tuple[Topic, ...] = tuple(Topic(name, about.scopes) for name, about in _TOPICS.items() if about.wanted)

    def envelope(self, headers: Mapping[str, str], body: bytes) -> Envelope:
        """Read the headers; `headers` finds names whatever their case. Without an id of its own a delivery is known by
        its bytes."""
        topic = headers.get("X-Shopify-Topic", "")
        if not _TOPIC.fullmatch(topic):
            raise NotUnderstood(
                "The request names no topic.", "Send webhooks of Shopify to this address, nothing else."
            )
        ref = headers.get("X-Shopify-Webhook-Id", "").strip()
        return Envelope(
            topic=topic,
            delivery_ref=ref[:80] or f"body:{hashlib.sha256(body).hexdigest()}",
            event_ref=headers.get("X-Shopify-Event-Id", "")[:80],
            api_version=headers.get("X-Shopify-API-Version", "")[:10],
            triggered_at=_time(headers.get("X-Shopify-Triggered-At")),
            domain=headers.get("X-Shopify-Shop-Domain", "").strip().lower(),
            signature=headers.get("X-Shopify-Hmac-Sha256", ""),
        )

    def is_signed(self, body: bytes, signature: str, secrets: Collection[str]) -> bool:
        """HMAC-SHA256 over the raw body, in base64 (reference 7.2). Every secret is tried, whichever fits."""
        try:
            given = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        fits = [hmac.compare_digest(given, hmac.digest(each.encode(), body, "sha256")) for each in secrets if each]
        return any(fits)

    def understand(self, topic: str, body: bytes) -> Understood:
        """What the delivery is about. A number of the body becomes a gid, as the Admin API names the object."""
        about, content = _about(topic), _content(body)
        if about.subject in (Subject.DATA_REQUEST, Subject.CUSTOMER_REDACT):
            return _customer(about.subject, content)
        if about.subject in (Subject.UNINSTALLED, Subject.SCOPES, Subject.SHOP_REDACT):
            return Understood(about.subject)
        updated_at = _time(content.get("updated_at")) if about.dated else None
        return Understood(about.subject, about.kind, _ref(about, content), updated_at)

    def ids_only(self, topic: str, body: bytes) -> bytes:
        """The body's ids and times at its first two levels; empty when it is no JSON object."""
        try:
            content = _content(body)
        except NotUnderstood:
            return b""
        return msgspec.json.encode(_ids(content))

    def shown(self, topic: str, body: bytes, *, personal: bool) -> Any:
        """The body with its secrets masked, and what tells of a person, too, unless `personal`."""
        if not personal:
            _about(topic)
        return _masked(_content(body), personal=personal)


def _about(topic: str) -> _About:
    try:
        return _TOPICS[topic]
    except KeyError:
        raise NotUnderstood(
            f"The topic {topic} is not known here.",
            "Remove its subscription in Shopify, or ignore the delivery with a reason.",
        ) from None


def _content(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise NotUnderstood(
            f"The body is not a JSON object: {exc}",
            "Retry it if the sender was at fault; ignore it with a reason if nothing is missing.",
        ) from exc


def _ref(about: _About, content: dict[str, Any]) -> str:
    if about.kind == "level":
        return _level_ref(content)
    if about.type:
        for path in about.paths:
            number = _at(content, path)
            if isinstance(number, int) and not isinstance(number, bool) and number > 0:
                return f"gid://shopify/{about.type}/{number}"
        raise NotUnderstood(
            f"The body has no number at {' or '.join(about.paths)}, so it does not say what it is about.",
            "The change is found by polling; ignore the delivery with that as its reason.",
        )
    gid = content.get("admin_graphql_api_id")
    return gid[:120] if isinstance(gid, str) else ""


def _level_ref(content: dict[str, Any]) -> str:
    item, place = content.get("inventory_item_id"), content.get("location_id")
    if not isinstance(item, int) or not isinstance(place, int):
        raise NotUnderstood(
            "The body names no inventory item and location.",
            "Nothing is lost: stock is read from the store. Ignore the delivery with that as its reason.",
        )
    return level_ref(f"gid://shopify/InventoryItem/{item}", f"gid://shopify/Location/{place}")


def _customer(subject: Subject, content: dict[str, Any]) -> Understood:
    """Whom a privacy request is about, and by which texts their rows are found: ids, e-mail and phone."""
    customer = content.get("customer")
    customer = customer if isinstance(customer, dict) else {}
    number = customer.get("id")
    orders = content.get("orders_to_redact") or content.get("orders_requested") or []
    orders = orders if isinstance(orders, list) else []
    named = [number, *orders, customer.get("email"), customer.get("phone")]
    traces = tuple(dict.fromkeys(str(each) for each in named if isinstance(each, int | str) and len(str(each)) >= 3))
    if not traces:
        raise NotUnderstood(
            "The request names neither a customer nor an order.",
            "Look the request up in the app's settings at Shopify and answer it there, then ignore it with a reason.",
        )
    ref = f"gid://shopify/Customer/{number}" if isinstance(number, int) else ""
    theirs = tuple(f"gid://shopify/Order/{each}" for each in orders if isinstance(each, int))
    return Understood(subject, "customer", ref, customer_ref=ref, order_refs=theirs, traces=traces)


def _at(content: Any, path: str) -> Any:
    for step in path.split("."):
        content = content.get(step) if isinstance(content, dict) else None
    return content


def _ids(content: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in content.items():
        if name in _KEPT and isinstance(value, int | str):
            kept[name] = value
        elif name in _KEPT and isinstance(value, dict) and depth == 0:
            kept[name] = _ids(value, depth + 1)
    return kept


def _masked(value: Any, *, personal: bool) -> Any:
    if isinstance(value, list):
        return [_masked(each, personal=personal) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: MASKED
        if each not in (None, "", [], {}) and (_SECRET.search(name) or (name in _PERSONAL and not personal))
        else _masked(each, personal=personal)
        for name, each in value.items()
    }


def _time(text: Any) -> dt.datetime | None:
    """RFC 3339, in whatever offset; None when there is none, or it says no time zone."""
    if not isinstance(text, str):
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
