"""A sales order says what its store's newest version says: the same again changes nothing, whatever its size."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from connectors.models import Store
from connectors.ports.buyers import Address, Attribute, Company, Customer, LocalizedField
from connectors.ports.orders import RemoteOrder
from orders import buyers, edits, intake, privacy, sales
from orders.edits import EditRefused
from orders.errors import OrderRefused
from orders.models import (
    Buyer,
    EditedField,
    IncomingOrder,
    LineKind,
    LocalEdit,
    OrderStatus,
    SalesOrder,
    SalesOrderLine,
    SalesOrderPayment,
)
from tests.factories.catalog import ListedVariantFactory
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.factories.orders import NOON, blank
from tests.inventory.test_commands import run
from tests.orders.shapes import ORDER, both, bundle, custom, delivery, fee, line, payment, sent, sold, told, work

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def later(said: RemoteOrder, hours: int = 1, **parts: Any) -> RemoteOrder:
    return replace(said, updated_at=said.updated_at + hours * HOUR, **parts)


def the_line(ref: str = "line/1") -> SalesOrderLine:
    return SalesOrderLine.objects.get(ref=ref)


# --- what is written


def test_everything_that_was_charged_is_a_line_and_they_sum_to_the_total(store: Store) -> None:
    found = told(
        store,
        sold(
            line(2, off=["20.00"], duty="5.00"),
            line(1, "250.00", ref="line/2", is_gift_card=True, requires_shipping=False),
            custom(),
            shipping=(delivery("20.00", after="10.00"),),
            fees=(fee("3.50"),),
            total_tip="7.00",
            subtotal="445.00",
            total="470.50",
        ),
    )

    lines = list(found.lines.all())

    assert [row.kind for row in lines] == ["goods", "gift_card", "custom", "shipping", "duty", "fee", "tip"]
    assert sum(row.net for row in lines) == found.total == Decimal("470.50")
    assert [row.net for row in lines] == [row.unit_price * row.quantity - row.discount for row in lines]
    assert found.discounts == sum(row.discount for row in lines) == Decimal("30.00")


def test_a_line_is_ours_by_the_inventory_item_of_its_fulfilment_order(store: Store) -> None:
    ours = ListedVariantFactory(store=store, item_ref="item/of-work").variant
    ListedVariantFactory(item_ref="item/of-work")

    told(store, sold(fulfilment_orders=(work(2, item_ref="item/of-work"),)))

    assert (the_line().variant, the_line().item_ref) == (ours, "item/of-work")


def test_a_line_of_an_item_we_do_not_have_is_kept_without_one_of_ours(store: Store) -> None:
    told(store, sold())

    assert (the_line().variant, the_line().sku) == (None, "TS-BLK-M")


def test_a_bundle_heads_its_parts_and_is_worth_nothing_itself(store: Store) -> None:
    parts = (line(2, "30.00", bundle=bundle(2)), line(4, "10.00", bundle=bundle(2), ref="line/2"))

    found = told(store, sold(*parts, subtotal="100.00", total="100.00"))

    rows = list(found.lines.values_list("kind", "sku", "quantity", "net", "parent_ref"))
    assert rows == [
        (LineKind.BUNDLE, "SET-1", 2, 0, ""),
        (LineKind.COMPONENT, "TS-BLK-M", 2, 60, "group/1"),
        (LineKind.COMPONENT, "TS-BLK-M", 4, 40, "group/1"),
    ]


def test_both_currencies_are_kept(store: Store) -> None:
    euro = replace(line(2), unit_price=both("20.00", "EUR", "99.53"))
    said = sold(euro, subtotal="40.00", total="40.00", currency="EUR")

    found = told(
        store, replace(said, currency="RON", total=both("40.00", "EUR", "199.05"), total_tip=both("0", "EUR", "0"))
    )

    assert (found.total, found.currency, found.total_shop, found.shop_currency) == (
        Decimal("40.00"),
        "EUR",
        Decimal("199.05"),
        "RON",
    )
    assert (found.goods_shop, found.conversion_shop) == (Decimal("199.06"), Decimal("-0.01"))


def test_cash_on_delivery_is_a_payment_that_waits(store: Store) -> None:
    cod = payment("200.00", gateway="Cash on Delivery (COD)", status="pending", manual=True)

    found = told(store, sold(transactions=(cod,), gateways=("Cash on Delivery (COD)",)))

    paid = SalesOrderPayment.objects.get()
    assert (paid.status, paid.manual, paid.amount) == ("pending", True, Decimal("200.00"))
    assert found.gateways == ["Cash on Delivery (COD)"]
    assert found.received == 0


# --- who bought


ADDRESS = Address("Ion Popescu", "Atelier SRL", "Str. Mare 1", "", "Cluj-Napoca", "Cluj", "CJ", "400001", "RO", "0740")


def business(**parts: Any) -> RemoteOrder:
    return sold(
        customer_ref="customer/9",
        customer=Customer("Ion", "Popescu", "ion@example.ro", None, tax_exempt=False),
        email="ion@example.ro",
        billing_address=ADDRESS,
        **parts,
    )


def test_who_bought_stands_apart_from_what_was_sold(store: Store) -> None:
    found = told(store, business())

    buyer = found.buyer
    assert (buyer.name, buyer.company, buyer.email) == ("Ion Popescu", "Atelier SRL", "ion@example.ro")
    assert buyer.billing_address["city"] == "Cluj-Napoca"


@pytest.mark.parametrize(
    ("parts", "tax_id"),
    [
        ({"company": blank(Company, name="B2B SRL", tax_id="RO111")}, "RO111"),
        ({"localized": (LocalizedField("tax_credential_ro", "RO", "tax", "CUI", " RO222 "),)}, "RO222"),
        ({"attributes": (Attribute("C.U.I.", "RO333"),)}, "RO333"),
        ({"attributes": (Attribute("VAT number", "RO444"), Attribute("note", "RO555"))}, "RO444"),
        ({"attributes": (Attribute("gift message", "RO666"),)}, ""),
        ({"localized": (LocalizedField("shipping_credential_br", "BR", "shipping", "CPF", "777"),)}, ""),
    ],
)
def test_the_tax_id_of_a_business_comes_from_its_company_its_countrys_form_or_a_note_attribute(
    parts: dict[str, Any], tax_id: str
) -> None:
    assert buyers.tax_id(business(**parts)) == tax_id


def test_an_erased_person_is_erased_from_the_sales_order_too_and_the_books_stay(store: Store) -> None:
    told(store, business())
    told(StoreFactory(), business())

    assert privacy.erase(store, "customer/9", []) == 1

    erased, other = Buyer.objects.order_by("order__pk")
    assert (erased.name, erased.company, erased.email, erased.billing_address) == ("", "", "", None)
    assert erased.redacted_at is not None
    assert other.name == "Ion Popescu"
    assert SalesOrder.objects.filter(total=200).count() == 2


def test_a_newer_version_of_an_erased_order_names_nobody_again(store: Store) -> None:
    told(store, business())
    privacy.erase(store, "customer/9", [])
    row = IncomingOrder.objects.select_related("store").get()
    intake.keep(store, [later(business())], asked_at=NOON + HOUR)
    row.refresh_from_db()

    with transaction.atomic():
        sales.write({row: row.order})

    buyer = Buyer.objects.get()
    assert (buyer.name, buyer.email, buyer.redacted_at) == ("", "", row.redacted_at)


# --- again, and newer


def rows(*models: Any) -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in models]


EVERYTHING = (SalesOrder, SalesOrderLine, SalesOrderPayment, Buyer)


def test_the_same_version_again_changes_nothing_and_asks_one_question(store: Store) -> None:
    said = business(transactions=(payment(),))
    told(store, said)
    before = rows(*EVERYTHING)
    incoming = IncomingOrder.objects.select_related("store").get()

    with (
        transaction.atomic(),
        CaptureQueriesContext(
            connection,
        ) as asked,
    ):
        sales.write({incoming: said})

    assert len(asked) == 1
    assert rows(*EVERYTHING) == before


def test_a_newer_version_rewrites_its_lines_under_the_same_rows(store: Store) -> None:
    said = sold()
    told(store, said)
    row = the_line().pk
    edited = (line(2, current_quantity=1), line(1, "50.00", ref="line/2"))

    found = told(store, later(said, lines=edited, total=both("250.00"), subtotal=both("250.00"), edited=True))

    assert the_line().pk == row
    assert (the_line().quantity, the_line().current_quantity) == (2, 1)
    assert (found.lines.count(), found.total, SalesOrder.objects.count()) == (2, Decimal("250.00"), 1)


def test_a_line_the_store_no_longer_tells_of_goes(store: Store) -> None:
    said = sold(fees=(fee("3.50"),), total="203.50")
    told(store, said)

    told(store, later(said, fees=(), total=both("200.00")))

    assert list(SalesOrderLine.objects.values_list("kind", flat=True)) == ["goods"]


def test_a_payment_that_settles_later_is_the_same_payment(store: Store) -> None:
    said = sold(transactions=(payment(status="pending"),))
    told(store, said)
    told(store, later(said, transactions=(payment(status="success"),)))

    assert list(SalesOrderPayment.objects.values_list("status", flat=True)) == ["success"]


def big(lines: int) -> RemoteOrder:
    goods = [line(1, "1.00", ref=f"line/{n}", item_ref=f"item/{n}") for n in range(lines)]
    paid = tuple(payment("1.00", ref=f"transaction/{n}") for n in range(20))
    return sold(*goods, subtotal=f"{lines}.00", total=f"{lines}.00", transactions=paid, customer_ref="customer/9")


@pytest.mark.parametrize("lines", [1, 400])
def test_eight_statements_write_an_order_whatever_its_size(store: Store, lines: int) -> None:
    said = big(lines)
    intake.keep(store, [said], asked_at=NOON)
    incoming = IncomingOrder.objects.select_related("store").get()
    with transaction.atomic(), CaptureQueriesContext(connection) as first:
        sales.write({incoming: said})
    change_here(SalesOrder.objects.get(), "line/0", EditedField.UNIT_PRICE, "9.00")
    incoming.revision += 1
    newer = later(said, note="Sunați înainte de livrare")

    with transaction.atomic(), CaptureQueriesContext(connection) as again:
        sales.write({incoming: newer})

    assert (len(first), len(again)) == (7, 8)
    assert SalesOrderLine.objects.count() == lines


# --- what a person changed here


def change_here(sale: SalesOrder, ref: str, field: EditedField, ours: str) -> LocalEdit:
    return edits.change_line(sale.lines.get(ref=ref), field, ours, reason="Greșit în magazin", by=UserFactory())


def test_what_a_person_changes_here_stands_and_is_kept_with_the_stores_value(store: Store) -> None:
    sale = told(store, sold())

    change_here(sale, "line/1", EditedField.QUANTITY, "5")

    assert (the_line().quantity, the_line().net, the_line().net_shop) == (5, Decimal(500), Decimal(500))
    edit = LocalEdit.objects.get()
    assert (edit.before, edit.ours, edit.theirs, edit.overwritten_at) == (2, 5, None, None)
    assert SalesOrder.objects.get().total == Decimal("200.00")


def test_a_second_change_replaces_the_first_and_keeps_the_stores_value(store: Store) -> None:
    sale = told(store, sold())
    change_here(sale, "line/1", EditedField.UNIT_PRICE, "90.00")
    change_here(sale, "line/1", EditedField.UNIT_PRICE, "80.00")

    edit = LocalEdit.objects.get()
    assert (edit.before, edit.ours) == (Decimal("100.00"), Decimal("80.00"))
    assert the_line().net == Decimal("160.00")


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        (EditedField.QUANTITY, "-1"),
        (EditedField.QUANTITY, "1.5"),
        (EditedField.QUANTITY, "two"),
        (EditedField.QUANTITY, "2"),
        (EditedField.UNIT_PRICE, "9.999"),
        (EditedField.UNIT_PRICE, "NaN"),
        (EditedField.UNIT_PRICE, "1e12"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_nothing_changes(store: Store, field: EditedField, typed: str) -> None:
    sale = told(store, sold())

    with pytest.raises(EditRefused) as refused:
        change_here(sale, "line/1", field, typed)

    assert refused.value.remedy
    assert not LocalEdit.objects.exists()
    assert (the_line().quantity, the_line().unit_price) == (2, Decimal("100.00"))


def test_what_a_person_changed_here_is_overwritten_and_both_values_are_kept(store: Store) -> None:
    said = sold()
    sale = told(store, said)
    change_here(sale, "line/1", EditedField.QUANTITY, "5")
    change_here(sale, "line/1", EditedField.UNIT_PRICE, "90.00")

    told(store, later(said, lines=(line(3),), subtotal=both("300.00"), total=both("300.00")))

    assert (the_line().quantity, the_line().unit_price) == (3, Decimal("100.00"))
    edits = [(edit.field, edit.before, edit.ours, edit.theirs) for edit in LocalEdit.objects.all()]
    assert edits == [("quantity", 2, 5, 3), ("unit_price", 100, 90, 100)]
    assert all(edit.overwritten_at for edit in LocalEdit.objects.all())


def test_by_command_a_person_is_told_first_that_the_store_overwrites_the_change(store: Store) -> None:
    told(store, sold())
    person = UserFactory(roles=["Operator"])
    change = ("change_line", store.slug, "1042", "--line", "TS-BLK-M", "--units", "5", "--reason", "Greșit în magazin")

    code, planned, _ = run(*change)
    assert (code, planned["changed"], [each["units"] for each in planned["lines"]]) == (0, "", [2])
    assert run(*change, "--yes")[1]["remedy"] == "Add --as EMAIL."
    assert run(*change[:3], "--yes")[1]["cause"] == "Nothing says what to change."
    assert not LocalEdit.objects.exists()

    code, changed, _ = run(*change, "--yes", "--as", person.email)
    assert (code, changed["changed"]) == (0, f"{LocalEdit.objects.get()} is 5 until the store's next update.")
    assert (the_line().quantity, LocalEdit.objects.get().edited_by) == (5, person)


def test_an_overwrite_is_told_once(store: Store) -> None:
    said = sold()
    change_here(told(store, said), "line/1", EditedField.QUANTITY, "5")
    told(store, later(said))
    first = LocalEdit.objects.get().overwritten_at
    told(store, later(said, 2))

    assert LocalEdit.objects.get().overwritten_at == first


# --- identity


def test_a_number_may_stand_for_orders_of_two_stores(store: Store) -> None:
    told(store, sold())
    told(StoreFactory(), sold())

    assert SalesOrder.objects.filter(number="#1042").count() == 2


def test_a_third_party_reference_stands_for_one_order_of_a_store(store: Store) -> None:
    told(store, sold(source_identifier="111-98567-54"))
    told(StoreFactory(), sold(source_identifier="111-98567-54"))

    with pytest.raises(OrderRefused) as refused:
        told(store, sold(ref=f"{ORDER}7", name="#1043", source_identifier="111-98567-54"))

    assert "111-98567-54 is that of order #1042" in refused.value.cause
    assert refused.value.waits_for == "reference:111-98567-54"
    assert SalesOrder.objects.count() == 2


def test_orders_without_a_third_party_reference_do_not_collide(store: Store) -> None:
    told(store, sold())
    told(store, sold(ref=f"{ORDER}7"))

    assert SalesOrder.objects.count() == 2


# --- where it stands


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"fulfilment_orders": (work(2),)}, OrderStatus.RELEASED),
        ({"fulfilment_orders": (work(1),), "fulfilments": (sent(1),)}, OrderStatus.RELEASED),
        ({"fulfilment_orders": (work(0),), "fulfilments": (sent(2),)}, OrderStatus.SHIPPED),
        ({"fulfilment_orders": (work(2),), "fulfilments": (sent(2, status="cancelled"),)}, OrderStatus.RELEASED),
        ({"fulfilment_orders": (work(0),), "cancelled_at": NOON}, OrderStatus.CANCELLED),
        ({"fulfilment_orders": (work(2),), "cancelled_at": NOON}, OrderStatus.CANCELLED),
        ({"fulfilment_orders": (work(0),), "fulfilments": (sent(1),), "cancelled_at": NOON}, OrderStatus.SHIPPED),
        ({"lines": (line(2, current_quantity=0, unfulfilled_quantity=0),)}, OrderStatus.CANCELLED),
        ({"lines": (line(2, unfulfilled_quantity=0),)}, OrderStatus.SHIPPED),
        ({}, OrderStatus.RELEASED),
    ],
)
def test_the_status_follows_from_what_the_store_says_of_the_goods(
    store: Store, parts: dict[str, Any], status: OrderStatus
) -> None:
    assert told(store, replace(sold(), **parts)).status == status


def test_units_sent_and_left_are_told_per_line(store: Store) -> None:
    told(store, sold(fulfilment_orders=(work(1),), fulfilments=(sent(1),)))

    assert (the_line().quantity, the_line().shipped_quantity, the_line().open_quantity) == (2, 1, 1)


def test_an_order_that_is_refused_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(OrderRefused):
        told(store, sold(total="210.00"))

    assert not SalesOrder.objects.exists()
