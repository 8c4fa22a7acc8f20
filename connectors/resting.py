"""A store that rests: Shopify has closed it to us for a while, and work goes on by itself when it answers again."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db.models import Q
from django.utils import timezone

from connectors.access import connection_of_this_moment
from connectors.models import Store
from connectors.ports.errors import AccountResting

log = structlog.get_logger(__name__)

AWAKE = {"rests_until": None, "rest_cause": "", "rest_remedy": ""}


class StoreStanding:
    """`Standing` of one store, kept in its row. Good answers cost nothing unless this process has seen the store rest
    since."""

    def __init__(self, store: Store) -> None:
        self._store_id = store.pk
        self._rested = store.rests_until is not None

    def rests(self, error: AccountResting) -> None:
        """Keep until when it is left alone, and why."""
        self._rested = True
        with connection_of_this_moment():
            begin(self._store_id, error)

    def answered(self) -> None:
        """It serves us: whatever was kept is over."""
        if self._rested:
            self._rested = False
            with connection_of_this_moment():
                end(self._store_id)


def begin(store_id: int, error: AccountResting) -> None:
    """The store is left alone for the time that `error` names."""
    until = timezone.now() + dt.timedelta(seconds=error.retry_after)
    Store.objects.filter(pk=store_id).update(
        rests_until=until, rest_cause=error.cause[:300], rest_remedy=error.remedy[:300]
    )
    log.warning("store_rests", store=store_id, until=until.isoformat(), cause=error.cause)


def end(store_id: int) -> bool:
    """The store answered; False when it did not rest."""
    return bool(Store.objects.filter(Q(rests_until__isnull=False) | ~Q(rest_cause=""), pk=store_id).update(**AWAKE))


def rest_of(store: Store) -> AccountResting | None:
    """Why the store is left alone at this moment, by the database; None when it is not."""
    row = Store.objects.only("rests_until", "rest_cause", "rest_remedy").get(pk=store.pk)
    if row.rests_until is None or not row.rests:
        return None
    return AccountResting(
        service="Shopify",
        operation="wait for the store",
        cause=row.rest_cause,
        remedy=row.rest_remedy,
        retry_after=(row.rests_until - timezone.now()).total_seconds(),
    )
