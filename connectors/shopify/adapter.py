"""A Shopify shop behind the store port (reference 1 to 3, API 2026-10)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import httpx

from connectors.http import build_client, check_host
from connectors.pacing import Pacer
from connectors.ports.access import Standing, TokenSource
from connectors.ports.buyers import Attribute
from connectors.ports.errors import FeatureNotSupported, OutcomeUnknown
from connectors.ports.orders import ChangesPage, History, OrdersWindow, RemoteOrder, Wanted
from connectors.ports.shipments import Shipment
from connectors.ports.store import (
    MAX_CHANGES,
    Adjustment,
    LevelsRead,
    Listing,
    Overwrite,
    PreparedWrite,
    RemoteLocation,
    RemoteVariant,
    StoreOverview,
    WriteOutcome,
    WriteReply,
    unheard,
)
from connectors.shopify import mapping, writes
from connectors.shopify.bulk import BulkOperations
from connectors.shopify.client import READ_ATTEMPTS, ShopifyClient
from connectors.shopify.documents import document_of, encode
from connectors.shopify.listing import VariantListing
from connectors.shopify.mutations import SimpleWrite, payload_of, refused, said, send_mutation
from connectors.shopify.orders import OrderReader
from connectors.shopify.orders_custom import read_fields
from connectors.shopify.orders_history import OrderHistory
from connectors.shopify.products import ShopifyProducts
from connectors.shopify.replies import SERVICE, GraphQLRefused, Reply
from connectors.shopify.scopes import Scopes
from connectors.shopify.shipments import ShipmentWriter
from connectors.shopify.subscriptions import ShopifySubscriptions

_BY_KEY: Final[dict[str, tuple[WriteOutcome, str]]] = {
    "IDEMPOTENCY_CONCURRENT_REQUEST": (WriteOutcome.RUNNING, "The same request is still being carried out."),
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": (WriteOutcome.KEY_MISMATCH, "The key was used with another content before."),
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": (WriteOutcome.REFUSED, "An earlier try of the same request was refused."),
}
_TRY_AGAIN: Final = frozenset({"SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED"})
"""Codes of adjust that ask for another try. With the same key it ends in a result or in a definite failure."""

_ABOUT_VALUES: Final = frozenset({"INVALID_VARIABLE", "RESOURCE_NOT_FOUND"})
"""Top-level codes caused by what a row contains, not by how the request is built."""

_DOCUMENT: Final = re.compile(r"[^/\s]+/[^/\s]+")


class ShopifyStore(ShopifyProducts):
    """`StorePort` for one shop.

    `base_url` is `https://<shop>.myshopify.com`, or an address whose host is in `allowed_hosts`; anything else raises
    `HostNotAllowed` before a token leaves. `token` is one that stays, or a source that renews it. `read_attempts`
    bounds the tries of a read, `connections` the requests in flight of this object. Safe to share between threads;
    `close` when done.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: str | TokenSource,
        api_version: str,
        pacer: Pacer,
        allowed_hosts: Collection[str] = (),
        read_attempts: int = READ_ATTEMPTS,
        connections: int = 20,
        standing: Standing | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        check_host(base_url, allowed_hosts)
        self._http = http or build_client(connections=connections)
        self._client = ShopifyClient(
            base_url, token, api_version, pacer=pacer, http=self._http, standing=standing, read_attempts=read_attempts
        )
        super().__init__(self._client)
        self._orders = OrderReader(self._client)
        self.webhooks = ShopifySubscriptions(self._client)
        self.bulk = BulkOperations(self._client, self._http, allowed_hosts=allowed_hosts)
        self._history = OrderHistory(self._client, self.bulk)
        self._shipments = ShipmentWriter(self._client, Scopes(self._client))

    def overview(self) -> StoreOverview:
        """Who we are connected to, on which plan, with which scopes. Tried twice at most: a person waits for it."""
        reply = self._client.execute("overview", {}, attempts=2)
        return mapping.overview(reply.read(mapping.OverviewData), reply.api_version)

    def introspection(self) -> bytes:
        """The JSON of the schema that this shop serves, some 10 MB."""
        return bytes(self._client.execute("schema", {}).data)

    def locations(self) -> list[RemoteLocation]:
        """All locations, deactivated and service-managed ones included."""
        found: list[RemoteLocation] = []
        after: str | None = None
        while True:
            page = self._client.execute("locations", {"after": after}).read(mapping.LocationsData).locations
            found += [mapping.location(node) for node in page.nodes]
            if not page.page_info.has_next_page:
                return found
            after = page.page_info.end_cursor

    def prepare_listing(self, job: str, ticket: str = "") -> Listing:
        """Have a bulk query list the variants of a large store, as the port says; a small one is read by pages."""
        return VariantListing(self._client, self.bulk).prepare(job, ticket)

    def iter_variants(self, ticket: str = "", *, tick: Callable[[], None] = unheard) -> Iterator[RemoteVariant]:
        """Every variant of the store, product by product in the order of their ids, variants in that of their
        positions. A large store is read by a bulk query, a small one by pages: the rows are the same."""
        listing = VariantListing(self._client, self.bulk)
        return listing.prepared(ticket, tick) if ticket else listing.variants(tick)

    def read_levels(self, location_ref: str, item_refs: Sequence[str]) -> LevelsRead:
        """Direct read of up to `MAX_CHANGES` items at one location, in the order asked, for 3 points."""
        _check_size("read quantities", len(item_refs))
        reply = self._client.execute("levels_by_items", {"ids": list(item_refs), "locationId": location_ref})
        nodes = reply.read(mapping.LevelsData).nodes
        if len(nodes) != len(item_refs):
            raise reply.sent.no_answer(f"Shopify answered for {len(nodes)} of {len(item_refs)} items.")
        levels = [mapping.level(item_ref, location_ref, node) for item_ref, node in zip(item_refs, nodes, strict=True)]
        return LevelsRead(levels=levels, read_at=reply.answered_at())

    def prepare_adjustment(self, rows: Sequence[Adjustment], *, key: UUID, document: str) -> PreparedWrite:
        """Bytes of a relative write. Raises `FeatureNotSupported` for none or more than `MAX_CHANGES` rows."""
        _check_size("adjust quantities", len(rows))
        variables = writes.adjustment_variables(rows, key, _checked(document))
        return PreparedWrite(body=encode("inventory_adjust", variables), rows=len(rows))

    def prepare_overwrite(self, rows: Sequence[Overwrite], *, key: UUID, document: str) -> PreparedWrite:
        """Bytes of a compare-and-swap. Raises `FeatureNotSupported` for none or more than `MAX_CHANGES` rows."""
        _check_size("overwrite quantities", len(rows))
        variables = writes.overwrite_variables(rows, key, _checked(document))
        return PreparedWrite(body=encode("inventory_set", variables), rows=len(rows))

    def send(self, prepared: PreparedWrite) -> WriteReply:
        """Send stored bytes once, unchanged; errors as the port says."""
        source = document_of(prepared.body)
        try:
            reply = self._client.send_bytes(prepared.body, source.purpose, source.points)
        except GraphQLRefused as refused:
            if not {error.code for error in refused.errors} <= _ABOUT_VALUES:
                raise
            problems = writes.variable_problems(refused.errors, prepared.rows)
            return WriteReply(
                outcome=WriteOutcome.REFUSED_ROWS if problems else WriteOutcome.REFUSED,
                problems=problems,
                cause=refused.cause,
                request_id=refused.request_id,
            )
        return _write_reply(reply, prepared.rows)

    def activate(self, item_ref: str, location_ref: str, *, key: UUID) -> None:
        """Stock an item at a location; an already active level is left as it is."""
        variables = {"inventoryItemId": item_ref, "locationId": location_ref, "idempotencyKey": str(key)}
        self._simple_write(
            "inventory_activate",
            variables,
            remedy="Check in Shopify that the item exists and that the location is active.",
        )

    def set_tracked(self, item_ref: str, *, tracked: bool) -> None:
        """Switch the store's own "track quantity" of an item."""
        self._simple_write(
            "inventory_item_tracked",
            {"id": item_ref, "tracked": tracked},
            remedy="Check in Shopify that the item exists, then link the store's products again.",
        )

    def orders_window(self) -> OrdersWindow:
        """How far back orders can be read with the rights we have."""
        return self._orders.orders_window()

    def iter_changed_orders(
        self, since: dt.datetime | None, *, until: dt.datetime | None = None
    ) -> Iterator[ChangesPage]:
        """Orders changed between two times, oldest change first, as the port says."""
        return self._orders.iter_changed_orders(since, until=until)

    def read_orders(self, refs: Sequence[str]) -> list[RemoteOrder | None]:
        """Up to `MAX_ORDERS` whole orders in the order asked, as the port says."""
        return self._orders.read_orders(refs)

    def read_order(self, ref: str) -> RemoteOrder | None:
        """One order, as `read_orders`."""
        return self._orders.read_order(ref)

    def read_fields(self, refs: Sequence[str], names: Sequence[str]) -> dict[str, tuple[Attribute, ...]]:
        """Custom fields of orders and of their customers, as the port says."""
        return read_fields(self._client, refs, names)

    def prepare_orders(self, since: dt.datetime, *, wanted: int, patience: float = 0.0) -> History | None:
        """Have a long history written down by a bulk query, as the port says."""
        return self._history.prepare(since, wanted, patience)

    def iter_orders(self, history: History, wanted: Wanted) -> Iterator[list[RemoteOrder]]:
        """The orders of a history that is ready, as the port says."""
        return self._history.orders(history, wanted)

    def prepare_shipment(self, shipment: Shipment) -> bytes:
        """Bytes of a fulfilment, as the port says."""
        return self._shipments.prepare(shipment)

    def send_shipment(self, body: bytes) -> str:
        """Send stored bytes of a fulfilment once, as the port says."""
        return self._shipments.send(body)

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    def _simple_write(self, name: str, variables: dict[str, Any], *, remedy: str) -> None:
        payload, reply = send_mutation(self._client, name, variables, SimpleWrite)
        if payload.user_errors:
            raise refused(reply, payload.user_errors, remedy)


