"""What a store told of some of its orders: what every step of an import takes, and which of them it refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from connectors.ports.orders import RemoteOrder
from orders.errors import OrderRefused
from orders.models import IncomingOrder

Told = Mapping[IncomingOrder, RemoteOrder]
"""Incoming orders of one store, whose rows the caller has locked, each with the version that it holds; in the order in
which they are booked."""

Refusals = dict[IncomingOrder, OrderRefused]
"""The orders that a step refused; what it says of the others is written."""


@contextmanager
def set_aside(refused: Refusals, row: IncomingOrder) -> Iterator[None]:
    """Keep why the order is refused inside; the others go on without it."""
    try:
        yield
    except OrderRefused as problem:
        refused[row] = problem
