"""Change feeds: what a store says has changed since we last asked, so that nothing a webhook lost stays lost.

One pass asks for everything the store dated since the last finished pass, less an overlap, and goes on to its end;
a second, short pass finds what changed while the first one was read. All times are the store's own. What is found goes
to the queue that webhooks fill, too (`connectors.changes`), which knows what is news.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import structlog
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from connectors import changes, lags, registry
from connectors.models import FeedPosition, Store
from connectors.ports.errors import ConnectorError
from connectors.ports.orders import ChangesPage, OrdersPort
from syncconsole.kernel.locks import sole_worker

log = structlog.get_logger(__name__)

OVERLAP: Final = dt.timedelta(minutes=5)
"""How far before the last pass the next one begins, or further where the store tells late: a change may be found by the
store's search only later, or be committed with an earlier time (reference: Shopify 6.1, traps 22 and 24)."""

FIRST_REACH: Final = dt.timedelta(days=30)
"""How far back the first pass of a store looks when nobody asks for more."""

Begin = Literal["watermark", "shown", "beginning"]
"""Where a pass begins: where the last one got to; the oldest that the store shows; the beginning of its history."""

ORDER: Final = "order"


class PassRunning(Exception):
    """Another pass over the same feed is under way; nothing was asked."""

    def __init__(self, store: Store, kind: str) -> None:
        self.cause = f"The {kind} feed of {store} is being read at this moment."
        self.remedy = "Wait for it to end; the queue shows what it finds."
        super().__init__(f"{self.cause} {self.remedy}")


def due() -> list[Store]:
    """Stores whose orders are to be asked for now, by their own rhythm; not those that rest."""
    now = timezone.now()
    begun = FeedPosition.objects.filter(store=OuterRef("pk"), kind=ORDER).values("begun_at")[:1]
    awake = Store.objects.filter(Q(rests_until=None) | Q(rests_until__lte=now)).annotate(begun=Subquery(begun))
    return [
        store
        for store in awake
        if store.begun is None or store.begun <= now - dt.timedelta(minutes=store.import_minutes)
    ]


@dataclass(frozen=True, slots=True)
class Pass:
    """One finished pass: how many objects it listed, how many of them no webhook had told of, and how far it got."""

    listed: int
    found: int
    watermark: dt.datetime


def poll(store: Store, kind: str = ORDER, *, begin: Begin = "watermark") -> Pass:
    """Notice everything of `kind` that changed in `store` since `begin`.

    The watermark moves only when both passes ended, so one that was cut short is repeated. Raises PassRunning when the
    feed is being read already, and the store's ConnectorError, which is kept with the feed until a pass ends well:
    FeatureNotSupported where the store would leave out, without a word, what is older than it shows.
    """
    with sole_worker(f"connectors.feeds.{kind}", store.pk) as mine:
        if not mine:
            raise PassRunning(store, kind)
        position, _ = FeedPosition.objects.get_or_create(store=store, kind=kind)
        this = FeedPosition.objects.filter(pk=position.pk)
        this.update(begun_at=timezone.now())
        try:
            port = registry.store_for(store)
            since = _since(port, position, begin)
            done = _both_passes(port, store, kind, since, measures=begin == "watermark")
        except ConnectorError as exc:
            this.update(cause=exc.cause[:300], remedy=exc.remedy[:300])
            raise
        this.update(watermark=done.watermark, finished_at=timezone.now(), found=done.found, cause="", remedy="")
    if done.found:
        log.info("feed_found", store=store.slug, kind=kind, listed=done.listed, found=done.found)
    return done


def _since(port: OrdersPort, position: FeedPosition, begin: Begin) -> dt.datetime | None:
    if begin == "beginning":
        return None
    if begin == "watermark" and position.watermark is not None:
        return position.watermark - max(OVERLAP, lags.margin(position.store))
    window = port.orders_window()
    return window.since if begin == "shown" else window.read_at - FIRST_REACH


def _both_passes(port: OrdersPort, store: Store, kind: str, since: dt.datetime | None, *, measures: bool) -> Pass:
    first = _notice(port.iter_changed_orders(since), store, kind, measures=measures)
    second = _notice(port.iter_changed_orders(first.watermark), store, kind, measures=measures)
    return Pass(listed=first.listed + second.listed, found=first.found + second.found, watermark=first.watermark)


def _notice(pages: Iterator[ChangesPage], store: Store, kind: str, *, measures: bool) -> Pass:
    """Keep what the pages list, page by page, so that what was found before a fault stays found. Where the pass goes on
    from the last one, how late the news is is measured: older news was never asked for."""
    listed = found = 0
    began: dt.datetime | None = None
    for page in pages:
        began = began or page.read_at
        listed += len(page.orders)
        versions = {one.ref: one.updated_at for one in page.orders}
        news = changes.unheard(store, kind, versions)
        found += len(news)
        if measures and news:
            lags.heard(store, kind, news, at=page.read_at)
        changes.notice(store, kind, versions, by="polling")
    if began is None:
        raise AssertionError("a feed gives at least one page")
    return Pass(listed=listed, found=found, watermark=began)
