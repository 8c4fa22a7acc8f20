"""Shipments told to the store in memory (tests/fakes.py)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from connectors.ports.errors import ConnectorError, FeatureNotSupported, RequestRejected
from connectors.ports.orders import Fulfilment, FulfilmentLine, FulfilmentOrder, RemoteOrder, Tracking
from connectors.ports.shipments import Shipment
from tests.factories.orders import blank


class FakeShipments:
    """The shipments half of `FakeStore`. It keeps no key: the same bytes twice make two fulfilments, where units are left."""

    _orders: dict[str, RemoteOrder]

    def prepare_shipment(self, shipment: Shipment) -> bytes:
        """Bytes of a shipment."""
        if not shipment.lines:
            raise self._problem(FeatureNotSupported, "A shipment carries at least one line.")
        return json.dumps(dataclasses.asdict(shipment)).encode()

    def send_shipment(self, body: bytes) -> str:
        """Send bytes once."""
        return str(self._written("send_shipment", body, lambda: self._ship_lines(json.loads(body))))

    def _ship_lines(self, told: dict[str, Any]) -> str:
        wanted = {(line["work_ref"], line["work_line_ref"]): line["quantity"] for line in told["lines"]}
        work_refs = {ref for ref, _ in wanted}
        order = next(
            (one for one in self._orders.values() if work_refs <= {work.ref for work in one.fulfilment_orders}), None
        )
        if order is None:
            raise self._problem(RequestRejected, "The fulfilment order does not exist.")
        sent: list[FulfilmentLine] = []
        work_left = tuple(self._take(work, wanted, sent) for work in order.fulfilment_orders)
        ref = f"fulfilment/{len(order.fulfilments) + 1}/{order.ref}"
        made = blank(
            Fulfilment,
            ref=ref,
            name=f"{order.name}-F{len(order.fulfilments) + 1}",
            status="success",
            location_ref=next(work.location_ref for work in order.fulfilment_orders if work.ref in work_refs),
            lines=tuple(sent),
            tracking=(Tracking(told["company"], told["number"]),) if told["number"] else (),
        )
        self.change_order(order.ref, fulfilments=(*order.fulfilments, made), fulfilment_orders=work_left)
        return ref

    def _take(
        self, work: FulfilmentOrder, wanted: dict[tuple[str, str], int], sent: list[FulfilmentLine]
    ) -> FulfilmentOrder:
        left = []
        for line in work.lines:
            quantity = wanted.get((work.ref, line.ref), 0)
            if quantity > line.remaining_quantity or (quantity and work.holds):
                raise self._problem(RequestRejected, f"{line.remaining_quantity} are left to ship.")
            if quantity:
                self.fulfil(line.item_ref, work.location_ref, quantity)
                sent.append(FulfilmentLine(f"sent-{len(sent)}-{line.ref}", line.line_ref, quantity))
            left.append(dataclasses.replace(line, remaining_quantity=line.remaining_quantity - quantity))
        status = work.status if any(line.remaining_quantity for line in left) else "closed"
        return dataclasses.replace(work, status=status, lines=tuple(left))

    # --- of the rest of the store

    def change_order(self, order_ref: str, **parts: Any) -> None:
        raise NotImplementedError

    def fulfil(self, item_ref: str, location_ref: str, quantity: int) -> None:
        raise NotImplementedError

    def _written(self, name: str, body: bytes, execute: Any) -> object:
        raise NotImplementedError

    def _problem(self, kind: type[ConnectorError], cause: str) -> ConnectorError:
        raise NotImplementedError
