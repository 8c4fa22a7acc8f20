"""Holds that last: levels too busy to be settled, and those held past the store's limit, which people are told of once."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from connectors import notices
from connectors.models import NoticeEvent, Store
from inventory.models import LevelPublication
from inventory.models.publications import PublicationState

AGAIN = dt.timedelta(minutes=1)
"""A move so much later than the first hold is another one, whatever the two clocks say."""
BUSY = Q(hold_test="a", state=PublicationState.LIVE, observed_moved_at__gt=F("held_since") + AGAIN)
"""Held because it moves, and it has moved again since: it sells too fast to be settled. Deltas keep it right, so it needs
no overwrite, and no alarm."""


def is_busy(publication: LevelPublication) -> bool:
    """As BUSY, of a row at hand."""
    moved, since = publication.observed_moved_at, publication.held_since
    live = publication.state == PublicationState.LIVE
    return live and publication.hold_test == "a" and bool(moved and since and moved > since + AGAIN)


def held() -> QuerySet[LevelPublication, LevelPublication]:
    """Levels that take part and may not be overwritten now."""
    return LevelPublication.objects.eligible().exclude(hold_test="")


def past_limit(store: Store) -> QuerySet[LevelPublication, LevelPublication]:
    """Levels of `store` held for longer than it allows, busy ones left out."""
    since = timezone.now() - dt.timedelta(hours=store.hold_hours)
    return held().filter(store=store, held_since__lt=since).exclude(BUSY)


def tell(store: Store) -> int:
    """Tell people of the levels of `store` that are held past its limit and that nobody was told of yet. Returns how
    many; each hold is told of once."""
    news = past_limit(store).filter(Q(hold_told_at=None) | Q(hold_told_at__lt=F("held_since")))
    oldest = news.order_by("held_since").first()
    if oldest is None:
        return 0
    # By id and condition again: what another worker told of meanwhile is not counted twice.
    ids = list(news.values_list("pk", flat=True))
    told = news.filter(pk__in=ids).update(hold_told_at=timezone.now())
    if told:
        levels = f"{told:,} level{' is' if told == 1 else 's are'}"
        notices.notify(
            NoticeEvent.HELD_LONG,
            store,
            f"{levels} held in {store} for over {store.hold_hours} h.",
            f"The oldest: {oldest.listed.variant}. {oldest.hold_cause} {oldest.hold_remedy}",
            link="/console/held/",
        )
    return told
