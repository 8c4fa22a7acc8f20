"""The stage itself: shops, clock, faults, call log, poison rows, tokens, buckets."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any

from sandbox.shopify.access import ALL_SCOPES, Token
from sandbox.shopify.bucket import PLANS
from sandbox.shopify.catalogue import Shop
from sandbox.shopify.rows import Item
from sandbox.shopify.seed import DEFAULT_LOCATIONS
from sandbox.shopify.stale import snapshot

from .asking import Ask, ControlError, item_of

POISON_CODES = ("INVALID_INVENTORY_ITEM", "NON_MUTABLE_INVENTORY_ITEM")


def show_state(ask: Ask) -> dict[str, Any]:
    """Everything at a glance: clock, shops with counts, sums per location, buckets, tokens; faults; sizes of the logs."""
    sandbox = ask.sandbox
    return {
        "clock": {"now": sandbox.clock.stamp(), "offset_seconds": round(sandbox.clock.offset, 3)},
        "shops": {domain: _shop(ask, shop) for domain, shop in sandbox.shops.items()},
        "faults": [rule.as_json() for rule in sandbox.faults.all()],
        "calls": len(sandbox.calls),
        "orders": len(sandbox.orders),
    }


def _shop(ask: Ask, shop: Shop) -> dict[str, Any]:
    admin = ask.sandbox.admin
    with shop.lock:
        locations = [
            {"id": place.gid, "name": place.name, "active": place.active, **_sums(shop, place.index)}
            for place in shop.locations
        ]
    tokens = [token for token in admin.tokens.values() if token.shop_domain == shop.domain]
    return {
        "plan": shop.plan,
        "products": len(shop.products),
        "variants": len(shop.variants),
        "levels": shop.level_count(),
        "locations": locations,
        "bucket": admin.bucket(shop, 1).status(),
        "idempotency_keys": len(admin.memory(shop, 1)),
        "poison": dict(shop.poison),
        "tokens": [
            {
                "token": t.text,
                "app": t.app_number,
                "works": t.works(ask.sandbox.clock.seconds()),
                "scopes": list(t.scopes),
            }
            for t in tokens
        ],
    }


def _sums(shop: Shop, index: int) -> dict[str, int]:
    levels = [level for item in shop.items if index < len(item.levels) and (level := item.levels[index]) is not None]
    return {
        "levels": len(levels),
        "available": sum(level.quantities[0] for level in levels),
        "committed": sum(level.quantities[1] for level in levels),
        "on_hand": sum(level.on_hand() for level in levels),
    }


# ── clock ──


def move_clock(ask: Ask) -> dict[str, Any]:
    """``{"advance": seconds}``, ``{"set": "2026-11-21T10:00:00Z"}`` or ``{"reset": true}``."""
    clock = ask.sandbox.clock
    if "advance" in ask.body:
        clock.advance(float(ask.body["advance"]))
    elif "set" in ask.body:
        try:
            moment = datetime.fromisoformat(str(ask.body["set"]))
        except ValueError:
            raise ControlError(f"{ask.body['set']!r} is not a time.", "Write it as 2026-11-21T10:00:00Z.") from None
        if moment.tzinfo is None:
            raise ControlError("The time has no zone.", "Write it as 2026-11-21T10:00:00Z.")
        clock.set(moment)
    elif ask.body.get("reset"):
        clock.reset()
    else:
        raise ControlError("The body says no time.", "Send advance, set or reset.")
    return {"now": clock.stamp(), "offset_seconds": round(clock.offset, 3)}


# ── faults ──


def list_faults(ask: Ask) -> dict[str, Any]:
    """The rules with how often each has fired."""
    return {"faults": [rule.as_json() for rule in ask.sandbox.faults.all()]}


def add_faults(ask: Ask) -> dict[str, Any]:
    """One rule, or several under ``faults``; each may name its shop."""
    described = ask.body.get("faults", [ask.body])
    try:
        rules = [ask.sandbox.faults.add(_with_domain(ask, one)) for one in described]
    except (ValueError, TypeError) as problem:
        raise ControlError(str(problem), "docs/adapters/sandbox.md describes every fault.") from None
    for rule in rules:
        if rule.kind == "stale_read":
            rule.kept = {d: snapshot(shop) for d, shop in ask.sandbox.shops.items() if rule.shop in (None, d)}
    return {"faults": [rule.as_json() for rule in rules]}


def _with_domain(ask: Ask, described: dict[str, Any]) -> dict[str, Any]:
    if described.get("shop") is None:
        return described
    return {**described, "shop": Ask(ask.sandbox, {}, {}, {"shop": described["shop"]}).shop().domain}


def clear_faults(ask: Ask) -> dict[str, Any]:
    """Remove all rules, or the one with ``?id=``."""
    number = ask.query.get("id")
    return {"removed": ask.sandbox.faults.clear(int(number) if number else None)}


# ── calls ──


def list_calls(ask: Ask) -> dict[str, Any]:
    """The call log: filters shop, operation, kind, status, key, code, fault, after; the newest `limit` (1,000) of them."""
    wanted = dict(ask.query)
    if "shop" in wanted:
        wanted["shop"] = ask.shop().domain
    found = list(ask.sandbox.calls.matching(wanted))
    kept = deque(found, maxlen=int(wanted.get("limit", "1000")))
    return {"total": len(found), "calls": [call.as_json() for call in kept]}


def clear_calls(ask: Ask) -> dict[str, Any]:
    """Empty the call log."""
    count = len(ask.sandbox.calls)
    ask.sandbox.calls.clear()
    return {"removed": count}


# ── poison, tokens, buckets ──


def poison_items(ask: Ask) -> dict[str, Any]:
    """``{"items": ["gid…"], "skus": ["…"], "code": "…"}``: these rows answer with the code; ``"code": null`` heals them."""
    shop = ask.shop()
    code = ask.body.get("code", POISON_CODES[0])
    if code is not None and code not in POISON_CODES:
        raise ControlError(
            f"{code!r} is no code for a poisoned row.", f"Use one of: {', '.join(POISON_CODES)}, or null."
        )
    named = [{"item": item} for item in ask.body.get("items", ())] + [{"sku": sku} for sku in ask.body.get("skus", ())]
    if not named and code is None:
        shop.poison.clear()
    rows: list[Item] = [item_of(shop, each) for each in named]
    with shop.lock:
        for item in rows:
            if code is None:
                shop.poison.pop(item.gid, None)
            else:
                shop.poison[item.gid] = code
    return {"poison": dict(shop.poison)}


def change_tokens(ask: Ask) -> dict[str, Any]:
    """Change a token (the shop's first without ``token``) or make a new one: ``scopes``, ``revoke``, ``expires_in``, ``app``."""
    sandbox, shop = ask.sandbox, ask.shop()
    text = ask.body.get("token")
    of_shop = [token for token in sandbox.admin.tokens.values() if token.shop_domain == shop.domain]
    token = next((each for each in of_shop if text in (None, each.text)), None)
    if token is None:
        text = str(text or f"shpat_sandbox_{shop.domain}")
        token = sandbox.admin.tokens[text] = Token(text, shop.domain)
    if "app" in ask.body:
        token.app_number = int(ask.body["app"])
    if "scopes" in ask.body:
        token.scopes = ALL_SCOPES if ask.body["scopes"] is None else tuple(ask.body["scopes"])
    if "revoke" in ask.body:
        token.revoked = bool(ask.body["revoke"])
    if "expires_in" in ask.body:
        seconds = ask.body["expires_in"]
        token.expires_at = None if seconds is None else sandbox.clock.seconds() + float(seconds)
    works = token.works(sandbox.clock.seconds())
    return {"token": token.text, "app": token.app_number, "scopes": list(token.scopes), "works": works}


def change_plan(ask: Ask) -> dict[str, Any]:
    """``{"plan": "plus"}`` puts a shop on another plan; ``{"available": 0}`` empties its bucket; either alone will do."""
    shop = ask.shop()
    bucket = ask.sandbox.admin.bucket(shop, int(ask.body.get("app", 1)))
    plan = ask.body.get("plan")
    if plan is not None:
        if plan not in PLANS:
            raise ControlError(f"There is no plan {plan!r}.", f"Use one of: {', '.join(PLANS)}.")
        shop.plan = plan
        bucket.fill(PLANS[plan])
    if ask.body.get("available") == 0:
        bucket.empty()
    elif plan is None:
        bucket.fill()
    return bucket.status()


# ── shops ──


def add_shop(ask: Ask) -> dict[str, Any]:
    """Open a shop: ``name``, ``csv`` (text) or ``synthetic`` {variants, per_product, quantity}, ``plan``, ``locations``."""
    sandbox = ask.sandbox
    name = str(ask.need("name"))
    try:
        shop, told = sandbox.add_shop(
            name,
            ask.body.get("csv"),
            plan=ask.body.get("plan"),
            locations=ask.body.get("locations") or DEFAULT_LOCATIONS,
            token=ask.body.get("token"),
        )
    except ValueError as problem:
        raise ControlError(
            str(problem), "Choose another name or plan; GET /_control/state lists the shops.", 409
        ) from None
    synthetic = ask.body.get("synthetic")
    if synthetic:
        size, per_product = int(synthetic["variants"]), int(synthetic.get("per_product", 10))
        sandbox.fill(shop, size, per_product, int(synthetic.get("quantity", 10)))
    return {
        "shop": shop.domain,
        "token": sandbox.token_of(shop.domain),
        "products": len(shop.products),
        "variants": len(shop.variants),
        "image_rows": told.image_rows,
        "skipped": told.skipped,
    }


def close_shop(ask: Ask) -> dict[str, Any]:
    """Forget one shop (``?shop=``)."""
    shop = ask.shop()
    ask.sandbox.admin.forget(shop.domain)
    return {"removed": shop.domain}


def reset(ask: Ask) -> dict[str, Any]:
    """Forget orders, bulk operations, faults, calls and set the clock right; shops go too, unless ``{"keep_shops": true}``."""
    ask.sandbox.reset(keep_shops=bool(ask.body.get("keep_shops")))
    return {"shops": list(ask.sandbox.shops)}
