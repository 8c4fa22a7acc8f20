"""Rows of the stock feed that are the picking of an order: its shipment, once, or they wait for it."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.utils import timezone

from connectors.models import Store
from inventory.models import LedgerEntry
from inventory.stock_feed import StockReport, record_stock
from orders import imports, intake, pulls, shipping
from orders.models import OrderPull, OrderStock
from orders.pulls import PullRefused
from orders.shipping import Units
from syncconsole.kernel.models import AuditEntry
from tests.console.conftest import SignIn, sign_in  # noqa: F401 - a fixture
from tests.factories.connectors import StoreFactory
from tests.factories.inventory import LocationFactory
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
from tests.orders.shelves import NINE, Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"


@pytest.fixture
def shop(world: World) -> Shelves:
    """An order of 5 that the store has and we have not; 20 are on hand."""
    Store.objects.update(integration_date=(NINE - dt.timedelta(days=1)).date())
    shop = Shelves(item=world.item(SKU, here=20, there=20).item_ref)
    shop.place(5, world.there)
    return shop


def bring(shop: Shelves) -> None:
    intake.keep(Store.objects.get(), [shop.told()], asked_at=timezone.now())
    imports.import_waiting(Store.objects.get())


def feed(*rows: str) -> StockReport:
    """Rows of sku, location, units, ref, order, store, time."""
    text = "sku,location,quantity,ref,order,store,happened_at,reason,document\n"
    text += "".join(f"{row},issued,AVZ-1\n" for row in rows)
    return record_stock(io.BytesIO(text.encode()), actor=None, origin="file picks.csv")


def pull(units: int, ref: str = "1", *, order: str = "1001", location: str = "cluj", at: str = "") -> StockReport:
    return feed(f"{SKU},{location},{units},{ref},{order},,{at}")


def count(units: int, *, at: str) -> None:
    text = f"sku,location,quantity,reason,happened_at\n{SKU},cluj,{units},count,{at}\n"
    record_stock(io.BytesIO(text.encode()), actor=None, origin="count")


def figures(world: World) -> tuple[int, int]:
    level = world.level(SKU)
    return int(level.on_hand), level.released


def states() -> list[str]:
    return list(OrderPull.objects.order_by("pk").values_list("state", flat=True))


def test_a_pull_that_names_an_order_is_its_shipment_once(world: World, shop: Shelves) -> None:
    """Scenario 29."""
    bring(shop)
    owed = world.publication(SKU).pending

    assert pull(2).counts == {"rows": 1, "recorded": 1, "waiting": 0, "repeated": 0, "problems": 0}
    assert (figures(world), world.publication(SKU).pending) == ((18, 3), owed)
    assert pull(2).repeated == 1
    shop.fulfil(4, world.there)
    bring(shop)

    assert figures(world) == (16, 1)
    entry = LedgerEntry.objects.filter(kind="shipped").earliest("pk")
    assert (entry.origin, entry.actor) == ("file picks.csv", None)
    world.assert_sound()


def test_it_waits_for_an_order_that_is_not_here_yet_and_goes_on_by_itself(world: World, shop: Shelves) -> None:
    report = pull(2)
    assert (report.recorded, report.waiting) == (0, 1)
    assert figures(world) == (20, 0), "nothing is booked for an order that nobody knows"
    assert OrderPull.objects.get().cause == "There is no order 1001 yet."

    bring(shop)

    assert (figures(world), states()) == ((18, 3), ["shipped"])
    bring(shop)
    assert figures(world) == (18, 3)


def test_goods_that_the_store_sent_before_are_covered(world: World, shop: Shelves) -> None:
    shop.fulfil(5, world.there)
    bring(shop)

    pull(3)
    pull(2, "2")
    pull(1, "3")

    assert figures(world) == (15, 0), "on hand fell once"
    assert states() == ["covered", "covered", "waiting"]
    assert "has 0 units" in OrderPull.objects.latest("pk").cause


def test_what_a_person_booked_as_shipped_is_the_same_shipment_too(world: World, shop: Shelves) -> None:
    bring(shop)
    stock = OrderStock.objects.get()
    shipping.ship(stock.order, {stock.pk: Units(2, of=5)}, by=world.operator)

    pull(3)

    assert (figures(world), states()) == ((17, 2), ["shipped"]), "two had left, one more does"


def test_from_either_side_in_halves_on_hand_falls_once(world: World, shop: Shelves) -> None:
    bring(shop)
    shop.fulfil(2, world.there)
    bring(shop)
    pull(3)
    shop.fulfil(3, world.there)
    bring(shop)
    pull(2, "2")

    assert (figures(world), states()) == ((15, 0), ["shipped", "covered"])
    world.assert_sound()


def test_a_row_for_more_than_the_order_has_waits_until_the_order_grows(world: World, shop: Shelves) -> None:
    bring(shop)
    pull(6)
    assert (figures(world), states()) == ((20, 5), ["waiting"])
    shop.place(2, world.there)
    bring(shop)
    assert (figures(world), states()) == ((14, 1), ["shipped"])


def test_goods_that_left_from_another_of_our_locations_are_taken_from_there(world: World, shop: Shelves) -> None:
    LocationFactory(code="iasi", name="Depozit Iași")
    bring(shop)
    pull(2, location="iasi")
    assert figures(world) == (20, 3)
    entries = LedgerEntry.objects.filter(level__location__code="iasi").order_by("pk")
    assert [(int(row.on_hand_delta), row.released_delta) for row in entries] == [(0, 2), (-2, -2)]


def test_a_count_that_saw_the_goods_gone_stays_right(world: World, shop: Shelves) -> None:
    """Scenario 29, the end: the shipment is told after the count, and was before it."""
    bring(shop)
    count(18, at="2026-11-21T12:00")
    pull(2, at="2026-11-21T11:00")
    assert figures(world) == (18, 3)


def test_a_count_between_a_row_that_waits_and_the_stores_word_has_seen_the_goods_gone(
    world: World, shop: Shelves
) -> None:
    """Two left at 8:30, 18 were counted at 9:02, their store says it at 9:03; all of it is read afterwards."""
    pull(2, at="2026-11-21T08:30")
    count(18, at="2026-11-21T09:02")
    shop.now += dt.timedelta(minutes=2)
    shop.fulfil(3, world.there)

    bring(shop)

    assert (figures(world), states()) == ((17, 2), ["covered"]), "18 counted, one more has left since"
    assert [int(row.on_hand_delta) for row in LedgerEntry.objects.filter(kind="shipped").order_by("pk")] == [-3, 2, -2]
    bring(shop)
    pull(2, at="2026-11-21T08:30")
    assert figures(world) == (17, 2)
    world.assert_sound()


def test_a_count_between_the_stores_word_and_a_row_that_came_first_has_seen_the_goods_gone(
    world: World, shop: Shelves
) -> None:
    """Three are sent at 11:03 unread, 17 are counted, then the feed tells of two of them: by whichever word came first, they
    left by the earlier one."""
    bring(shop)
    shop.now += dt.timedelta(minutes=2)
    shop.fulfil(3, world.there)
    count(17, at="2026-11-21T11:30")
    pull(2, at="2026-11-21T12:00")
    assert figures(world) == (15, 3)

    bring(shop)

    assert (figures(world), states()) == ((17, 2), ["shipped"]), "17 counted, and nothing has left since"
    bring(shop)
    assert figures(world) == (17, 2)
    world.assert_sound()


def test_goods_that_were_shipped_here_after_their_store_sent_them_left_once(world: World, shop: Shelves) -> None:
    """Without a count between the two there is nothing to be put right."""
    bring(shop)
    count(20, at="2026-11-21T11:01")
    shop.now += dt.timedelta(minutes=2)
    shop.fulfil(3, world.there)
    pull(2, at="2026-11-21T12:00")

    bring(shop)

    assert figures(world) == (17, 2)
    assert [int(row.on_hand_delta) for row in LedgerEntry.objects.filter(kind="shipped").order_by("pk")] == [-2, -1]
    world.assert_sound()


def test_each_parcel_of_what_was_shipped_here_first_left_when_its_store_says(world: World, shop: Shelves) -> None:
    bring(shop)
    shop.now += dt.timedelta(minutes=2)
    shop.fulfil(1, world.there)
    shop.fulfil(2, world.there)
    count(17, at="2026-11-21T11:30")
    pull(3, at="2026-11-21T12:00")

    bring(shop)

    assert figures(world) == (17, 2)
    world.assert_sound()


def test_a_count_after_the_stores_word_holds_the_goods_out_already(world: World, shop: Shelves) -> None:
    shop.fulfil(3, world.there)
    bring(shop)
    count(17, at="2026-11-21T09:30")
    pull(2, at="2026-11-21T08:30")
    assert (figures(world), states()) == ((17, 2), ["covered"])


def test_goods_that_left_before_their_store_sent_them_stay_gone_when_it_takes_the_parcel_back(
    world: World, shop: Shelves
) -> None:
    """Row 7: only what the store's word alone had booked comes back."""
    pull(2, at="2026-11-21T08:30")
    shop.fulfil(3, world.there)
    bring(shop)
    assert (figures(world), states()) == ((17, 2), ["covered"])

    shop.cancel_parcel(0)
    bring(shop)

    assert figures(world) == (18, 3), "two are away, whatever became of the parcel; one is here again"
    shop.fulfil(5, world.there)
    bring(shop)
    assert figures(world) == (15, 0)


