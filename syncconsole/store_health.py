"""A store's health as pages show it: the word and reason of `syncconsole.health`, kept for some seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache

from connectors.models import Store
from connectors.models.stores import Health
from inventory.monitoring import Trouble, Watch
from syncconsole.stores_health import store_health

KEPT_SECONDS = 10
WORD_KEPT_SECONDS = 60


@dataclass(frozen=True)
class StoreHealth:
    """The worst word that applies, and why. `owner` names the account that owns the inventory, when another does."""

    word: Health
    reason: str
    owner: str = ""
    troubles: Sequence[tuple[Trouble, int]] = ()
    """What monitoring finds, with the number of levels; empty before the store is live."""


def health_of(store: Store) -> StoreHealth:
    """The health of one store; asked again after ten seconds, and at once when writes are paused or resumed."""
    name = f"store-health:{store.pk}:{store.writes_paused}:{store.inventory_owner}"
    found: StoreHealth | None = cache.get(name)
    if found is None:
        word, reason = store_health(store)
        other = store.other_owner()
        troubles = tuple(Watch(store).counts().items()) if store.live_at else ()
        found = StoreHealth(Health(word), reason, other.name if other else "", troubles)
        cache.set(name, found, KEPT_SECONDS)
        cache.set(_word_key(store), found.word.label, WORD_KEPT_SECONDS)
    return found


def known_words(stores: Sequence[Store]) -> dict[int, str]:
    """Store id → health word, for stores that a page has looked at within the last minute. No query."""
    words = cache.get_many([_word_key(store) for store in stores])
    return {store.pk: words[_word_key(store)] for store in stores if _word_key(store) in words}


def _word_key(store: Store) -> str:
    return f"store-health-word:{store.pk}"
