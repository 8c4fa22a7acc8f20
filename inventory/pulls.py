"""Rows of the stock feed that are the picking of an order: not a movement of their own, but that order's shipment
(algorithms.md §3, row 16)."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, cast

from django.conf import settings

from syncconsole.kernel.models import User


@dataclass(frozen=True, slots=True)
class Pull:
    """`quantity` units of a variant that left one of our locations for the order that people call `order`. `store_id`
    None: whichever store has one of that number. `key` names the fact: the same key is taken once, ever."""

    key: str
    order: str
    store_id: int | None
    variant_id: int
    location_id: int
    quantity: int
    happened_at: dt.datetime
    document: str
    origin: str
    actor: User | None


class Taken(Enum):
    """What became of a pull."""

    BOOKED = auto()
    """It is the order's shipment, or part of one that is booked already."""
    WAITS = auto()
    """Kept; it is booked by itself when its order can take it."""
    REPEATED = auto()
    """Its key was known."""
    CONTRADICTS = auto()
    """Its key was known with another quantity; nothing happened."""


class OrderPulls(Protocol):
    """Where orders take the pulls that name them; named by settings.ORDER_PULLS, since they lie above this app."""

    def take(self, pulls: Sequence[Pull]) -> Mapping[str, Taken]:
        """Take each once; what its order cannot take yet waits there. Key → what became of it."""
        ...


def order_pulls() -> OrderPulls:
    """The module that takes pulls for orders."""
    return cast(OrderPulls, importlib.import_module(settings.ORDER_PULLS))
