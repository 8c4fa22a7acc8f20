"""The ledger check sees orders that hold what their store does not say, and lines whose units are not all somewhere."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from inventory import audit
from inventory.models import LevelPublication
from orders import imports, intake
from orders.models import IncomingState, OrderStock
from tests.orders.shelves import NINE, Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def stock(world: World) -> OrderStock:
    """What an order of 5 holds, of which 2 were sent and 1 was taken off."""
    world.store.integration_date = (NINE - dt.timedelta(days=1)).date()
    world.store.save()
    shop = Shelves(item=world.item("TS-BLK-M", here=20, there=20).item_ref)
    shop.place(5, world.there)
    shop.fulfil(2, world.there)
    shop.take_off(1, world.there, world.there)
    intake.keep(world.store, [shop.told()], asked_at=timezone.now())
    imports.import_waiting(world.store)
    held = OrderStock.objects.get()
    assert (held.ordered, held.open_quantity, held.fulfilled) == (5, 2, 2)
    assert held.order.state == IncomingState.IMPORTED, held.order.cause
    assert audit.audit_ledger().green
    return held


def test_open_units_that_no_line_waits_for_are_found(stock: OrderStock) -> None:
    LevelPublication.objects.update(open_remote=3)

    (difference,) = audit.audit_ledger().differences
    assert (difference.invariant[:2], difference.kept, difference.summed) == ("I5", "3 open", "lines wait for 2")


def test_units_of_a_line_that_are_nowhere_are_found(stock: OrderStock) -> None:
    OrderStock.objects.update(ordered=6)

    (difference,) = audit.audit_ledger().differences
    assert difference.invariant.startswith("I6")
    assert difference.summed == "2 open, 2 sent, 1 taken off"


def test_units_that_went_without_a_word_are_no_fault_of_ours(stock: OrderStock) -> None:
    OrderStock.objects.update(ordered=6, totals={**stock.totals, "unexplained": 1})

    assert audit.audit_ledger().green