def test_two_orders_of_one_number_need_their_store(world: World, shop: Shelves) -> None:
    other = StoreFactory(name="Outlet", slug="outlet")
    bring_to(world.store, shop)
    intake.keep(other, [shop.told()], asked_at=timezone.now())
    pull(2)
    assert OrderPull.objects.get().cause == "2 orders are called 1001."
    assert feed(f"{SKU},cluj,2,9,#1001,{world.store.slug},").recorded == 1
    assert figures(world) == (18, 3)
    assert feed(f"{SKU},cluj,2,9,#1001,nowhere,").problems[0].cause == "There is no store nowhere."


def bring_to(store: Store, shop: Shelves) -> None:
    intake.keep(store, [shop.told()], asked_at=timezone.now())
    imports.import_waiting(Store.objects.get(pk=store.pk))


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ("received,2,1001,", "An order is named, and the reason is received."),
        ("issued,2.5,1001,", "Units of an order are whole."),
        ("issued,2,,outlet", "A store is named without an order."),
    ],
)
def test_a_row_that_contradicts_itself_is_named(world: World, shop: Shelves, row: str, cause: str) -> None:
    text = f"sku,location,reason,quantity,order,store\n{SKU},cluj,{row}\n"
    assert record_stock(io.BytesIO(text.encode()), actor=None, origin="x").problems[0].cause == cause


