"""The rows of an order's work: what is to be shipped from which location, why it waits, and the parcels (reference §6.5)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .orders import Line, Order
from .rows import Location


@dataclass(slots=True)
class FulfillmentOrderLine:
    """So many of a line, to be shipped from the fulfilment order's location."""

    gid: str
    line_item: Line
    total_quantity: int
    remaining_quantity: int


@dataclass(slots=True)
class Hold:
    """Why a fulfilment order waits."""

    gid: str
    reason: str
    reason_notes: str | None


@dataclass(slots=True)
class FulfillmentOrder:
    """Work at one location."""

    gid: str
    order: Order
    location: Location
    created_at: str
    updated_at: str
    status: str = "OPEN"
    request_status: str = "UNSUBMITTED"
    lines: list[FulfillmentOrderLine] = field(default_factory=list)
    fulfillment_holds: list[Hold] = field(default_factory=list)

    @property
    def remaining(self) -> int:
        """Units that wait to be shipped."""
        return sum(line.remaining_quantity for line in self.lines)


@dataclass(slots=True)
class FulfillmentLine:
    """So many of a line in one parcel. `source` is where the units go back when the fulfilment is cancelled."""

    gid: str
    line_item: Line
    quantity: int
    source: FulfillmentOrderLine
    returned: int = 0


@dataclass(slots=True)
class Fulfillment:
    """A parcel."""

    gid: str
    number: int
    name: str
    order: Order
    fulfillment_order: FulfillmentOrder
    location: Location
    created_at: str
    updated_at: str
    status: str = "SUCCESS"
    tracking: list[dict[str, str | None]] = field(default_factory=list)
    lines: list[FulfillmentLine] = field(default_factory=list)

    @property
    def total_quantity(self) -> int:
        """Units in it."""
        return sum(line.quantity for line in self.lines)
