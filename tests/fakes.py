"""A store in memory that keeps the store port's promises; the same contract cases run against it and the adapter."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from connectors.ports.errors import (
    ConnectorError,
    ConnectorUnavailable,
    CredentialsRejected,
    FeatureNotSupported,
    OutcomeUnknown,
    RequestRejected,
)
from connectors.ports.orders import RemoteOrder
from connectors.ports.store import (
    MAX_CHANGES,
    Adjustment,
    LevelsRead,
    Listing,
    Overwrite,
    PreparedWrite,
    RemoteLevel,
    RemoteLocation,
    RemoteVariant,
    RowProblem,
    RowProblemKind,
    StoreOverview,
    WriteOutcome,
    WriteReply,
    unheard,
)
from tests.fake_orders import FakeOrders
from tests.fake_products import FakeProducts
from tests.fake_shipments import FakeShipments

KEY_MEMORY = dt.timedelta(hours=24)
LIMIT = 1_000_000_000
SCOPES = frozenset({"read_products", "read_inventory", "write_inventory", "read_locations"})

_TEXTS = {
    RowProblemKind.STALE: ("The quantity in the store is another one by now.", "Nothing to do: it is planned again."),
    RowProblemKind.UNKNOWN_ITEM: ("The store does not know this item.", "Link the store's products again."),
    RowProblemKind.UNKNOWN_LOCATION: ("The store does not know this location.", "Correct the location mapping."),
    RowProblemKind.NOT_WRITABLE: ("The item is the parent of a bundle.", "Take it out of the tag filter."),
    RowProblemKind.OUT_OF_RANGE: ("The store cannot hold this quantity.", "Correct the quantity in the ledger."),
    RowProblemKind.DUPLICATE_ROW: ("The same item and location is there twice.", "Unlink one of the two variants."),
    RowProblemKind.OTHER: ("The store refused the row.", "Correct what the message names."),
}


@dataclass
class Level:
    """Quantities of one item at one location."""

    available: int = 0
    committed: int = 0
    unavailable: int = 0
    is_active: bool = True
    moved_at: dt.datetime | None = None


@dataclass
class Call:
    """One call, as the test asks about it later: `name` is the port's method, `key` that of a write."""

    name: str
    rows: int = 0
    key: str = ""
    body: bytes = b""


@dataclass
class _Remembered:
    digest: str
    at: dt.datetime
    reply: WriteReply


@dataclass
class _Fault:
    error: ConnectorError
    applied: bool


