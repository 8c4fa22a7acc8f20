"""An app's installation: its id and secret, its own configuration, its end, its scopes, and requests of the law."""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.shopify.access import ALL_SCOPES
from sandbox.shopify.apps import App, app_of
from sandbox.shopify.catalogue import Shop
from sandbox.shopify.protected import GROUPS
from sandbox.shopify.subscriptions import (
    COMPLIANCE_TOPICS,
    TOPIC_SCOPES,
    Subscription,
    new_subscription,
    target_problem,
)

from .asking import Ask, ControlError, whole


def list_apps(ask: Ask) -> dict[str, Any]:
    """Every shop's apps with client id, secret, scopes and the subscriptions of their configuration."""
    shops = [ask.shop()] if "shop" in ask.query else list(ask.sandbox.shops.values())
    return {"apps": [_told(app) for shop in shops for app in shop.apps.values()]}


def change_app(ask: Ask) -> dict[str, Any]:
    """Change an app (``app``, 1): ``client_id``, ``secret``, ``rotate`` (a new secret), ``api_version``, ``installed``,
    ``withheld`` (customer data it is not approved for: customer, name, address, email, phone), and ``subscriptions`` of its
    configuration: [{"topics": [...], "uri": "...", "filter"?, "include_fields"?, "name"?}]."""
    shop = ask.shop()
    app = _app(ask, shop)
    body = ask.body
    with shop.lock:
        managed = None
        if "subscriptions" in body:
            managed = [row for described in body["subscriptions"] for row in _managed(ask, shop, app, described)]
        if "client_id" in body:
            app.client_id = str(body["client_id"])
        if "secret" in body:
            app.secret, app.old_secret = str(body["secret"]), None
        if body.get("rotate"):
            secret = body["rotate"] if isinstance(body["rotate"], str) else f"shpss_{secrets.token_hex(16)}"
            app.rotate(secret, ask.sandbox.clock.seconds())
        if "api_version" in body:
            app.api_version = str(body["api_version"])
            for row in shop.subscriptions.values():
                row.api_version = app.api_version if row.app_number == app.number else row.api_version
        if "withheld" in body:
            app.withheld = _groups(body["withheld"])
        if "installed" in body:
            app.installed = bool(body["installed"])
        if managed is not None:
            app.managed = managed
            shop.wanted_changed()
    return _told(app)


def _groups(said: Any) -> frozenset[str]:
    groups = frozenset(str(group) for group in said or ())
    if unknown := groups - set(GROUPS):
        raise ControlError(f"{min(unknown)!r} is no group of customer data.", f"Use: {', '.join(GROUPS)}.")
    return groups


def _managed(ask: Ask, shop: Shop, app: App, described: dict[str, Any]) -> list[Subscription]:
    uri = str(described["uri"])
    problem = target_problem(uri, shop.webhook_hosts)
    if problem is not None:
        raise ControlError(problem, "Use an address on 127.0.0.1, or start the sandbox with --webhook-host.")
    topics = described.get("topics", []) + described.get("compliance_topics", [])
    rows = []
    for topic in topics:
        if topic not in TOPIC_SCOPES and topic not in COMPLIANCE_TOPICS:
            known = ", ".join((*TOPIC_SCOPES, *COMPLIANCE_TOPICS))
            raise ControlError(f"There is no topic {topic!r}.", f"Use: {known}.")
        row = new_subscription(shop, app.number, topic, uri, ask.sandbox.clock.stamp())
        row.managed = True
        row.filter = described.get("filter")
        row.include_fields = list(described.get("include_fields") or ())
        row.name = described.get("name")
        rows.append(row)
    return rows


def uninstall_app(ask: Ask) -> dict[str, Any]:
    """Uninstall an app (``app``, 1): its tokens die, its API subscriptions go, and app/uninstalled is delivered."""
    shop = ask.shop()
    app = _app(ask, shop)
    with shop.lock:
        dead = [
            t for t in ask.sandbox.admin.tokens.values() if (t.shop_domain, t.app_number) == (shop.domain, app.number)
        ]
        for token in dead:
            token.revoked = True
        shop.happened("app/uninstalled", app)
        gone = [gid for gid, row in shop.subscriptions.items() if row.app_number == app.number]
        for gid in gone:
            del shop.subscriptions[gid]
        app.installed = False
        shop.wanted_changed()
    return {**_told(app), "tokens_ended": len(dead), "subscriptions_deleted": len(gone)}


def change_scopes(ask: Ask) -> dict[str, Any]:
    """``{"scopes": [...]}`` (null: all) for an app and all its tokens; app/scopes_update is delivered."""
    shop = ask.shop()
    app = _app(ask, shop)
    wanted = ask.need("scopes")
    before, app.scopes = app.scopes, ALL_SCOPES if wanted is None else tuple(str(scope) for scope in wanted)
    with shop.lock:
        for token in ask.sandbox.admin.tokens.values():
            if (token.shop_domain, token.app_number) == (shop.domain, app.number):
                token.scopes = app.scopes
        shop.happened(
            "app/scopes_update",
            {
                "id": app.number,
                "previous": list(before),
                "current": list(app.scopes),
                "updated_at": ask.sandbox.clock.stamp(),
                "shop_id": shop.id_base + 1,
            },
        )
    return _told(app)


def request_privacy(ask: Ask) -> dict[str, Any]:
    """``{"topic": "customers/data_request" | "customers/redact" | "shop/redact"}``, with ``customer`` and ``orders`` (ids)."""
    shop = ask.shop()
    topic = str(ask.need("topic"))
    if topic not in COMPLIANCE_TOPICS:
        raise ControlError(f"{topic!r} is no request of the law.", f"Use one of: {', '.join(COMPLIANCE_TOPICS)}.")
    payload: dict[str, Any] = {"shop_id": shop.id_base + 1, "shop_domain": shop.domain}
    if topic != "shop/redact":
        orders = [whole(number, "orders") for number in ask.body.get("orders", ())]
        payload["orders_requested" if topic == "customers/data_request" else "orders_to_redact"] = orders
        payload["customer"] = ask.body.get("customer") or {"id": shop.id_base + 191_167, "email": None, "phone": None}
    if topic == "customers/data_request":
        payload["data_request"] = {"id": int(ask.body.get("request", 9999))}
    with shop.lock:
        heard = any(row.topic == topic for app in shop.apps.values() for row in app.managed)
        if not heard:
            raise ControlError(
                f"No app of {shop.domain} has {topic} in its configuration.",
                'POST /_control/apps {"subscriptions": [{"topics": ["' + topic + '"], "uri": "…"}]} first.',
                409,
            )
        shop.happened(topic, payload)
    return {"topic": topic, "payload": payload}


def _app(ask: Ask, shop: Shop) -> App:
    return app_of(shop, whole(ask.body.get("app", 1), "app"))


def _told(app: App) -> dict[str, Any]:
    return {
        "shop": app.shop_domain,
        "app": app.number,
        "client_id": app.client_id,
        "client_secret": app.secret,
        "old_secret": app.old_secret,
        "api_version": app.api_version,
        "scopes": list(app.scopes),
        "withheld": sorted(app.withheld),
        "installed": app.installed,
        "subscriptions": [row.as_json() for row in app.managed],
    }