def _write_reply(reply: Reply, rows: int) -> WriteReply:
    """What one answer means, by the outcome table of the engine."""
    payload = payload_of(reply, writes.InventoryWrite)
    facts: dict[str, Any] = {"cost": round(reply.charged), "request_id": reply.request_id}
    errors = payload.user_errors
    if not errors:
        group = payload.inventory_adjustment_group
        if group is None:
            return WriteReply(outcome=WriteOutcome.UNCHANGED, **facts)
        return WriteReply(outcome=WriteOutcome.APPLIED, applied_at=group.created_at, **facts)
    for error in errors:
        if error.code in _BY_KEY:
            outcome, cause = _BY_KEY[error.code]
            return WriteReply(outcome=outcome, cause=cause, **facts)
    problems = writes.row_problems(errors, rows)
    if problems:
        return WriteReply(outcome=WriteOutcome.REFUSED_ROWS, problems=problems, cause=said(errors), **facts)
    if any(error.code in _TRY_AGAIN for error in errors):
        raise OutcomeUnknown(
            service=SERVICE,
            operation=reply.sent.purpose,
            cause=f"Shopify asks for another try: {said(errors)}",
            remedy="Nothing to do: the same request is sent again under the same key.",
            request_id=reply.request_id,
        )
    return WriteReply(outcome=WriteOutcome.REFUSED, cause=said(errors), **facts)


def _check_size(operation: str, rows: int) -> None:
    if not 1 <= rows <= MAX_CHANGES:
        raise FeatureNotSupported(
            service=SERVICE,
            operation=operation,
            cause=f"One request carries 1 to {MAX_CHANGES} rows, not {rows}.",
            remedy=f"Split the rows into requests of {MAX_CHANGES}.",
        )


def _checked(document: str) -> str:
    """`document` as the tail of a reference URI, which needs a kind and an id (reference 3.3)."""
    if not _DOCUMENT.fullmatch(document):
        raise FeatureNotSupported(
            service=SERVICE,
            operation="name the document of a write",
            cause=f"{document!r} is not a kind and an id.",
            remedy="Name it like run/42.",
        )
    return document
