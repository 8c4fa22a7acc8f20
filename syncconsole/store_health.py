"""A store's health as pages show it: the word and reason of `syncconsole.health`, kept for a while."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.models import Store
from connectors.models.stores import Health
from inventory.monitoring import Trouble, Watch
from syncconsole.kernel.acts import last_act
from syncconsole.kernel.counting import kept
from syncconsole.stores_health import store_health


@dataclass(frozen=True)
class StoreHealth:
    """The worst word that applies, and why. `owner` names the account that owns the inventory, when another does."""

    word: Health
    reason: str
    owner: str = ""
    troubles: Sequence[tuple[Trouble, int]] = ()
    """What monitoring finds, with the number of levels; empty before the store is live."""
    as_of: dt.datetime | None = None
    """When somebody looked, where that is so long ago that a page says so."""


def health_of(store: Store, person_id: int) -> StoreHealth:
    """The health of one store. Looked at anew at once when writes are paused or resumed, and after what this person did."""
    found = _health.counted(*_given(store), since=last_act(person_id))
    return replace(found.value, as_of=found.shown_at)


def known_word(store: Store) -> str:
    """The health word of a store that a page has looked at within the last minute, else nothing. No query."""
    found = _health.known(*_given(store))
    return found.value.word.label if found and not found.shown_at else ""


def _given(store: Store) -> tuple[int, bool, bool]:
    return store.pk, store.writes_paused, store.inventory_owner


@kept
def _health(store_id: int, paused: bool, owns_inventory: bool) -> StoreHealth:
    store = Store.objects.get(pk=store_id)
    word, reason = store_health(store)
    other = store.other_owner()
    troubles = tuple(Watch(store).counts().items()) if store.live_at else ()
    return StoreHealth(Health(word), reason, other.name if other else "", troubles)
