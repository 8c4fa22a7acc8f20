"""The port that tells a store what left here, with tracking. References and quantities as in `connectors.ports.orders`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ShippedLine:
    """Units of one line of a fulfilment order (`FulfilmentOrder.ref`, `WorkLine.ref`)."""

    work_ref: str
    work_line_ref: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """Goods that left one location for one order. `url` is where the parcel can be followed; all three may be empty.
    `notify`: the store writes to the customer."""

    lines: Sequence[ShippedLine]
    company: str = ""
    number: str = ""
    url: str = ""
    notify: bool = False


class ShipmentsPort(Protocol):
    """Shipments told to one store. Stores keep no key of them: a repeat makes another one, so a lost reply is settled by
    looking the order up (`orders.sending`), never by sending again alone."""

    def prepare_shipment(self, shipment: Shipment) -> bytes:
        """The exact bytes of the request, to be stored before they are sent. May ask the store what the app is allowed
        to do. Raises `FeatureNotSupported` where that does not include it, or it cannot be said in one request."""
        ...

    def send_shipment(self, body: bytes) -> str:
        """Send stored bytes once; returns the reference of the fulfilment made. Raises `RequestRejected` when the store
        refused, `FeatureNotSupported` where the app may not do it, `ConnectorUnavailable` (nothing was executed in these
        cases), `OutcomeUnknown` when it may have been, `CredentialsRejected` when the account is refused."""
        ...
