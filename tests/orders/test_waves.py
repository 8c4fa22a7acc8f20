"""Waves: orders picked together, whatever their stores and other people do to them meanwhile."""

from __future__ import annotations

import csv
import datetime as dt
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from connectors.models import Store
from inventory.models import LedgerEntry
from orders import imports, intake, shipping, waves
from orders.models import IncomingOrder, OrderStock, SalesOrder, Wave, WaveLine
from orders.shipping import Units
from orders.waves import Picked, WaveRefused
from syncconsole.kernel.models import AuditEntry
from tests.console.conftest import SignIn, sign_in  # noqa: F401 - a fixture
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
from tests.orders.shelves import NINE, Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"


@pytest.fixture
def shops(world: World) -> list[Shelves]:
    """Two orders, of 5 and of 3 of one item, imported; 20 are on hand."""
    Store.objects.update(integration_date=(NINE - dt.timedelta(days=1)).date())
    item = world.item(SKU, here=20, there=20).item_ref
    found = [Shelves(item=item, number=number) for number in (1, 2)]
    for shop, quantity in zip(found, (5, 3), strict=True):
        shop.place(quantity, world.there)
    bring(*found)
    return found


def bring(*shops: Shelves) -> None:
    for shop in shops:
        intake.keep(Store.objects.get(), [shop.told()], asked_at=timezone.now())
    imports.import_waiting(Store.objects.get())


def make(world: World, *, orders: int = 2, intent: uuid.UUID | None = None) -> Wave:
    chosen = [sale.incoming_id for sale in waves.choices(world.here, limit=orders)]
    return waves.create(world.here, chosen, intent=intent or uuid.uuid4(), by=world.operator).wave


def all_of(wave: Wave) -> dict[int, Units]:
    return {line.pk: Units(line.quantity, of=line.quantity) for line in wave.lines.filter(state="open")}


def statuses() -> list[str]:
    return list(SalesOrder.objects.order_by("number").values_list("status", flat=True))


def lines_of(wave: Wave) -> list[tuple[str, int, str]]:
    """Order, units and state of each line, in the order they were made."""
    rows = wave.lines.order_by("pk").values_list("stock__order__name", "quantity", "state")
    return [(name, quantity, state) for name, quantity, state in rows]


def figures(world: World) -> tuple[int, int]:
    level = world.level(SKU)
    return int(level.on_hand), level.released


def test_a_wave_takes_whole_released_orders_and_moves_nothing(world: World, shops: list[Shelves]) -> None:
    before, entries = world.publication(SKU).pending, LedgerEntry.objects.count()

    wave = make(world)

    assert lines_of(wave) == [("#1001", 5, "open"), ("#1002", 3, "open")]
    assert statuses() == ["waved", "waved"]
    assert figures(world) == (20, 8), "a waved quantity is still released"
    assert (world.publication(SKU).pending, LedgerEntry.objects.count()) == (before, entries)
    assert list(waves.choices(world.here)) == []
    assert AuditEntry.objects.get(action="create wave").after["units"] == 8


def test_the_oldest_orders_of_a_store_that_are_held_there_whole_are_offered(world: World, shops: list[Shelves]) -> None:
    assert [sale.number for sale in waves.choices(world.here, limit=1)] == ["#1001"]
    OrderStock.objects.filter(order__name="#1001").update(open_quantity=6)
    assert [sale.number for sale in waves.choices(world.here)] == ["#1002"]
    assert [sale.number for sale in waves.choices(world.here, parts=True)] == ["#1001", "#1002"]
    assert [sale.units_here for sale in waves.choices(world.here, store=world.store)] == [3]


def test_a_version_that_changes_no_units_leaves_the_order_waved(world: World, shops: list[Shelves]) -> None:
    wave = make(world)
    shops[0].now += dt.timedelta(minutes=1)

    bring(*shops)

    assert (statuses(), len(lines_of(wave))) == (["waved", "waved"], 2)


def test_the_same_form_twice_makes_one_wave(world: World, shops: list[Shelves]) -> None:
    intent = uuid.uuid4()
    orders = list(IncomingOrder.objects.values_list("pk", flat=True))

    made = [waves.create(world.here, orders, intent=intent, by=world.operator).wave for _ in range(2)]

    assert made[0] == made[1]
    assert WaveLine.objects.count() == 2


