"""A worker killed anywhere while orders are read, imported or shipped: the books are those of a clean run."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from itertools import count
from typing import Any, Final, NoReturn

import msgspec
import pytest
from django.db import connection, connections
from django.db.models import Model

from connectors import changes, registry
from connectors.models import RemoteChange, Store, StoreLocation
from connectors.models.webhooks import ChangeState
from connectors.ports.orders import RemoteOrder
from inventory import participation
from inventory.models import InventoryLevel, LedgerEntry, LevelPublication, PublicationEntry
from orders import imports, intake, shipping
from orders.models import (
    Document,
    DocumentLine,
    DocumentSeries,
    IncomingOrder,
    IncomingState,
    OrderStock,
    OutgoingLine,
    Refund,
    SalesOrder,
    SalesOrderLine,
)
from orders.shipping import ShippingRefused, Units
from tests.deaths import Death, Killed, forgotten
from tests.factories.catalog import ListedVariantFactory, VariantFactory
from tests.factories.connectors import StoreLocationFactory
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.factories.orders import price
from tests.fakes import FakeStore
from tests.orders.refund_cases import HOME, cases
from tests.worlds import World

REFUNDED: Final = "quantity only, amount only and both, on one order"
CANCELLED: Final = "units cancelled with money and shipping: the rest is a credit memo"
PENDING: Final = "restocked goods whose money is pending: the document waits, stock does not"
CASES: Final = {case.name: case.order for case in cases()}
DEATHS: Final = 6
"""Processes that die in each import."""
STATEMENTS: Final = 30
"""Fewer than most of these imports have, so that most processes die in the middle."""
OWN: Final = {"ref", "line_ref", "shipping_line_ref", "return_ref"}

BOOKS: Final[dict[type[Model], tuple[str, ...]]] = {
    InventoryLevel: ("variant__sku", "location__code", "on_hand", "released", "version"),
    LedgerEntry: ("level__variant__sku", "level__location__code", "seq", "key", "kind", "on_hand_delta", "released_delta"),
    LevelPublication: ("item_ref", "store_location__ref", "expected_quantity", "open_remote", "revision"),
    PublicationEntry: ("publication__item_ref", "seq", "key", "kind", "quantity", "applied"),
    IncomingOrder: ("ref", "state", "revision", "applied_revision", "cause", "needs_look", "stock_rule"),
    OrderStock: ("line_ref", "ordered", "open_quantity", "fulfilled", "held", "ahead", "dispatched", "covered", "totals"),
    OutgoingLine: ("stock__line_ref", "after", "quantity"),
    SalesOrder: ("number", "status", "revision", "total", "goods", "received"),
    SalesOrderLine: ("ref", "kind", "quantity", "current_quantity", "shipped_quantity", "open_quantity", "net"),
    Refund: ("ref", "state", "sentence", "paid", "pending"),
    DocumentSeries: ("code", "last_number"),
    Document: ("purpose", "series", "number", "state", "total", "sentence", "refund__ref"),
    DocumentLine: ("document__series", "document__number", "position", "kind", "quantity", "fate", "amount", "tax"),
}  # fmt: skip
"""Everything that is written of orders, as it can be compared: without numbers of rows and times of ours."""


def books() -> dict[str, list[str]]:
    # Numbers of rows that keys name; every world has others.
    store, place = (model.objects.latest("pk").pk for model in (Store, StoreLocation))
    return {
        model.__name__: sorted(
            str(row).replace(f"'{store}:", "'").replace(f"@{place}:", "@:")
            for row in model._default_manager.values_list(*fields)
        )
        for model, fields in BOOKS.items()
    }


def versions(ref: str, case: str) -> list[RemoteOrder]:
    """An order as its store tells it: placed, sent, with one refund more each time, at last with all money paid."""
    order = _own(CASES[case], ref)
    sums = sum((line.unit_price.shop.amount * line.quantity for line in order.lines), Decimal(0))
    sums += sum((each.price.shop.amount for each in order.shipping), Decimal(0))
    whole = dataclasses.replace(order, ref=ref, name=f"#{ref[-1]}", total=price(str(sums)))
    waits = tuple(dataclasses.replace(work, lines=tuple(map(_waiting, work.lines))) for work in order.fulfilment_orders)
    paid = tuple(
        dataclasses.replace(
            each, transactions=tuple(dataclasses.replace(t, status="success") for t in each.transactions)
        )
        for each in order.refunds
    )
    steps = [
        dataclasses.replace(whole, fulfilments=(), refunds=(), fulfilment_orders=waits),
        *([dataclasses.replace(whole, refunds=())] if whole.fulfilments else []),
        *(dataclasses.replace(whole, refunds=whole.refunds[: number + 1]) for number in range(len(whole.refunds))),
        dataclasses.replace(whole, refunds=paid),
    ]
    times = (order.updated_at + dt.timedelta(minutes=number) for number in range(len(steps)))
    return [dataclasses.replace(step, updated_at=at) for step, at in zip(steps, times, strict=True)]


def _waiting(line: Any) -> Any:
    return dataclasses.replace(line, remaining_quantity=line.total_quantity)


def _own(order: RemoteOrder, ref: str) -> RemoteOrder:
    """The order with references of its own, since cases share theirs."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: f"{ref}/{one}" if key in OWN and one else walk(one) for key, one in value.items()}
        return [walk(one) for one in value] if isinstance(value, (list, tuple)) else value

    return msgspec.convert(walk(msgspec.to_builtins(order)), type=RemoteOrder, strict=False)


