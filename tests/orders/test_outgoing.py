"""What left here first is told to its store exactly once, whatever happens to answers, workers and the order meanwhile."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from connectors import pausing
from connectors.models import Store
from connectors.ports.errors import ConnectorUnavailable, RequestRejected
from connectors.ports.orders import Tracking as Parcelled
from connectors.shopify.capabilities import CAPABILITIES
from inventory.models import LedgerEntry
from orders import imports, intake, outgoing, sending, shipping, tasks
from orders.models import IncomingOrder, OrderStock, OutgoingFulfilment, OutgoingLine, OutgoingState
from orders.outgoing import Decision, SendingRefused
from orders.shipping import Units
from orders.tracking import UNTRACKED, Tracking
from syncconsole.kernel.models import AuditEntry
from tests.inventory.test_commands import run
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"
AWB = Tracking("FAN Courier", "AWB-77", "https://fan.example/AWB-77", notify=True)
ALL_SCOPES = sorted({scope for each in CAPABILITIES for scope in (*each.scopes, *each.any_of)})


@pytest.fixture
def order(world: World) -> IncomingOrder:
    """An order of 5, imported, in a store that is to be told of shipments."""
    day = world.fake.now.date() - dt.timedelta(days=1)
    Store.objects.update(integration_date=day, send_fulfilments=True, granted_scopes=ALL_SCOPES)
    world.store.refresh_from_db()
    world.fake.place(world.item(SKU, here=20, there=20).item_ref, world.there, 5)
    return bring(world)


def bring(world: World) -> IncomingOrder:
    """The store's newest version is read and imported."""
    world.fake.advance(60)
    intake.keep(world.store, [world.fake.order("order/1")], asked_at=timezone.now())
    imports.import_waiting(world.store)
    return IncomingOrder.objects.get()


def ship(world: World, quantity: int, of: int, tracking: Tracking = AWB) -> OutgoingFulfilment:
    shipping.ship(
        IncomingOrder.objects.get(), {OrderStock.objects.get().pk: Units(quantity, of)}, by=world.operator,
        tracking=tracking,
    )  # fmt: skip
    return OutgoingFulfilment.objects.latest("pk")


def send(world: World) -> OutgoingFulfilment:
    sending.send_waiting(world.store)
    return OutgoingFulfilment.objects.latest("pk")


def later(minutes: int = 10) -> None:
    """So much time passes since the last try."""
    OutgoingFulfilment.objects.exclude(last_sent_at=None).update(
        last_sent_at=timezone.now() - dt.timedelta(minutes=minutes)
    )


def sent_there(world: World) -> list[int]:
    """Units of each fulfilment that the store has of the order."""
    return [sum(line.quantity for line in one.lines) for one in world.fake.order("order/1").fulfilments]


def figures(world: World) -> tuple[int, int]:
    level = world.level(SKU)
    return int(level.on_hand), level.released