def test_an_order_is_in_one_open_wave_and_the_database_says_so(world: World, shops: list[Shelves]) -> None:
    wave = make(world, orders=1)
    orders = list(IncomingOrder.objects.values_list("pk", flat=True))

    other = waves.create(world.here, orders, intent=uuid.uuid4(), by=world.operator)

    assert lines_of(other.wave) == [("#1002", 3, "open")]
    assert [(each.order, each.cause) for each in other.left_out] == [("#1001", f"it is in wave {wave.pk} already")]
    with pytest.raises(WaveRefused, match="None of the chosen"):
        waves.create(world.here, orders, intent=uuid.uuid4(), by=world.operator)
    line = wave.lines.get()
    line.pk = None
    with pytest.raises(IntegrityError, match="stock_in_one_open_wave"), transaction.atomic():
        line.save(force_insert=True)


def test_what_was_picked_is_shipped_and_the_rest_is_released_again(world: World, shops: list[Shelves]) -> None:
    wave = make(world)
    first, second = wave.lines.order_by("pk")

    done = waves.complete(wave, {first.pk: Units(2, of=5), second.pk: Units(3, of=3)}, by=world.operator)

    assert (done.units, done.left_out) == (5, [])
    assert figures(world) == (15, 3)
    assert statuses() == ["released", "released"]
    assert [(sale.number, sale.units_here) for sale in waves.choices(world.here)] == [("#1001", 3)]
    wave.refresh_from_db()
    assert (wave.state, wave.closed_by) == ("completed", world.operator)
    shops[0].fulfil(2, world.there)
    bring(shops[0])
    assert figures(world) == (15, 3), "what the store fulfils then is the same shipment"
    world.assert_sound()


def test_nothing_picked_of_an_order_ships_nothing_of_it(world: World, shops: list[Shelves]) -> None:
    wave = make(world)
    first, second = wave.lines.order_by("pk")
    waves.complete(wave, {first.pk: Units(0, of=5), second.pk: Units(3, of=3)}, by=world.operator)
    assert figures(world) == (17, 5)
    assert statuses() == ["released", "released"]


def test_an_update_voids_the_line_and_makes_it_again_with_the_new_units(world: World, shops: list[Shelves]) -> None:
    wave = make(world)
    shops[0].place(2, world.there)

    bring(shops[0])

    old, _, new = wave.lines.order_by("pk")
    assert lines_of(wave) == [("#1001", 5, "voided"), ("#1002", 3, "open"), ("#1001", 7, "open")]
    assert old.replaced_by == new
    assert old.reason == f"{world.store} changed the order: 5 units became 7."
    assert statuses() == ["waved", "waved"]
    done = waves.complete(wave, {old.pk: Units(5, of=5)}, by=world.operator)
    assert (done.units, [each.order for each in done.left_out]) == (0, ["#1001"]), "a form from before the update"
    assert waves.complete(wave, all_of(wave), by=world.operator).units == 10
    assert figures(world) == (10, 0)


def test_goods_that_the_order_holds_since_join_its_wave(world: World, shops: list[Shelves]) -> None:
    wave = make(world, orders=1)
    other = Shelves(item=world.item("CAP-1", here=4, there=4).item_ref, number=9)
    other.place(1, world.there)
    told, more = shops[0].told(), other.told()
    joined = replace(
        told,
        updated_at=told.updated_at + dt.timedelta(minutes=1),
        lines=told.lines + more.lines,
        fulfilment_orders=told.fulfilment_orders + more.fulfilment_orders,
    )
    intake.keep(world.store, [joined], asked_at=timezone.now())
    imports.import_waiting(Store.objects.get())

    assert lines_of(wave) == [("#1001", 5, "open"), ("#1001", 1, "open")]


def test_a_cancelled_order_leaves_its_wave_and_the_wave_shows_why(world: World, shops: list[Shelves]) -> None:
    wave = make(world)
    shops[0].take_off(5, world.there, world.there)
    shops[0].cancel()

    bring(shops[0])

    assert lines_of(wave) == [("#1001", 5, "voided"), ("#1002", 3, "open")]
    assert wave.lines.order_by("pk")[0].reason == f"The order was cancelled in {world.store}."
    assert statuses() == ["cancelled", "waved"]
    assert figures(world) == (20, 3)


