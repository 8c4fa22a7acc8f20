"""Every version of an order is kept once and whole, an older one never wins, and one that cannot be read holds up nobody."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors import changes, registry
from connectors.models import RemoteChange, Store
from connectors.models.webhooks import ChangeState
from connectors.ports.buyers import Address, Attribute, Company, Customer, LocalizedField
from connectors.ports.errors import ConnectorError, ConnectorUnavailable, RequestRejected
from connectors.ports.orders import Bundle, Fulfilment, History, RemoteOrder, Tracking
from connectors.shopify import orders_mapping, orders_nodes
from orders import buyers, intake, privacy
from orders.models import IncomingOrder
from tests.connectors.shopify import order_answers as answers
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db

NINE = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
ORDER = answers.ORDER


def order(number: int = 1, *, updated_at: dt.datetime = NINE, **parts: Any) -> RemoteOrder:
    node = msgspec.convert(answers.order(number), type=orders_nodes.OrderNode, strict=False)
    return dataclasses.replace(orders_mapping.order(node), updated_at=updated_at, **parts)


@dataclass
class Shop:
    """A shop that shows `orders`, refuses to show `broken` ones, or is `away`."""

    orders: dict[str, RemoteOrder] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    away: ConnectorError | None = None
    asked: list[list[str]] = field(default_factory=list)

    def add(self, *orders: RemoteOrder) -> None:
        self.orders |= {one.ref: one for one in orders}

    def prepare_orders(self, since: dt.datetime, *, wanted: int, patience: float = 0.0) -> History | None:
        return None

    def read_fields(self, refs: Sequence[str], names: Sequence[str]) -> dict[str, tuple[Attribute, ...]]:
        return {ref: tuple(Attribute(name, "RO 77") for name in names) for ref in refs}

    def read_orders(self, refs: Sequence[str]) -> list[RemoteOrder | None]:
        self.asked.append(list(refs))
        if self.away:
            raise self.away
        if bad := self.broken & set(refs):
            raise RequestRejected(service="Shop", operation="read", cause=f"{bad} is too long.", remedy="By hand.")
        return [self.orders.get(ref) for ref in refs]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    monkeypatch.setattr(registry, "store_for", lambda store: shop)
    return shop


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def heard_of(store: Store, *refs: str, at: dt.datetime | None = None) -> None:
    changes.notice(store, "order", dict.fromkeys(refs, at), by="webhook")


def kept(ref: str = ORDER) -> IncomingOrder:
    return IncomingOrder.objects.get(ref=ref)


# --- versions


def test_an_order_is_kept_whole(store: Store) -> None:
    told = order()
    assert intake.keep(store, [told], asked_at=NINE)

    row = kept()

    assert row.order == told
    assert (row.name, row.total, row.currency, row.revision) == ("#1001", Decimal(0), "RON", 1)


def test_a_newer_version_replaces_and_is_counted(store: Store) -> None:
    intake.keep(store, [order()], asked_at=NINE)
    assert intake.keep(store, [order(updated_at=NINE + SECOND, cancelled_at=NINE + SECOND)], asked_at=NINE)

    assert (kept().revision, kept().cancelled_at) == (2, NINE + SECOND)


def test_an_older_version_that_arrives_late_changes_nothing(store: Store) -> None:
    intake.keep(store, [order(updated_at=NINE + SECOND, name="#new")], asked_at=NINE)

    assert not intake.keep(store, [order(name="#old")], asked_at=NINE + 9 * SECOND)
    assert (kept().name, kept().revision) == ("#new", 1)


def test_the_same_version_again_changes_nothing(store: Store) -> None:
    intake.keep(store, [order()], asked_at=NINE)

    assert not intake.keep(store, [order()], asked_at=NINE + SECOND)
    assert kept().revision == 1


def test_of_two_changes_in_one_second_the_one_asked_for_later_wins(store: Store) -> None:
    intake.keep(store, [order(name="#first")], asked_at=NINE + SECOND)

    assert not intake.keep(store, [order(name="#earlier")], asked_at=NINE)
    assert intake.keep(store, [order(name="#second")], asked_at=NINE + 2 * SECOND)
    assert kept().name == "#second"


def test_two_stores_may_show_the_same_reference(store: Store) -> None:
    intake.keep(store, [order()], asked_at=NINE)
    intake.keep(StoreFactory(), [order()], asked_at=NINE)

    assert IncomingOrder.objects.filter(ref=ORDER).count() == 2


# --- reading what was heard of


def test_orders_heard_of_are_read_together_and_settled(shop: Shop, store: Store) -> None:
    shop.add(*(order(number) for number in range(30)))
    heard_of(store, *shop.orders)

    assert [intake.read_changes(store) for _ in range(3)] == [25, 5, 0]
    assert [len(refs) for refs in shop.asked] == [25, 5]
    assert IncomingOrder.objects.count() == 30
    assert set(RemoteChange.objects.values_list("state", flat=True)) == {ChangeState.DONE}


def test_tax_ids_are_read_from_the_metafields_that_the_store_names(shop: Shop) -> None:
    store = StoreFactory(tax_fields=["customer.facts.vat"])
    shop.add(order())
    heard_of(store, ORDER, "order/gone")

    intake.read_changes(store)

    assert kept().order.tax_fields == (Attribute("customer.facts.vat", "RO 77"),)
    assert buyers.tax_id(kept().order) == "RO 77"


def test_the_reader_stands_where_the_queue_looks_for_it() -> None:
    assert changes.readers()["order"] is intake.read_changes


def test_an_order_the_store_no_longer_shows_is_marked_and_not_deleted(shop: Shop, store: Store) -> None:
    intake.keep(store, [order()], asked_at=NINE)
    heard_of(store, ORDER, "gid://shopify/Order/404")

    assert intake.read_changes(store) == 2

    assert kept().missing_at is not None
    assert RemoteChange.objects.filter(state=ChangeState.DONE).count() == 2


def test_an_order_that_is_shown_again_is_no_longer_missing(shop: Shop, store: Store) -> None:
    intake.keep(store, [order()], asked_at=NINE)
    heard_of(store, ORDER)
    intake.read_changes(store)
    shop.add(order())
    heard_of(store, ORDER)
    intake.read_changes(store)

    assert kept().missing_at is None


def test_an_order_that_cannot_be_read_holds_up_no_other(shop: Shop, store: Store) -> None:
    shop.add(order(1), order(2), order(3))
    shop.broken = {ORDER}
    heard_of(store, *shop.orders)

    intake.read_changes(store)

    assert IncomingOrder.objects.count() == 2
    failed = RemoteChange.objects.get(state=ChangeState.FAILED)
    assert (failed.ref, failed.remedy) == (ORDER, "By hand.")


def test_a_store_that_is_away_is_asked_later_and_it_does_not_count(shop: Shop, store: Store) -> None:
    shop.away = ConnectorUnavailable(service="Shop", operation="read", cause="Away.", remedy="Wait.")
    heard_of(store, ORDER)

    assert intake.read_changes(store) == 0
    assert intake.read_changes(store) == 0

    row = RemoteChange.objects.get()
    assert (row.state, row.attempts, row.cause) == (ChangeState.WAITING, 0, "Away.")
    assert len(shop.asked) == 1


# --- people's data


WRITTEN = (Attribute("Gravură", "Popescu"),)


def with_person() -> RemoteOrder:
    """An order whose every place for words names Popescu."""
    sent = Fulfilment("f", "#1", "success", NINE, NINE, "loc", (), (Tracking("FAN", "AWB-1"),))
    home = Address(*["Popescu"] * 6, province_code="CJ", zip="Popescu", country="RO", phone="Popescu")
    plain = order()
    bundle = Bundle("b", "Set", 1, "p", "v", "SET", WRITTEN)
    return dataclasses.replace(
        plain,
        customer_ref="customer/9",
        customer=Customer("Ion", "Popescu", "popescu@example.com", "Popescu", False),
        email="popescu@example.com",
        phone="Popescu",
        billing_address=home,
        shipping_address=home,
        company=Company("c", "Popescu PFA", "", "l", "Popescu PFA", "", "RO1"),
        note="Popescu",
        attributes=WRITTEN,
        localized=(LocalizedField("tax_credential_it", "IT", "tax", "Codice", "Popescu"),),
        po_number="Ion Popescu",
        lines=tuple(dataclasses.replace(line, attributes=WRITTEN, bundle=bundle) for line in plain.lines),
        fulfilments=(sent,),
    )


def test_what_names_a_customer_is_erased_and_the_books_stay(store: Store) -> None:
    intake.keep(store, [with_person()], asked_at=NINE)
    intake.keep(store, [order(2, customer_ref="customer/9")], asked_at=NINE)
    intake.keep(store, [order(3, customer_ref="customer/10")], asked_at=NINE)

    assert privacy.erase(store, "customer/9", [ORDER]) == 2
    assert privacy.erase(store, "customer/9", [ORDER]) == 0

    row = kept()
    assert "popescu" not in str(row.snapshot).lower()
    assert "AWB-1" not in str(row.snapshot)
    assert (row.customer_ref, row.order.customer_ref) == ("", "")
    assert [(line.ref, line.quantity, line.unit_price) for line in row.order.lines] == [
        (line.ref, line.quantity, line.unit_price) for line in with_person().lines
    ]
    assert row.order.billing_address is not None
    assert (row.order.billing_address.country, row.order.billing_address.province_code) == ("RO", "CJ")
    assert kept("gid://shopify/Order/3").customer_ref == "customer/10"


def test_an_erased_customer_does_not_come_back_with_the_next_version(store: Store) -> None:
    intake.keep(store, [with_person()], asked_at=NINE)
    privacy.erase(store, "customer/9", [ORDER])

    newer = dataclasses.replace(with_person(), updated_at=NINE + SECOND, name="#new")
    beside = [order(2, customer_ref="customer/10"), order(3, customer_ref="customer/9")]
    assert intake.keep(store, [newer, *beside], asked_at=NINE + SECOND) == 3
    assert intake.keep(store, [newer, *beside], asked_at=NINE + 2 * SECOND) == 0, "all of it is known"

    assert (kept().name, kept().customer_ref, kept().order.po_number) == ("#new", "", "")
    assert [kept(each.ref).customer_ref for each in beside] == ["customer/10", "customer/9"], "nobody else is erased"


def test_redacting_nobody_erases_nothing(store: Store) -> None:
    intake.keep(store, [order(customer_ref="")], asked_at=NINE)

    assert privacy.erase(store, "", []) == 0
