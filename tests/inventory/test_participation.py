"""Which publications exist, what is in their groups, and who takes part."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from catalog.models import ListedVariant
from connectors import runs
from connectors.runs import RunRefused
from inventory import participation, pushes
from inventory.models import LevelPublication, LocationMapping, PublishedLevel
from inventory.models.publications import Exclusion, PublicationState
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.worlds import World


def test_two_of_our_locations_on_one_of_theirs_are_summed(world: World) -> None:
    world.item("A", here=5, there=5)
    second = LocationFactory(name="Magazin București")
    LocationMappingFactory(store_location=world.store_location, location=second)

    participation.refresh(world.store)

    publication = world.publication("A")
    assert publication.members.count() == 2
    world.here = second
    world.post("A", 7)
    assert world.publication("A").target == 12


def test_refreshing_again_changes_nothing(world: World) -> None:
    world.item("A", here=5, there=5)

    assert participation.refresh(world.store) == participation.RefreshResult(0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("any_of", "all_of", "none_of", "takes_part"),
    [
        ([], [], [], True),
        (["Toamna"], [], [], True),
        (["vara"], [], [], False),
        (["vara", "toamna"], [], [], True),
        ([], ["toamna", "in"], [], True),
        ([], ["toamna", "vara"], [], False),
        ([], [], ["IN"], False),
        (["toamna"], ["in"], ["vara"], True),
    ],
)
def test_the_tag_filter_reads_tags_of_variant_and_product(
    world: World, any_of: list[str], all_of: list[str], none_of: list[str], takes_part: bool
) -> None:
    world.item("A", here=5, there=5, tags=["Toamna"], product__tags=["In"])
    world.store.tags_any, world.store.tags_all, world.store.tags_none = any_of, all_of, none_of
    world.store.save()

    participation.refresh(world.store)

    assert LevelPublication.objects.eligible().exists() is takes_part


def test_a_variant_that_leaves_the_filter_keeps_its_numbers_and_comes_back(world: World) -> None:
    world.item("A", here=5, there=5)
    world.full("go-live")
    world.store.tags_any = ["toamna"]
    world.store.save()
    participation.refresh(world.store)
    world.post("A", 3)
    assert world.publication("A").excluded == Exclusion.OUT_OF_SCOPE
    with pytest.raises(RunRefused, match="No level of this store takes part"):
        world.delta()
    assert world.shown("A") == 5

    world.store.tags_any = []
    world.store.save()
    participation.refresh(world.store)
    world.delta()

    assert world.shown("A") == 8


def test_an_item_replaced_while_a_push_is_on_its_way_is_followed_at_once_and_the_old_level_closes_afterwards(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.item("A", here=5, there=5)
    world.full("go-live")
    monkeypatch.setattr(pushes, "TRIES_AT_ONCE", 1)
    world.post("A", 5)
    world.fake.lose_next_reply()
    run = world.delta()
    old = world.publication("A")
    assert old.claim_id
    ListedVariant.objects.filter(pk=old.listed_id).update(item_ref="gid://shopify/InventoryItem/99")

    participation.refresh(world.store)

    new = LevelPublication.objects.get(item_ref="gid://shopify/InventoryItem/99")
    old.refresh_from_db()
    assert (new.state, new.members.count()) == (PublicationState.NO_BASELINE, 1)
    assert (old.excluded, old.members.count()) == (Exclusion.GONE, 0)

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=5), tick=False):
        runs.advance(run.pk)
    participation.refresh(world.store)

    old.refresh_from_db()
    assert (old.claim_id, old.state) == (None, PublicationState.CLOSED)


def test_a_replaced_inventory_item_closes_its_publication_and_needs_a_new_baseline(world: World) -> None:
    old = world.item("A", here=5, there=5)
    world.full("go-live")
    ListedVariant.objects.update(item_ref="item/new")

    result = participation.refresh(world.store)

    assert (result.closed, result.created) == (1, 1)
    old.refresh_from_db()
    assert old.state == PublicationState.CLOSED
    fresh = LevelPublication.objects.exclude(pk=old.pk).get()
    assert (fresh.item_ref, fresh.state) == ("item/new", PublicationState.NO_BASELINE)
    assert PublishedLevel.objects.get().publication_id == fresh.pk


def test_an_unmapped_location_takes_its_publications_out(world: World) -> None:
    world.item("A", here=5, there=5)
    LocationMapping.objects.all().delete()

    participation.refresh(world.store)

    assert world.publication("A").excluded == Exclusion.UNMAPPED


def test_the_cost_of_refreshing_does_not_grow_with_items(world: World, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    for number in range(30):
        world.item(f"A{number}", here=1, there=1)

    with django_assert_max_num_queries(16):
        participation.refresh(world.store)
