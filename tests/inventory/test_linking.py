"""Linking a store brings its publications in step, through the one door."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from catalog.models import ListedVariant
from inventory.linking import link_store
from inventory.models import LevelPublication
from inventory.models.publications import Exclusion, PublicationState
from tests.factories.catalog import VariantFactory
from tests.worlds import World

pytestmark = pytest.mark.django_db


def publication(sku: str) -> LevelPublication:
    return LevelPublication.objects.exclude(state=PublicationState.CLOSED).get(listed__variant__sku=sku)


def test_a_linked_variant_gets_a_publication_for_each_mapped_location(world: World) -> None:
    VariantFactory(sku="A")
    world.fake.add_variant(sku="A")

    result = link_store(world.store)

    assert (result.links.linked, result.publications.created) == (1, 1)
    assert publication("A").state == PublicationState.NO_BASELINE
    again = link_store(world.store)
    assert (again.links.already, again.publications.created) == (1, 0)


def test_movements_recorded_before_the_link_are_owed_once_it_is_made(world: World) -> None:
    VariantFactory(sku="A")
    world.post("A", 7)
    world.fake.add_variant(sku="A")

    link_store(world.store)

    assert LevelPublication.objects.with_target().get().target == 7


def test_a_replaced_inventory_item_closes_the_old_publication_and_opens_another(world: World) -> None:
    old = world.item("A", here=3, there=3)
    world.fake.add_variant(sku="other")
    world.fake.remove_variant(old.item_ref)
    new_item = world.fake.add_variant(sku="A")

    result = link_store(world.store)

    old.refresh_from_db()
    assert old.state == PublicationState.CLOSED
    assert (publication("A").item_ref, publication("A").state) == (new_item, PublicationState.NO_BASELINE)
    assert (result.publications.closed, result.publications.created) == (1, 1)


def test_a_variant_gone_from_the_store_takes_no_part_until_it_is_back(world: World) -> None:
    one = world.item("A", here=3, there=3)
    world.item("B", here=3, there=3)
    variant = world.fake.variant(one.item_ref)
    ListedVariant.objects.filter(item_ref=one.item_ref).update(remote_ref=variant.ref)
    ListedVariant.objects.exclude(item_ref=one.item_ref).update(
        remote_ref=world.fake.variant(publication("B").item_ref).ref
    )
    world.fake.remove_variant(one.item_ref)

    link_store(world.store)

    assert publication("A").excluded == Exclusion.GONE
    assert publication("B").excluded == Exclusion.NONE


def test_an_untracked_item_is_excluded(world: World) -> None:
    VariantFactory(sku="A")
    world.fake.add_variant(sku="A", tracked=False)

    link_store(world.store)

    assert publication("A").excluded == Exclusion.UNTRACKED


def test_the_command_exits_with_one_while_something_needs_a_decision(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    VariantFactory(sku="A")
    world.fake.add_variant(sku="A")
    call_command("link_items", world.store.slug, as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert (data["linked"], data["by"], data["publications"]["created"]) == (1, {"sku": 1}, 1)

    VariantFactory(sku="DUP")
    world.fake.add_variant(sku="DUP")
    world.fake.add_variant(sku="DUP")
    with pytest.raises(SystemExit) as stopped:
        call_command("link_items", world.store.slug, as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert stopped.value.code == 1
    assert (data["conflicts"], len(data["first_conflicts"])) == (2, 2)
    assert data["first_conflicts"][0]["remedy"]


def test_the_command_says_why_when_the_store_does_not_answer(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.fake.fail_next_read()
    with pytest.raises(SystemExit) as stopped:
        call_command("link_items", world.store.slug, as_json=True)
    assert stopped.value.code == 1
    assert json.loads(capsys.readouterr().out)["outcome"] == "failed"


def test_an_unknown_store_is_refused(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        call_command("link_items", "nowhere", as_json=True)
    assert stopped.value.code == 2
    assert world.store.slug in json.loads(capsys.readouterr().out)["remedy"]