@dataclass
class FakeStore(FakeOrders, FakeShipments, FakeProducts):
    """One shop. Set the scene with `add_location`, `add_variant`, `stock`; move it with `sell`, `fulfil`, `edit`, `place`,
    `ship`; break it with `lose_next_reply`, `drop_next_request`, `refuse_next_connection`, `poison`, `wrong_token`.

    `now` is the store's clock, which only the test moves (`advance`). `calls` is what was asked, oldest first.
    """

    name: str = "Bucovina"
    domain: str = "bucovina.myshopify.com"
    now: dt.datetime = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
    wrong_token: bool = False
    calls: list[Call] = field(default_factory=list)
    closed: bool = False
    _locations: dict[str, RemoteLocation] = field(default_factory=dict)
    _variants: dict[str, RemoteVariant] = field(default_factory=dict)
    _product_facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    _levels: dict[tuple[str, str], Level] = field(default_factory=dict)
    _poison: dict[str, RowProblemKind] = field(default_factory=dict)
    _memory: dict[str, _Remembered] = field(default_factory=dict)
    _faults: list[_Fault] = field(default_factory=list)
    _read_faults: list[ConnectorError] = field(default_factory=list)
    shown_days: int | None = None
    unreadable: set[str] = field(default_factory=set)
    _orders: dict[str, RemoteOrder] = field(default_factory=dict)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    listings: dict[str, str] = field(default_factory=dict)
    """Job → ticket of the listing it asked for."""
    _looks: int = 0

    # --- setting the scene

    def add_location(self, name: str = "Depozit", *, is_active: bool = True, is_service: bool = False) -> str:
        """A new location; returns its reference."""
        ref = f"location/{len(self._locations) + 1}"
        self._locations[ref] = RemoteLocation(ref, name, is_active, is_service)
        return ref

    def add_variant(
        self,
        *,
        sku: str = "",
        barcode: str = "",
        handle: str = "",
        option_values: tuple[str, ...] = ("Default Title",),
        tags: tuple[str, ...] = (),
        price: Decimal = Decimal("10.00"),
        tracked: bool = True,
        stock: dict[str, int] | None = None,
    ) -> str:
        """A new variant, stocked at the locations of `stock`; variants of one `handle` are one product. Returns the
        reference of its item."""
        number = len(self._variants) + 1
        handle = handle or f"product-{number}"
        item_ref = f"item/{number}"
        self._variants[item_ref] = RemoteVariant(
            product_ref=f"product/{handle}",
            product_handle=handle,
            product_title=handle.replace("-", " ").capitalize(),
            product_status="active",
            product_tags=tags,
            ref=f"variant/{number}",
            item_ref=item_ref,
            sku=sku,
            barcode=barcode,
            option_values=option_values,
            price=price,
            tracked=tracked,
        )
        for location_ref, quantity in (stock or {}).items():
            self.stock(item_ref, location_ref, quantity)
        return item_ref

    def stock(
        self, item_ref: str, location_ref: str, available: int, *, committed: int = 0, unavailable: int = 0
    ) -> None:
        """The level's quantities from now on, last moved an hour before now."""
        moved_at = self.now - dt.timedelta(hours=1)
        self._levels[item_ref, location_ref] = Level(available, committed, unavailable, moved_at=moved_at)

    def hold_stock(self, location_ref: str) -> None:
        """The store has inventory of some item there."""
        self._locations[location_ref] = replace(self._locations[location_ref], holds_stock=True)

    def remove_variant(self, item_ref: str) -> None:
        """The merchant deletes the variant."""
        del self._variants[item_ref]

    def poison(self, item_ref: str, kind: RowProblemKind = RowProblemKind.NOT_WRITABLE) -> None:
        """Every write with this item is refused and names its row."""
        self._poison[item_ref] = kind

    def variant(self, item_ref: str) -> RemoteVariant:
        """The variant of an item."""
        return self._variants[item_ref]

    def level(self, item_ref: str, location_ref: str) -> Level:
        """The quantities of a level, live."""
        return self._levels[item_ref, location_ref]

    def available(self, item_ref: str, location_ref: str) -> int:
        """What the store shows."""
        return self._levels[item_ref, location_ref].available

    # --- what happens in the shop meanwhile

    def advance(self, seconds: float) -> None:
        """The store's time passes."""
        self.now += dt.timedelta(seconds=seconds)

    def sell(self, item_ref: str, location_ref: str, quantity: int) -> None:
        """An order is placed: available falls, committed rises."""
        level = self.level(item_ref, location_ref)
        level.available -= quantity
        level.committed += quantity
        level.moved_at = self.now

    def fulfil(self, item_ref: str, location_ref: str, quantity: int) -> None:
        """The goods of an order leave: committed falls."""
        level = self.level(item_ref, location_ref)
        level.committed -= quantity
        level.moved_at = self.now

    def edit(self, item_ref: str, location_ref: str, by: int) -> None:
        """Somebody changes the quantity in the store's admin."""
        level = self.level(item_ref, location_ref)
        level.available += by
        level.moved_at = self.now

    # --- what goes wrong

    def reserve(self, item_ref: str, location_ref: str, quantity: int) -> None:
        """A draft order reserves units: they are withheld, out of those that were available."""
        level = self.level(item_ref, location_ref)
        level.available, level.unavailable, level.moved_at = (
            level.available - quantity,
            level.unavailable + quantity,
            self.now,
        )

    def take_looks_to_list(self, looks: int) -> None:
        """The listing is prepared, and ready at the look of this number."""
        self._looks = looks

    def lose_next_reply(self) -> None:
        """The next write is applied and its answer lost."""
        self._faults.append(_Fault(self._problem(OutcomeUnknown, "The answer was lost."), applied=True))

    def drop_next_request(self) -> None:
        """The next write is lost on its way; the caller cannot tell."""
        self._faults.append(_Fault(self._problem(OutcomeUnknown, "The answer was lost."), applied=False))

    def refuse_next_connection(self) -> None:
        """The next write is certainly not executed."""
        self._faults.append(_Fault(self._problem(ConnectorUnavailable, "No connection."), applied=False))

    def fail_next_send(self, error: ConnectorError, *, applied: bool = False) -> None:
        """The next write raises `error`, after being executed if `applied`."""
        self._faults.append(_Fault(error, applied))

    def fail_next_read(self, error: ConnectorError | None = None) -> None:
        """The next read raises `error`, by default that the service is unavailable."""
        self._read_faults.append(error or self._problem(ConnectorUnavailable, "No connection."))

    def forget_keys(self) -> None:
        """As after 24 hours."""
        self._memory.clear()

    def called(self, name: str) -> list[Call]:
        """The calls of one method, oldest first."""
        return [call for call in self.calls if call.name == name]

    # --- StorePort

    def overview(self) -> StoreOverview:
        """Who answers."""
        self._read("overview")
        return StoreOverview(self.name, self.domain, "RON", "Europe/Bucharest", "Basic", SCOPES, "2026-10")

    def locations(self) -> list[RemoteLocation]:
        """All locations."""
        self._read("locations")
        return list(self._locations.values())

    def prepare_listing(self, job: str, ticket: str = "") -> Listing:
        """Ready at once, unless `take_looks_to_list` said otherwise."""
        self._read("prepare_listing")
        if not self._looks:
            return Listing(ticket)
        if ticket not in self.listings.values():
            ticket = self.listings.setdefault(job, f"listing/{len(self.listings) + 1}")
        self._looks -= 1
        return Listing(ticket, ready=not self._looks)

    def iter_variants(self, ticket: str = "", *, tick: Callable[[], None] = unheard) -> Iterator[RemoteVariant]:
        """Every variant."""
        self._read("iter_variants")
        yield from list(self._variants.values())

    def read_levels(self, location_ref: str, item_refs: Sequence[str]) -> LevelsRead:
        """Quantities in the order asked."""
        self._check_size("read_levels", len(item_refs))
        self._read("read_levels", rows=len(item_refs))
        levels = [self._remote(item_ref, location_ref) for item_ref in item_refs]
        return LevelsRead(levels, self.now.replace(microsecond=0))

    def prepare_adjustment(self, rows: Sequence[Adjustment], *, key: UUID, document: str) -> PreparedWrite:
        """Bytes of a relative write."""
        return self._prepare(
            "adjust", [[row.item_ref, row.location_ref, row.delta, row.change_from] for row in rows], key, document
        )

    def prepare_overwrite(self, rows: Sequence[Overwrite], *, key: UUID, document: str) -> PreparedWrite:
        """Bytes of a compare-and-swap."""
        content = [[row.item_ref, row.location_ref, row.quantity, row.change_from] for row in rows]
        return self._prepare("set", content, key, document)

    def send(self, prepared: PreparedWrite) -> WriteReply:
        """Send bytes once."""
        content = json.loads(prepared.body)
        execute = partial(self._execute, content, prepared.body)
        return self._written("send", prepared.body, execute, len(content["rows"]), content["key"])

    def activate(self, item_ref: str, location_ref: str, *, key: UUID) -> None:
        """Stock an item at a location."""
        self.calls.append(Call("activate", 1, str(key)))
        self._check_token("activate")
        if item_ref not in self._variants or not self._is_open(location_ref):
            raise self._problem(RequestRejected, "The item or the location is not known.")
        level = self._levels.setdefault((item_ref, location_ref), Level(moved_at=self.now))
        level.is_active = True

    def set_tracked(self, item_ref: str, *, tracked: bool) -> None:
        """Switch "track quantity"."""
        self.calls.append(Call("set_tracked", 1))
        self._check_token("set_tracked")
        if item_ref not in self._variants:
            raise self._problem(RequestRejected, "The item is not known.")
        self._variants[item_ref] = replace(self._variants[item_ref], tracked=tracked)

    def close(self) -> None:
        """Nothing is held open."""
        self.closed = True

    # --- inside

    def _written(self, name: str, body: bytes, execute: Callable[[], Any], rows: int = 1, key: str = "") -> Any:
        """One write with the faults that the test asked for."""
        self.calls.append(Call(name, rows, key, body))
        self._check_token(name)
        fault = self._faults.pop(0) if self._faults else None
        if fault is not None:
            if fault.applied:
                execute()
            raise fault.error
        return execute()

    def _prepare(self, kind: str, rows: list[list[Any]], key: UUID, document: str) -> PreparedWrite:
        self._check_size(kind, len(rows))
        content = {"kind": kind, "rows": rows, "key": str(key), "document": document}
        return PreparedWrite(json.dumps(content, separators=(",", ":")).encode(), len(rows))

    def _execute(self, content: dict[str, Any], body: bytes) -> WriteReply:
        key, digest = content["key"], hashlib.sha256(body).hexdigest()
        before = self._memory.get(key)
        if before and self.now - before.at < KEY_MEMORY:
            if before.digest != digest:
                return WriteReply(WriteOutcome.KEY_MISMATCH, cause="The key was used with another content before.")
            if before.reply.problems:
                return WriteReply(WriteOutcome.REFUSED, cause="An earlier try of the same request was refused.")
            return before.reply
        reply = self._write(content)
        self._memory[key] = _Remembered(digest, self.now, reply)
        return reply

    def _write(self, content: dict[str, Any]) -> WriteReply:
        kind, rows = content["kind"], content["rows"]
        problems = [problem for problem in (self._problem_of(kind, rows, at) for at in range(len(rows))) if problem]
        if problems:
            return WriteReply(WriteOutcome.REFUSED_ROWS, problems=problems, cause=problems[0].cause, cost=10)
        changed = False
        for item_ref, location_ref, quantity, _ in rows:
            level = self._levels.setdefault((item_ref, location_ref), Level(is_active=False, moved_at=self.now))
            after = level.available + quantity if kind == "adjust" else quantity
            if after != level.available:
                level.available, level.moved_at, changed = after, self.now, True
        if not changed:
            return WriteReply(WriteOutcome.UNCHANGED, cost=10)
        return WriteReply(WriteOutcome.APPLIED, applied_at=self.now.replace(microsecond=0), cost=10)

    def _problem_of(self, kind: str, rows: list[list[Any]], at: int) -> RowProblem | None:
        item_ref, location_ref, quantity, change_from = rows[at]
        level = self._levels.get((item_ref, location_ref), Level())
        after = level.available + quantity if kind == "adjust" else quantity
        found: RowProblemKind | None = None
        if item_ref not in self._variants:
            found = RowProblemKind.UNKNOWN_ITEM
        elif item_ref in self._poison:
            found = self._poison[item_ref]
        elif not self._is_open(location_ref):
            found = RowProblemKind.UNKNOWN_LOCATION
        elif kind == "set" and sum(row[:2] == rows[at][:2] for row in rows) > 1:
            found = RowProblemKind.DUPLICATE_ROW
        elif abs(after) > LIMIT:
            found = RowProblemKind.OUT_OF_RANGE
        elif change_from is not None and change_from != level.available:
            found = RowProblemKind.STALE
        return RowProblem(at, found, found.upper(), *_TEXTS[found]) if found else None

    def _remote(self, item_ref: str, location_ref: str) -> RemoteLevel:
        variant = self._variants.get(item_ref)
        level = self._levels.get((item_ref, location_ref)) if variant else None
        shown = level or Level(is_active=False)
        return RemoteLevel(
            item_ref=item_ref,
            location_ref=location_ref,
            known=variant is not None,
            tracked=variant is not None and variant.tracked,
            exists=level is not None,
            is_active=shown.is_active,
            available=shown.available,
            committed=shown.committed,
            unavailable=shown.unavailable,
            moved_at=shown.moved_at,
        )

    def _is_open(self, location_ref: str) -> bool:
        return location_ref in self._locations and self._locations[location_ref].is_active

    def _read(self, name: str, *, rows: int = 0) -> None:
        self.calls.append(Call(name, rows))
        self._check_token(name)
        if self._read_faults:
            raise self._read_faults.pop(0)

    def _check_token(self, operation: str) -> None:
        if self.wrong_token:
            raise CredentialsRejected(
                service="Fake store",
                operation=operation,
                cause="The access token was refused.",
                remedy="Enter a current token in the store's settings.",
            )

    def _check_size(self, operation: str, rows: int) -> None:
        if not 1 <= rows <= MAX_CHANGES:
            raise self._problem(FeatureNotSupported, f"{operation} carries 1 to {MAX_CHANGES} rows, not {rows}.")

    def _problem(self, kind: type[ConnectorError], cause: str) -> ConnectorError:
        return kind(service="Fake store", operation="call", cause=cause, remedy="The test decides.")
