"""The reader of changed products: what a store told of single products reaches links, and publications with them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from catalog import product_changes
from connectors import changes
from connectors.changes import Claimed
from connectors.models import Store
from connectors.ports.products import MAX_PRODUCTS
from inventory import clones, participation

log = structlog.get_logger(__name__)

KIND: Final = "product"


def read_changes(store: Store) -> int:
    """Read some of what waits of the products of `store` again, and link it. Returns how many were settled or failed; 0
    when nothing waits or the store cannot be asked now.

    A store that was never linked has nothing to follow: linking it reads everything.
    """
    return changes.attempt(changes.claim(store, KIND, MAX_PRODUCTS), partial(_read, store))


def _read(store: Store, claims: Sequence[Claimed]) -> int:
    if product_changes.is_linked(store):
        refs = [claim.ref for claim in claims]
        done = product_changes.follow(store, refs, then=lambda: participation.hold_suspects(store))
        # A worker that died may have linked them, and not come as far as their publications.
        if done.changed or any(claim.attempts > 1 for claim in claims):
            participation.refresh(store)
            clones.look_closer(store)
        log.info("products_followed", store=store.slug, asked=len(claims), read=done.read, links=done.changed)
    changes.settle(claims)
    return len(claims)
