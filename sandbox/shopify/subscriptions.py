"""Webhook subscriptions: the rows, and the queries and mutations on them (reference §7.1)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .apps import app_of
from .catalogue import Shop
from .execution import PageRequest, Run
from .keyed import unkeyed
from .pages import Page, take_page
from .replies import FieldFault
from .topics import Topic
from .world import World

Payload = dict[str, Any]
UserError = dict[str, Any]

_STOCK = frozenset({"read_inventory"})
_ITEMS = frozenset({"read_inventory", "read_products"})
_ORDERS = frozenset({"read_orders"})
_PRODUCTS = frozenset({"read_products"})
_PLACES = frozenset({"read_locations"})
_RETURNS = frozenset({"read_returns"})
_SHIPMENTS = frozenset({"read_fulfillments"})
_FREE: frozenset[str] = frozenset()

# Topic → the scopes of which any one opens it; empty = none needed.
TOPIC_SCOPES: dict[str, frozenset[str]] = {
    **{
        f"orders/{what}": _ORDERS
        for what in ("create", "updated", "cancelled", "paid", "fulfilled", "edited", "delete")
    },
    **dict.fromkeys(("orders/partially_fulfilled", "refunds/create", "order_transactions/create"), _ORDERS),
    **{
        f"returns/{what}": _RETURNS
        for what in ("request", "approve", "update", "process", "close", "reopen", "cancel", "decline")
    },
    **{f"fulfillments/{what}": _SHIPMENTS for what in ("create", "update")},
    **{f"inventory_levels/{what}": _STOCK for what in ("update", "connect", "disconnect")},
    **{f"inventory_items/{what}": _ITEMS for what in ("create", "update", "delete")},
    **{f"products/{what}": _PRODUCTS for what in ("create", "update", "delete")},
    **{f"locations/{what}": _PLACES for what in ("create", "update", "delete", "activate", "deactivate")},
    **dict.fromkeys(("bulk_operations/finish", "app/uninstalled", "app/scopes_update", "shop/update"), _FREE),
}
COMPLIANCE_TOPICS = ("customers/data_request", "customers/redact", "shop/redact")
"""In the app's own configuration only: they are no topics of the API."""

_BY_ENUM = {topic.upper().replace("/", "_"): topic for topic in TOPIC_SCOPES}
_HOST = re.compile(r"^[a-z0-9][a-z0-9.-]*$")


@dataclass
class Subscription:
    """Who wants to hear of one topic, and where."""

    gid: str
    number: int
    app_number: int
    topic: str  # as in the delivery's header: orders/updated
    uri: str
    created_at: str
    updated_at: str
    format: str = "JSON"
    filter: str | None = None
    include_fields: list[str] = field(default_factory=list)
    metafield_namespaces: list[str] = field(default_factory=list)
    metafields: list[dict[str, str]] = field(default_factory=list)
    name: str | None = None
    managed: bool = False  # of the app's configuration
    api_version: str = "2026-10"

    def as_json(self) -> dict[str, Any]:
        """The row as the control API shows it."""
        return {("id" if name == "gid" else name): value for name, value in self.__dict__.items() if name != "number"}


