"""Orders older than their store keeps customers' data name nobody any more; amounts, lines and documents stay."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from connectors.models import Store
from connectors.ports.orders import RemoteOrder
from orders import intake, privacy, retention, sales, tasks
from orders.models import Buyer, IncomingOrder, OrderStock
from syncconsole.kernel.models import AuditEntry, User
from tests.factories.catalog import VariantFactory
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.inventory import LocationFactory
from tests.factories.kernel import UserFactory
from tests.orders.shapes import ORDER, sold, told

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 31, 1, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """31 March 2026 in Bucharest."""
    monkeypatch.setattr(retention.timezone, "now", lambda: NOW)


@pytest.fixture
def store() -> Store:
    store: Store = StoreFactory(keep_months=1, time_zone="Europe/Bucharest")
    return store


@pytest.fixture
def person() -> User:
    user: User = UserFactory(is_superuser=True)
    return user


def placed(store: Store, number: int, day: dt.datetime) -> RemoteOrder:
    said = sold(
        ref=f"{ORDER}/{number}", name=f"#{number}", customer_ref=f"customer/{number}", email="maria@example.com",
        created_at=day, updated_at=day,
    )  # fmt: skip
    told(store, said)
    return said


def local(month: int, day: int, hour: int = 0, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=dt.timezone(dt.timedelta(hours=2)))


def named() -> list[str]:
    """Numbers of the orders that still name somebody, in the snapshot and beside the sales order alike."""
    told_of = set(IncomingOrder.objects.exclude(customer_ref="").values_list("name", flat=True))
    assert told_of == set(Buyer.objects.exclude(email="").values_list("order__number", flat=True))
    return sorted(told_of)


def test_a_month_is_one_of_the_calendar_and_ends_with_the_store_s_day(store: Store) -> None:
    placed(store, 1, local(2, 27, 23, 59))
    placed(store, 2, local(2, 28))

    assert retention.preview(store, 1) == retention.Outdated(dt.date(2026, 2, 28), orders=1, still_open=0)
    assert retention.forget(store) == (1, False)
    assert named() == ["#2"]
    assert retention.forget(store) == (0, False)


def test_data_of_a_store_without_a_setting_is_kept_for_ever(store: Store) -> None:
    placed(store, 1, dt.datetime(2001, 1, 1, tzinfo=dt.UTC))
    store.keep_months = None

    assert retention.forget(store) == (0, False)
    assert named() == ["#1"]


def test_other_stores_keep_theirs(store: Store) -> None:
    placed(StoreFactory(), 1, local(1, 1))
    placed(store, 2, local(1, 1))

    retention.forget(store)

    assert named() == ["#1"]


def test_an_order_that_holds_goods_keeps_its_buyer_until_they_are_sent(store: Store) -> None:
    placed(store, 1, local(1, 1))
    held = OrderStock.objects.create(
        order=IncomingOrder.objects.get(),
        line_ref="line",
        item_ref="item",
        store_location=StoreLocationFactory(store=store),
        variant=VariantFactory(),
        location=LocationFactory(),
        open_quantity=1,
    )

    assert retention.preview(store, 1) == retention.Outdated(dt.date(2026, 2, 28), orders=0, still_open=1)
    assert retention.forget(store) == (0, False)

    held.open_quantity = 0
    held.save()
    assert retention.forget(store) == (1, False)


def test_a_later_version_of_a_redacted_order_brings_nobody_back(store: Store) -> None:
    said = placed(store, 1, local(1, 1))
    retention.forget(store)

    later = dataclasses.replace(said, updated_at=said.updated_at + dt.timedelta(days=60))
    intake.keep(store, [later], asked_at=NOW)
    row = IncomingOrder.objects.get()
    sales.write({row: row.order})

    assert named() == []
    assert IncomingOrder.objects.get().revision == 2


def test_a_run_out_of_time_goes_on_with_the_next_and_each_is_noted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "AT_ONCE", 2)
    for number in range(1, 6):
        placed(store, number, local(1, number))

    assert retention.forget(store, until=NOW) == (2, True)
    assert retention.forget(store) == (3, False)

    runs = AuditEntry.objects.filter(action="redact old orders").order_by("pk")
    assert [run.after for run in runs] == [
        {"placed before": "2026-02-28", "orders": 2, "goes on": True},
        {"placed before": "2026-02-28", "orders": 3, "goes on": False},
    ]


def test_a_run_that_dies_leaves_what_it_did_and_the_next_does_the_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        placed(store, number, local(1, number))
    monkeypatch.setattr(privacy, "AT_ONCE", 1)
    some, parts = privacy.erase_some, iter([True, False])

    def dies(*args: object) -> int:
        if not next(parts):
            raise ConnectionError
        return some(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(privacy, "erase_some", dies)
    with pytest.raises(ConnectionError):
        retention.forget(store)
    assert len(named()) == 2

    monkeypatch.setattr(privacy, "erase_some", some)
    assert retention.forget(store) == (2, False)


def test_the_nightly_task_asks_every_store_that_has_a_setting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    StoreFactory()
    sent: list[int] = []
    monkeypatch.setattr(tasks.forget_customers, "send", sent.append)
    placed(store, 1, local(1, 1))

    tasks.forget_customers()
    assert sent == [store.pk]

    tasks.forget_customers(store.pk)
    assert named() == []


def test_the_page_shows_what_a_setting_erases_before_it_is_saved(store: Store, person: User, client: Client) -> None:
    placed(store, 1, local(1, 1))
    client.force_login(person)
    page = reverse("admin:store_orders", args=[store.slug])

    asked = client.get(page, {"keep_months": "2"}).content.decode()
    assert "Keep 2 months" in asked
    assert "1 order" in asked

    client.post(page, {"keep_months": "2"})
    assert Store.objects.get().keep_months == 2
    assert AuditEntry.objects.get().after == {"keep_months": 2}
    client.post(page, {"keep_months": "0"})
    assert Store.objects.get().keep_months == 2
    client.post(page, {"keep_months": ""})
    assert Store.objects.get().keep_months is None


def test_the_command_previews_and_redacts(store: Store) -> None:
    placed(store, 1, local(1, 1))

    asked = io.StringIO()
    call_command("forget_customers", store.slug, "--preview", "--json", stdout=asked)
    assert (json.loads(asked.getvalue())["orders"], named()) == (1, ["#1"])

    done = io.StringIO()
    call_command("forget_customers", store.slug, "--json", stdout=done)
    assert (json.loads(done.getvalue())["erased"], named()) == (1, [])
