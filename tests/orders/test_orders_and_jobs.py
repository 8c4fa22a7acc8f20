"""Inventory jobs in a store that sells meanwhile: whatever is not known here yet, no sale is erased (algorithms.md §9)."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import time_machine
from django.utils import timezone

from connectors import approval, changes, runs
from connectors.models import SyncRun
from connectors.models.runs import RunStatus
from connectors.ports.orders import ChangesPage
from connectors.ports.refunds import Refund, RefundLine
from connectors.ports.store import PreparedWrite, WriteReply
from inventory import level_changes, pushes
from inventory.jobs import Job
from inventory.models import PublicationEntry
from inventory.models.publications import PublicationKind, PublicationState
from orders import knowledge, shipping
from orders.models import IncomingOrder, IncomingState, OrderStock
from orders.shipping import Units
from tests.factories.orders import blank
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"
DAY = dt.timedelta(days=1)


@pytest.fixture
def opening(world: World) -> World:
    """20 here and in the store, nothing published yet; orders count from the day before."""
    world.store.integration_date = (world.fake.now - DAY).date()
    world.store.save()
    world.item(SKU, here=20, there=20)
    return world


@pytest.fixture
def trading(opening: World) -> World:
    """The same store, live."""
    opening.full("go-live")
    opening.rest()
    return opening


def buy(world: World, quantity: int, **parts: object) -> str:
    """An order placed in the store; nobody has told us."""
    return world.fake.place(world.publication(SKU).item_ref, world.there, quantity, **parts)


def told(world: World, order: str) -> None:
    """A webhook names the order, and it is read and imported."""
    moment = {order: world.fake.order(order).updated_at}
    changes.notice(world.store, "order", moment, by="webhook")
    knowledge.bring_in(world.store)


@contextmanager
def silence(world: World) -> Iterator[None]:
    """The feed is late: it lists nothing of what happened."""

    def nothing(since: dt.datetime | None, *, until: dt.datetime | None = None) -> Iterator[ChangesPage]:
        yield ChangesPage((), world.fake.now.replace(microsecond=0))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.fake, "iter_changed_orders", nothing)
        yield


def sends(world: World) -> int:
    return len(world.fake.called("send"))


@pytest.mark.parametrize("history", [("sent", "sold"), ("sold", "sent")])
def test_an_unseen_shipment_does_not_hide_an_unseen_sale(trading: World, history: tuple[str, ...]) -> None:
    """K1: committed is what it was, so only time tells that the level is not settled."""
    known, left = buy(trading, 1), 19
    trading.rest()
    knowledge.bring_in(trading.store)
    with silence(trading):
        for step in history:
            if step == "sent":
                trading.fake.ship(known)
            else:
                buy(trading, 1)
                left -= 1
            trading.rest(20)
            trading.run(Job.DAILY)
            assert trading.shown(SKU) <= left
    assert trading.publication(SKU).hold_test == "a"
    assert sends(trading) == 0

    trading.rest()
    trading.run(Job.DAILY)

    assert (trading.shown(SKU), trading.publication(SKU).target, sends(trading)) == (18, 18, 0)
    assert trading.publication(SKU).hold_test == ""
    trading.assert_sound()


@pytest.mark.parametrize("live", [True, False])
def test_a_hold_ends_by_itself_once_the_order_it_waits_for_is_here(opening: World, live: bool) -> None:
    if live:
        opening.full("go-live")
        opening.rest()
    order = buy(opening, 2)
    opening.rest()
    with silence(opening):
        opening.run(Job.DAILY) if live else opening.full("go-live")
    assert opening.publication(SKU).hold_test == "b"

    told(opening, order)
    level_changes.read_changes(opening.store)

    row = opening.publication(SKU)
    assert (row.hold_test, row.held_since) == ("", None)
    assert row.state == (PublicationState.LIVE if live else PublicationState.NO_BASELINE), (
        "a person takes on what is new"
    )
    assert (opening.shown(SKU), row.target) == (18, 18)
    opening.assert_sound()


def test_a_return_that_an_overwrite_wiped_is_owed_again_once_it_is_told(trading: World) -> None:
    """K2, with the margin forced to nothing and a feed ten minutes late."""
    trading.store.settle_seconds = 0
    trading.store.save()
    order = buy(trading, 2)
    trading.fake.ship(order)
    trading.rest()
    knowledge.bring_in(trading.store)
    trading.edit(SKU, 2)
    back = blank(
        RefundLine,
        ref="back/1",
        line_ref="line/1",
        quantity=2,
        restock="return",
        restocked=True,
        location_ref=trading.there,
    )
    now = trading.fake.now
    refund = blank(Refund, ref="refund/1", created_at=now, updated_at=now, lines=(back,))
    trading.fake.change_order(order, refunds=(refund,))
    trading.rest(600)
    with silence(trading):
        trading.full()
    assert trading.shown(SKU) == 18, "the overwrite knew nothing of the return"

    told(trading, order)
    trading.delta()

    assert (trading.shown(SKU), trading.publication(SKU).target) == (20, 20)
    assert PublicationEntry.objects.filter(kind=PublicationKind.STORE_BOOKED, applied=False, quantity=2).exists()
    trading.assert_sound()


def test_an_order_that_left_here_first_holds_no_level(trading: World) -> None:
    """K3: what counts is what the store says is waiting, not our own shipment."""
    buy(trading, 2)
    knowledge.bring_in(trading.store)
    stock = OrderStock.objects.get()
    shipping.ship(stock.order, {stock.pk: Units(2, of=2)}, by=trading.operator)
    trading.edit(SKU, 4)
    trading.rest()

    trading.run(Job.DAILY)

    assert (trading.shown(SKU), trading.publication(SKU).hold_test) == (18, "")


@pytest.mark.parametrize(("kind", "left"), [("old", 17), ("test", 20)])
def test_orders_that_are_none_of_ours_are_left_out_of_the_baseline_and_hold_no_level(
    opening: World, kind: str, left: int
) -> None:
    """K4. When they are fulfilled no store moves for the old one; the goods of a test never left and are sold again."""
    is_test = kind == "test"
    order = buy(opening, 3, test=is_test, created_at=opening.fake.now - (dt.timedelta(0) if is_test else 10 * DAY))
    opening.rest()

    opening.full("go-live")

    publication = opening.publication(SKU)
    assert (publication.state, publication.hold_test, publication.target) == (PublicationState.LIVE, "", 17)
    assert IncomingOrder.objects.get().state == IncomingState.SHADOW
    opening.fake.ship(order)
    opening.rest()
    knowledge.bring_in(opening.store)
    opening.delta()
    assert (opening.shown(SKU), opening.publication(SKU).target) == (left, left)
    assert sends(opening) == is_test
    opening.assert_sound()


@pytest.mark.parametrize("jobs", ["delta daily full", "full delta daily", "daily full delta"])
def test_a_draft_that_becomes_an_order_moves_nothing_before_or_after_any_job(trading: World, jobs: str) -> None:
    """K13: a draft reserves 2."""
    level = trading.fake.level(trading.publication(SKU).item_ref, trading.there)
    level.available, level.unavailable, level.moved_at = level.available - 2, 2, trading.fake.now
    trading.rest()
    trading.full()
    assert (trading.shown(SKU), trading.publication(SKU).target) == (18, 18)

    level.available, level.unavailable = level.available + 2, 0
    buy(trading, 2)
    run = {"delta": trading.delta, "full": trading.full, "daily": lambda: trading.run(Job.DAILY)}
    for job in jobs.split():
        run[job]()
        assert trading.shown(SKU) == 18
        trading.rest()

    assert (trading.publication(SKU).target, trading.publication(SKU).expected_quantity, sends(trading)) == (18, 18, 0)
    trading.assert_sound()


def waiting_for_its_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> SyncRun:
    """A full sync whose overwrite was carried out and whose answer is lost."""
    monkeypatch.setattr(pushes, "TRIES_AT_ONCE", 1)
    run = world.plan_full()
    approval.approve(run, world.operator)
    world.fake.lose_next_reply()
    run = runs.advance(run.pk)
    assert run.status == RunStatus.APPLYING
    world.rest(30)
    return run


def test_a_sale_after_an_overwrite_whose_answer_is_lost_survives_the_day_the_key_is_forgotten(
    trading: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K12: 19 → 20 was written; the sale makes it 19 again, and the same compare-and-swap would pass a second time."""
    trading.edit(SKU, -1)
    trading.rest()
    run = waiting_for_its_answer(trading, monkeypatch)
    buy(trading, 1)
    trading.rest(25 * 3600)
    trading.fake.forget_keys()

    with time_machine.travel(timezone.now() + dt.timedelta(hours=25), tick=False):
        runs.advance(run.pk)
        assert trading.publication(SKU).state == PublicationState.UNSURE
        assert trading.shown(SKU) == 19
        trading.full()
        trading.delta()

    assert (trading.shown(SKU), trading.publication(SKU).target, sends(trading)) == (19, 19, 1)
    trading.assert_sound()