def test_what_the_store_sends_in_mid_wave_is_covered_and_not_sent_again(world: World, shops: list[Shelves]) -> None:
    wave = make(world)
    shops[0].fulfil(5, world.there)
    shops[1].fulfil(1, world.there)

    bring(*shops)

    assert lines_of(wave) == [("#1001", 5, "covered"), ("#1002", 3, "voided"), ("#1002", 2, "open")]
    assert wave.lines.get(state="voided").reason == f"{world.store} sent 1 of 3 itself."
    waves.complete(wave, all_of(wave), by=world.operator)
    assert figures(world) == (12, 0)
    world.assert_sound()


def test_a_wave_whose_last_lines_the_stores_settle_is_closed(world: World, shops: list[Shelves]) -> None:
    wave = make(world)
    for shop, quantity in zip(shops, (5, 3), strict=True):
        shop.fulfil(quantity, world.there)
    bring(*shops)
    wave.refresh_from_db()
    assert (wave.state, wave.closed_by, statuses()) == ("completed", None, ["shipped", "shipped"])


def test_goods_that_a_person_ships_beside_the_wave_are_not_picked_again(world: World, shops: list[Shelves]) -> None:
    wave = make(world, orders=1)
    stock = OrderStock.objects.get(order__name="#1001")

    shipping.ship(stock.order, {stock.pk: Units(4, of=5)}, by=world.operator)

    assert lines_of(wave) == [("#1001", 5, "voided"), ("#1001", 1, "open")]
    assert "ship here" in wave.lines.get(state="voided").reason


def test_a_voided_wave_releases_its_orders_and_keeps_the_reason(world: World, shops: list[Shelves]) -> None:
    wave = make(world)
    with pytest.raises(WaveRefused, match="No reason"):
        waves.void(wave, reason=" ", by=world.operator)

    waves.void(wave, reason="the lift is out of order", by=world.operator)

    wave.refresh_from_db()
    assert (wave.state, wave.reason) == ("voided", "the lift is out of order")
    assert statuses() == ["released", "released"]
    with pytest.raises(WaveRefused, match="is voided already"):
        waves.complete(wave, {wave.lines.first().pk: Units(5, of=5)}, by=world.operator)  # type: ignore[union-attr]
    assert lines_of(make(world)) == [("#1001", 5, "open"), ("#1002", 3, "open")]


@pytest.mark.django_db(transaction=True)
def test_two_people_who_complete_at_once_ship_once(world: World, shops: list[Shelves]) -> None:
    wave = make(world)
    at_once(wave, all_of(wave))

    assert figures(world) == (12, 0)
    wave.refresh_from_db()
    assert wave.state == "completed"
    world.assert_sound()