class Workers:
    """Carry one act out, each of them killed one statement later than the one before, until one lives to its end."""

    def __init__(self, *, mortal: bool) -> None:
        self.mortal, self.kills = mortal, 0

    def do(self, act: Callable[[], object], *, done: Callable[[], object] = lambda: 0) -> None:
        """`done` grows with each part of the act that is over; deaths then begin anew, at the first statement."""
        at, before = 1, done()
        while self.mortal:
            try:
                with connection.execute_wrapper(Death(at).statement):
                    act()
            except Killed:
                self.kills += 1
                before, at = (now, 1) if (now := done()) != before else (before, at + 1)
                # The lease of a dead worker has ended when the next one looks.
                RemoteChange.objects.update(claimed_until=None, attempts=0)
            else:
                return
        act()


class Processes:
    """Carry acts out in processes of their own that end by SIGKILL at a random statement, then one that lives."""

    def __init__(self) -> None:
        self.chance, self.kills = random.Random(7), 0

    def do(self, act: Callable[[], object], *, done: Callable[[], int] = lambda: 0) -> None:
        """`done` counts what is left of an act that others may die in; what has no such count is carried out here."""
        for _ in range(DEATHS if done() else 0):
            connections.close_all()
            child = os.fork()
            if not child:
                _die_in(act, at=self.chance.randint(1, STATEMENTS))
            _, status = os.waitpid(child, 0)
            self.kills += os.WIFSIGNALED(status)
        act()
        # The server lets go of a dead worker's lock when it notices that nobody is there.
        deadline = time.monotonic() + 20
        while done() and time.monotonic() < deadline:
            act()


def _die_in(act: Callable[[], object], *, at: int) -> NoReturn:
    """In a child process: the act up to its statement `at`; nothing is closed or rolled back by us."""
    statements = count(1)

    def statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if next(statements) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(statement):
            act()
    finally:
        os._exit(0)


def history(world: World, workers: Workers | Processes) -> dict[str, list[str]]:
    """Three orders through all their versions, some at once; one leaves here first. Returns the books at the end."""
    opened(world)
    one, two, three = versions("order/1", REFUNDED), versions("order/2", CANCELLED), versions("order/3", PENDING)
    follow(world, workers, [one[0], two[0], three[0]])
    stock = OrderStock.objects.get(line_ref="order/3/A")
    workers.do(lambda: ship_once(world, stock))
    for told in ([one[1], three[1]], [one[2], two[1], three[2]], [one[4], three[3]]):
        follow(world, workers, told)
    world.assert_sound()
    return books()


def opened(world: World) -> Store:
    """The store sells two items, and its orders count."""
    Store.objects.update(integration_date=dt.date(2026, 11, 1), send_fulfilments=True)
    world.store.refresh_from_db()
    place = StoreLocationFactory(store=world.store, ref=HOME)
    LocationMappingFactory(store_location=place, location=LocationFactory(code="home"))
    for name in "AB":
        listed = VariantFactory(sku=name, item_number=name)
        ListedVariantFactory(store=world.store, variant=listed, item_ref=f"item-{name}")
    participation.refresh(world.store)
    return world.store


def follow(world: World, workers: Workers | Processes, told: list[RemoteOrder]) -> None:
    """The store tells of these versions; they are read, then imported."""
    for order in told:
        world.fake.tell(order)
    changes.notice(world.store, intake.KIND, {order.ref: order.updated_at for order in told}, by="webhook")
    workers.do(lambda: intake.read_changes(world.store))
    assert not RemoteChange.objects.filter(state=ChangeState.WAITING).exists()
    pending = IncomingOrder.objects.filter(state=IncomingState.PENDING)
    workers.do(lambda: imports.import_waiting(world.store), done=pending.count)


def ship_once(world: World, stock: OrderStock) -> None:
    """A person sends the form again whose answer never came."""
    with suppress(ShippingRefused):
        shipping.ship(stock.order, {stock.pk: Units(1, of=2)}, by=world.operator)


def fresh_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a store of its own."""
    fake = FakeStore()
    monkeypatch.setattr(registry, "_build", lambda store: fake)
    registry.forget_all()
    return World(fake)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_at_every_statement_the_books_are_those_of_a_clean_run(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, workers = [], [Workers(mortal=False), Workers(mortal=True)]
    for each in workers:
        with forgotten():
            kept.append(history(fresh_world(monkeypatch), each))

    clean, killed = kept
    assert clean["Document"], "the history makes documents"
    for name, rows in clean.items():
        assert killed[name] == rows, name
    assert workers[1].kills > 150, "the imports have more statements than that; the test is not killing"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_processes_killed_while_they_import_leave_the_books_of_a_clean_run(monkeypatch: pytest.MonkeyPatch) -> None:
    processes, kept = Processes(), []
    with forgotten():
        kept.append(history(fresh_world(monkeypatch), Workers(mortal=False)))
    kept.append(history(fresh_world(monkeypatch), processes))

    clean, killed = kept
    for name, rows in clean.items():
        assert killed[name] == rows, name
    assert processes.kills > DEATHS, "the processes must die; they lived"
