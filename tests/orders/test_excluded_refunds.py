"""Refunds of orders that are left out by date are listed; documents are made for them only where the store says so."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store
from connectors.models.stores import ExcludedRefunds
from inventory.models import LedgerEntry
from orders import documents, imports, intake, integration
from orders.models import Document, DocumentState, IncomingOrder, IncomingState, Refund, RefundState, SalesOrder
from syncconsole.kernel.models import User
from tests.factories.kernel import UserFactory
from tests.orders.shelves import NINE, Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db

TODAY = NINE.date()
DAY = dt.timedelta(days=1)


@pytest.fixture
def person() -> User:
    user: User = UserFactory(is_superuser=True)
    return user


@pytest.fixture
def shop(world: World, person: User) -> Shelves:
    """An order of the day before the one from which orders count: two units, one sent and come back."""
    shop = Shelves(item=world.item("TS", here=20, there=20).item_ref)
    shop.place(2, world.there)
    integration.set_day(world.store, TODAY + DAY, by=person)
    tell(world, shop)
    shop.fulfil(1, world.there)
    shop.come_back(1, world.there)
    tell(world, shop)
    return shop


def tell(world: World, shop: Shelves) -> IncomingOrder:
    intake.keep(world.store, [shop.told()], asked_at=timezone.now())
    imports.import_waiting(Store.objects.get(pk=world.store.pk))
    return IncomingOrder.objects.get()


def test_it_is_listed_its_stock_is_booked_and_no_document_is_made(world: World, shop: Shelves) -> None:
    refund = Refund.objects.get()

    assert (refund.state, IncomingOrder.objects.get().state) == (RefundState.LISTED, IncomingState.SHADOW)
    assert refund.sentence.startswith("Its order is left out by date, so it is listed and makes no document.")
    assert "returns 1 of 1 shipped unit" in refund.sentence
    assert not Document.objects.exists()
    assert world.level("TS").on_hand == 20


def test_a_listed_refund_does_not_make_its_order_a_sales_order(world: World, shop: Shelves) -> None:
    shop.come_back(0, None)

    assert tell(world, shop).state == IncomingState.SHADOW
    assert not SalesOrder.objects.exists()


def test_where_the_store_says_so_the_listed_ones_become_documents_each_once(
    world: World, shop: Shelves, person: User
) -> None:
    entries = LedgerEntry.objects.count()

    assert integration.set_excluded_refunds(world.store, ExcludedRefunds.DOCUMENTS, by=person) == 1
    imports.import_waiting(world.store)
    imports.import_waiting(world.store)

    assert [(each.label, each.state) for each in Document.objects.all()] == [("ICM-0001", DocumentState.POSTED)]
    assert Refund.objects.get().state == RefundState.READY
    assert (IncomingOrder.objects.get().state, SalesOrder.objects.count()) == (IncomingState.SHADOW, 0)
    assert LedgerEntry.objects.count() == entries


def test_what_is_posted_stays_when_the_setting_is_taken_back_and_the_next_refund_is_listed(
    world: World, shop: Shelves, person: User
) -> None:
    integration.set_excluded_refunds(world.store, ExcludedRefunds.DOCUMENTS, by=person)
    imports.import_waiting(world.store)
    integration.set_excluded_refunds(world.store, ExcludedRefunds.LISTED, by=person)
    shop.fulfil(1, world.there)
    shop.come_back(1, world.there)
    tell(world, shop)

    assert [refund.state for refund in Refund.objects.order_by("made_at")] == [RefundState.READY, RefundState.LISTED]
    assert Document.objects.count() == 1


def test_an_order_that_a_new_day_lets_in_gets_its_documents(world: World, shop: Shelves, person: User) -> None:
    integration.set_day(world.store, TODAY, by=person)
    imports.import_waiting(world.store)

    assert IncomingOrder.objects.get().state == IncomingState.IMPORTED
    assert (Refund.objects.get().state, Document.objects.count()) == (RefundState.READY, 1)


def test_process_refunds_says_the_same_as_the_import(world: World, shop: Shelves) -> None:
    assert documents.settle_store(world.store).posted == []
    Store.objects.update(excluded_refunds=ExcludedRefunds.DOCUMENTS)

    assert [each.label for each in documents.settle_store(world.store).posted] == ["ICM-0001"]
    assert documents.settle_store(world.store).posted == []


def test_a_test_order_is_not_even_listed(world: World, person: User) -> None:
    shop = Shelves(item=world.item("TS", here=20, there=20).item_ref, test=True)
    shop.place(1, world.there)
    shop.fulfil(1, world.there)
    shop.come_back(1, world.there)
    integration.set_day(world.store, TODAY, by=person)
    tell(world, shop)

    assert not Refund.objects.exists()


def test_they_have_a_tab_of_their_own_and_the_store_says_what_they_become(
    world: World, shop: Shelves, person: User, client: Client
) -> None:
    client.force_login(person)
    page = reverse("admin:store_orders", args=[world.store.slug])

    assert "1 refund listed" in client.get(page).content.decode()
    assert "Listed only" in client.get(reverse("admin:refunds"), {"state": "listed"}).content.decode()

    client.post(page, {"excluded_refunds": "documents"})
    assert Store.objects.get().excluded_refunds == ExcludedRefunds.DOCUMENTS
    client.post(page, {"excluded_refunds": "nonsense"})
    assert Store.objects.get().excluded_refunds == ExcludedRefunds.DOCUMENTS
