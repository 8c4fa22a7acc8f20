"""Goods that leave here first, and goods that are let go: booked once, and right whatever the store says later."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store
from inventory.models import LedgerEntry
from orders import imports, intake, shipping
from orders.models import IncomingOrder, OrderStock
from orders.shipping import ShippingRefused, Units
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
from tests.orders.shelves import NINE, Shelves
from tests.orders.test_imports import live
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"


@pytest.fixture
def shop(world: World) -> Shelves:
    """An order of 5, imported."""
    Store.objects.update(integration_date=(NINE - dt.timedelta(days=1)).date())
    shop = Shelves(item=world.item(SKU, here=20, there=20).item_ref)
    shop.place(5, world.there)
    bring(shop)
    return shop


def bring(shop: Shelves) -> None:
    intake.keep(Store.objects.get(), [shop.told()], asked_at=timezone.now())
    imports.import_waiting(Store.objects.get())


def some(quantity: int, of: int) -> dict[int, Units]:
    return {OrderStock.objects.get().pk: Units(quantity, of)}


def figures(world: World) -> tuple[int, int]:
    level = world.level(SKU)
    return int(level.on_hand), level.released


def test_what_left_here_is_not_sent_again_when_the_store_fulfils_it(world: World, shop: Shelves) -> None:
    """Scenario 2: from either side first, or in halves from both: on hand −5 once."""
    order = IncomingOrder.objects.get()
    assert shipping.ship(order, some(2, of=5), by=world.operator) == 2
    assert figures(world) == (18, 3)

    shop.fulfil(4, world.there)
    bring(shop)
    assert figures(world) == (16, 1)
    shop.fulfil(1, world.there)
    bring(shop)
    assert figures(world) == (15, 0)
    assert world.publication(SKU).expected_quantity == -5, "only the sale is what the store booked"
    world.assert_sound()


def test_goods_that_are_let_go_can_be_sold_again_and_are_not_given_back_twice(world: World, shop: Shelves) -> None:
    """Rows 13 and 13b."""
    order = IncomingOrder.objects.get()
    shipping.dispatch(order, some(5, of=5), by=world.operator)
    assert figures(world) == (20, 0)

    shop.take_off(5, world.there, world.there)
    bring(shop)
    assert figures(world) == (20, 0)
    assert IncomingOrder.objects.get().needs_look == ""


def test_the_same_form_twice_books_once(world: World, shop: Shelves) -> None:
    order, form = IncomingOrder.objects.get(), some(2, of=5)
    shipping.ship(order, form, by=world.operator)
    with pytest.raises(ShippingRefused, match="holds 3 there now, not 5"):
        shipping.ship(order, form, by=world.operator)
    assert figures(world) == (18, 3)


@pytest.mark.parametrize(("quantity", "cause"), [(6, "6 of 5 held units"), (-1, "-1 of 5 held"), (0, "No units")])
def test_more_than_is_held_cannot_go(world: World, shop: Shelves, quantity: int, cause: str) -> None:
    entries = LedgerEntry.objects.count()
    with pytest.raises(ShippingRefused, match=cause):
        shipping.ship(IncomingOrder.objects.get(), some(quantity, of=5), by=world.operator)
    assert LedgerEntry.objects.count() == entries


def test_goods_of_a_test_order_never_leave(world: World, shop: Shelves) -> None:
    IncomingOrder.objects.update(stock_rule="test")
    with pytest.raises(ShippingRefused):
        shipping.ship(IncomingOrder.objects.get(), some(1, of=5), by=world.operator)


def test_an_entry_names_the_order_and_the_person(world: World, shop: Shelves) -> None:
    shipping.ship(IncomingOrder.objects.get(), some(1, of=5), by=world.operator)
    entry = LedgerEntry.objects.get(kind="shipped")
    assert (entry.document, entry.actor, entry.reason) == (
        f"order:{world.store.slug}:#1001", world.operator, "Ship here"
    )  # fmt: skip


def test_a_person_ships_and_lets_go_on_the_orders_page(world: World, shop: Shelves, client: Client) -> None:
    client.force_login(UserFactory(roles=["Operator"]))
    order, stock = IncomingOrder.objects.get(), OrderStock.objects.get()
    page = reverse("admin:order_goods", args=[order.pk])
    assert "Ship or let go" in client.get(reverse("admin:sale", args=[order.sales_order.pk])).content.decode()

    client.post(page, {"step": "ship", f"units-{stock.pk}": "2", f"held-{stock.pk}": "5"})
    assert figures(world) == (18, 3)
    client.post(page, {"step": "dispatch", f"units-{stock.pk}": "3", f"held-{stock.pk}": "3"})
    assert figures(world) == (18, 0)

    again = client.post(page, {"step": "ship", f"units-{stock.pk}": "3", f"held-{stock.pk}": "3"})
    assert (again.status_code, "holds 0 there now" in again.content.decode()) == (409, True)
    words = client.post(page, {"step": "ship", f"units-{stock.pk}": "many", f"held-{stock.pk}": "3"})
    assert (words.status_code, "is not a number of units" in words.content.decode()) == (409, True)


def test_a_viewer_cannot_ship(world: World, shop: Shelves, client: Client) -> None:
    client.force_login(UserFactory(roles=["Viewer"]))
    assert client.post(reverse("admin:order_goods", args=[IncomingOrder.objects.get().pk])).status_code == 403


@pytest.mark.parametrize(
    "sides", [("here", "here"), ("store", "store"), ("here", "store"), ("store", "here")], ids="-".join
)
def test_from_whichever_side_the_halves_leave_on_hand_falls_once_and_nothing_is_pushed(
    world: World, sides: tuple[str, str]
) -> None:
    """Scenario 2; afterwards the store knows of all of it."""
    Store.objects.update(integration_date=(NINE - dt.timedelta(days=1)).date())
    publication = world.item(SKU, here=20, there=20)
    live(publication, expected=20)
    shop = Shelves(item=publication.item_ref)
    shop.place(4, world.there)
    world.sell(SKU, 4)
    bring(shop)
    here = 0
    for side in sides:
        if side == "store":
            shop.fulfil(2, world.there)
        else:
            stock = OrderStock.objects.get()
            shipping.ship(stock.order, {stock.pk: Units(2, of=stock.held)}, by=world.operator)
            here += 2
        bring(shop)
        world.delta()
    if here:
        shop.fulfil(here, world.there)
        bring(shop)
        world.delta()

    assert figures(world) == (16, 0)
    assert (world.publication(SKU).open_remote, world.publication(SKU).pending) == (0, 0)
    assert world.fake.called("send") == []
    world.assert_sound()


def test_by_command_some_of_an_order_is_shipped_once_and_the_rest_is_let_go(world: World, shop: Shelves) -> None:
    slug, by = world.store.slug, ("--as", world.operator.email)
    code, told, _ = run("ship_order", slug, "1001")
    assert (code, [(line["sku"], line["held"], line["location"]) for line in told["lines"]]) == (0, [(SKU, 5, "cluj")])

    shipping_two = ("ship_order", slug, "#1001", "--units", f"{SKU}=2/5", *by)
    code, told, _ = run(*shipping_two)
    assert (code, told["units"], told["lines"][0]["held"]) == (0, 2, 3)
    code, refused, _ = run(*shipping_two)
    assert (code, refused["cause"]) == (2, "The order holds 3 there now, not 5.")
    assert figures(world) == (18, 3)

    assert run("release_goods", slug, "1001", "--all")[1]["remedy"] == "Add --as EMAIL."
    code, told, _ = run("release_goods", slug, "1001", "--all", *by)
    assert (code, told["units"], figures(world)) == (0, 3, (18, 0))
    assert run("ship_order", slug, "1001", "--all", *by)[1]["cause"] == "No units were given."


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        (("1001", "--units", "two"), "does not say how many of what"),
        (("1001", "--units", "OTHER=1/5"), "No line of the order is OTHER"),
        (("9", "--all"), "has no order 9"),
        (("1001", "--all", "--tracking-url", "not an address"), "Tracking page cannot be kept"),
        (("1001", "--all", "--as", "viewer@example.org"), "may not do this"),
    ],
)
def test_what_the_command_cannot_ship_is_refused(
    world: World, shop: Shelves, asked: tuple[str, ...], cause: str
) -> None:
    UserFactory(roles=["Viewer"], email="viewer@example.org")
    code, refused, _ = run("ship_order", world.store.slug, *asked)
    assert code == 2
    assert cause in refused["cause"]
    assert refused["remedy"]
    assert figures(world) == (20, 5)
