"""Reader of refund_cases.toml: a case's facts as the order a store would tell, and what is expected of each refund."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.ports.money import TaxLine, Transaction, TwoPrices
from connectors.ports.orders import (
    Fulfilment,
    FulfilmentLine,
    FulfilmentOrder,
    OrderLine,
    RemoteOrder,
    ShippingLine,
    WorkLine,
)
from connectors.ports.refunds import Adjustment, ExchangeLine, Refund, RefundDuty, RefundLine, RefundShipping, Return
from tests.factories.orders import blank, price

SOURCE = Path(__file__).with_name("refund_cases.toml")
DAY = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOME = "Cluj"

LINE = re.compile(r"(?P<quantity>\d+) (?P<ref>\w+) at (?P<amount>[^\s,]+)(?: \+ (?P<tax>[^\s,]+))?(?:, (?P<flags>.+))?")
SENT = re.compile(r"(?P<quantity>\d+) (?P<ref>\w+) from (?P<place>\w+) at (?P<at>[^\s,]+)(?:, (?P<status>\w+))?")
HELD = re.compile(r"(?P<quantity>\d+) (?P<ref>\w+) at (?P<place>\w+)")
UNITS = re.compile(
    r"(?P<quantity>\d+) (?P<ref>\w+) (?P<restock>\w+)(?: to (?P<place>\w+))?(?P<off> not restocked)?"
    r", worth (?P<amount>\S+)(?: \+ (?P<tax>\S+))?"
)
AMOUNT = re.compile(r"(?P<amount>\S+)(?: \+ (?P<tax>\S+))?")
MOVED = re.compile(r"(?P<amount>\S+) (?P<status>\w+)(?P<rest>.*)")


@dataclass(frozen=True)
class Expected:
    """What the table says of one refund."""

    refund_ref: str
    documents: list[str]
    state: str
    entries: list[str]
    ats: list[str]
    sentence: str


@dataclass(frozen=True)
class Case:
    """One history: the order as the store tells it at the end, and what each of its refunds must become."""

    name: str
    order: RemoteOrder
    invoiced: dict[str, int]
    accepted: set[str]
    expected: list[Expected]


def cases() -> list[Case]:
    """Every case of the table."""
    return [_Reader(told).case() for told in tomllib.loads(SOURCE.read_text())["case"]]


def _match(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    found = pattern.fullmatch(text)
    assert found, f"{text!r} is not understood"
    return {name: value or "" for name, value in found.groupdict().items()}


class _Reader:
    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.buyer = told.get("buyer", "RON")

    def case(self) -> Case:
        refunds = [self._refund(number, told) for number, told in enumerate(self.told.get("refund", []), 1)]
        expected = [_expected(f"refund-{n}", told) for n, told in enumerate(self.told.get("refund", []), 1)]
        if "cancellation" in self.told:
            expected.append(_expected("cancellation", self.told["cancellation"]))
        held = Counter[str]()
        for text in self.told.get("invoiced", []):
            quantity, ref = text.split()
            held[ref] += int(quantity)
        accepted = {e.refund_ref for e, told in zip(expected, self._tellings(), strict=True) if told.get("decided")}
        return Case(self.told["name"], self._order(refunds), dict(held), accepted, expected)

    def _tellings(self) -> list[dict[str, Any]]:
        alone = [self.told["cancellation"]] if "cancellation" in self.told else []
        return [*self.told.get("refund", []), *alone]

    def _order(self, refunds: list[Refund]) -> RemoteOrder:
        lines = [self._line(text) for text in self.told["order"]]
        shipping = [
            blank(
                ShippingLine,
                ref="delivery",
                title="Curier",
                discounted_price=self._price(amount),
                price=self._price(amount),
            )
            for amount in self.told.get("delivery", [])
        ]
        return blank(
            RemoteOrder,
            ref="order",
            name="#1001",
            currency="RON",
            presentment_currency=self.buyer,
            taxes_included=self.told.get("taxes_included", True),
            created_at=_at("08:00"),
            updated_at=_at("23:00"),
            cancelled_at=_at(self.told["cancelled"]) if "cancelled" in self.told else None,
            lines=tuple(lines),
            shipping=tuple(shipping),
            fulfilments=tuple(self._parcel(n, text) for n, text in enumerate(self.told.get("sent", []), 1)),
            fulfilment_orders=tuple(self._work(lines, refunds)),
            refunds=tuple(refunds),
            returns=tuple(
                blank(Return, ref=ref, exchanges=(ExchangeLine("exchange", 1, (line_ref,)),))
                for ref, line_ref in self.told.get("exchange", {}).items()
            ),
        )

    def _line(self, text: str) -> OrderLine:
        found = _match(LINE, text)
        tax = self._price(found["tax"] or "0.00")
        return blank(
            OrderLine,
            ref=found["ref"],
            name=found["ref"],
            quantity=int(found["quantity"]),
            current_quantity=int(found["quantity"]),
            unit_price=self._price(found["amount"]),
            taxes=(blank(TaxLine, price=tax),) if found["tax"] else (),
            item_ref="" if found["flags"] else f"item-{found['ref']}",
            is_gift_card=found["flags"] == "gift card",
        )

    def _parcel(self, number: int, text: str) -> Fulfilment:
        found = _match(SENT, text)
        line = FulfilmentLine(f"parcel-{number}", found["ref"], int(found["quantity"]))
        return blank(
            Fulfilment,
            ref=f"parcel-{number}",
            status=found["status"] or "success",
            created_at=_at(found["at"]),
            location_ref=found["place"],
            lines=(line,),
        )

    def _work(self, lines: list[OrderLine], refunds: list[Refund]) -> list[FulfilmentOrder]:
        """Where each line waits, and what of it still does: less what was sent, cancelled with restock, or the order."""
        held = self.told.get("held") or [f"{line.quantity} {line.ref} at {HOME}" for line in lines]
        gone = Counter[str]()
        for text in self.told.get("sent", []):
            found = _match(SENT, text)
            gone[found["ref"]] += int(found["quantity"]) if not found["status"] else 0
        for refund in refunds:
            for entry in refund.lines:
                gone[entry.line_ref] += entry.quantity if entry.restock == "cancel" else 0
        items = {line.ref: line.item_ref for line in lines}
        works = []
        for number, text in enumerate(held, 1):
            found = _match(HELD, text)
            quantity, ref = int(found["quantity"]), found["ref"]
            taken = quantity if "cancelled" in self.told else min(quantity, gone[ref])
            gone[ref] -= taken
            line = WorkLine(f"work-{number}", ref, items[ref], quantity, quantity - taken)
            works.append(
                blank(
                    FulfilmentOrder,
                    ref=f"work-{number}",
                    location_ref=found["place"],
                    location_name=found["place"],
                    lines=(line,) if items[ref] else (),
                )
            )
        return works

    def _refund(self, number: int, told: dict[str, Any]) -> Refund:
        at = _at(told["at"])
        return blank(
            Refund,
            ref=f"refund-{number}",
            created_at=at,
            processed_at=_at(told["dated"]) if "dated" in told else at,
            updated_at=at,
            return_ref=told.get("return", ""),
            lines=tuple(self._units(number, n, text) for n, text in enumerate(told.get("units", []), 1)),
            shipping=tuple(
                blank(RefundShipping, shipping_line_ref="delivery", subtotal=amount, tax=tax)
                for amount, tax in map(self._with_tax, told.get("shipping", []))
            ),
            duties=tuple(blank(RefundDuty, amount=self._price(text)) for text in told.get("duties", [])),
            adjustments=tuple(
                blank(Adjustment, reason="refund_discrepancy", amount=amount, tax=tax)
                for amount, tax in map(self._with_tax, told.get("adjustments", []))
            ),
            transactions=tuple(self._moved(number, n, text) for n, text in enumerate(told.get("money", []), 1)),
        )

    def _units(self, number: int, n: int, text: str) -> RefundLine:
        found = _match(UNITS, text)
        amount = self._price(found["amount"])
        return blank(
            RefundLine,
            ref=f"refund-{number}-line-{n}",
            line_ref=found["ref"],
            quantity=int(found["quantity"]),
            restock=found["restock"],
            restocked=found["restock"] != "no_restock" and not found["off"],
            location_ref=found["place"],
            subtotal=amount,
            tax=self._price(found["tax"] or "0.00"),
        )

    def _moved(self, number: int, n: int, text: str) -> Transaction:
        found = _match(MOVED, text)
        rest = found["rest"].split()
        rounded = rest[rest.index("rounded") + 1] if "rounded" in rest else ""
        return blank(
            Transaction,
            ref=f"refund-{number}-money-{n}",
            kind=next((word for word in rest if word in ("void", "change", "suggested_refund", "sale")), "refund"),
            status=found["status"],
            gateway="gift_card" if "gift_card" in rest else "manual",
            test="test" in rest,
            amount=self._price(found["amount"]),
            rounding=self._price(rounded) if rounded else None,
            parent_ref=f"refund-{number}-money-{rest[rest.index('after') + 1]}" if "after" in rest else "sale",
        )

    def _with_tax(self, text: str) -> tuple[TwoPrices, TwoPrices]:
        found = _match(AMOUNT, text)
        return self._price(found["amount"]), self._price(found["tax"] or "0.00")

    def _price(self, text: str) -> TwoPrices:
        """`20.00/100.00` is the buyer's amount and the shop's."""
        buyer, _, shop = text.partition("/")
        return price(buyer, self.buyer, shop=shop)


def _expected(ref: str, told: dict[str, Any]) -> Expected:
    return Expected(
        ref,
        told["documents"],
        told.get("state", "ready"),
        told.get("entries", []),
        told.get("ats", []),
        told["sentence"],
    )


def _at(text: str) -> dt.datetime:
    hour, minute, *second = (int(part) for part in text.split(":"))
    return DAY.replace(hour=hour, minute=minute, second=second[0] if second else 0)