STEPS = ("receipt", "sale", "import", "answer")


@pytest.mark.parametrize("steps", list(itertools.permutations(STEPS))[::4], ids="-".join)
def test_a_baseline_whose_answer_is_lost_ends_right_whatever_comes_meanwhile(
    opening: World, monkeypatch: pytest.MonkeyPatch, steps: tuple[str, ...]
) -> None:
    opening.edit(SKU, -5)
    buy(opening, 2)
    opening.rest()
    run = waiting_for_its_answer(opening, monkeypatch)

    def answer() -> None:
        SyncRun.objects.filter(pk=run.pk).update(not_before=None)
        with silence(opening):
            runs.advance(run.pk)

    happen: dict[str, Callable[[], object]] = {
        "receipt": lambda: opening.post(SKU, 4),
        "sale": lambda: buy(opening, 3),
        "import": lambda: knowledge.bring_in(opening.store),
        "answer": answer,
    }
    for step in steps:
        happen[step]()
        opening.rest(10)
    knowledge.bring_in(opening.store)
    opening.delta()
    opening.delta()

    assert (opening.shown(SKU), opening.publication(SKU).target) == (19, 19)
    overwrites = {call.body for call in opening.fake.called("send") if b'"set"' in call.body}
    assert len(overwrites) == 1
    assert PublicationEntry.objects.filter(kind=PublicationKind.BASELINE).count() == 1
    opening.assert_sound()


@pytest.mark.parametrize("seconds", [0, 10])
def test_a_sale_and_an_edit_that_cancel_out_just_before_the_write_are_repaired(
    trading: World, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """K14: the compare-and-swap passes over a sale that it cannot see."""
    trading.edit(SKU, 5)
    trading.rest()
    run = trading.plan_full()
    approval.approve(run, trading.operator)
    send, item = trading.fake.send, trading.publication(SKU).item_ref

    def sold_just_before(prepared: PreparedWrite) -> WriteReply:
        monkeypatch.setattr(trading.fake, "send", send)
        trading.fake.place(item, trading.there, 1)
        trading.fake.edit(item, trading.there, 1)
        trading.rest(seconds)
        return send(prepared)

    monkeypatch.setattr(trading.fake, "send", sold_just_before)
    runs.advance(run.pk)
    assert trading.shown(SKU) == 20, "one too many for a moment"
    knowledge.bring_in(trading.store)
    trading.delta()
    if not seconds:  # too close to tell which came first: a settled read decides
        assert trading.publication(SKU).verify
        trading.rest()
        trading.run(Job.OBSERVE)
        trading.delta()

    assert (trading.shown(SKU), trading.publication(SKU).target) == (19, 19)
    trading.assert_sound()
