"""A merchant duplicates a product with SKU and stock: nothing is pushed for either side until it is told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from catalog.models import CloneDecision, CloneSuspect
from connectors import changes
from inventory import clones
from inventory.linking import link_store
from inventory.models import LevelPublication
from inventory.product_changes import read_changes
from tests.inventory.test_commands import run
from tests.journeys.merchants import Merchant, sku

COPIED = 10
"""Variants of one product of the shop."""


def duplicate(atelier: Merchant) -> dict[str, Any]:
    handle = LevelPublication.objects.get(listed__variant__sku=sku(1)).listed.listing.handle
    return atelier.shop.sandbox.post("/products/duplicate", shop=atelier.shop.domain, handle=handle, title="Copie")


def test_a_duplicated_product_is_held_decided_and_renamed(merchant: Callable[..., Merchant]) -> None:
    atelier = merchant(variants=20, here=10)
    atelier.full()
    made = duplicate(atelier)
    changes.notice(atelier.store, "product", {made["id"]: timezone.now()}, by="webhook")
    assert read_changes(atelier.store) == 1

    assert CloneSuspect.objects.filter(closed_at=None).count() == COPIED
    atelier.post({sku(1): -4, sku(2): -4, sku(15): -4})
    writes = len(atelier.shop.mutations())
    atelier.delta()
    assert len(atelier.shop.mutations()) == writes + 1
    shown = {(level["sku"], level["quantities"]["available"]) for level in atelier.shop.levels().values()}
    assert {code for code, quantity in shown if quantity == 6} == {sku(15)}

    first = CloneSuspect.objects.get(sku=sku(1))
    assert first.copy["available"] == 10
    clones.decide(first.pk, CloneDecision.ORIGINAL, by=atelier.operator)
    atelier.delta()
    shown = {(level["sku"], level["quantities"]["available"]) for level in atelier.shop.levels().values()}
    assert shown >= {(sku(1), 6), (sku(1), 10)}
    assert (sku(2), 6) not in shown

    second = CloneSuspect.objects.get(sku=sku(2))
    atelier.shop.sandbox.post(
        "/variants/edit", shop=atelier.shop.domain, item=second.copy_item, new_sku=f"{sku(2)}-copie"
    )
    link_store(atelier.store)
    second.refresh_from_db()
    assert second.outcome == "SKU renamed by the merchant"
    assert CloneSuspect.objects.filter(closed_at=None).count() == COPIED - 1
    atelier.delta()
    assert atelier.shop.available()[sku(2)] == 6

    _, told, _ = run("change_log", atelier.store.slug, "--sku", sku(2), "--kind", "hold")
    ended, began = told["changes"]
    assert (ended["what"], ended["detail"]) == ("No longer held", "SKU renamed by the merchant.")
    assert began["detail"].startswith(f"The SKU {sku(2)} is on two variants of the store: ")