def test_what_left_here_is_a_fulfilment_in_the_store_once_and_counts_once(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    row = send(world)
    send(world)

    (made,) = world.fake.order("order/1").fulfilments
    assert (row.state, row.remote_ref, row.tries) == (OutgoingState.DONE, made.ref, 1)
    assert made.tracking == (Parcelled("FAN Courier", "AWB-77"),)
    assert figures(world) == (18, 3)
    bring(world)
    assert figures(world) == (18, 3), "the store's own word of it is covered"
    assert world.publication(SKU).expected_quantity == -5
    world.assert_sound()


def test_parts_are_told_one_by_one(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    ship(world, 3, of=3, tracking=dataclasses.replace(AWB, number="AWB-78"))
    send(world)

    assert sent_there(world) == [2, 3]
    assert [line.after for line in OutgoingLine.objects.order_by("pk")] == [0, 2]
    bring(world)
    assert figures(world) == (15, 0)


def test_nothing_is_told_where_that_is_off(world: World, order: IncomingOrder) -> None:
    outgoing.switch(world.store, on=False, by=world.operator)
    shipping.ship(order, {OrderStock.objects.get().pk: Units(5, of=5)}, by=world.operator)

    assert not OutgoingFulfilment.objects.exists()
    assert figures(world) == (15, 0)


def test_the_same_units_are_in_one_fulfilment_only(world: World, order: IncomingOrder) -> None:
    row = ship(world, 2, of=5)
    other = OutgoingFulfilment.objects.create(order=order, store_location=row.store_location, created_by=world.operator)
    with pytest.raises(IntegrityError), transaction.atomic():
        OutgoingLine.objects.create(outgoing=other, stock=OrderStock.objects.get(), after=0, quantity=1)


def test_a_shipment_that_is_not_booked_is_not_told(
    world: World, order: IncomingOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are one transaction."""
    entries = LedgerEntry.objects.count()
    monkeypatch.setattr(tasks.send_fulfilments, "send", lambda store_id: 1 / 0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ship(world, 2, of=5)
    assert (LedgerEntry.objects.count(), OutgoingFulfilment.objects.count()) == (entries, 0)


# --- lost replies and workers


@pytest.mark.parametrize("tracking", [AWB, UNTRACKED], ids=["with tracking", "without"])
def test_a_lost_answer_is_found_in_the_order(world: World, order: IncomingOrder, tracking: Tracking) -> None:
    ship(world, 2, of=5, tracking=tracking)
    world.fake.lose_next_reply()
    assert send(world).state == OutgoingState.SENT

    row = send(world)
    assert (row.state, row.tries, sent_there(world)) == (OutgoingState.DONE, 1, [2])


def test_a_lost_request_is_sent_again_when_it_cannot_be_on_its_way_any_more(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    world.fake.drop_next_request()
    send(world)
    assert (send(world).state, sent_there(world)) == (OutgoingState.SENT, []), "it may still be carried out"

    later()
    row = send(world)
    assert (row.state, row.tries, sent_there(world)) == (OutgoingState.DONE, 2, [2])


def test_an_answer_lost_twice_is_still_one_fulfilment(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    world.fake.drop_next_request()
    send(world)
    later()
    world.fake.lose_next_reply()
    send(world)
    later()

    assert (send(world).state, sent_there(world)) == (OutgoingState.DONE, [2])


def test_goods_that_somebody_else_sent_meanwhile_are_not_taken_for_ours(world: World, order: IncomingOrder) -> None:
    ship(world, 5, of=5)
    world.fake.drop_next_request()
    send(world)
    world.fake.ship("order/1")
    later()

    row = send(world)
    assert (row.state, "same goods sent by" in row.cause) == (OutgoingState.NEEDS_PERSON, True)
    assert sent_there(world) == [5]


def test_a_store_that_certainly_did_nothing_is_asked_again_at_once(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    world.fake.refuse_next_connection()
    row = send(world)
    assert (row.state, row.known, bool(row.cause)) == (OutgoingState.WAITING, None, True)

    assert (send(world).state, sent_there(world)) == (OutgoingState.DONE, [2])


class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("executed", [False, True], ids=["before the call", "after the call"])
def test_a_worker_killed_around_the_call_leaves_one_fulfilment(
    world: World, order: IncomingOrder, monkeypatch: pytest.MonkeyPatch, executed: bool
) -> None:
    ship(world, 2, of=5)
    carry_out = world.fake.send_shipment

    def die(body: bytes) -> str:
        if executed:
            carry_out(body)
        raise Killed

    monkeypatch.setattr(world.fake, "send_shipment", die)
    with pytest.raises(Killed):
        send(world)
    monkeypatch.setattr(world.fake, "send_shipment", carry_out)
    assert OutgoingFulfilment.objects.get().state == OutgoingState.SENT

    later()
    assert (send(world).state, sent_there(world)) == (OutgoingState.DONE, [2])


def test_of_two_workers_with_one_row_one_sends(
    world: World, order: IncomingOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second got the row, too, before the first sent it: its lock was lost with its connection."""
    ship(world, 2, of=5)
    prepare = world.fake.prepare_shipment

    def overtaken(shipment: object) -> bytes:
        body: bytes = prepare(shipment)
        monkeypatch.setattr(world.fake, "prepare_shipment", prepare)
        sending._advance(world.fake, sending.due(world.store).get())
        return body

    monkeypatch.setattr(world.fake, "prepare_shipment", overtaken)
    sending._advance(world.fake, sending.due(world.store).get())

    assert sent_there(world) == [2]
    assert OutgoingFulfilment.objects.get().state == OutgoingState.DONE


# --- the order changed meanwhile


def hold(world: World) -> None:
    (work,) = world.fake.order("order/1").fulfilment_orders
    held = dataclasses.replace(work, status="on_hold", holds=("awaiting_payment",))
    world.fake.change_order("order/1", fulfilment_orders=(held,))


def move(world: World) -> None:
    (work,) = world.fake.order("order/1").fulfilment_orders
    world.fake.change_order("order/1", fulfilment_orders=(dataclasses.replace(work, location_ref="location/9"),))


@pytest.mark.parametrize(
    ("meanwhile", "cause"),
    [
        (lambda world: world.fake.change_order("order/1", cancelled_at=world.fake.now), "cancelled in the store"),
        (lambda world: world.fake.delete_order("order/1"), "does not show the order"),
        (lambda world: world.fake.ship("order/1"), "Only 0 of 2 units wait there"),
        (hold, "holds the order back: awaiting payment"),
        (move, "Only 0 of 2 units wait there"),
    ],
    ids=["cancelled", "deleted", "sent there", "on hold", "moved"],
)
def test_an_order_that_changed_asks_a_person_and_sends_nothing(
    world: World, order: IncomingOrder, meanwhile: Callable[[World], None], cause: str
) -> None:
    ship(world, 2, of=5)
    meanwhile(world)

    row = send(world)
    assert row.state == OutgoingState.NEEDS_PERSON
    assert (cause in row.cause, bool(row.remedy)) == (True, True)
    assert world.fake.called("send_shipment") == []


def test_a_refusal_of_the_store_is_shown_with_its_words(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    facts = {"service": "Shopify", "operation": "tell of a shipment"}
    world.fake.fail_next_send(RequestRejected(cause="Shopify refused: no such thing", remedy="Look there.", **facts))
    row = send(world)
    assert (row.state, row.cause, row.remedy) == (
        OutgoingState.NEEDS_PERSON, "Shopify refused: no such thing", "Look there."
    )  # fmt: skip


def test_one_order_that_cannot_be_read_holds_up_no_other(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    world.fake.unreadable.add("order/1")
    assert send(world).state == OutgoingState.NEEDS_PERSON


# --- a store that is not to be written now


def test_a_store_that_does_not_answer_keeps_what_waits(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    unavailable = ConnectorUnavailable(service="Fake", operation="read", cause="No connection.", remedy="Wait.")
    world.fake.fail_next_read(unavailable)
    assert send(world).state == OutgoingState.WAITING
    assert send(world).state == OutgoingState.DONE


def test_paused_writes_keep_it_and_say_so(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    pausing.pause_store(world.store, by=None, reason="Stock-taking.")
    row = send(world)
    assert (row.state, "are paused: Stock-taking." in row.cause) == (OutgoingState.WAITING, True)

    pausing.resume_store(world.store, by=None)
    assert send(world).state == OutgoingState.DONE


def test_a_token_that_is_refused_pauses_the_store(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    world.fake.wrong_token = True
    assert send(world).state == OutgoingState.WAITING
    assert Store.objects.get().writes_paused


def test_without_the_scope_nothing_is_asked_and_it_cannot_be_switched_on(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    Store.objects.update(granted_scopes=["read_orders"])
    world.store.refresh_from_db()
    row = send(world)
    assert (row.state, "write_merchant_managed_fulfillment_orders" in row.cause) == (OutgoingState.WAITING, True)
    assert world.fake.called("send_shipment") == []

    with pytest.raises(SendingRefused, match="lacks the scope"):
        outgoing.switch(world.store, on=True, by=world.operator)


def test_switching_is_in_the_audit_log_once(world: World, order: IncomingOrder) -> None:
    for _ in range(2):
        outgoing.switch(world.store, on=False, by=world.operator)
    entry = AuditEntry.objects.get(action="change sending of fulfilments")
    assert (entry.actor, entry.after) == (world.operator, {"send_fulfilments": False})


def test_by_command_the_store_is_told_of_the_parcel(world: World, order: IncomingOrder) -> None:
    parcel = ("--carrier", "FAN Courier", "--tracking-number", "AWB-77", "--tracking-url", "https://fan.example/77")
    code, told, _ = run("ship_order", world.store.slug, order.name, "--all", *parcel, "--notify")
    assert code == 0
    kept = OutgoingFulfilment.objects.get()
    assert (kept.company, kept.number, kept.url, kept.notify) == (
        "FAN Courier",
        "AWB-77",
        "https://fan.example/77",
        True,
    )
    assert kept.units == told["units"]


# --- what a person decides


@pytest.mark.parametrize(
    ("decision", "state"),
    [(Decision.WAS_SENT, OutgoingState.DONE), (Decision.LEAVE, OutgoingState.LEFT)],
)
def test_a_person_settles_it(world: World, order: IncomingOrder, decision: Decision, state: OutgoingState) -> None:
    row = ship(world, 2, of=5)
    world.fake.ship("order/1")
    row = send(world)

    outgoing.decide(row, decision, by=world.operator)

    row = send(world)
    assert (row.state, row.decided_by, world.fake.called("send_shipment")) == (state, world.operator, [])
    assert AuditEntry.objects.get(action="decide outgoing fulfilment").after["units"] == 2
    with pytest.raises(SendingRefused, match="needs nobody any more"):
        outgoing.decide(row, Decision.AGAIN, by=world.operator)


def test_by_command_a_person_settles_it(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    world.fake.ship("order/1")
    row = send(world)
    code, told, _ = run("outgoing_fulfilments", world.store.slug, "--state", "needs_person")
    assert (code, [(each["number"], each["units"]) for each in told["listed"]]) == (0, [(row.pk, 2)])
    command = ("outgoing_fulfilments", "--decide", str(row.pk), "--as", world.operator.email)
    assert run(*command)[1]["remedy"] == "Give --decision was_sent, again or leave."

    code, told, _ = run(*command, "--decision", "leave")

    assert (code, OutgoingFulfilment.objects.get().state) == (0, OutgoingState.LEFT)
    assert run(*command, "--decision", "again")[1]["cause"] == "This fulfilment needs nobody any more."


def test_a_person_has_it_sent_again_after_the_hold_was_released(world: World, order: IncomingOrder) -> None:
    ship(world, 2, of=5)
    hold(world)
    row = send(world)
    (work,) = world.fake.order("order/1").fulfilment_orders
    world.fake.change_order("order/1", fulfilment_orders=(dataclasses.replace(work, status="open", holds=()),))

    outgoing.decide(row, Decision.AGAIN, by=world.operator)

    assert (send(world).state, sent_there(world)) == (OutgoingState.DONE, [2])


def test_the_sweep_finds_what_no_message_told_of(
    world: World, order: IncomingOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(tasks.send_fulfilments, "send", asked.append)
    ship(world, 2, of=5)
    asked.clear()
    tasks.sweep_fulfilments()
    assert asked == [world.store.pk]
    tasks.send_fulfilments(world.store.pk)
    asked.clear()
    tasks.sweep_fulfilments()
    assert (asked, sent_there(world)) == ([], [2])
