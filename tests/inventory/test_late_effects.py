"""What the store booked at nearly the time of an overwrite counts until a settled read tells (algorithms.md §4)."""

from __future__ import annotations

import datetime as dt

import pytest

from connectors import runs
from connectors.models.runs import Trigger
from inventory import jobs, store_bookings
from inventory.jobs import Job
from inventory.models import LevelPublication
from inventory.store_bookings import StoreBooking
from tests.worlds import World

pytestmark = pytest.mark.django_db
SKU = "TS-BLK-M"


@pytest.mark.parametrize(("seconds", "expected"), [(1, 20), (3600, 18)])
def test_only_an_effect_of_nearly_the_same_time_can_have_been_wiped(world: World, seconds: int, expected: int) -> None:
    """The level shows the two units of a sale that we believe it took off: an overwrite of the same second wiped it. One of
    an hour before did not; then somebody has put two units there."""
    publication = world.item(SKU, here=20, there=20)
    world.full("go-live")
    shelf = publication.item_ref, world.store_location.pk
    overwritten_at = LevelPublication.objects.get().overwritten_at
    assert overwritten_at is not None
    sold_at = overwritten_at + dt.timedelta(seconds=seconds)
    booked = StoreBooking(shelf, -2, "sale", sold_at)
    store_bookings.book(store_bookings.look_up(world.store, {shelf}, [booked]), [booked], {shelf: 2}, verify={shelf})
    world.sell(SKU, 2)
    world.edit(SKU, +2)
    world.rest()

    runs.advance(jobs.start(world.store, Job.OBSERVE, trigger=Trigger.SCHEDULE).pk)

    publication = world.publication(SKU)
    assert (publication.expected_quantity, publication.verify) == (expected, False)


def sell_at_an_unknown_time(world: World, *sales: int) -> None:
    """Sales that an hour on either side of the last overwrite may hold, booked together, which the store shows."""
    level = world.publication(SKU)
    shelf = level.item_ref, world.store_location.pk
    assert level.overwritten_at is not None
    hour = dt.timedelta(hours=1)
    first, last = level.overwritten_at - hour, level.overwritten_at + hour
    booked = [StoreBooking(shelf, -units, f"sale of {units}", first, within=(first, last)) for units in sales]
    store_bookings.book(store_bookings.look_up(world.store, {shelf}, booked), booked, {shelf: sum(sales)})
    world.sell(SKU, sum(sales))


@pytest.mark.parametrize(("wiped", "owed"), [(False, 0), (True, -2)])
def test_a_sale_of_unknown_time_counts_until_a_settled_read_tells_whether_an_overwrite_wiped_it(
    world: World, wiped: bool, owed: int
) -> None:
    """An order was edited, and first read after an overwrite: the units may be from before it or from after it."""
    world.item(SKU, here=20, there=20)
    world.full("go-live")
    sell_at_an_unknown_time(world, 2)
    publication = world.publication(SKU)
    assert (publication.expected_quantity, publication.verify) == (18, True)
    if wiped:
        world.edit(SKU, +2)
    world.rest()

    runs.advance(jobs.start(world.store, Job.OBSERVE, trigger=Trigger.SCHEDULE).pk)

    publication = world.publication(SKU)
    assert (18 - publication.expected_quantity, publication.verify) == (owed, False)


def test_what_was_unexplained_before_an_effect_was_known_does_not_say_that_it_was_wiped(world: World) -> None:
    """Somebody put two units there; then two are sold, at a time that lies on either side of the overwrite."""
    world.item(SKU, here=20, there=20)
    world.full("go-live")
    world.edit(SKU, +2)
    world.rest()
    runs.advance(jobs.start(world.store, Job.OBSERVE, trigger=Trigger.SCHEDULE).pk)
    sell_at_an_unknown_time(world, 2)
    world.rest()

    runs.advance(jobs.start(world.store, Job.OBSERVE, trigger=Trigger.SCHEDULE).pk)

    publication = world.publication(SKU)
    assert (publication.expected_quantity, publication.verify) == (18, False)
    assert [row.quantity for row in publication.drifts.filter(state="open")] == [2]


@pytest.mark.parametrize(("wiped", "owed"), [(1, -1), (2, -3), (3, -6)])
def test_of_several_effects_of_unknown_time_an_overwrite_has_wiped_the_first(
    world: World, wiped: int, owed: int
) -> None:
    """Three changes of an order are read together, and how many of them came before the overwrite nobody knows."""
    world.item(SKU, here=20, there=20)
    world.full("go-live")
    sell_at_an_unknown_time(world, 1, 2, 3)
    world.edit(SKU, sum((1, 2, 3)[:wiped]))
    world.rest()

    runs.advance(jobs.start(world.store, Job.OBSERVE, trigger=Trigger.SCHEDULE).pk)

    publication = world.publication(SKU)
    assert (14 - publication.expected_quantity, publication.verify) == (owed, False)
    assert not publication.drifts.filter(state="open").exists()
