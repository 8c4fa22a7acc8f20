"""What is known of a store's orders: without it no quantity there can be told right from wrong (algorithms.md §6)."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from django.conf import settings

from connectors.models import Store

if TYPE_CHECKING:
    from inventory.audit import Difference


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that orders moved in the store before `until` is booked here, save for what `waiting` names. None: the
    store's orders are not kept here at all."""

    until: dt.datetime | None = None
    waiting: Mapping[str, str] = field(default_factory=dict)
    """Inventory item → the sentence that says which order waits."""


@dataclass(frozen=True, slots=True)
class OrderLag:
    """How many orders were measured, and the seconds from the store's date of their newest version to its being booked
    here that 99 % of them took; what still waits counts with the time it has waited."""

    orders: int
    p99_seconds: float


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order of a store that still has `units` of an item to be fulfilled at one place."""

    number: str
    units: int


@dataclass(frozen=True, slots=True)
class Sold:
    """How many orders ask for an item of a store, and for how many units."""

    orders: int
    units: int


@dataclass(frozen=True, slots=True)
class OrderFlow:
    """How the orders of a store come in, at this moment. Numbers are of orders."""

    until: dt.datetime | None = None
    """As `Knowledge.until`; None, too, where no pass over the store's orders ever ended."""
    asked_at: dt.datetime | None = None
    """When the store was last asked for its orders and answered to the end, by our clock."""
    cause: str = ""
    remedy: str = ""
    """Why the last pass did not end, and what to do; empty when it did."""
    unreadable: int = 0
    """Changed in the store and could not be read."""
    waiting: int = 0
    waiting_since: dt.datetime | None = None
    """Noticed or read, and not imported yet; since when the oldest of them."""
    processing: int = 0
    """A worker has them in hand."""
    blocked: int = 0
    """Wait for a person; their levels are held, each with its order's name."""


class OrderBooks(Protocol):
    """Where orders are kept; named by settings.ORDER_BOOKS, since they lie above this app."""

    def bring_in(self, store: Store) -> None:
        """Ask the store for its orders up to now, and book them. Raises its ConnectorErrors."""
        ...

    def known(self, store: Store) -> Knowledge:
        """What is known now; asks nobody."""
        ...

    def shadows(self, documents: Collection[str]) -> set[str]:
        """Those of the ledger's documents that are shadow orders: they hold goods, and are no sales order of ours."""
        ...

    def lag(self, store: Store, since: dt.datetime) -> OrderLag:
        """How quickly the orders placed since then were booked; asks nobody."""
        ...

    def differences(self) -> list[Difference]:
        """Where what orders hold does not agree with itself, or with the levels (invariants I5 and I6)."""
        ...

    def open_at(self, store: Store, item_ref: str, location_ref: str) -> Sequence[OpenOrder]:
        """The known orders that hold units of this item there, the largest first; the first hundred."""
        ...

    def sold(self, items: Collection[tuple[int, str]], since: dt.datetime) -> Mapping[tuple[int, str], Sold]:
        """(Store id, inventory item) → what orders placed since then ask for, as ordered; items that none names are left
        out. One query; asks nobody."""
        ...

    def flow(self, store: Store) -> OrderFlow:
        """Whether orders are up to date, and what waits or is being processed; one query, asks nobody."""
        ...


def order_books() -> OrderBooks:
    """The module that keeps orders."""
    return cast(OrderBooks, importlib.import_module(settings.ORDER_BOOKS))
