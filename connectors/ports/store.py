"""The port to a store: what Sync Console asks of a shop, in words of no vendor.

References (`item_ref`, `location_ref`, …) are the store's own opaque ids. Quantities are whole units.
Times are aware and come from the store's clock, never from ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from connectors.ports.orders import OrdersPort
from connectors.ports.product_changes import ProductChangesPort
from connectors.ports.products import RemoteVariant as RemoteVariant
from connectors.ports.rows import RowProblem as RowProblem
from connectors.ports.rows import RowProblemKind as RowProblemKind
from connectors.ports.shipments import ShipmentsPort

MAX_CHANGES = 250
"""Rows one write or one read by ids may carry (reference: Shopify 2.4, arrays in input)."""


@dataclass(frozen=True, slots=True)
class StoreOverview:
    """Who answered a connection test."""

    name: str
    domain: str
    currency: str
    time_zone: str
    plan: str
    scopes: frozenset[str]
    api_version: str
    """The version that really answered; differs from the one asked for when the service fell forward."""


@dataclass(frozen=True, slots=True)
class RemoteLocation:
    """A place that holds stock in the store."""

    ref: str
    name: str
    is_active: bool
    is_fulfillment_service: bool
    holds_stock: bool = False
    """The store has inventory of some item there."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of all variants that the store prepares, or that needs no preparation (`ticket` is empty then).

    `ready`: it can be read now. `rows`: how many the store has written so far, for display.
    """

    ticket: str = ""
    ready: bool = True
    rows: int = 0


def unheard() -> None:
    """Nobody waits."""


@dataclass(frozen=True, slots=True)
class RemoteLevel:
    """Quantities of one item at one location, as read from the store.

    `unavailable` = reserved + damaged + quality control + safety stock. `moved_at` is the newest change of
    available or committed, None when the store does not say. `exists` is False where the item was never stocked
    (then quantities are 0) or is unknown (`tracked` is False then, too, and `known` is False).
    """

    item_ref: str
    location_ref: str
    known: bool
    tracked: bool
    exists: bool
    is_active: bool
    available: int
    committed: int
    unavailable: int
    moved_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class LevelsRead:
    """One direct read. `read_at` is the server's time when it answered."""

    levels: list[RemoteLevel]
    read_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Move `available` by `delta`, whatever it is now, or only where it still is `change_from`."""

    item_ref: str
    location_ref: str
    delta: int
    change_from: int | None = None


@dataclass(frozen=True, slots=True)
class Overwrite:
    """Compare-and-swap: `available` becomes `quantity` only where it still is `change_from`."""

    item_ref: str
    location_ref: str
    quantity: int
    change_from: int


@dataclass(frozen=True, slots=True)
class PreparedWrite:
    """The exact bytes of a write, to be stored before they are sent and sent unchanged on every try."""

    body: bytes
    rows: int


class WriteOutcome(StrEnum):
    """What one answer to a prepared write means (algorithms.md §5, outcome table)."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    """Accepted, and there was nothing to change."""
    REFUSED_ROWS = "refused_rows"
    """Nothing was written; `problems` names the rows."""
    REFUSED = "refused"
    """Nothing was written, and no row is named: bisect. Also: an earlier attempt with this key failed definitely."""
    RUNNING = "running"
    """The same key is still being executed: wait, then send the same bytes again."""
    KEY_MISMATCH = "key_mismatch"
    """The key was used with other bytes: a fault of ours, never resend."""


@dataclass(frozen=True, slots=True)
class WriteReply:
    """A definite answer to a prepared write."""

    outcome: WriteOutcome
    applied_at: dt.datetime | None = None
    """The store's time of the write; None when unchanged."""
    problems: list[RowProblem] = field(default_factory=list)
    cause: str = ""
    cost: int = 0
    """Points charged."""
    request_id: str = ""


class StorePort(OrdersPort, ShipmentsPort, ProductChangesPort, Protocol):
    """One store, its orders and products included. Methods raise `ConnectorError`s; reads may be repeated freely."""

    def overview(self) -> StoreOverview:
        """Who we are connected to, on which plan, with which scopes."""
        ...

    def locations(self) -> list[RemoteLocation]:
        """All locations, deactivated and service-managed ones included."""
        ...

    def prepare_listing(self, job: str, ticket: str = "") -> Listing:
        """Have the store prepare the list of its variants, where that takes it long; some seconds are waited for it.

        Asked again with the listing's ticket until it is ready. `job` (letters and digits) names the caller's job: one
        that died before it could keep the ticket finds what it began. A store prepares one such list at a time for us,
        whoever asks. Raises `ResultLost` when there is nothing to be had for this ticket.
        """
        ...

    def iter_variants(self, ticket: str = "", *, tick: Callable[[], None] = unheard) -> Iterator[RemoteVariant]:
        """Every variant of the store, streamed, nested pages followed to the end.

        `ticket`: of a listing that is ready; it may be read again from its beginning. Without one the list is made
        meanwhile, and waited for. `tick` is called every now and then, also while no variant comes. Raises `ResultLost`
        as `prepare_listing` does.
        """
        ...

    def read_levels(self, location_ref: str, item_refs: Sequence[str]) -> LevelsRead:
        """Direct read (never search) of up to `MAX_CHANGES` items at one location, in the order asked."""
        ...

    def prepare_adjustment(self, rows: Sequence[Adjustment], *, key: UUID, document: str) -> PreparedWrite:
        """Bytes of a relative write of up to `MAX_CHANGES` rows. `document` names our run, e.g. `run/42`."""
        ...

    def prepare_overwrite(self, rows: Sequence[Overwrite], *, key: UUID, document: str) -> PreparedWrite:
        """Bytes of a compare-and-swap of up to `MAX_CHANGES` rows."""
        ...

    def send(self, prepared: PreparedWrite) -> WriteReply:
        """Send stored bytes once. Raises `ConnectorUnavailable` when certainly not executed,
        `OutcomeUnknown` when it may have been, `CredentialsRejected` when the account is refused and `RequestRejected`
        when the request itself is at fault (neither was executed)."""
        ...

    def activate(self, item_ref: str, location_ref: str, *, key: UUID) -> None:
        """Stock an item at a location; an already active level is left as it is."""
        ...

    def set_tracked(self, item_ref: str, *, tracked: bool) -> None:
        """Switch the store's own "track quantity" of an item."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...
