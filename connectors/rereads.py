"""The daily re-read: for some nights every order that a store shows is listed again, to see whether any was missed."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.utils import timezone

from connectors import feeds, store_settings
from connectors.models import Store
from syncconsole.kernel.models import User

LASTS: Final = dt.timedelta(days=7)
"""It ends by itself, since it costs as much as the store has orders."""
NIGHT: Final = range(3, 6)
"""Hours of the store's own clock."""
ONCE: Final = dt.timedelta(hours=20)


def switch_on(store: Store, *, by: User) -> dt.datetime:
    """Re-read every night for seven days from now; said again, the seven days begin anew. Returns when it ends."""
    until = timezone.now() + LASTS
    _set(store, until, by)
    return until


def switch_off(store: Store, *, by: User) -> None:
    """No re-read any more."""
    _set(store, None, by)


def due() -> list[Store]:
    """Stores whose night it is and that were not re-read in it."""
    now = timezone.now()
    wanted = Store.objects.filter(reread_until__gt=now)
    return [
        store
        for store in wanted
        if now.astimezone(store.zone).hour in NIGHT and (store.reread_at is None or store.reread_at <= now - ONCE)
    ]


def reread(store: Store) -> feeds.Pass:
    """List every order that the store shows, and keep what came out. Raises as `feeds.poll` does; nothing is kept then."""
    done = feeds.poll(store, feeds.ORDER, begin="shown")
    Store.objects.filter(pk=store.pk).update(
        reread_at=timezone.now(), reread_listed=done.listed, reread_found=done.found
    )
    return done


def _set(store: Store, until: dt.datetime | None, by: User) -> None:
    store_settings.change(store, "change daily re-read of orders", {"reread_until": until}, by=by)
