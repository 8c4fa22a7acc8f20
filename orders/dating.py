"""When units of a line were ordered, and when edits took some off that nothing put back, as far as its store tells.

Pure. An order tells how many units its lines have; its edits tell since when (`connectors.ports.orders.LineEdit`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final, NamedTuple

from connectors.ports.orders import OrderLine, RemoteOrder

SAME_EDIT: Final = dt.timedelta(seconds=2)
"""Between an edit that takes units off and the refund that tells where they were put."""


class Units(NamedTuple):
    """So many units at one moment."""

    quantity: int
    at: dt.datetime


def ordered(order: RemoteOrder, line: OrderLine) -> list[Units]:
    """All units that were ever ordered of the line, oldest first, by the edits of the order, which are all known. Empty where
    they say more than the line has."""
    added = [Units(edit.quantity, edit.at) for edit in order.edits if edit.line_ref == line.ref and edit.quantity > 0]
    placed = line.quantity - total(added)
    return [Units(placed, order.created_at), *added] if placed >= 0 else []


def left_out(order: RemoteOrder, line_ref: str) -> list[Units]:
    """Units that edits took off the line and no refund put back, oldest first."""
    back = [
        (refund.created_at or refund.updated_at, entry.quantity)
        for refund in order.refunds
        for entry in refund.lines
        if entry.line_ref == line_ref and entry.restocked
    ]
    taken = [edit for edit in order.edits if edit.line_ref == line_ref and edit.quantity < 0]
    return [
        Units(-edit.quantity - sum(quantity for when, quantity in back if abs(when - edit.at) <= SAME_EDIT), edit.at)
        for edit in taken
    ]


def part(found: Iterable[Units], start: int, quantity: int) -> list[Units]:
    """`quantity` of them after the first `start`; fewer where there are fewer."""
    taken = []
    for units, at in found:
        before = min(start, max(0, units))
        more = min(max(0, units) - before, quantity)
        start, quantity = start - before, quantity - more
        if more:
            taken.append(Units(more, at))
    return taken


def total(found: Iterable[Units]) -> int:
    """How many they are."""
    return sum(units for units, _ in found)
