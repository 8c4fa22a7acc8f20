"""How long orders that wait to be read or imported will take, from the rate that the workers measured last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Final

from django.core.cache import cache
from django.db.models import Count

from connectors.models import RemoteChange, Store
from connectors.models.webhooks import ChangeState
from connectors.progress import duration
from orders.models import IncomingOrder, IncomingState

REMEMBERED: Final = 900
"""Seconds for which a rate says something of what comes next."""
ENOUGH: Final = 10
"""Orders from which on a rate is one."""
WORTH_SAYING: Final = 25
"""Fewer orders are done before anybody has read how long they take."""


class Work(StrEnum):
    """What is done with orders that wait."""

    READ = "read"
    IMPORT = "import"


@dataclass(slots=True)
class Stint:
    """Some orders done in one go; whoever does them counts."""

    done: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many orders of a store wait for one kind of work. `seconds`: how long, None where no rate is known."""

    store: Store
    work: Work
    orders: int
    seconds: float | None

    @property
    def sentence(self) -> str:
        """`412 orders to import, about 6 min`."""
        about = "" if self.seconds is None else f", about {duration(self.seconds)}"
        return f"{self.orders:,} orders to {self.work}{about}"


@contextmanager
def measured(store: Store, work: Work) -> Iterator[Stint]:
    """Keep the rate of what is done inside, mixed with the one before."""
    stint, began = Stint(), monotonic()
    yield stint
    took = monotonic() - began
    if stint.done >= ENOUGH and took > 0:
        rate, before = stint.done / took, cache.get(_key(store.pk, work))
        cache.set(_key(store.pk, work), rate if before is None else (rate + before) / 2, REMEMBERED)


def waiting(stores: dict[int, Store]) -> list[Waiting]:
    """What waits in large numbers in these stores (by id), most first. Orders that no day was set for wait for a person."""
    unread = RemoteChange.objects.filter(kind="order", state=ChangeState.WAITING, store__in=stores)
    pending = IncomingOrder.objects.filter(state=IncomingState.PENDING, store__in=stores)
    found = [
        Waiting(stores[pk], work, count, _seconds(pk, work, count))
        for work, rows in (
            (Work.READ, unread),
            (Work.IMPORT, pending.filter(store__integration_date__isnull=False)),
        )
        for pk, count in rows.order_by().values_list("store").annotate(n=Count("pk"))
        if count >= WORTH_SAYING
    ]
    return sorted(found, key=lambda each: -each.orders)


def _seconds(store_id: int, work: Work, count: int) -> float | None:
    rate = cache.get(_key(store_id, work))
    return None if not rate else count / rate


def _key(store_id: int, work: Work) -> str:
    return f"orders-a-second:{store_id}:{work}"
