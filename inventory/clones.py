"""Clone suspects as stock sees them: which levels are held for a pair, what decides it, what tells its sides apart."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog
from django.db.models import F, Func, Value
from django.db.models.fields.json import JSONField
from django.utils import timezone

from catalog import clone_decisions
from catalog.clone_decisions import Decided
from catalog.models import CloneDecision, CloneSuspect
from connectors.approval import DecisionRefused
from connectors.models import Store
from connectors.ports.errors import ConnectorError
from connectors.ports.products import MAX_PRODUCTS
from connectors.ports.store import MAX_CHANGES, StorePort
from connectors.registry import store_for
from inventory import participation
from inventory.knowledge import Sold, order_books
from inventory.models import LevelPublication
from inventory.models.publications import Exclusion
from syncconsole.kernel.models import User

log = structlog.get_logger(__name__)

RIGHT: Final = clone_decisions.RIGHT


def decide(suspect_id: int, decision: CloneDecision, *, by: User, address: str | None = None) -> CloneSuspect:
    """Say what a pair of variants is, and bring publications in step. Raises DecisionRefused: nothing was decided then."""
    return clone_decisions.decide(
        suspect_id, decision, by=by, address=address, before_moving=_settled_first, then=participation.refresh
    )


def decide_alike(suspect_id: int, decision: CloneDecision, *, by: User, address: str | None = None) -> Decided:
    """`decide` for all pairs of the same two products, in one transaction; those that cannot be decided so are told. Raises
    DecisionRefused: none was decided then."""
    return clone_decisions.decide_alike(
        suspect_id, decision, by=by, address=address, before_moving=_settled_first, then=participation.refresh
    )


def _settled_first(suspect: CloneSuspect) -> None:
    # Their levels are held, so a claim can only be one from before, and no other one can come.
    items = [suspect.original_item, suspect.copy_item]
    if LevelPublication.objects.filter(store=suspect.store, item_ref__in=items, claim__isnull=False).exists():
        raise DecisionRefused(
            "A push of one of their levels is on its way and not answered yet.",
            "Decide again when the run is done; a level that stays unsure needs its next settled read first.",
        )


def held_levels(suspects: Iterable[CloneSuspect]) -> dict[int, int]:
    """Suspect id → levels of its two inventory items that are held for clone suspects."""
    suspects = list(suspects)
    items = {item for one in suspects for item in (one.original_item, one.copy_item)}
    held = LevelPublication.objects.filter(
        store__in={one.store_id for one in suspects}, item_ref__in=items, excluded=Exclusion.CLONE
    )
    counted: Counter[tuple[int, str]] = Counter(held.values_list("store", "item_ref"))
    return {one.pk: sum(counted[one.store_id, item] for item in {one.original_item, one.copy_item}) for one in suspects}


def sold(suspects: Iterable[CloneSuspect]) -> Mapping[tuple[int, str], Sold]:
    """(Store id, inventory item) → what the last thirty days' orders ask for of either side; one query for all of them."""
    items = {(one.store_id, item) for one in suspects for item in (one.original_item, one.copy_item)}
    return order_books().sold(items, timezone.now() - SOLD_WITHIN) if items else {}


SOLD_WITHIN: Final = dt.timedelta(days=30)


def look_closer(store: Store) -> int:
    """Ask the store when the sides of new suspects were made and what they show, so that a person can tell them apart.

    Calls the store, so never inside a transaction; what cannot be read is left for the next time. Returns how many
    pairs were looked at.
    """
    new = list(
        CloneSuspect.objects.filter(store=store, closed_at=None).exclude(original__has_key="available")[:LOOKED_AT]
    )
    if not new:
        return 0
    port = store_for(store)
    try:
        made = _made(port, {side["product_ref"] for one in new for side in (one.original, one.copy)})
        shown = _shown(port, store, {item for one in new for item in (one.original_item, one.copy_item)})
    except ConnectorError as error:
        log.info("suspects_not_looked_at", store=store.slug, cause=error.cause)
        return 0
    for one in new:
        for side, item in (("original", one.original_item), ("copy", one.copy_item)):
            facts = {"created": made.get(getattr(one, side)["product_ref"], ""), "available": shown.get(item)}
            merged = Func(F(side), Value(facts, JSONField()), template="%(expressions)s", arg_joiner=" || ")
            CloneSuspect.objects.filter(pk=one.pk).update(**{side: merged})
    return len(new)


LOOKED_AT: Final = MAX_PRODUCTS // 2
"""Pairs that one read of products names."""


def _made(port: Any, refs: set[str]) -> dict[str, str]:
    found = port.read_products(sorted(refs)).products
    return {product.ref: product.created_at.astimezone(dt.UTC).isoformat(timespec="seconds") for product in found}


def _shown(port: StorePort, store: Store, items: set[str]) -> dict[str, int]:
    """Inventory item → available in the store, over its locations."""
    total: dict[str, int] = {}
    for location in store.locations.filter(is_active=True, is_fulfillment_service=False):
        for level in port.read_levels(location.ref, sorted(items)[:MAX_CHANGES]).levels:
            if level.known and level.exists:
                total[level.item_ref] = total.get(level.item_ref, 0) + level.available
    return total
