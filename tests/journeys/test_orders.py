"""Whatever a shop does to its orders, our stock follows it: what we believe it shows is what it shows."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.utils import timezone

from inventory import audit
from inventory.models import InventoryLevel, LevelPublication
from orders import integration, knowledge
from orders.models import Document, IncomingOrder, IncomingState, Refund
from tests.journeys.merchants import Merchant, sku

VARIANTS, STEPS = 12, 42


@pytest.fixture
def opened(merchant: Callable[..., Merchant]) -> Merchant:
    """Live, with 100 of each item here and there; orders count from yesterday."""
    opened = merchant(variants=VARIANTS, here=100, there=100)
    opened.shop.rest()
    opened.full()
    integration.set_day(opened.store, timezone.localdate() - dt.timedelta(days=1), by=opened.operator)
    opened.store.refresh_from_db()
    return opened


def something_happens(merchant: Merchant, numbers: list[int], chance: random.Random) -> None:
    """One thing to one order; what the shop cannot do to it now is no news."""
    sandbox = merchant.shop.sandbox
    if not numbers or chance.random() < 0.3:
        lines = [
            {"sku": sku(chance.randint(1, VARIANTS)), "quantity": chance.randint(1, 5)}
            for _ in range(chance.randint(1, 3))
        ]
        placed = sandbox.post("/orders", shop=merchant.shop.domain, lines=lines)
        numbers.append(int(placed["id"]))
        return
    order = f"/orders/{chance.choice(numbers)}"
    what: list[tuple[str, dict[str, Any]]] = [
        (f"{order}/fulfill", {}),
        (f"{order}/fulfill", {"lines": [{"line": 1, "quantity": 1}]}),
        (f"{order}/refund", {"lines": [{"line": 1, "quantity": 1, "restock_type": "CANCEL"}]}),
        (f"{order}/refund", {"lines": [{"line": 1, "quantity": 1, "restock_type": "RETURN"}]}),
        (f"{order}/cancel", {"restock": chance.choice([True, False])}),
        (f"{order}/edit", {"set": [{"line": 1, "quantity": chance.randint(1, 8)}]}),
        (f"{order}/edit", {"add": [{"sku": sku(chance.randint(1, VARIANTS)), "quantity": 2}]}),
        (f"{order}/unfulfill", {}),
    ]
    path, body = chance.choice(what)
    reply = sandbox.http.post(path, json=body)
    assert reply.status_code in (httpx.codes.OK, httpx.codes.NOT_FOUND, httpx.codes.CONFLICT), reply.text


def differences(merchant: Merchant) -> list[str]:
    """Levels where we and the shop do not agree: shown, open, released, on hand."""
    there = merchant.shop.levels()
    found = []
    for row in LevelPublication.objects.filter(store=merchant.store).select_related(
        "store_location", "listed__variant"
    ):
        level = InventoryLevel.objects.get(variant=row.listed.variant, location=merchant.here)
        shown = there[row.item_ref, row.store_location.ref]["quantities"]
        ours = (row.expected_quantity, row.open_remote, level.released, int(level.on_hand))
        theirs = (shown["available"], shown["committed"], shown["committed"], shown["on_hand"])
        if ours != theirs:
            found.append(f"{row.listed.variant}: ours {ours}, the shop's {theirs}")
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_to_its_orders_our_numbers_are_the_shops(opened: Merchant, seed: int) -> None:
    chance, numbers = random.Random(seed), list[int]()
    for step in range(1, STEPS + 1):
        something_happens(opened, numbers, chance)
        if step % 6 == 0:
            opened.shop.sandbox.post("/clock", advance=5)
            knowledge.bring_in(opened.store)
            assert differences(opened) == [], f"after {step} steps"

    rows = IncomingOrder.objects.filter(store=opened.store)
    assert {row.state for row in rows} == {IncomingState.IMPORTED}, [row.cause for row in rows if row.cause]
    assert not rows.exclude(needs_look="").exclude(needs_look__endswith="put back.").exists()
    told = opened.shop.sandbox.get("/orders", shop=opened.shop.domain)["orders"]
    refunds = Refund.objects.filter(store=opened.store, ref__contains="/Refund/")
    assert refunds.count() == sum(len(order["refunds"]) for order in told)
    assert Document.objects.filter(store=opened.store).exists()
    assert audit.audit_ledger().green

    entries = InventoryLevel.objects.values_list("pk", "version")
    before = dict(entries)
    rows.update(state=IncomingState.PENDING)
    knowledge.bring_in(opened.store)
    assert dict(entries.all()) == before, "a second import changes nothing"
