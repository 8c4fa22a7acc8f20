"""What a store tells of single levels is read from it between runs; its own words are never believed."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.utils import timezone

from connectors import changes
from connectors.models import FeedPosition, RemoteChange
from connectors.models.webhooks import ChangeState
from connectors.ports.errors import ConnectorUnavailable
from connectors.ports.webhooks import Subject, level_of, level_ref
from connectors.shopify.webhooks import ShopifyWebhooks
from inventory import level_changes, participation
from inventory.level_changes import read_changes
from inventory.models import Drift, LevelPublication
from inventory.models.publications import Exclusion, PublicationState
from inventory.tasks import look_at_rested
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def live(world: World) -> World:
    """A live store with ten of A and of B."""
    for sku in "AB":
        world.item(sku, here=10, there=7)
    world.rest()
    world.full("go-live")
    world.rest()
    return world


def told(world: World, *skus: str) -> None:
    """The store tells that these levels moved, and was asked for its orders a moment ago; those that were put off may be
    read now."""
    FeedPosition.objects.filter(store=world.store).update(watermark=world.fake.now)
    refs = {level_ref(world.publication(sku).item_ref, world.there): None for sku in skus}
    changes.notice(world.store, "level", refs, by="webhook")
    RemoteChange.objects.update(not_before=None)


def waiting(world: World) -> list[str]:
    return list(RemoteChange.objects.filter(state=ChangeState.WAITING).values_list("cause", flat=True))


@pytest.mark.parametrize("topic", ["update", "connect", "disconnect"])
def test_shopify_names_the_level_and_its_number_is_not_taken(topic: str) -> None:
    body = json.dumps({"inventory_item_id": 7, "location_id": 9, "available": 99}).encode()
    said = ShopifyWebhooks().understand(f"inventory_levels/{topic}", body)
    assert (said.subject, said.kind) == (Subject.CHANGE, "level")
    assert level_of(said.ref) == ("gid://shopify/InventoryItem/7", "gid://shopify/Location/9")


def test_the_echo_of_our_own_write_starts_nothing(live: World) -> None:
    live.post("A", 5)
    live.delta()
    before = live.publication("A").revision
    told(live, "A")

    assert read_changes(live.store) == 1

    after = live.publication("A")
    assert (after.revision, after.observed_available, after.hold_test) == (before, 15, "")
    assert not Drift.objects.exists()
    assert waiting(live) == []


def test_an_edit_is_drift_once_it_rests_not_before(live: World) -> None:
    live.edit("A", 4)
    told(live, "A")
    read_changes(live.store)

    assert live.publication("A").observed_available == 14
    assert not Drift.objects.exists()
    assert waiting(live) == ["It moved a moment ago, so it is not known yet what moved it."]
    assert read_changes(live.store) == 0  # not before it may rest

    live.rest()
    told(live)
    read_changes(live.store)
    assert Drift.objects.get().quantity == 4
    assert waiting(live) == []


def test_what_a_job_held_for_having_just_moved_is_read_again_once_it_rests(live: World) -> None:
    live.edit("A", 4)
    live.full()
    assert live.publication("A").hold_test == "a"
    LevelPublication.objects.update(observed_at=timezone.now())
    look_at_rested()
    assert not RemoteChange.objects.exists()

    live.rest()
    told(live)  # the orders, nothing of a level
    LevelPublication.objects.update(observed_at=timezone.now() - dt.timedelta(minutes=4))
    look_at_rested()
    read_changes(live.store)
    assert live.publication("A").hold_test == ""
    assert Drift.objects.get().quantity == 4
    look_at_rested()
    assert waiting(live) == []


def test_what_is_taken_back_there_ends_its_drift(live: World) -> None:
    live.edit("A", 4)
    live.rest()
    told(live, "A")
    read_changes(live.store)
    live.edit("A", -4)
    live.rest()
    told(live, "A")
    read_changes(live.store)
    assert Drift.objects.get().state == "cleared"


def test_a_sale_that_is_not_here_is_no_drift(live: World) -> None:
    live.sell("A", 2)
    live.rest()
    told(live, "A")
    read_changes(live.store)
    assert not Drift.objects.exists()
    assert live.publication("A").hold_test == ""
    assert waiting(live) == []


def test_many_levels_are_read_at_once_and_others_not_at_all(live: World) -> None:
    told(live, "A", "B")
    live.fake.calls.clear()
    read_changes(live.store)
    assert [call.rows for call in live.fake.called("read_levels")] == [2]
    changes.notice(live.store, "level", {level_ref("item/unknown", live.there): None}, by="webhook")
    assert read_changes(live.store) == 1
    assert len(live.fake.called("read_levels")) == 1


def test_where_the_store_cannot_be_asked_the_change_waits(live: World) -> None:
    told(live, "A")
    live.fake.fail_next_read(
        ConnectorUnavailable(service="Store", operation="read", cause="No connection.", remedy="Later.")
    )
    assert read_changes(live.store) == 0
    assert waiting(live) == ["No connection."]


def test_a_level_that_is_disconnected_takes_no_part_and_begins_anew(live: World) -> None:
    level = live.fake.level(live.publication("A").item_ref, live.there)
    level.is_active = False
    told(live, "A")
    read_changes(live.store)

    gone = live.publication("A")
    assert (gone.excluded, gone.state) == (Exclusion.NOT_STOCKED, PublicationState.NO_BASELINE)
    participation.refresh(live.store)
    assert live.publication("A").excluded == Exclusion.NOT_STOCKED
    live.post("A", 5)
    live.delta()
    assert live.shown("A") == 10

    level.is_active = True
    level_changes.ask_for_unstocked()
    read_changes(live.store)
    back = live.publication("A")
    assert (back.excluded, back.state, back.baseline_at) == ("", PublicationState.NO_BASELINE, None)
    live.rest()
    live.full()
    assert live.shown("A") == 15


def test_an_unsettled_reading_is_no_ground_for_a_decision(live: World) -> None:
    live.edit("A", 4)
    told(live, "A")
    read_changes(live.store)
    assert LevelPublication.objects.get(pk=live.publication("A").pk).observed_revision is None
