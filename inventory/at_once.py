"""Changes leave at once: what a transaction marked for a look is sent some seconds after its commit.

The marks are the work, and the scheduled delta finds them whatever happens here: nothing below may hold up a posting, or
fail it. Changes gather for `GATHERING` seconds, one task a store is on its way, and one run sends all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog
from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef

from connectors.models import Store
from connectors.models.runs import RunStatus, Trigger
from connectors.models.stores import AtOnce
from connectors.runs import RunAlreadyOpen, RunRefused
from inventory import jobs, schedules
from inventory.jobs import Job
from inventory.models import LevelPublication, LocationMapping
from inventory.models.publications import PublicationState

log = structlog.get_logger(__name__)

GATHERING: Final = 2.0
"""Seconds in which changes gather before they are sent: many in one call cost what one does."""
AGAIN: Final = 2.0
"""Seconds until a store whose delta is at work is looked at again."""
BULK: Final = 250
"""Levels of a store that one transaction marks. From so many on it is an import, which the scheduled delta sends: sent in
slices of seconds, each would pass below limits that the whole does not."""

SHARING_KEPT_SECONDS: Final = 60

_ANNOUNCED: Final = "changes-leave:{store}"
_ANNOUNCED_FOR: Final = 60
"""Seconds; after that a lost task is announced anew. A store that wants none is asked about so often."""


def after_commit(marked: Mapping[int, int]) -> None:
    """Have what is owed to these stores (id → levels marked) sent once the open transaction has committed."""
    stores = [store for store, levels in marked.items() if levels < BULK]

    def tell() -> None:
        announce(stores)

    if stores:
        # Robust: the posting is committed, whatever becomes of its announcement.
        transaction.on_commit(tell, robust=True)


def announce(stores: list[int]) -> None:
    """Publish one task for each of these stores that wants its changes at once, unless one is on its way."""
    from inventory.tasks import send_changes

    fresh = [store for store in stores if cache.add(_ANNOUNCED.format(store=store), 1, timeout=_ANNOUNCED_FOR)]
    if fresh:
        for store in Store.objects.filter(pk__in=fresh):
            if wanted(store):
                send_changes.send_in(GATHERING, store.pk)


def wanted(store: Store) -> bool:
    """The store is live, its delta is on, and its setting asks for changes at once."""
    if store.at_once == AtOnce.NEVER or not schedules.of_store(store)[Job.DELTA].live:
        return False
    return store.at_once == AtOnce.ALWAYS or shares_stock(store)


def said(store: Store) -> str:
    """Whether changes here leave at once for `store`, and why, in a sentence."""
    if store.at_once == AtOnce.NEVER:
        return "Changes here wait for the next delta: leaving at once is switched off."
    if store.at_once == AtOnce.ALWAYS:
        return "Besides, each change here leaves within seconds."
    shares = cache.get_or_set(f"shares-stock:{store.pk}", lambda: shares_stock(store), SHARING_KEPT_SECONDS)
    if shares:
        return "Besides, each change here leaves within seconds, because another store sells from the same stock."
    return "Changes here wait for the next delta: no other store sells from this stock."


def shares_stock(store: Store) -> bool:
    """One of our locations is sold from in this store and in another."""
    elsewhere = LocationMapping.objects.filter(location=OuterRef("location")).exclude(store=store)
    return LocationMapping.objects.filter(Exists(elsewhere), store=store).exists()


def forget(store: Store) -> None:
    """Another setting counts from the next change on."""
    cache.delete(_ANNOUNCED.format(store=store.pk))


def send(store: Store) -> bool:
    """Start a delta if a marked level is owed something; False when nothing was started. While a delta plans or writes,
    what it may have passed by is looked at again after it."""
    forget(store)
    marked = LevelPublication.objects.filter(store=store, state=PublicationState.LIVE, needs_look=True)
    if not wanted(store) or not marked.eligible().owed().exists():
        return False
    try:
        jobs.start(store, Job.DELTA, trigger=Trigger.CHANGE)
    except RunAlreadyOpen as already:
        if already.run.status not in (RunStatus.QUEUED, RunStatus.AWAITING_APPROVAL):
            _look_again(store)
        return False
    except RunRefused as refused:
        # The schedule tells of it, and tries again.
        log.info("changes_not_sent", store=store.slug, cause=refused.cause)
        return False
    return True


def _look_again(store: Store) -> None:
    from inventory.tasks import send_changes

    if cache.add(_ANNOUNCED.format(store=store.pk), 1, timeout=_ANNOUNCED_FOR):
        send_changes.send_in(AGAIN, store.pk)
