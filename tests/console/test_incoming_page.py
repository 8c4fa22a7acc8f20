"""An incoming order as its store told it: every section, and nothing of a person for who may not see it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from connectors.ports.buyers import Address, Attribute, Company, Customer
from connectors.ports.orders import Fulfilment, RemoteOrder, Tracking
from connectors.ports.refunds import Refund, RefundLine, Return, ReturnLine
from orders import intake
from orders.models import IncomingOrder
from orders.views.told import MASKED
from orders.views.told import told as shown
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory
from tests.factories.orders import NOON, blank
from tests.orders.shapes import both, payment, sold, work

pytestmark = pytest.mark.django_db

HOME = blank(Address, name="Maria Rusu", address1="Strada Lungă 5", city="Suceava", country="RO", phone="0740 111 222")
PERSONAL = {
    "customer": blank(Customer, first_name="Maria", last_name="Rusu"),
    "email": "maria@example.ro",
    "phone": "0740 111 222",
    "billing_address": HOME,
    "shipping_address": HOME,
    "company": blank(Company, name="Rusu Textile SRL", tax_id="RO1234567"),
    "note": "Sunați înainte",
    "po_number": "PO-77",
    "attributes": (Attribute("CUI", "RO1234567"),),
}
SECRETS = ("Maria", "Strada Lungă", "maria@example.ro", "0740", "Rusu Textile", "RO1234567", "Sunați", "PO-77", "AWB-9")


def order() -> RemoteOrder:
    parts: dict[str, Any] = {
        **PERSONAL,
        "financial_status": "partially_refunded",
        "fulfilment_status": "partial",
        "source_identifier": "emag-551",
        "channel": "Online Store",
        "withheld": ("phone",),
        "total_received": both("200.00"),
        "current_total": both("100.00"),
        "transactions": (payment("200.00"),),
        "refunds": (
            blank(
                Refund,
                ref="refund/1",
                note="Maria a sunat",
                total=both("100.00"),
                lines=(blank(RefundLine, line_ref="line/1", quantity=1, restocked=True),),
            ),
        ),
        "returns": (blank(Return, name="#1042-R1", status="closed", lines=(blank(ReturnLine, quantity=1),)),),
        "fulfilments": (blank(Fulfilment, name="#1042-F1", status="success", tracking=(Tracking("FAN", "AWB-9"),)),),
        "fulfilment_orders": (replace(work(1), location_name="Depozit Cluj", holds=("awaiting_payment",)),),
    }
    return sold(**parts)


@pytest.fixture
def incoming() -> IncomingOrder:
    intake.keep(StoreFactory(), [order()], asked_at=NOON)
    return IncomingOrder.objects.get()


def page(sign_in: SignIn, role: str, incoming: IncomingOrder) -> str:
    answer = sign_in(role).get(reverse("admin:incoming", args=[incoming.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_everything_the_store_told_stands_in_its_section(incoming: IncomingOrder, sign_in: SignIn) -> None:
    text = page(sign_in, "Administrator", incoming)
    for said in (
        "partially refunded",
        "emag-551",
        "Online Store",
        "Depozit Cluj",
        "awaiting payment",
        "#1042-R1",
        "AWB-9",
    ):
        assert said in text
    for section in ("Payments", "Refunds", "Returns", "Sent", "To be sent", "1 back in stock"):
        assert section in text
    assert "100.00 RON" in text
    assert "The store kept back: phone." in text


@pytest.mark.parametrize("role", ["Viewer", "Operator"])
def test_nothing_of_a_person_reaches_who_may_not_see_it(role: str, incoming: IncomingOrder, sign_in: SignIn) -> None:
    text = page(sign_in, role, incoming)
    assert [secret for secret in SECRETS if secret in text] == []
    assert MASKED in text
    assert "Customer data is masked" in text


@pytest.mark.parametrize("role", ["Accountant", "Administrator"])
def test_accountants_and_administrators_see_who_bought(role: str, incoming: IncomingOrder, sign_in: SignIn) -> None:
    text = page(sign_in, role, incoming)
    assert [secret for secret in SECRETS if secret not in text] == []


def test_a_sum_in_two_currencies_shows_both_and_zero_is_left_out() -> None:
    sums = shown(sold(total_received=both("50.00", "EUR", shop="248.50")), personal=True).sums
    received = next(each for each in sums if each.label == "Received")
    assert (received.amount, received.currency, received.shop, received.shop_currency) == (
        Decimal("50.00"),
        "EUR",
        Decimal("248.50"),
        "RON",
    )
    assert "Refunded" not in [each.label for each in sums]
    assert sums[-1].label == "Total today"
