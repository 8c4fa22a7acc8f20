"""A store's gateways, shipping methods and taxes have names of ours; a value without one stops its order only if told so."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.models import Store
from connectors.ports.orders import RemoteOrder
from orders import mappings
from orders.errors import OrderRefused
from orders.mappings import Rule
from orders.models import IncomingOrder, IncomingState, MappedKind, Unmapped, ValueMapping
from syncconsole.kernel.models import AuditEntry, User
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.orders.shapes import ORDER, delivery, line, payment, sold, tax, told

pytestmark = pytest.mark.django_db

COD = "Cash on Delivery (COD)"
STOP = Rule(Unmapped.STOP)
GATEWAY = MappedKind.GATEWAY


@pytest.fixture
def store() -> Store:
    return StoreFactory()


@pytest.fixture
def person() -> User:
    return UserFactory()


def paid_by(gateway: str, number: int = 1042) -> RemoteOrder:
    return sold(ref=f"{ORDER}/{number}", name=f"#{number}", transactions=(payment("200.00", gateway=gateway),))


def refused(store: Store, order: RemoteOrder) -> OrderRefused:
    """The refusal, kept on the incoming order as the import keeps it."""
    with pytest.raises(OrderRefused) as stopped:
        told(store, order)
    IncomingOrder.objects.create(
        store=store,
        ref=order.ref,
        name=order.name,
        remote_created_at=order.created_at,
        remote_updated_at=order.updated_at,
        total=Decimal(200),
        currency="RON",
        snapshot={},
        received_at=order.created_at,
        state=IncomingState.FAILED,
        waits_for=stopped.value.waits_for,
    )
    return stopped.value


def test_the_values_of_an_order_are_its_gateways_methods_and_taxes() -> None:
    taxed = line(taxes=["21.00"])
    ride = delivery("20.00", taxes=["4.20"])
    gone = delivery("9.00", code="drona", is_removed=True)

    values = mappings.values_of(sold(taxed, shipping=(ride, gone), gateways=(COD,), transactions=(payment(),)))

    assert values == {
        MappedKind.GATEWAY: [COD, "shopify_payments"],
        MappedKind.SHIPPING: ["curier"],
        MappedKind.TAX: ["TVA 21 %"],
    }


@pytest.mark.parametrize(
    ("rate", "name"), [("0.21", "TVA 21 %"), ("0.055", "TVA 5.5 %"), ("0.10", "TVA 10 %"), ("0", "TVA 0 %")]
)
def test_a_tax_is_told_apart_by_its_rate(rate: str, name: str) -> None:
    assert mappings.tax_name(tax("1.00", rate=rate)) == name


def test_a_value_without_a_name_gets_the_default_else_the_stores_own(store: Store, person: User) -> None:
    mappings.save(store, GATEWAY, Rule(default="Card"), {COD: "Ramburs"}, by=person)

    names = mappings.of_store(store)

    assert names.ours(GATEWAY, COD) == "Ramburs"
    assert names.ours(GATEWAY, "paypal") == "Card"
    assert names.ours(MappedKind.SHIPPING, "curier") == "curier"


def test_a_value_without_a_name_stops_its_order_where_the_store_says_so(store: Store, person: User) -> None:
    mappings.save(store, GATEWAY, STOP, {}, by=person)

    stopped = refused(store, paid_by(COD))

    assert stopped.waits_for == f"gateway:{COD}"
    assert COD in stopped.cause
    assert told(StoreFactory(), paid_by(COD)).gateways == [COD]


def test_naming_a_value_lets_exactly_the_orders_go_on_that_wait_for_it(store: Store, person: User) -> None:
    mappings.save(store, GATEWAY, STOP, {}, by=person)
    refused(store, paid_by(COD))
    refused(store, paid_by("paypal", 1043))

    assert mappings.save(store, GATEWAY, STOP, {COD: "Ramburs"}, by=person) == 1

    states = dict(IncomingOrder.objects.values_list("name", "state"))
    assert states == {"#1042": IncomingState.PENDING, "#1043": IncomingState.FAILED}


def test_so_does_using_the_default(store: Store, person: User) -> None:
    mappings.save(store, GATEWAY, STOP, {}, by=person)
    refused(store, paid_by(COD))
    other = StoreFactory()
    mappings.save(other, GATEWAY, STOP, {}, by=person)
    refused(other, paid_by(COD))

    assert mappings.save(store, GATEWAY, Rule(default="Card"), {}, by=person) == 1

    assert IncomingOrder.objects.get(state=IncomingState.FAILED).store == other


def test_the_report_shows_every_value_with_its_orders_and_those_that_wait(store: Store, person: User) -> None:
    told(store, paid_by(COD, 1))
    told(store, paid_by(COD, 2))
    told(store, paid_by("shopify_payments", 3))
    mappings.save(store, GATEWAY, STOP, {COD: "Ramburs", "wire": "Transfer", "shopify_payments": "Card"}, by=person)
    refused(store, paid_by("paypal", 4))
    told(StoreFactory(), paid_by("stripe"))

    found = [(row.value, row.orders, row.waiting, row.ours) for row in mappings.in_use(store) if row.kind == GATEWAY]

    assert found == [
        ("paypal", 0, 1, ""),
        (COD, 2, 0, "Ramburs"),
        ("shopify_payments", 1, 0, "Card"),
        ("wire", 0, 0, "Transfer"),
    ]


def test_an_empty_name_takes_a_values_own_name_away(store: Store, person: User) -> None:
    mappings.save(store, GATEWAY, Rule(), {COD: "Ramburs"}, by=person)
    mappings.save(store, GATEWAY, Rule(), {COD: "  "}, by=person)

    assert not ValueMapping.objects.exists()


def test_a_change_is_kept_in_the_audit_log_and_the_same_again_is_not(store: Store, person: User) -> None:
    mappings.save(store, GATEWAY, STOP, {COD: "Ramburs"}, by=person)
    mappings.save(store, GATEWAY, STOP, {COD: "Ramburs"}, by=person)

    entry = AuditEntry.objects.get(action="values mapped")
    assert entry.after[COD] == "Ramburs"
