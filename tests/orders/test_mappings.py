"""A store's gateways, shipping methods and taxes have names of ours; a value without one stops its order only if told so."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from connectors.models import Store
from connectors.ports.buyers import Address, Attribute
from connectors.ports.orders import RemoteOrder
from orders import imports, mappings, privacy
from orders.errors import OrderRefused
from orders.mappings import Rule
from orders.models import Buyer, IncomingOrder, IncomingState, MappedKind, Unmapped, ValueMapping
from syncconsole.kernel.models import AuditEntry, User
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.factories.orders import blank
from tests.inventory.test_commands import run
from tests.orders.shapes import ORDER, delivery, line, payment, sold, tax, told

pytestmark = pytest.mark.django_db

COD = "Cash on Delivery (COD)"
STOP = Rule(Unmapped.STOP)
GATEWAY = MappedKind.GATEWAY
CUSTOMER = MappedKind.CUSTOMER


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
        snapshot=msgspec.to_builtins(order),
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
        MappedKind.CUSTOMER: [],
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


# --- business buyers


def bought_by(tax_id: str = "", company: str = "", number: int = 1042) -> RemoteOrder:
    """An order of a business: its tax id as the shop asks for it, its name as it was written in the address."""
    return sold(
        ref=f"{ORDER}/{number}",
        name=f"#{number}",
        attributes=(Attribute("CUI", tax_id),) if tax_id else (),
        billing_address=blank(Address, company=company, country="RO"),
    )


@pytest.mark.parametrize(
    ("tax_id", "company", "value"),
    [
        ("RO 123.456", "Croitoria SRL", "RO123456"),
        ("ro123456", "", "RO123456"),
        ("", " Croitoria   SRL ", "Croitoria SRL"),
        ("", "", ""),
    ],
)
def test_a_business_is_told_by_its_tax_id_else_by_its_name(store: Store, tax_id: str, company: str, value: str) -> None:
    told(store, bought_by(tax_id, company))

    assert Buyer.objects.get().business == value


def test_a_business_without_a_number_of_ours_stops_its_order_and_a_private_buyer_does_not(
    store: Store, person: User
) -> None:
    mappings.save(store, CUSTOMER, STOP, {"RO1": "C-0001"}, by=person)

    stopped = refused(store, bought_by("RO 2", "Croitoria SRL"))

    assert "RO" not in stopped.cause + stopped.waits_for, "not everybody who reads the queue may see who bought"
    assert told(store, bought_by("RO 1", number=1)).pk
    assert told(store, bought_by(number=2)).pk


def test_its_number_lets_exactly_its_orders_go_on(store: Store, person: User) -> None:
    mappings.save(store, CUSTOMER, STOP, {}, by=person)
    refused(store, bought_by("RO 2"))
    refused(store, bought_by("RO2", number=1043))
    refused(store, bought_by("RO3", number=1044))

    waiting = {row.value: row.waiting for row in mappings.in_use(store)}
    assert waiting == {"RO2": 2, "RO3": 1}
    assert mappings.save(store, CUSTOMER, STOP, {"RO2": "C-0002"}, by=person) == 2
    assert IncomingOrder.objects.get(state=IncomingState.FAILED).name == "#1044"


@pytest.mark.parametrize("order", [bought_by("RO2"), paid_by(COD)], ids=["business", "gateway"])
def test_a_name_given_while_its_order_fails_is_found_by_the_next_import(
    store: Store, person: User, order: RemoteOrder
) -> None:
    kind, value = (CUSTOMER, "RO2") if order.attributes else (GATEWAY, COD)
    mappings.save(store, kind, STOP, {}, by=person)
    refused(store, order)
    failed = IncomingOrder.objects.filter(state=IncomingState.FAILED)
    imports.release(store)
    assert failed.exists()

    ValueMapping.objects.create(store=store, kind=kind, value=value, ours="C-0002")
    imports.release(store)

    assert not failed.exists()


def test_a_private_buyer_falls_under_the_default(store: Store, person: User) -> None:
    mappings.save(store, CUSTOMER, Rule(default="C-0000"), {"RO2": "C-0002"}, by=person)

    names = mappings.of_store(store, ["RO2"])

    assert [names.ours(CUSTOMER, value) for value in ("", "RO2", "RO3")] == ["C-0000", "C-0002", "C-0000"]


def test_the_report_counts_the_orders_of_each_business_and_an_erased_one_is_no_more_in_it(
    store: Store, person: User
) -> None:
    mappings.save(store, CUSTOMER, Rule(), {"RO1": "C-0001"}, by=person)
    told(store, bought_by("RO1", number=1))
    told(store, bought_by("RO2", number=2))
    told(store, bought_by("RO2", number=3))

    found = [(row.value, row.orders, row.ours) for row in mappings.in_use(store)]
    assert found == [("RO2", 2, ""), ("RO1", 1, "C-0001")]

    privacy.erase_all(store)
    assert [(row.value, row.orders) for row in mappings.in_use(store)] == [("RO1", 0)]


def test_an_order_that_waits_for_its_business_goes_on_once_that_is_erased(store: Store, person: User) -> None:
    mappings.save(store, CUSTOMER, STOP, {}, by=person)
    refused(store, bought_by("RO2"))

    privacy.erase_all(store)

    assert IncomingOrder.objects.get().state == IncomingState.PENDING
    assert mappings.in_use(store) == []


def test_by_command_values_are_listed_and_named(store: Store) -> None:
    mappings.save(store, GATEWAY, STOP, {}, by=UserFactory())
    refused(store, paid_by(COD))
    person = UserFactory(roles=["Onboarding"])
    code, before, _ = run("order_names", store.slug, "--kind", "gateway")
    assert (code, [(row["value"], row["waiting"]) for row in before["values"]]) == (0, [(COD, 1)])
    naming = ("order_names", store.slug, "--name", COD, "Ramburs", "--as", person.email)
    assert "--kind" in run(*naming)[1]["remedy"]

    code, after, _ = run(*naming, "--kind", "gateway")

    assert (code, after["released"], after["values"][0]["ours"]) == (0, 1, "Ramburs")
    assert after["rules"]["gateway"] == {"unmapped": "stop", "default": ""}, "what was not named stays"


def test_by_command_who_buys_is_shown_to_those_who_may_see_it(store: Store) -> None:
    mappings.save(store, CUSTOMER, Rule(), {"RO123": "C-77"}, by=UserFactory())
    shown = [
        [row["value"] for row in run("order_names", store.slug, *by)[1]["values"]]
        for by in ((), ("--as", UserFactory(roles=["Accountant"]).email), ("--as", UserFactory(roles=["Viewer"]).email))
    ]
    assert shown == [["RO123"], ["RO123"], []]
