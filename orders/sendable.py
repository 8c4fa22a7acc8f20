"""What a store's order says of goods that left here: whether it can be told of them now, and whether it was told already.

Pure. Units are by line of the order, at one location of the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from connectors.ports.orders import Fulfilment, RemoteOrder
from connectors.ports.shipments import ShippedLine
from syncconsole.kernel.refusals import Refusal

OPEN: Final = frozenset({"open", "in_progress"})
"""Fulfilment orders that goods may leave for (reference: Shopify 6.5)."""
STANDS: Final = frozenset({"success", "pending", "open"})
"""Fulfilments that are not taken back or failed."""


class NotSendable(Refusal):
    """The store cannot be told of these goods as it sees the order now."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Goods of an order that left one location of its store. `units`: order line → how many."""

    location_ref: str
    units: Mapping[str, int]
    number: str = ""
    known: Collection[str] = field(default=())
    """References of the fulfilments that the order had before the parcel was first sent."""


def lines_of(order: RemoteOrder | None, parcel: Parcel) -> list[ShippedLine]:
    """The lines of fulfilment orders that the parcel takes its units from. Raises NotSendable where not all of them wait
    there: a part is never sent alone."""
    if order is None:
        raise NotSendable("The store does not show the order any more.", "Look for it in the store's admin.")
    if order.cancelled_at is not None:
        raise NotSendable(
            "The order was cancelled in the store.", "Get the goods back, then say that they are not to be sent."
        )
    lines: list[ShippedLine] = []
    wanted = dict(parcel.units)
    for work in order.fulfilment_orders:
        if work.location_ref != parcel.location_ref or work.status not in OPEN or work.holds:
            continue
        for line in work.lines:
            taken = min(wanted.get(line.line_ref, 0), line.remaining_quantity)
            if taken > 0:
                wanted[line.line_ref] -= taken
                lines.append(ShippedLine(work.ref, line.ref, taken))
    if any(wanted.values()):
        raise _missing(order, parcel, wanted)
    return lines


def told(order: RemoteOrder | None, parcel: Parcel) -> str:
    """The reference of the fulfilment that the store made of this parcel; empty while it shows none. Raises NotSendable
    where nobody can tell whether one of those it shows is ours."""
    if order is None:
        raise NotSendable(
            "No answer came, and the store does not show the order any more.", "Look for it in the store's admin."
        )
    alike = [one for one in order.fulfilments if one.ref not in parcel.known and _carries(one, parcel)]
    ours = [one for one in alike if not parcel.number or _plain(parcel.number) in _numbers(one)]
    if len(ours) == 1 and ours[0].status in STANDS:
        return ours[0].ref
    if alike:
        names = ", ".join(one.name or one.ref for one in alike)
        raise NotSendable(
            f"No answer came, and the store shows the same goods sent by {names}.",
            "Look at the order in the store: if that is this parcel, it was sent; if not, send it again.",
        )
    return ""


def _carries(fulfilment: Fulfilment, parcel: Parcel) -> bool:
    units: Counter[str] = Counter()
    for line in fulfilment.lines:
        units[line.line_ref] += line.quantity
    return fulfilment.location_ref == parcel.location_ref and units == Counter(parcel.units)


def _numbers(fulfilment: Fulfilment) -> set[str]:
    return {_plain(tracking.number) for tracking in fulfilment.tracking}


def _plain(number: str) -> str:
    return "".join(number.split()).casefold()


def _missing(order: RemoteOrder, parcel: Parcel, missing: Mapping[str, int]) -> NotSendable:
    held = [
        work
        for work in order.fulfilment_orders
        if work.location_ref == parcel.location_ref
        and (work.holds or work.status == "on_hold")
        and any(missing.get(line.line_ref) and line.remaining_quantity for line in work.lines)
    ]
    if held:
        reasons = ", ".join(hold.replace("_", " ") for work in held for hold in work.holds) or "no reason is said"
        return NotSendable(
            f"The store holds the order back: {reasons}.", "Release the hold in the store, then send it again."
        )
    wanted, short = sum(parcel.units.values()), sum(missing.values())
    return NotSendable(
        f"Only {wanted - short} of {wanted} units wait there in the store.",
        "Look at the order in the store: they were sent, taken off or moved meanwhile.",
    )
