"""A shop of one order line and three locations, told as algorithms.md §3 tells it: what each event does to available,
committed and on hand, and what the order shows of it afterwards."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter

from connectors.ports.orders import (
    Fulfilment,
    FulfilmentLine,
    FulfilmentOrder,
    LineEdit,
    OrderLine,
    RemoteOrder,
    WorkLine,
)
from connectors.ports.refunds import Refund, RefundLine
from tests.factories.orders import blank

NINE = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ITEM = "gid://shopify/InventoryItem/1"


class Shelves:
    """The shop. Locations are any names; `available`, `committed` and `on_hand` count from 0 at each."""

    def __init__(self, *, item: str = ITEM, number: int = 1, test: bool = False) -> None:
        self.ref, self.name = f"gid://shopify/Order/{number}", f"#{1000 + number}"
        self.line, self.item, self.test = f"gid://shopify/LineItem/{number}", item, test
        self.now = NINE
        self.available: Counter[str] = Counter()
        self.committed: Counter[str] = Counter()
        self.on_hand: Counter[str] = Counter()
        self.ordered = self.removed = self.sent = self.returned = 0
        self.waiting: Counter[str] = Counter()
        self.assigned: dict[str, dt.datetime] = {}
        self.parcels: list[Fulfilment] = []
        self.refunds: list[Refund] = []
        self.cancelled_at: dt.datetime | None = None
        self.edits: list[LineEdit] = []

    def place(self, quantity: int, at: str) -> None:
        self._step()
        if self.ordered:
            self.edits.append(LineEdit(self.line, quantity, self.now))
        self.ordered += quantity
        self._wait(at, quantity)
        self.available[at] -= quantity

    def fulfil(self, quantity: int, at: str) -> None:
        self._step()
        self._wait(at, -quantity)
        self.on_hand[at] -= quantity
        self.sent += quantity
        number = len(self.parcels) + 1
        line = FulfilmentLine(f"{self.line}/sent/{number}", self.line, quantity)
        self.parcels.append(
            blank(
                Fulfilment,
                ref=f"{self.ref}/parcel/{number}",
                status="success",
                created_at=self.now,
                location_ref=at,
                lines=(line,),
            )
        )

    def cancel_parcel(self, number: int) -> None:
        self._step()
        parcel = self.parcels[number]
        quantity, at = parcel.lines[0].quantity, parcel.location_ref
        self.parcels[number] = dataclasses.replace(parcel, status="cancelled", updated_at=self.now)
        self._wait(at, quantity)
        self.on_hand[at] += quantity
        self.sent -= quantity

    def move(self, quantity: int, source: str, target: str) -> None:
        self._step()
        for at, units in ((source, -quantity), (target, quantity)):
            self._wait(at, units)
            self.available[at] -= units

    def take_off(self, quantity: int, at: str, to: str | None) -> None:
        """Unfulfilled units refunded; `to`: the location they go back to, None: they are gone."""
        self._step()
        self.removed += quantity
        self._wait(at, -quantity)
        if to is None:
            self.on_hand[at] -= quantity
        else:
            self.on_hand[at] -= quantity
            self.on_hand[to] += quantity
            self.available[to] += quantity
        self._refund("cancel", quantity, to)

    def leave_out(self, quantity: int, at: str) -> None:
        """An edit takes units off that nothing puts back."""
        self._step()
        self.removed += quantity
        self._wait(at, -quantity)
        self.on_hand[at] -= quantity
        self.edits.append(LineEdit(self.line, -quantity, self.now))

    def come_back(self, quantity: int, to: str | None) -> None:
        """Units that had left are refunded; `to`: where they go back to stock, None: nowhere."""
        self._step()
        self.returned += quantity
        if to is not None:
            self.available[to] += quantity
            self.on_hand[to] += quantity
        self._refund("return" if to else "no_restock", quantity, to)

    def money_only(self, quantity: int) -> None:
        """Units that wait are refunded and go on waiting (NO_RESTOCK)."""
        self._step()
        self._refund("no_restock", quantity, None)

    def cancel(self) -> None:
        """The whole order, without putting anything back."""
        self._step()
        self.cancelled_at = self.now
        for at, quantity in list(self.waiting.items()):
            self._wait(at, -quantity)
            self.on_hand[at] -= quantity

    def told(self, *, with_edits: bool = False) -> RemoteOrder:
        """The order as the shop tells it now. Nothing of it costs anything."""
        line = blank(
            OrderLine,
            ref=self.line,
            item_ref=self.item,
            name="Tricou",
            quantity=self.ordered,
            current_quantity=self.ordered - self.removed - self.returned,
        )
        work = [
            blank(
                FulfilmentOrder,
                ref=f"fo/{at}",
                created_at=self.assigned[at],
                updated_at=self.now,
                location_ref=at,
                lines=(WorkLine(f"fol/{at}", self.line, self.item, quantity, quantity),),
            )
            for at, quantity in self.waiting.items()
        ]
        return blank(
            RemoteOrder,
            ref=self.ref,
            name=self.name,
            test=self.test,
            currency="RON",
            presentment_currency="RON",
            created_at=NINE,
            updated_at=self.now,
            cancelled_at=self.cancelled_at,
            lines=(line,),
            fulfilments=tuple(self.parcels),
            fulfilment_orders=tuple(work),
            refunds=tuple(self.refunds),
            edited=with_edits and bool(self.edits),
            edits=tuple(self.edits) if with_edits else (),
        )

    def _step(self) -> None:
        self.now += MINUTE

    def _wait(self, at: str, units: int) -> None:
        if units > 0:
            self.assigned[at] = self.now
        self.waiting[at] += units
        self.committed[at] += units

    def _refund(self, restock: str, quantity: int, to: str | None) -> None:
        number = len(self.refunds) + 1
        entry = blank(
            RefundLine,
            ref=f"{self.line}/refund/{number}",
            line_ref=self.line,
            quantity=quantity,
            restock=restock,
            restocked=to is not None,
            location_ref=to or "",
        )
        self.refunds.append(
            blank(Refund, ref=f"{self.ref}/refund/{number}", created_at=self.now, updated_at=self.now, lines=(entry,))
        )
