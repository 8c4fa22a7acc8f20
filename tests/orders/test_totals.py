"""An order is carried only when its parts come to the totals that its store states, to the smallest unit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.ports.money import Money, TwoPrices
from connectors.ports.orders import RemoteOrder
from orders import totals
from orders.errors import OrderRefused
from tests.orders.shapes import both, bundle, custom, delivery, fee, line, order, tax

GIFT = {"is_gift_card": True, "requires_shipping": False, "taxable": False}
TIP = custom(unit="20.00", name="Bacșiș")

# What is sold and stated → goods, delivery, tax, duties, fees, tips, total as the sales order keeps them.
ADD_UP: dict[str, tuple[RemoteOrder, tuple[str, str, str, str, str, str, str]]] = {
    "one line, no tax": (
        order(line(2), subtotal="200.00", total="200.00"),
        ("200.00", "0", "0", "0", "0", "0", "200.00"),
    ),
    "tax included": (
        order(
            line(2, "121.00", taxes=["42.00"]),
            subtotal="242.00",
            total_tax="42.00",
            taxes_included=True,
            total="242.00",
        ),
        ("242.00", "0", "42.00", "0", "0", "0", "242.00"),
    ),
    "tax added": (
        order(line(2, taxes=["42.00"]), subtotal="200.00", total_tax="42.00", total="242.00"),
        ("200.00", "0", "42.00", "0", "0", "0", "242.00"),
    ),
    "delivery with its tax": (
        order(
            line(taxes=["21.00"]),
            shipping=(delivery("20.00", taxes=["4.20"]),),
            subtotal="100.00",
            total_tax="25.20",
            total="145.20",
        ),
        ("100.00", "20.00", "25.20", "0", "0", "0", "145.20"),
    ),
    "delivery for free": (
        order(line(), shipping=(delivery("20.00", after="0.00"),), subtotal="100.00", total="100.00"),
        ("100.00", "0.00", "0", "0", "0", "0", "100.00"),
    ),
    "delivery taken off": (
        order(
            line(),
            shipping=(delivery("20.00", is_removed=True), delivery("9.00", ref="shipping/2")),
            subtotal="100.00",
            total="109.00",
        ),
        ("100.00", "9.00", "0", "0", "0", "0", "109.00"),
    ),
    "delivery taken off that the store still counts": (
        order(line(), shipping=(delivery("20.00", is_removed=True),), subtotal="100.00", total="120.00"),
        ("100.00", "20.00", "0", "0", "0", "0", "120.00"),
    ),
    "discount of a line": (
        order(line(3, "10.00", off=["5.00"]), subtotal="25.00", total="25.00"),
        ("25.00", "0", "0", "0", "0", "0", "25.00"),
    ),
    "discount of the order, shared to the cent": (
        order(
            line(1, "10.00", off=["3.34"]),
            line(1, "10.00", off=["3.33"], ref="line/2"),
            line(1, "10.00", off=["3.33"], ref="line/3"),
            subtotal="20.00",
            total="20.00",
        ),
        ("20.00", "0", "0", "0", "0", "0", "20.00"),
    ),
    "both kinds of discount on one line": (
        order(line(2, "50.00", off=["10.00", "9.00"]), subtotal="81.00", total="81.00"),
        ("81.00", "0", "0", "0", "0", "0", "81.00"),
    ),
    "everything discounted away": (
        order(line(1, "49.90", off=["49.90"]), subtotal="0.00", total="0.00"),
        ("0.00", "0", "0", "0", "0", "0", "0.00"),
    ),
    "duties beside the prices": (
        order(line(duty="12.50"), subtotal="100.00", total_duties="12.50", total="112.50"),
        ("100.00", "0", "0", "12.50", "0", "0", "112.50"),
    ),
    "duties inside the prices": (
        order(line(duty="12.50"), subtotal="100.00", total_duties="12.50", duties_included=True, total="100.00"),
        ("100.00", "0", "0", "0", "0", "0", "100.00"),
    ),
    "duties of the order alone": (
        order(line(), subtotal="100.00", total_duties="8.00", total="108.00"),
        ("100.00", "0", "0", "8.00", "0", "0", "108.00"),
    ),
    "a fee": (
        order(line(), fees=(fee("3.50"),), subtotal="100.00", total="103.50"),
        ("100.00", "0", "0", "0", "3.50", "0", "103.50"),
    ),
    "a tip beside the lines": (
        order(line(), total_tip="20.00", subtotal="100.00", total="120.00"),
        ("100.00", "0", "0", "0", "0", "20.00", "120.00"),
    ),
    "a tip that is a line, too": (
        order(line(), TIP, total_tip="20.00", subtotal="100.00", total="120.00"),
        ("100.00", "0", "0", "0", "0", "20.00", "120.00"),
    ),
    "a custom line worth as much as the tip": (
        order(line(), custom(unit="20.00"), total_tip="20.00", subtotal="120.00", total="140.00"),
        ("120.00", "0", "0", "0", "0", "20.00", "140.00"),
    ),
    "a gift card is sold": (
        order(line(1, "250.00", **GIFT), subtotal="250.00", total="250.00"),
        ("250.00", "0", "0", "0", "0", "0", "250.00"),
    ),
    "a bundle is the sum of its parts": (
        order(
            line(2, "30.00", bundle=bundle(2)),
            line(4, "9.99", bundle=bundle(2), ref="line/2"),
            subtotal="99.96",
            total="99.96",
        ),
        ("99.96", "0", "0", "0", "0", "0", "99.96"),
    ),
    "an edit took units off: the totals still hold them": (
        order(line(3, current_quantity=1), edited=True, subtotal="300.00", total="300.00", current_total="100.00"),
        ("300.00", "0", "0", "0", "0", "0", "300.00"),
    ),
    "an edit added a line": (
        order(line(), line(2, "7.00", ref="line/2"), edited=True, subtotal="114.00", total="114.00"),
        ("114.00", "0", "0", "0", "0", "0", "114.00"),
    ),
    "cash rounding is payment, not price": (
        order(line(1, "99.98"), subtotal="99.98", total="99.98", rounding_paid="0.02"),
        ("99.98", "0", "0", "0", "0", "0", "99.98"),
    ),
    "yen have no decimals": (
        order(
            line(3, "1500", off=["450"], taxes=["405"], currency="JPY"),
            subtotal="4050",
            total_tax="405",
            currency="JPY",
            total="4455",
        ),
        ("4050", "0", "405", "0", "0", "0", "4455"),
    ),
    "dinars have three": (
        order(
            line(3, "1.125", taxes=["0.169"], currency="KWD"),
            subtotal="3.375",
            total_tax="0.169",
            currency="KWD",
            total="3.544",
        ),
        ("3.375", "0", "0.169", "0", "0", "0", "3.544"),
    ),
    "the tax of the whole order is rounded, the lines' by themselves": (
        order(
            *(line(1, "0.99", taxes=["0.21"], ref=f"line/{n}") for n in range(3)),
            subtotal="2.97",
            total_tax="0.62",
            total="3.59",
        ),
        ("2.97", "0", "0.62", "0", "0", "0", "3.59"),
    ),
    "taxes stated for the order alone": (
        order(line(), taxes=(tax("21.00"),), subtotal="100.00", total_tax="21.00", total="121.00"),
        ("100.00", "0", "21.00", "0", "0", "0", "121.00"),
    ),
    "no subtotal and no tax stated": (
        order(line(taxes=["21.00"]), total="121.00"),
        ("100.00", "0", "21.00", "0", "0", "0", "121.00"),
    ),
}

# What is sold and stated → the difference, and words of the cause.
APART: dict[str, tuple[RemoteOrder, str, str]] = {
    "a charge that is in no line": (
        order(line(), subtotal="100.00", total="110.00"),
        "10.00 RON apart",
        "the total is",
    ),
    "one cent": (order(line(1, "99.99"), subtotal="99.99", total="100.00"), "0.01 RON apart", "the total is"),
    "one thousandth of a dinar": (
        order(line(1, "1.125", currency="KWD"), subtotal="1.125", currency="KWD", total="1.126"),
        "0.001 KWD apart",
        "the total is",
    ),
    "one yen": (
        order(line(1, "150", currency="JPY"), subtotal="150", currency="JPY", total="151"),
        "1 JPY apart",
        "total",
    ),
    "a discount that no line carries": (
        order(line(2, "50.00"), subtotal="90.00", total="90.00"),
        "10.00 RON apart",
        "Tricou negru / M 100.00 RON, but the subtotal is 90.00 RON",
    ),
    "a tax that no line has": (
        order(line(taxes=["21.00"]), subtotal="100.00", total_tax="25.00", total="125.00"),
        "4.00 RON apart",
        "Taxes of the lines 21.00 RON, but the tax is 25.00 RON",
    ),
    "tax added although it is included": (
        order(line(taxes=["21.00"]), subtotal="100.00", total_tax="21.00", taxes_included=True, total="121.00"),
        "21.00 RON apart",
        "the total is 121.00 RON",
    ),
}


def amounts(figures: totals.Figures) -> tuple[Decimal, ...]:
    return (figures.goods, figures.shipping, figures.tax, figures.duties, figures.fees, figures.tips, figures.total)


@pytest.mark.parametrize(("sold", "figures"), ADD_UP.values(), ids=ADD_UP)
def test_parts_that_come_to_the_total_are_kept_as_they_are(sold: RemoteOrder, figures: tuple[str, ...]) -> None:
    found = totals.of_order(sold)

    assert amounts(found.buyers) == tuple(Decimal(amount) for amount in figures)
    assert found.shops == found.buyers
    assert found.buyers.conversion == 0


@pytest.mark.parametrize(("sold", "difference", "words"), APART.values(), ids=APART)
def test_parts_that_do_not_stop_the_order_and_say_by_how_much(sold: RemoteOrder, difference: str, words: str) -> None:
    with pytest.raises(OrderRefused) as refused:
        totals.of_order(sold)

    assert refused.value.cause.startswith(difference)
    assert words in refused.value.cause
    assert refused.value.waits_for == "total"


def test_the_tip_is_found_among_the_lines_only_where_it_is_one() -> None:
    assert totals.of_order(ADD_UP["a tip that is a line, too"][0]).tip == TIP
    assert totals.of_order(ADD_UP["a tip beside the lines"][0]).tip is None
    assert totals.of_order(ADD_UP["a custom line worth as much as the tip"][0]).tip is None


@pytest.mark.parametrize("currencies", [("XYZ", "RON"), ("RON", "XYZ")])
def test_a_currency_nobody_knows_stops_the_order(currencies: tuple[str, str]) -> None:
    sold = order(line(), subtotal="100.00", total="100.00")
    buyers, shops = currencies

    with pytest.raises(OrderRefused) as refused:
        totals.of_order(replace(sold, presentment_currency=buyers, currency=shops))

    assert refused.value.waits_for == "currency:XYZ"


def test_a_cause_fits_its_column_however_many_lines_there_are() -> None:
    many = [line(1, "1.00", ref=f"line/{n}", name="Un nume foarte lung de produs " * 4) for n in range(100)]

    with pytest.raises(OrderRefused) as refused:
        totals.of_order(order(*many, subtotal="99.00", total="99.00"))

    assert len(refused.value.cause) <= 400


# --- two currencies


def euros(shop_total: str, **parts: Any) -> RemoteOrder:
    """Three units at 3.33 EUR and a delivery of 5.00 EUR, converted at 4.9763 and rounded amount by amount."""
    unit = TwoPrices(shop=Money(Decimal("16.57"), "RON"), presentment=Money(Decimal("3.33"), "EUR"))
    goods = replace(line(3), unit_price=unit)
    ride = replace(delivery(), price=both("5.00", "EUR", "24.88"), discounted_price=both("5.00", "EUR", "24.88"))
    sold = order(goods, shipping=(ride,), total="14.99", subtotal="9.99", currency="EUR", **parts)
    return replace(sold, currency="RON", total=both("14.99", "EUR", shop_total), total_tip=both("0", "EUR", "0"))


def test_amounts_of_the_shop_may_be_off_by_the_rounding_of_the_conversion() -> None:
    found = totals.of_order(euros("74.60"))

    assert amounts(found.buyers)[:2] == (Decimal("9.99"), Decimal("5.00"))
    assert (found.shops.goods, found.shops.shipping) == (Decimal("49.71"), Decimal("24.88"))
    assert (found.shops.total, found.shops.conversion) == (Decimal("74.60"), Decimal("0.01"))


def test_but_not_by_more() -> None:
    with pytest.raises(OrderRefused) as refused:
        totals.of_order(euros("75.10"))

    assert refused.value.cause.startswith("0.51 RON apart")


def test_the_buyers_amounts_have_no_such_margin() -> None:
    with pytest.raises(OrderRefused) as refused:
        totals.of_order(replace(euros("74.60"), total=both("15.00", "EUR", "74.60")))

    assert refused.value.cause.startswith("0.01 EUR apart")
