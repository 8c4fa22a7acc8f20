"""Goods of an order that a person holds at another of our locations: whatever the store says later hits them there."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store
from inventory import mapping, participation
from inventory.ledger import Posting, post
from inventory.models import InventoryLevel, LevelPublication, Location, PublicationEntry
from inventory.models.ledger import EntryKind
from orders import allocation, came_back, imports, intake, shipping, waves
from orders.models import IncomingOrder, OrderStock
from orders.shipping import ShippingRefused, Units
from syncconsole.kernel.models import AuditEntry
from tests.console.conftest import SignIn, sign_in  # noqa: F401 - a fixture
from tests.factories.connectors import StoreLocationFactory
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
from tests.orders.shelves import NINE, Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"


class TwoPlaces:
    """20 of one item at our location *here*, 20 at *there*, an order of 5 held *here*."""

    def __init__(self, world: World, *, apart: bool) -> None:
        """`apart`: the store sells the two from two locations of its own."""
        Store.objects.update(integration_date=(NINE - dt.timedelta(days=1)).date())
        self.world, self.item = world, world.item(SKU, here=20, there=20).item_ref
        self.here, self.there = world.here, LocationFactory(name="Depozit Iași", code="iasi")
        self.remote = world.fake.add_location("Depozit Iași") if apart else world.there
        location = StoreLocationFactory(store=world.store, ref=self.remote) if apart else world.store_location
        LocationMappingFactory(store_location=location, location=self.there)
        world.fake.stock(self.item, self.remote, 20 if apart else 40)
        variant = world.level(SKU).variant_id
        post([Posting(variant, self.there.pk, EntryKind.OPENING, "there", "test", NINE, on_hand_delta=Decimal(20))])
        participation.refresh(world.store)
        for publication in LevelPublication.objects.all():
            live(publication, expected=20 if apart else 40)
        self.shop = Shelves(item=self.item)
        self.shop.place(5, world.there)
        world.fake.sell(self.item, world.there, 5)
        self.bring()
        world.delta()

    def bring(self) -> None:
        intake.keep(Store.objects.get(), [self.shop.told()], asked_at=timezone.now())
        imports.import_waiting(Store.objects.get())

    def move(self, quantity: int, of: int = 5) -> None:
        stock = OrderStock.objects.get(part_of=None)
        allocation.move(stock.order, {stock.pk: Units(quantity, of=of)}, self.there, by=self.world.operator)

    def figures(self, location: Location) -> tuple[int, int]:
        level = InventoryLevel.objects.get(location=location)
        return int(level.on_hand), level.released

    def shown(self) -> tuple[int, ...]:
        """What the store shows at its locations."""
        return tuple(
            self.world.fake.available(self.item, ref) for ref in dict.fromkeys((self.world.there, self.remote))
        )

    def owed(self) -> list[int]:
        return [row.pending for row in LevelPublication.objects.with_target().order_by("pk")]


def live(publication: LevelPublication, expected: int) -> None:
    """As after a first full sync, an hour before the orders."""
    LevelPublication.objects.filter(pk=publication.pk).update(
        state="live",
        expected_quantity=expected,
        revision=1,
        baseline_at=NINE,
        overwritten_at=NINE - dt.timedelta(hours=1),
    )
    PublicationEntry.objects.create(
        publication=publication,
        seq=1,
        kind="baseline",
        quantity=expected,
        key=f"base:{publication.pk}",
        recorded_at=NINE,
    )


def test_between_two_locations_that_are_sold_as_one_nothing_is_pushed(world: World) -> None:
    """Scenario 11, the first half."""
    places = TwoPlaces(world, apart=False)
    places.move(5)

    assert (places.figures(places.here), places.figures(places.there)) == ((20, 0), (20, 5))
    assert places.owed() == [0]
    world.delta()
    assert places.shown() == (35,)
    assert not LevelPublication.objects.exclude(hold_test="").exists()
    world.assert_sound()


def test_between_two_that_are_sold_apart_each_follows_and_a_later_cancel_ends_right(world: World) -> None:
    """Scenario 11, the second half."""
    places = TwoPlaces(world, apart=True)
    assert places.shown() == (15, 20)

    places.move(5)
    assert places.owed() == [5, -5]
    world.delta()
    assert places.shown() == (20, 15)

    places.shop.take_off(5, world.there, world.there)
    world.fake.sell(places.item, world.there, -5)
    places.bring()
    assert places.owed() == [-5, 5]
    world.delta()
    assert (places.shown(), places.owed()) == ((20, 20), [0, 0])
    assert (places.figures(places.here), places.figures(places.there)) == ((20, 0), (20, 0))
    world.assert_sound()


def test_what_was_moved_is_sent_first_and_a_cancelled_parcel_puts_it_back_where_it_left(world: World) -> None:
    places = TwoPlaces(world, apart=True)
    places.move(3)
    assert (places.figures(places.here), places.figures(places.there)) == ((20, 2), (20, 3))

    places.shop.fulfil(4, world.there)
    places.bring()
    assert (places.figures(places.here), places.figures(places.there)) == ((19, 1), (17, 0))

    places.shop.cancel_parcel(0)
    places.bring()
    assert (places.figures(places.here), places.figures(places.there)) == ((20, 2), (20, 3))

    places.shop.fulfil(5, world.there)
    places.shop.come_back(1, world.there)
    places.bring()
    assert (places.figures(places.here), places.figures(places.there)) == ((19, 0), (17, 0)), (
        "it came back to the store's"
    )
    world.assert_sound()


def test_what_left_from_the_other_location_first_is_covered_there(world: World) -> None:
    places = TwoPlaces(world, apart=True)
    places.move(3)
    part = OrderStock.objects.get(part_of__isnull=False)
    shipping.ship(part.order, {part.pk: Units(3, of=3)}, by=world.operator)

    places.shop.fulfil(4, world.there)
    places.bring()

    assert (places.figures(places.here), places.figures(places.there)) == ((19, 1), (17, 0))
    assert sum(OrderStock.objects.values_list("fulfilled", flat=True)) == 4
    world.assert_sound()


def test_moved_there_and_back_again_and_to_a_third(world: World) -> None:
    places, third = TwoPlaces(world, apart=True), LocationFactory(name="Magazin", code="magazin")
    places.move(3)
    part = OrderStock.objects.get(part_of__isnull=False)
    allocation.move(part.order, {part.pk: Units(1, of=3)}, places.here, by=world.operator)
    places.move(2, of=3)
    whole = OrderStock.objects.get(part_of=None)
    both = {whole.pk: Units(1, of=1), part.pk: Units(4, of=4)}

    assert allocation.move(part.order, both, third, by=world.operator) == 5

    assert (places.figures(places.here), places.figures(places.there)) == ((20, 0), (20, 0))
    assert places.figures(third) == (0, 5)
    with pytest.raises(ShippingRefused, match="holds 0 there now, not 3"):
        places.move(2, of=3)
    at_third = OrderStock.objects.get(location=third)
    with pytest.raises(ShippingRefused, match="held at Magazin already"):
        allocation.move(part.order, {at_third.pk: Units(5, of=5)}, third, by=world.operator)
    world.assert_sound()


def test_a_move_in_mid_wave_takes_the_goods_out_of_it(world: World) -> None:
    places = TwoPlaces(world, apart=True)
    row = IncomingOrder.objects.get()
    wave = waves.create(places.here, [row.pk], intent=uuid.uuid4(), by=world.operator).wave
    places.move(2)
    assert list(wave.lines.order_by("pk").values_list("quantity", "state")) == [(5, "voided"), (3, "open")]
    assert wave.lines.get(state="voided").reason == f"The goods are held at {places.there}."


def test_a_person_moves_on_the_page_of_the_goods(world: World, client: Client) -> None:
    places = TwoPlaces(world, apart=True)
    client.force_login(UserFactory(roles=["Operator"]))
    stock = OrderStock.objects.get()
    page = reverse("admin:order_goods", args=[stock.order_id])
    form = {"step": "move", f"units-{stock.pk}": "2", f"held-{stock.pk}": "5"}
    assert "No location was chosen" in client.post(page, form).content.decode()
    form["location"] = "iasi"
    assert client.post(page, form).status_code == 302
    assert client.post(page, form).status_code == 409, "the same form twice moves once"
    assert (places.figures(places.here), places.figures(places.there)) == ((20, 3), (20, 2))
    assert "moved here" in client.get(reverse("admin:sale", args=[stock.order.sales_order.pk])).content.decode()


@pytest.fixture
def doubted(world: World) -> TwoPlaces:
    """Two units left here first; then the store cancels the order and puts all five back in its own stock."""
    places = TwoPlaces(world, apart=True)
    stock = OrderStock.objects.get()
    shipping.ship(stock.order, {stock.pk: Units(2, of=5)}, by=world.operator)
    places.shop.take_off(5, world.there, world.there)
    world.fake.sell(places.item, world.there, -5)
    places.bring()
    return places


def answer(came: int, of: int = 2) -> int:
    stock = OrderStock.objects.get()
    return came_back.settle(stock.order, {stock.pk: Units(came, of=of)}, reason="seen", by=UserFactory())


def test_goods_that_came_back_are_on_hand_again_and_nothing_is_owed(world: World, doubted: TwoPlaces) -> None:
    """Row 14: until somebody says so, the store shows two that nobody has."""
    assert (doubted.figures(doubted.here), doubted.owed()[0]) == ((18, 0), -2)
    assert "did they come back?" in IncomingOrder.objects.get().needs_look

    assert answer(2) == 2

    assert (doubted.figures(doubted.here), doubted.owed()[0]) == ((20, 0), 0)
    assert IncomingOrder.objects.get().needs_look == ""
    assert AuditEntry.objects.get(action="came back").after == {"came back": 2, "did not": 0, "reason": "seen"}
    world.assert_sound()


def test_units_cancelled_one_after_the_other_are_asked_about_until_all_are_answered(world: World) -> None:
    places = TwoPlaces(world, apart=True)
    stock = OrderStock.objects.get()
    shipping.ship(stock.order, {stock.pk: Units(2, of=5)}, by=world.operator)
    for units in (4, 1):  # three are held; one, then one more of those that left
        places.shop.take_off(units, world.there, world.there)
        places.bring()
    assert IncomingOrder.objects.get().needs_look.startswith("1 unit shipped here was cancelled")

    answer(1)

    assert IncomingOrder.objects.get().needs_look == ""


def test_goods_that_did_not_come_back_are_taken_off_the_store(world: World, doubted: TwoPlaces) -> None:
    assert answer(0) == 0

    assert (doubted.figures(doubted.here), doubted.owed()[0]) == ((18, 0), -2)
    assert IncomingOrder.objects.get().needs_look == ""
    world.delta()
    assert doubted.shown()[0] == 18


def test_the_question_is_answered_once(world: World, doubted: TwoPlaces) -> None:
    answer(1)
    for of in (2, 0):
        with pytest.raises(ShippingRefused, match="answered for meanwhile"):
            answer(0, of=of)
    assert doubted.figures(doubted.here) == (19, 0)


def test_a_person_answers_on_a_page_of_the_order(
    world: World,
    doubted: TwoPlaces,
    sign_in: SignIn,  # noqa: F811
) -> None:
    operator, stock = sign_in("Operator"), OrderStock.objects.get()
    page = reverse("admin:came_back", args=[stock.order_id])
    sale = reverse("admin:sale", args=[stock.order.sales_order.pk])
    assert page in operator.get(sale).content.decode()
    assert sign_in("Viewer").get(page).status_code == 403
    form = {f"units-{stock.pk}": "1", f"held-{stock.pk}": "2"}
    refused = operator.post(page, form)
    assert (refused.status_code, "No reason was given" in refused.content.decode()) == (409, True)
    told = operator.post(page, {**form, "reason": "one box on the dock"}, follow=True).content.decode()
    assert "1 came back and can be sold again, 1 did not" in told
    assert "Nothing is in doubt" in operator.get(page).content.decode()


def test_by_command_it_is_said_how_many_came_back(world: World, doubted: TwoPlaces) -> None:
    command = ("came_back", world.store.slug, OrderStock.objects.get().order.name)
    by = ("--reason", "seen", "--as", world.operator.email)
    code, told, _ = run(*command)
    assert (code, [line["in_doubt"] for line in told["lines"]]) == (0, [2])

    code, told, _ = run(*command, "--none", *by)

    assert (code, told["units"], told["lines"]) == (0, 0, [])
    assert doubted.figures(doubted.here) == (18, 0)
    assert run(*command, "--all", *by)[1]["cause"] == "No units were given."


def test_goods_that_the_store_moves_follow_it_at_both_locations_and_nothing_is_pushed(world: World) -> None:
    """Scenario 12."""
    places = TwoPlaces(world, apart=True)
    places.shop.move(5, world.there, places.remote)
    world.fake.sell(places.item, world.there, -5)
    world.fake.sell(places.item, places.remote, 5)
    places.bring()

    assert (places.figures(places.here), places.figures(places.there)) == ((20, 0), (20, 5))
    assert (places.shown(), places.owed()) == ((20, 15), [0, 0])
    world.delta()
    assert world.fake.called("send") == []
    world.assert_sound()


def remapped(world: World) -> TwoPlaces:
    """Ten more at a third location, sold with *here*; then *here* is sold from the other place, an order of 5 open."""
    places, third = TwoPlaces(world, apart=True), LocationFactory(name="Magazin", code="magazin")
    LocationMappingFactory(store_location=world.store_location, location=third)
    variant = world.level(SKU).variant_id
    post([Posting(variant, third.pk, EntryKind.OPENING, "third", "test", NINE, on_hand_delta=Decimal(10))])
    participation.refresh(world.store)
    world.delta()
    assert places.shown() == (25, 20)
    elsewhere = world.store.locations.get(ref=places.remote)
    mapping.map_locations(world.store, {places.here.pk: elsewhere.pk}, None)
    world.rest()
    world.full()
    assert places.shown() == (10, 35), "15 that can be sold went along"
    places.shop.now = world.fake.now
    return places


def test_orders_placed_before_a_location_was_mapped_anew_are_cancelled_where_their_goods_are(world: World) -> None:
    """Scenario 25: the store puts 5 back where they were sold from."""
    places = remapped(world)
    places.shop.take_off(5, world.there, world.there)
    world.fake.sell(places.item, world.there, -5)
    places.bring()
    world.delta()

    assert (places.figures(places.here), places.shown(), places.owed()) == ((20, 0), (10, 40), [0, 0])
    world.assert_sound()


def test_orders_placed_before_a_location_was_mapped_anew_are_shipped_and_nothing_is_pushed(world: World) -> None:
    """Scenario 25."""
    places = remapped(world)
    sends = len(world.fake.called("send"))
    places.shop.fulfil(5, world.there)
    world.fake.fulfil(places.item, world.there, 5)
    places.bring()
    world.delta()

    assert (places.figures(places.here), places.shown(), places.owed()) == ((15, 0), (10, 35), [0, 0])
    assert len(world.fake.called("send")) == sends
    world.assert_sound()


def test_by_command_goods_are_held_elsewhere_once(world: World) -> None:
    places = TwoPlaces(world, apart=False)
    moving = ("move_allocation", world.store.slug, "1001", "--units", f"{SKU}=2/5", "--as", world.operator.email)

    for wrong in ((), ("--to", "nowhere")):
        code, refused, _ = run(*moving, *wrong)
        assert (code, bool(refused["remedy"])) == (2, True)
    code, told, _ = run(*moving, "--to", "iasi")
    assert (code, told["units"]) == (0, 2)
    assert sorted((line["location"], line["held"]) for line in told["lines"]) == [("cluj", 3), ("iasi", 2)]
    assert run(*moving, "--to", "iasi")[0] == 2
    assert (places.figures(places.here), places.figures(places.there)) == ((20, 3), (20, 2))

    code, refused, _ = run("ship_order", world.store.slug, "1001", "--units", f"{SKU}=1/2")
    assert code == 2, "two lines of the order have this SKU now"
    assert str(OrderStock.objects.get(part_of=None).pk) in refused["remedy"]
