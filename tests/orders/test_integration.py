"""Another day from which orders count is previewed, and moves orders in and out without moving stock."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors import registry
from connectors.models import Store
from inventory.models import LedgerEntry
from orders import imports, intake, integration
from orders.integration import Change
from orders.models import IncomingOrder, IncomingState, SalesOrder
from syncconsole.kernel.models import AuditEntry, User
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
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
def shops(world: World) -> list[Shelves]:
    """Two open orders of the day, the second with a refund; they were read before any day was set."""
    Store.objects.update(integration_date=None)
    world.store.refresh_from_db()
    item = world.item("TS", here=20, there=20).item_ref
    plain, refunded = Shelves(item=item, number=1), Shelves(item=item, number=2)
    plain.place(2, world.there)
    refunded.place(2, world.there)
    refunded.fulfil(1, world.there)
    refunded.come_back(1, world.there)
    for shop in (plain, refunded):
        intake.keep(world.store, [shop.told()], asked_at=timezone.now())
    return [plain, refunded]


def states() -> list[str]:
    imports.import_waiting(Store.objects.get())
    return [row.state for row in IncomingOrder.objects.order_by("ref")]


def test_what_was_read_waits_for_a_day(world: World, shops: list[Shelves], person: User) -> None:
    assert integration.preview(world.store, TODAY) == Change(entering=0, leaving=0, kept=0, documented=0, waiting=2)
    assert states() == [IncomingState.PENDING, IncomingState.PENDING]

    integration.set_day(world.store, TODAY, by=person)

    assert states() == [IncomingState.IMPORTED, IncomingState.IMPORTED]
    assert AuditEntry.objects.get().after == {
        "integration_date": str(TODAY), "entering": 0, "leaving": 0, "kept": 0, "documented": 0, "waiting": 2
    }  # fmt: skip


def test_a_later_day_takes_orders_out_but_those_with_booked_refunds_and_moves_no_stock(
    world: World, shops: list[Shelves], person: User
) -> None:
    integration.set_day(world.store, TODAY, by=person)
    states()
    entries = LedgerEntry.objects.count()

    assert integration.preview(world.store, TODAY + DAY) == Change(
        entering=0, leaving=1, kept=1, documented=1, waiting=0
    )
    integration.set_day(world.store, TODAY + DAY, by=person)

    assert states() == [IncomingState.SHADOW, IncomingState.IMPORTED]
    assert [sale.number for sale in SalesOrder.objects.all()] == ["#1002"]
    assert (LedgerEntry.objects.count(), world.level("TS").released) == (entries, 3)


def test_an_earlier_day_lets_them_in_again(world: World, shops: list[Shelves], person: User) -> None:
    integration.set_day(world.store, TODAY + DAY, by=person)
    assert states() == [IncomingState.SHADOW, IncomingState.SHADOW]
    entries = LedgerEntry.objects.count()

    assert integration.preview(world.store, TODAY) == Change(entering=2, leaving=0, kept=0, documented=0, waiting=0)
    integration.set_day(world.store, TODAY, by=person)

    assert states() == [IncomingState.IMPORTED, IncomingState.IMPORTED]
    assert LedgerEntry.objects.count() == entries


def test_the_page_shows_what_a_day_changes_before_it_is_saved(
    world: World, shops: list[Shelves], person: User, client: Client
) -> None:
    client.force_login(person)
    page = reverse("admin:store_orders", args=[world.store.slug])

    asked = client.get(page, {"day": str(TODAY)}).content.decode()
    assert "Were read and wait for a day" in asked
    assert Store.objects.get().integration_date is None

    client.post(page, {"day": str(TODAY)})
    assert Store.objects.get().integration_date == TODAY

    wrong = client.post(page, {"day": "soon"})
    assert (wrong.status_code, "Write the day like 2026-11-21." in wrong.content.decode()) == (422, True)


def test_what_orders_mean_for_stock_is_saved_and_noted(world: World, person: User, client: Client) -> None:
    client.force_login(person)
    page = reverse("admin:store_orders", args=[world.store.slug])
    client.post(page, {"opening_orders": "left_out", "keep_goods": "on"})

    store = Store.objects.get()
    assert (store.opening_orders, store.keep_goods) == ("left_out", True)
    assert AuditEntry.objects.get().after == {"opening_orders": "left_out", "keep_goods": True}

    assert client.post(page, {"opening_orders": "nonsense"}).status_code == 422
    assert Store.objects.get().opening_orders == "left_out"


def test_how_often_orders_are_asked_for_is_saved_with_what_it_costs(world: World, person: User, client: Client) -> None:
    client.force_login(person)
    page = reverse("admin:store_orders", args=[world.store.slug])
    assert client.get(page).context["points_an_hour"] == 12 * registry.pass_points()

    client.post(page, {"import_minutes": "1"})
    assert client.get(page).context["points_an_hour"] == 60 * registry.pass_points()

    client.post(page, {"import_minutes": "61"})
    assert Store.objects.get().import_minutes == 1


def test_the_daily_reread_ends_by_itself_and_is_renewed_by_hand(world: World, person: User, client: Client) -> None:
    client.force_login(person)
    page = reverse("admin:store_orders", args=[world.store.slug])
    client.post(page, {"reread": "on"})
    until = Store.objects.get().reread_until
    assert until is not None
    assert dt.timedelta(days=6, hours=23) < until - timezone.now() <= dt.timedelta(days=7)

    client.post(page, {"reread": "off"})
    assert Store.objects.get().reread_until is None


def test_a_viewer_sees_the_page_and_changes_nothing(world: World, client: Client) -> None:
    client.force_login(UserFactory(roles=["Viewer"]))
    page, before = reverse("admin:store_orders", args=[world.store.slug]), world.store.integration_date

    assert client.get(page).status_code == 200
    assert client.post(page, {"day": str(TODAY - dt.timedelta(days=3))}).status_code == 403
    assert Store.objects.get().integration_date == before


def test_by_command_a_day_is_previewed_and_then_set(world: World, shops: list[Shelves], person: User) -> None:
    command = ("integration_date", world.store.slug, "--day", str(TODAY))
    code, told, _ = run(*command)
    assert (code, told["waiting"], told["set"], Store.objects.get().integration_date) == (0, 2, False, None)
    assert run(*command, "--yes")[1]["remedy"] == "Add --as EMAIL."
    viewer = UserFactory(roles=["Viewer"])
    assert "may not do this" in run(*command, "--yes", "--as", viewer.email)[1]["cause"]

    code, told, _ = run(*command, "--yes", "--as", person.email)

    assert (code, told["before"], Store.objects.get().integration_date) == (0, None, TODAY)
    assert states() == [IncomingState.IMPORTED, IncomingState.IMPORTED]


def test_by_command_settings_are_listed_with_their_meaning_and_changed_as_on_their_pages(
    world: World, person: User
) -> None:
    command, me = ("store_settings", world.store.slug), ("--as", person.email)
    code, listed, _ = run(*command)
    settings = {each["name"]: each for each in listed["settings"]}
    assert code == 0
    assert {
        name: settings[name]["value"] for name in ("send_fulfilments", "limit_value", "reread", "import_minutes")
    } == {
        "send_fulfilments": "off",
        "limit_value": "",
        "reread": "off",
        "import_minutes": "5",
    }
    assert (settings["at_once"]["choices"], settings["shop_domain"]["fixed"]) == (["shared", "always", "never"], "")
    assert "says first what another day changes" in settings["integration_date"]["fixed"]
    assert all(each["meaning"] for each in settings.values())

    assert run(*command, "--set", "buffer=2")[1]["remedy"] == "Add --as EMAIL."
    wanted = ("buffer=2", "reread=on", "keep_months=24", "tags_any=iarnă, vară", "limit_units=500")
    code, told, _ = run(*command, "--set", *wanted, *me)
    assert (code, told["before"]) == (
        0,
        {"buffer": "0", "reread": "off", "keep_months": "", "tags_any": "", "limit_units": ""},
    )
    store = Store.objects.get()
    assert (store.buffer, store.keep_months, store.tags_any, store.limit_units) == (2, 24, ["iarnă", "vară"], 500)
    assert run(*command, "--set", "limit_units=", "buffer=2", *me)[1]["before"] == {"limit_units": "500"}
    entries = AuditEntry.objects.filter(actor=person).values_list("action", flat=True)
    assert sorted(entries) == [
        "change daily re-read of orders",
        "change how long customers' data is kept",
        "change settings",
        "change settings",
    ]


@pytest.mark.parametrize(
    ("typed", "cause", "remedy"),
    [
        ("buffer=two", "buffer cannot be “two”.", "Enter a whole number."),
        ("at_once=soon", "at_once cannot be “soon”.", "Write one of: shared, always, never."),
        (
            "keep_goods=maybe",
            "keep_goods is switched on or off, not “maybe”.",
            "Write keep_goods=on or keep_goods=off.",
        ),
        ("import_minutes=90", "import_minutes cannot be “90”.", "Ensure this value is less than or equal to 60."),
        ("colour=red", "colour is no setting of a store.", "Leave --set out to list them."),
        ("send_fulfilments=on", "The token lacks the scope", "Grant it in the store's admin"),
        ("api_base_url=https://example.com", "api_base_url cannot be changed here.", "The token is sent there"),
        ("buffer", "buffer names no value.", "Write NAME=VALUE, e.g. buffer=2."),
    ],
)
def test_of_settings_given_together_one_that_cannot_stand_keeps_the_others_as_they_were(
    world: World, typed: str, cause: str, remedy: str
) -> None:
    Store.objects.update(granted_scopes=[])
    me = UserFactory(roles=["Onboarding"])
    code, refused, _ = run("store_settings", world.store.slug, "--set", "hold_hours=5", typed, "--as", me.email)
    assert (code, Store.objects.get().hold_hours) == (2, 2)
    assert refused["cause"].startswith(cause)
    assert refused["remedy"].startswith(remedy)
    assert not AuditEntry.objects.filter(action="change settings").exists()