def test_the_same_ref_with_other_units_is_named(world: World, shop: Shelves) -> None:
    bring(shop)
    pull(2)
    assert "was taken with another quantity" in pull(3).problems[0].cause
    assert figures(world) == (18, 3)


def test_a_row_that_waits_is_removed_with_a_reason_and_never_booked(world: World, shop: Shelves) -> None:
    pull(2)
    waiting = OrderPull.objects.get()
    with pytest.raises(PullRefused, match="No reason"):
        pulls.remove(waiting, reason="", by=world.operator)

    pulls.remove(waiting, reason="typed twice", by=world.operator)
    bring(shop)

    assert (figures(world), states()) == ((20, 5), ["removed"])
    assert pull(2).repeated == 1, "the same row again is not a new one"
    with pytest.raises(PullRefused, match="waits no more"):
        pulls.remove(waiting, reason="again", by=UserFactory())
    assert AuditEntry.objects.filter(action="remove pull").count() == 1


def test_a_person_sees_what_waits_and_removes_it(
    world: World,
    shop: Shelves,
    sign_in: SignIn,  # noqa: F811
) -> None:
    operator, viewer = sign_in("Operator"), sign_in("Viewer")
    assert "No row of the feed named an order" in operator.get("/console/pulls/").content.decode()
    pull(2)
    shown = operator.get("/console/pulls/?state=waiting").content.decode()
    assert "There is no order 1001 yet." in shown
    post = f"/console/pulls/{OrderPull.objects.get().pk}/remove/"
    assert viewer.post(post, {"reason": "x"}).status_code == 403
    assert "No reason was given" in operator.post(post, {"reason": ""}, follow=True).content.decode()
    assert (
        "is removed and booked nowhere" in operator.post(post, {"reason": "typed twice"}, follow=True).content.decode()
    )
    assert "typed twice" in viewer.get("/console/pulls/?state=removed").content.decode()
    assert "typed twice" not in viewer.get(f"/console/pulls/?store={world.store.slug}").content.decode()


def test_by_command_what_waits_is_removed(world: World, shop: Shelves) -> None:
    pull(2)
    code, told, _ = run("order_pulls", "--state", "waiting")
    [row] = told["listed"]
    assert (code, row["order"], row["units"], row["cause"]) == (0, "1001", 2, "There is no order 1001 yet.")
    removing = ("order_pulls", "--remove", str(row["number"]), "--reason", "typed twice")
    viewer = UserFactory(roles=["Viewer"])
    assert run(*removing, "--as", viewer.email)[1]["remedy"] == "Ask an administrator for a role that has it."
    assert run(*removing, "--as", world.operator.email)[0] == 0
    assert states() == ["removed"]
