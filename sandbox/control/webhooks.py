"""Webhooks from behind: subscriptions, deliveries with their tries, holding them back and letting them go."""

from __future__ import annotations

from collections import deque
from typing import Any

from sandbox.webhooks.delivery import Delivery

from .asking import Ask, ControlError


def list_subscriptions(ask: Ask) -> dict[str, Any]:
    """All subscriptions, or those of ``?shop=``: made over the API, and ``managed`` by the app's configuration."""
    shops = [ask.shop()] if "shop" in ask.query else list(ask.sandbox.shops.values())
    rows = [
        {"shop": shop.domain, **row.as_json()}
        for shop in shops
        for row in (*shop.subscriptions.values(), *(row for app in shop.apps.values() for row in app.managed))
    ]
    return {"subscriptions": rows}


def delete_subscription(ask: Ask) -> dict[str, Any]:
    """Delete one subscription (``?id=``) as if Shopify had done it; without an id all that were made over the API."""
    shop = ask.shop()
    wanted = ask.query.get("id")
    with shop.lock:
        gone = [gid for gid, row in shop.subscriptions.items() if wanted in (None, gid, str(row.number))]
        if wanted is not None and not gone:
            raise ControlError(
                f"{shop.domain} has no subscription {wanted!r}.", "GET /_control/subscriptions lists them.", 404
            )
        for gid in gone:
            del shop.subscriptions[gid]
        shop.wanted_changed()
    return {"removed": gone}


def list_deliveries(ask: Ask) -> dict[str, Any]:
    """Deliveries with body and attempts: filters shop, topic, state, event, webhook, after; the newest `limit` (1,000)."""
    wanted = dict(ask.query)
    if "shop" in wanted:
        wanted["shop"] = ask.shop().domain
    after = int(wanted.get("after", "0"))
    found = [row for row in ask.sandbox.webhooks.all() if row.number > after and _fits(row, wanted)]
    kept = deque(found, maxlen=int(wanted.get("limit", "1000")))
    return {
        "total": len(found),
        "holding": ask.sandbox.webhooks.holding,
        "states": ask.sandbox.webhooks.counts(),
        "deliveries": [row.as_json() for row in kept],
    }


def _fits(row: Delivery, wanted: dict[str, str]) -> bool:
    has = {
        "shop": row.shop.domain,
        "topic": row.subscription.topic,
        "state": row.state,
        "event": row.event_id,
        "webhook": row.webhook_id,
    }
    return all(wanted.get(name, value) == value for name, value in has.items())


def clear_deliveries(ask: Ask) -> dict[str, Any]:
    """Forget all deliveries; those that wait are sent no more."""
    count = len(ask.sandbox.webhooks.all())
    ask.sandbox.webhooks.clear()
    return {"removed": count}


def resend_delivery(ask: Ask) -> dict[str, Any]:
    """Send one delivery again: same payload, same ids."""
    row = ask.sandbox.webhooks.find(int(ask.parts["number"]))
    if row is None:
        raise ControlError(f"There is no delivery {ask.parts['number']}.", "GET /_control/deliveries lists them.", 404)
    ask.sandbox.webhooks.resend(row)
    return {"number": row.number, "state": row.state}


def hold_deliveries(ask: Ask) -> dict[str, Any]:
    """Collect deliveries from now on instead of sending them."""
    ask.sandbox.webhooks.hold()
    return {"holding": True}


def flush_deliveries(ask: Ask) -> dict[str, Any]:
    """Send what was held and hold no more: ``shuffle`` (false), ``duplicate`` and ``lose`` (shares, 0 to 1), ``seed`` (1)."""
    body = ask.body
    shares = {name: float(body.get(name, 0.0)) for name in ("duplicate", "lose")}
    for name, share in shares.items():
        if not 0.0 <= share <= 1.0:
            raise ControlError(f"{name} is {share}, no share.", "Send a number from 0 to 1.")
    return {**ask.sandbox.webhooks.flush(shuffle=bool(body.get("shuffle")), seed=int(body.get("seed", 1)), **shares)}


def settle_deliveries(ask: Ask) -> dict[str, Any]:
    """Wait until everything due by the sandbox's clock was tried, at most ``timeout`` (10) real seconds."""
    done = ask.sandbox.webhooks.settle(min(float(ask.body.get("timeout", 10)), 300.0))
    return {"settled": done, "states": ask.sandbox.webhooks.counts()}
