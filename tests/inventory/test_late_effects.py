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
    store_bookings.book(store_bookings.publications_of(world.store, {shelf}), [booked], {shelf: 2}, verify={shelf})
    world.sell(SKU, 2)
    world.edit(SKU, +2)
    world.rest()

    runs.advance(jobs.start(world.store, Job.OBSERVE, trigger=Trigger.SCHEDULE).pk)

    publication = world.publication(SKU)
    assert (publication.expected_quantity, publication.verify) == (expected, False)