def at_once(wave: Wave, picked: Picked) -> None:
    """Two people send the same form at one moment."""
    start = threading.Barrier(2)

    def work() -> None:
        try:
            start.wait()
            waves.complete(wave, picked, by=UserFactory())
        except WaveRefused:
            pass  # the other one was done before
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def test_a_person_makes_prints_completes_and_voids_waves_in_the_console(
    world: World,
    shops: list[Shelves],
    sign_in: SignIn,  # noqa: F811
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    person = sign_in("Operator")
    assert "No wave yet" in page(person, "/console/waves/")
    shown = person.get("/console/waves/new/?location=cluj").content.decode()
    assert "2 orders, 8 units" in shown
    first, second = IncomingOrder.objects.order_by("pk").values_list("pk", flat=True)
    form = {"location": "cluj", "intent": str(uuid.uuid4()), "order": [str(first), str(second)]}
    made = person.post("/console/waves/new/", form, follow=True)
    wave = Wave.objects.get()
    assert f"Wave {wave.pk}" in made.content.decode()
    again = person.post("/console/waves/new/", {**form, "intent": str(uuid.uuid4())})
    assert (again.status_code, "None of the chosen orders" in again.content.decode()) == (409, True)

    address = f"/console/waves/{wave.pk}/"
    assert person.get(f"{address}pick-list/").content.startswith(b"%PDF")
    one, two = wave.lines.order_by("pk").values_list("pk", flat=True)
    typed = {"step": "complete", f"units-{one}": "many", f"held-{one}": "5"}
    refused = person.post(address, typed)
    assert (refused.status_code, "is not a number of units" in refused.content.decode()) == (409, True)
    told = page(person, address, {**typed, f"units-{one}": "4"})
    assert "4 units are booked as shipped" in told
    assert 'name="units-' + str(two) in told
    assert "1 unit short, back to released." in told
    told = page(person, address, {"step": "void", "reason": "closing time"})
    assert "closing time" in told
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        assert "Voided" in page(person, "/console/waves/?state=voided&location=cluj")
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        page(person, address)
    sale = SalesOrder.objects.get(number="#1001")
    assert "4 picked and shipped" in page(person, f"/console/orders/{sale.pk}/")


def page(client: Client, address: str, form: dict[str, str] | None = None) -> str:
    answer = client.get(address) if form is None else client.post(address, form, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_viewer_sees_waves_and_changes_none(
    world: World,
    shops: list[Shelves],
    sign_in: SignIn,  # noqa: F811
) -> None:
    viewer, wave = sign_in("Viewer"), make(world)
    assert "Ship what was picked" not in page(viewer, f"/console/waves/{wave.pk}/")
    assert viewer.get("/console/waves/new/").status_code == 403
    assert viewer.post(f"/console/waves/{wave.pk}/", {"step": "void", "reason": "x"}).status_code == 403


def test_by_command_a_wave_is_previewed_made_and_shipped_by_its_file(
    world: World, shops: list[Shelves], tmp_path: Path
) -> None:
    by, path = ("--as", world.operator.email), tmp_path / "wave.csv"
    code, shown, _ = run("wave_orders", "cluj", "--preview")
    assert (code, [row["order"] for row in shown["orders"]], shown["units"]) == (0, ["#1001", "#1002"], 8)
    assert not Wave.objects.exists()
    assert run("wave_orders", "cluj")[1]["remedy"] == "Add --as EMAIL."

    making = ("wave_orders", "cluj", "--store", world.store.slug, "--intent", str(uuid.uuid4()), *by)
    code, made, _ = run(*making)
    assert (code, run(*making)[0], Wave.objects.count()) == (0, 0, 1)
    wave = str(made["wave"])
    [listed] = run("waves", "--store", world.store.slug, "--state", "open", "--location", "cluj")[1]["waves"]
    assert (listed["wave"], listed["orders"], listed["to_pick"]) == (made["wave"], 2, 8)

    code, told, _ = run("waves", wave, "--csv", str(path))
    assert (code, [line["quantity"] for line in told["lines"]]) == (0, [5, 3])
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for row, picked in zip(rows, ("four", "3"), strict=True):
        row["picked"] = picked
    assert completed(path, rows, wave, *by)[0] == 2
    rows[0]["picked"] = "4"
    shops[1].take_off(1, world.there, world.there)
    bring(shops[1])
    code, done, complaint = completed(path, rows, wave, *by)
    assert (code, done["units"], done["state"]) == (1, 4, "open")
    assert "#1002 is left out: it changed" in complaint
    assert figures(world) == (16, 3)

    assert run("void_wave", wave, *by)[1]["cause"] == "No reason was given."
    code, voided, _ = run("void_wave", wave, "--reason", "Tomorrow.", *by)
    assert (code, voided["state"]) == (0, "voided")
    assert run("void_wave", wave, "--reason", "Again.", *by)[0] == 2


def completed(path: Path, rows: list[dict[str, str]], wave: str, *by: str) -> tuple[int, dict[str, object], str]:
    with path.open("w", newline="") as file:
        written = csv.DictWriter(file, list(rows[0]))
        written.writeheader()
        written.writerows(rows)
    return run("complete_wave", wave, "--picked", str(path), *by)


@pytest.mark.parametrize(
    "command",
    [
        ("wave_orders", "nowhere"),
        ("wave_orders", "cluj", "--limit", "0"),
        ("waves", "999999"),
        ("waves", "--csv", "x.csv"),
        ("wave_orders", "cluj", "--as", "viewer@example.org"),
    ],
)
def test_what_a_wave_s_command_cannot_do_is_refused_with_a_remedy(world: World, command: tuple[str, ...]) -> None:
    UserFactory(roles=["Viewer"], email="viewer@example.org")
    code, refused, _ = run(*command)
    assert code == 2
    assert refused["remedy"]
