"""Goods that their store cancelled without a word are written off, until a person says whether they are back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store
from inventory.models import LevelPublication, PublicationEntry
from inventory.models.publications import PublicationState
from orders import imports, intake, put_back, written_off
from orders.models import IncomingOrder
from orders.shipping import ShippingRefused, Units
from syncconsole.kernel.models import AuditEntry
from tests.inventory.test_commands import run
from tests.orders.shelves import NINE, Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(world: World) -> IncomingOrder:
    """Three units of twenty, cancelled unpaid; the store put them back, and told of no refund."""
    Store.objects.update(integration_date=(NINE - dt.timedelta(days=1)).date())
    shop = Shelves(item=world.item("TS", here=20, there=20).item_ref)
    LevelPublication.objects.update(state=PublicationState.LIVE, baseline_at=timezone.now())
    for event in (lambda: shop.place(3, world.there), shop.cancel):
        event()
        intake.keep(Store.objects.get(), [shop.told()], asked_at=timezone.now())
        imports.import_waiting(Store.objects.get())
    return IncomingOrder.objects.get()


def all_of(row: IncomingOrder, back: int | None = None) -> dict[int, Units]:
    """Of every write-off in question all units came back, or `back` of them."""
    off = {entry.pk: int(-entry.on_hand_delta) for entry in put_back.in_question(row)}
    return {pk: Units(units if back is None else back, of=units) for pk, units in off.items()}


def test_what_nothing_tells_of_is_written_off_and_asked(world: World, row: IncomingOrder) -> None:
    assert [int(-entry.on_hand_delta) for entry in put_back.in_question(row)] == [3]
    assert (world.level("TS").on_hand, world.level("TS").released) == (17, 0)


def test_goods_that_are_back_are_on_hand_again_and_their_store_is_owed_nothing(
    world: World, row: IncomingOrder
) -> None:
    before = world.publication("TS")
    owed = vars(before)["target"] - before.expected_quantity

    assert put_back.settle(row, all_of(row), reason="the order says Restocked", by=world.operator) == 3

    after = world.publication("TS")
    assert (world.level("TS").on_hand, world.level("TS").released) == (20, 0)
    assert PublicationEntry.objects.order_by("pk").last().quantity == 3  # type: ignore[union-attr]
    assert vars(after)["target"] - after.expected_quantity == owed
    assert not IncomingOrder.objects.get().needs_look
    assert AuditEntry.objects.get(action="goods of a cancelled order").after["came back"] == 3
    world.assert_sound()


def test_an_answer_is_given_once(world: World, row: IncomingOrder) -> None:
    answer = all_of(row)
    put_back.settle(row, answer, reason="seen", by=world.operator)

    with pytest.raises(ShippingRefused):
        put_back.settle(row, answer, reason="seen", by=world.operator)
    assert world.level("TS").on_hand == 20


def test_some_are_back_and_the_rest_stays_written_off(world: World, row: IncomingOrder) -> None:
    assert put_back.settle(row, all_of(row, back=1), reason="an edit took two off before", by=world.operator) == 1

    assert (world.level("TS").on_hand, PublicationEntry.objects.order_by("pk").last().quantity) == (18, 1)  # type: ignore[union-attr]
    assert AuditEntry.objects.get(action="goods of a cancelled order").after["written off for good"] == 2
    assert not IncomingOrder.objects.get().needs_look
    world.assert_sound()


@pytest.mark.parametrize(("units", "of"), [(4, 3), (-1, 3), (2, 2), (None, None)])
def test_an_answer_about_other_units_books_nothing(
    world: World, row: IncomingOrder, units: int | None, of: int | None
) -> None:
    answer = {} if units is None else {pk: Units(units, of=of or 0) for pk in all_of(row)}

    with pytest.raises(ShippingRefused):
        put_back.settle(row, answer, reason="seen", by=world.operator)
    assert (world.level("TS").on_hand, put_back.asks(IncomingOrder.objects.get())) == (17, True)


def test_what_was_put_back_from_the_list_is_not_put_back_again(world: World, row: IncomingOrder) -> None:
    (entry,) = put_back.in_question(row)
    written_off.return_to_stock(entry, 2, by=world.operator, reason="found two")

    assert put_back.settle(row, all_of(row), reason="seen", by=world.operator) == 0
    assert world.level("TS").on_hand == 19


def test_the_list_of_write_offs_asks_first_what_the_store_did(world: World, row: IncomingOrder, client: Client) -> None:
    client.force_login(world.operator)
    (entry,) = put_back.in_question(row)
    question = reverse("admin:put_back", args=[row.pk])
    assert question in client.get(reverse("admin:written_off")).content.decode()

    form = {"quantity": "3", "reason": "found"}
    answer = client.post(reverse("admin:return_to_stock", args=[entry.pk]), form)
    assert (answer["Location"], world.level("TS").on_hand) == (question, 17)

    put_back.settle(row, all_of(row, back=0), reason="not restocked there", by=world.operator)
    client.post(reverse("admin:return_to_stock", args=[entry.pk]), form)
    assert world.level("TS").on_hand == 20


def test_a_write_off_that_is_right_moves_nothing_and_stays_on_the_list(world: World, row: IncomingOrder) -> None:
    assert put_back.settle(row, all_of(row, back=0), reason="the parcel is lost", by=world.operator) == 0

    assert world.level("TS").on_hand == 17
    assert not put_back.in_question(IncomingOrder.objects.get())
    assert written_off.written_off().count() == 1


def test_the_order_leads_to_the_question_and_takes_the_answer(world: World, row: IncomingOrder, client: Client) -> None:
    client.force_login(world.operator)
    page = reverse("admin:put_back", args=[row.pk])
    order = client.get(reverse("admin:incoming", args=[row.pk])).content.decode()
    assert page in order

    (entry,) = put_back.in_question(row)
    form = {f"units-{entry.pk}": "2", f"held-{entry.pk}": "3"}
    for wrong in ({"reason": " "}, {"reason": "seen", f"units-{entry.pk}": "4"}):
        refused = client.post(page, form | wrong)
        assert (refused.status_code, world.level("TS").on_hand) == (409, 17)
    assert 'max="3" value="4"' in refused.content.decode()

    done = client.post(page, form | {"reason": "restocked there"}, follow=True).content.decode()
    assert "2 back in stock, 1 written off for good." in done
    assert "Nothing is asked" in client.get(page).content.decode()


def test_by_command_it_is_asked_and_answered_once(world: World, row: IncomingOrder) -> None:
    command, by = ("put_back", world.store.slug, row.name), ("--as", world.operator.email)
    code, told, _ = run(*command)
    assert (code, [(each["sku"], each["units"]) for each in told["in_question"]]) == (0, [("TS", 3)])
    assert run(*command, "--answer", "back", *by)[1]["cause"] == "No reason was given."
    assert run(*command, "--answer", "back", "--reason", "seen")[1]["remedy"] == "Add --as EMAIL."

    (entry,) = put_back.in_question(row)
    early = run("written_off", "--return", str(entry.pk), "--units", "1", "--reason", "x", *by)
    assert (early[0], "put_back" in early[1]["remedy"]) == (2, True)

    assert run(*command, "--units", "TS=3/2", "--reason", "seen", *by)[0] == 2
    code, told, _ = run(*command, "--units", "TS=2/3", "--reason", "seen", *by)
    assert (code, told["units"], told["in_question"], world.level("TS").on_hand) == (0, 2, [], 19)
    assert run(*command, "--answer", "back", "--reason", "seen", *by)[0] == 2


VANISHED = "The store shows 2 fewer units waiting, and nothing says why."


def test_what_a_person_looked_at_is_closed_and_questions_stay(world: World, row: IncomingOrder, client: Client) -> None:
    question = row.needs_look
    IncomingOrder.objects.update(needs_look=f"{VANISHED} {question}")
    row.refresh_from_db()
    client.force_login(world.operator)
    order, close = reverse("admin:incoming", args=[row.pk]), reverse("admin:close_look", args=[row.pk])
    assert VANISHED in client.get(order).content.decode()

    told = client.post(close, {"seen": VANISHED, "reason": ""}, follow=True).content.decode()
    assert "No reason was given" in told
    told = client.post(close, {"seen": VANISHED, "reason": "two were stolen"}, follow=True).content.decode()
    assert "Closed; what you found" in told
    assert VANISHED not in told

    assert IncomingOrder.objects.get().needs_look == question.strip()
    assert AuditEntry.objects.get(action="look at order").before == {"asked": VANISHED}
    again = client.post(close, {"seen": VANISHED, "reason": "two were stolen"}, follow=True).content.decode()
    assert "asks something else by now" in again


def test_what_a_later_version_asks_is_asked_beside_it(world: World) -> None:
    Store.objects.update(integration_date=(NINE - dt.timedelta(days=1)).date())
    shop = Shelves(item=world.item("TS", here=20, there=20).item_ref)
    shop.place(3, world.there)
    for event in (lambda: None, shop.cancel):
        event()
        intake.keep(Store.objects.get(), [shop.told()], asked_at=timezone.now())
        imports.import_waiting(Store.objects.get())
        IncomingOrder.objects.filter(needs_look="").update(needs_look=VANISHED)

    assert IncomingOrder.objects.get().needs_look.startswith(f"{VANISHED} 3 units were cancelled")


def test_by_command_it_is_closed_for_what_was_read(world: World, row: IncomingOrder) -> None:
    IncomingOrder.objects.update(needs_look=VANISHED)
    command = ("looked_at", world.store.slug, row.name)
    assert run(*command)[1]["look"] == VANISHED
    closing = (*command, "--reason", "two were stolen", "--as", world.operator.email, "--seen")
    assert run(*closing, "something else")[0] == 2
    code, told, _ = run(*closing, VANISHED)
    assert (code, told["look"], IncomingOrder.objects.get().needs_look) == (0, "", "")
