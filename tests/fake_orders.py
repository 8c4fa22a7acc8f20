"""Orders of the store in memory (tests/fakes.py)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from connectors.ports.buyers import Attribute
from connectors.ports.errors import ConnectorError, FeatureNotSupported, RequestRejected, ResultLost
from connectors.ports.orders import (
    MAX_ORDERS,
    ChangedOrder,
    ChangesPage,
    Fulfilment,
    FulfilmentLine,
    FulfilmentOrder,
    History,
    OrderLine,
    OrdersWindow,
    RemoteOrder,
    Wanted,
    WorkLine,
)
from connectors.ports.products import RemoteVariant
from tests.factories.orders import blank, price

PAGE = 2
"""Orders in a page of the feed: several pages where there are three orders."""
SECOND = dt.timedelta(seconds=1)


class FakeOrders:
    """The orders half of `FakeStore`. `place` and `ship` move stock, too; `change_order` is any other change.

    `shown_days` is how far back it shows orders; those in `unreadable` cannot be read whole. It keeps no histories.
    """

    now: dt.datetime
    shown_days: int | None
    unreadable: set[str]
    _variants: dict[str, RemoteVariant]
    _orders: dict[str, RemoteOrder]
    fields: dict[str, dict[str, str]]

    # --- what happens in the shop

    def place(self, item_ref: str, location_ref: str, quantity: int = 1, **parts: Any) -> str:
        """A customer buys; returns the order's reference. `parts` are fields of `RemoteOrder`."""
        self.sell(item_ref, location_ref, quantity)
        number, bought = len(self._orders) + 1, self._variants[item_ref]
        ref, line_ref, moment = f"order/{number}", f"line/{number}", self._second()
        line = blank(
            OrderLine,
            ref=line_ref,
            name=bought.product_title,
            sku=bought.sku,
            product_ref=bought.product_ref,
            variant_ref=bought.ref,
            item_ref=item_ref,
            quantity=quantity,
            current_quantity=quantity,
            unfulfilled_quantity=quantity,
            requires_shipping=True,
        )
        held = WorkLine(f"work-line/{number}", line_ref, item_ref, quantity, quantity)
        facts: dict[str, Any] = {
            "number": 1000 + number,
            "name": f"#{1000 + number}",
            "currency": "RON",
            "presentment_currency": "RON",
            "total": price(str(bought.price * quantity)),
            "current_total": price(str(bought.price * quantity)),
            "lines": (line,),
            "fulfilment_orders": (
                blank(FulfilmentOrder, ref=f"work/{number}", status="open", location_ref=location_ref, lines=(held,)),
            ),
            **dict.fromkeys(("created_at", "processed_at", "updated_at"), moment),
        }
        self._orders[ref] = blank(RemoteOrder, ref=ref, **{**facts, **parts})
        return ref

    def ship(self, order_ref: str) -> None:
        """Everything that is held leaves from where it is held."""
        order = self._orders[order_ref]
        sent, done = [], []
        for work in order.fulfilment_orders:
            leaving = [line for line in work.lines if line.remaining_quantity]
            for line in leaving:
                self.fulfil(line.item_ref, work.location_ref, line.remaining_quantity)
            if leaving:
                rows = tuple(FulfilmentLine(f"sent-{one.ref}", one.line_ref, one.remaining_quantity) for one in leaving)
                sent.append(
                    blank(
                        Fulfilment, ref=f"sent/{work.ref}", status="success", location_ref=work.location_ref, lines=rows
                    )
                )
            nothing = tuple(dataclasses.replace(line, remaining_quantity=0) for line in work.lines)
            done.append(dataclasses.replace(work, status="closed", lines=nothing))
        self.change_order(order_ref, fulfilments=(*order.fulfilments, *sent), fulfilment_orders=tuple(done))

    def change_order(self, order_ref: str, **parts: Any) -> None:
        """Fields of the order from now on, in a new version."""
        self._orders[order_ref] = dataclasses.replace(
            self._orders[order_ref], **{"updated_at": self._second(), **parts}
        )

    def tell(self, order: RemoteOrder) -> None:
        """The store has this order, as it is told here; no stock moves."""
        self._orders[order.ref] = order

    def delete_order(self, order_ref: str) -> None:
        """The merchant deletes it."""
        del self._orders[order_ref]

    def order(self, order_ref: str) -> RemoteOrder:
        """The order as it is now."""
        return self._orders[order_ref]

    # --- OrdersPort

    def orders_window(self) -> OrdersWindow:
        """How far back orders are shown."""
        self._read("orders_window")
        return OrdersWindow(days=self.shown_days, read_at=self._second())

    def iter_changed_orders(
        self, since: dt.datetime | None, *, until: dt.datetime | None = None
    ) -> Iterator[ChangesPage]:
        """Changes by their date, two to a page."""
        self._read("iter_changed_orders")
        shown = OrdersWindow(days=self.shown_days, read_at=self._second()).since
        if shown is not None and (since is None or since < shown):
            raise self._problem(FeatureNotSupported, f"Only orders of the last {self.shown_days} days are shown.")
        listed = sorted(
            (
                ChangedOrder(one.ref, one.updated_at)
                for one in self._orders.values()
                if (since is None or one.updated_at >= since.replace(microsecond=0))
                and (until is None or one.updated_at <= until)
            ),
            key=lambda change: (change.updated_at, change.ref),
        )
        for start in range(0, len(listed) or 1, PAGE):
            yield ChangesPage(tuple(listed[start : start + PAGE]), self._second())

    def read_orders(self, refs: Sequence[str]) -> list[RemoteOrder | None]:
        """Whole orders in the order asked."""
        if not 1 <= len(refs) <= MAX_ORDERS:
            raise self._problem(FeatureNotSupported, f"One read names 1 to {MAX_ORDERS} orders, not {len(refs)}.")
        self._read("read_orders", rows=len(refs))
        if spoiled := self.unreadable.intersection(refs):
            raise self._problem(RequestRejected, f"{', '.join(sorted(spoiled))} cannot be read whole.")
        return [self._orders.get(ref) for ref in refs]

    def read_order(self, ref: str) -> RemoteOrder | None:
        """One order."""
        return self.read_orders([ref])[0]

    def read_fields(self, refs: Sequence[str], names: Sequence[str]) -> dict[str, tuple[Attribute, ...]]:
        """Custom fields, from `fields`: reference → name → value."""
        self._read("read_fields", rows=len(refs))
        said = {ref: self.fields.get(ref, {}) for ref in refs}
        return {ref: tuple(Attribute(name, one[name]) for name in names if name in one) for ref, one in said.items()}

    def prepare_orders(self, since: dt.datetime, *, wanted: int, patience: float = 0.0) -> History | None:
        """A shop as small as this one writes no histories down."""
        self._read("prepare_orders")
        return None

    def iter_orders(self, history: History, wanted: Wanted) -> Iterator[list[RemoteOrder]]:
        """There is none."""
        raise self._problem(ResultLost, f"{history.ticket} is not known.")

    # --- inside

    def _second(self) -> dt.datetime:
        return self.now.replace(microsecond=0)

    def sell(self, item_ref: str, location_ref: str, quantity: int) -> None:
        raise NotImplementedError

    def fulfil(self, item_ref: str, location_ref: str, quantity: int) -> None:
        raise NotImplementedError

    def _read(self, name: str, *, rows: int = 0) -> None:
        raise NotImplementedError

    def _problem(self, kind: type[ConnectorError], cause: str) -> ConnectorError:
        raise NotImplementedError