def target_problem(uri: str, allowed_hosts: frozenset[str]) -> str | None:
    """Why nothing can be delivered to an address, or None. A simulator calls nobody but this machine and named hosts."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return f"Address protocol {parts.scheme or uri!r} is not supported: the sandbox delivers by HTTP only."
    host = (parts.hostname or "").lower()
    if not host or not (_HOST.match(host) or ":" in host):
        return f"Address {uri!r} has no host."
    try:
        _ = parts.port
    except ValueError:
        return f"Address {uri!r} has no usable port."
    if host in allowed_hosts or _is_this_machine(host):
        return None
    return (
        f"Address {host} is not allowed: the sandbox delivers to this machine (127.0.0.1) and to hosts "
        "named with --webhook-host only."
    )


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def new_subscription(shop: Shop, app_number: int, topic: str, uri: str, stamp: str) -> Subscription:
    """A subscription that is in no list yet, with an id of its own."""
    number = shop.id_base + 700_000_001 + shop.next_subscription
    shop.next_subscription += 1
    gid = f"gid://shopify/WebhookSubscription/{number}"
    version = app_of(shop, app_number).api_version
    return Subscription(gid, number, app_number, topic, uri, stamp, stamp, api_version=version)


# ── mutations ──


def _create(world: World, arguments: Payload) -> Payload:
    topic, given = _BY_ENUM[arguments["topic"]], arguments["webhookSubscription"]
    scopes = effective_scopes(world.granted)
    needs = TOPIC_SCOPES[topic]
    if needs and needs.isdisjoint(scopes):
        wanted = " or ".join(sorted(needs))
        message = f"You do not have permission to create or update webhooks with {topic} topic. It needs {wanted}."
        return _refused(["topic"], message)
    uri = given.get("uri") or given.get("callbackUrl")
    wrong = _wrong(world, topic, uri, given, None)
    if wrong is not None:
        return _refused(*wrong)
    row = new_subscription(world.shop, world.app_number, topic, uri, world.clock.stamp())
    _fill(row, given)
    world.shop.subscriptions[row.gid] = row
    world.shop.wanted_changed()
    return {"webhookSubscription": row, "userErrors": []}


def _update(world: World, arguments: Payload) -> Payload:
    row, given = own_subscription(world, arguments["id"]), arguments["webhookSubscription"]
    if row is None:
        return _refused(["id"], "The specified webhook subscription does not exist.")
    uri = given.get("uri") or given.get("callbackUrl") or row.uri
    wrong = _wrong(world, row.topic, uri, given, row)
    if wrong is not None:
        return _refused(*wrong)
    row.uri = uri
    row.updated_at = world.clock.stamp()
    _fill(row, given)
    return {"webhookSubscription": row, "userErrors": []}


def _delete(world: World, arguments: Payload) -> Payload:
    row = own_subscription(world, arguments["id"])
    if row is None:
        problem = {"field": ["id"], "message": "The specified webhook subscription does not exist."}
        return {"deletedWebhookSubscriptionId": None, "userErrors": [problem]}
    del world.shop.subscriptions[row.gid]
    world.shop.wanted_changed()
    return {"deletedWebhookSubscriptionId": row.gid, "userErrors": []}


def effective_scopes(granted: tuple[str, ...]) -> frozenset[str]:
    """The granted scopes; writing implies reading."""
    return frozenset(granted) | {"read_" + each.removeprefix("write_") for each in granted if each.startswith("write_")}


def _wrong(
    world: World, topic: str, uri: str | None, given: Payload, own: Subscription | None
) -> tuple[list[str], str] | None:
    """Field and message of what stands against a subscription, if anything does."""
    if not uri:
        return ["webhookSubscription", "uri"], "Address can't be blank"
    problem = target_problem(uri, world.shop.webhook_hosts)
    if problem is not None:
        return ["webhookSubscription", "uri"], problem
    wanted_format = given.get("format") or (own.format if own else "JSON")
    if wanted_format != "JSON":
        return ["webhookSubscription", "format"], "The sandbox delivers JSON only."
    wanted_filter = given.get("filter", own.filter if own else None)
    for row in world.shop.subscriptions.values():
        same = (row.app_number, row.topic, row.uri, row.format, row.filter or None)
        if row is not own and same == (world.app_number, topic, uri, wanted_format, wanted_filter or None):
            return ["webhookSubscription", "uri"], "Address for this topic has already been taken"
    return None


def _fill(row: Subscription, given: Payload) -> None:
    if "filter" in given:
        row.filter = given["filter"] or None
    if "includeFields" in given:
        row.include_fields = list(given["includeFields"] or ())
    if "metafieldNamespaces" in given:
        row.metafield_namespaces = list(given["metafieldNamespaces"] or ())
    if "metafields" in given:
        row.metafields = [{"namespace": m.get("namespace") or "", "key": m["key"]} for m in given["metafields"] or ()]
    if "name" in given:
        row.name = given["name"]


def _refused(path: list[str], message: str) -> Payload:
    error: UserError = {"field": path, "message": message}
    return {"webhookSubscription": None, "userErrors": [error]}


# ── queries ──


def own_subscription(world: World, gid: str) -> Subscription | None:
    """The app's own subscription of that id."""
    row: Subscription | None = world.shop.subscriptions.get(gid)
    return row if row is not None and row.app_number == world.app_number else None


def _own(world: World) -> list[Subscription]:
    return [row for row in world.shop.subscriptions.values() if row.app_number == world.app_number]


def _page(world: World, request: PageRequest, run: Run) -> Page:
    wanted = request.rest
    if wanted.get("query"):
        raise FieldFault("The sandbox filters subscriptions by topics, format and uri, not by query.", "BAD_REQUEST")
    topics = wanted.get("topics")
    uri = wanted.get("uri") or wanted.get("callbackUrl")
    rows = [
        row
        for row in _own(world)
        if (topics is None or _enum(row) in topics)
        and (uri is None or row.uri == uri)
        and (wanted.get("format") in (None, row.format))
    ]
    return take_page(rows, request, lambda row: (0, row.number))


def _count(world: World, arguments: Payload, run: Run) -> Payload:
    number, limit = len(_own(world)), arguments.get("limit")
    if limit is not None and number > limit:
        return {"count": limit, "precision": "AT_LEAST"}
    return {"count": number, "precision": "EXACT"}


def _enum(row: Subscription) -> str:
    return row.topic.upper().replace("/", "_")


def _version(row: Subscription) -> dict[str, Any]:
    return {"handle": row.api_version, "displayName": row.api_version, "supported": True}


SUBSCRIPTIONS = Topic(
    full={
        ("QueryRoot", "webhookSubscription"): lambda world, arguments, run: own_subscription(world, arguments["id"]),
        ("QueryRoot", "webhookSubscriptions"): _page,
        ("QueryRoot", "webhookSubscriptionsCount"): _count,
        ("Mutation", "webhookSubscriptionCreate"): unkeyed(_create),
        ("Mutation", "webhookSubscriptionUpdate"): unkeyed(_update),
        ("Mutation", "webhookSubscriptionDelete"): unkeyed(_delete),
    },
    plain={
        ("WebhookSubscription", "id"): lambda row: row.gid,
        ("WebhookSubscription", "legacyResourceId"): lambda row: str(row.number),
        ("WebhookSubscription", "topic"): _enum,
        ("WebhookSubscription", "callbackUrl"): lambda row: row.uri,
        ("WebhookSubscription", "apiVersion"): _version,
    },
    type_names={"Subscription": "WebhookSubscription"},
    node_scopes={
        "WebhookSubscription": frozenset({"read_products", "read_orders", "read_inventory", "read_locations"})
    },
    mappings=frozenset(
        {
            "WebhookSubscriptionCreatePayload",
            "WebhookSubscriptionUpdatePayload",
            "WebhookSubscriptionDeletePayload",
            "WebhookSubscriptionMetafieldIdentifier",
        }
    ),
)
"""Subscriptions of one app at one shop."""
