"""Mapping locations: by name, many to one, all to one; what a change asks for, and when it has to wait."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any

import pytest
from django.core.management import call_command

from connectors.models import Store
from inventory import frozen, mapping
from inventory.jobs import Job
from inventory.mapping import MappingRefused
from inventory.models import LevelPublication, Location, LocationMapping, Push, PushBatch
from inventory.models.publications import PublicationState
from inventory.models.pushes import WriteKind
from syncconsole.kernel.models import AuditEntry
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.factories.kernel import UserFactory
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return StoreFactory(slug="bucovina-ro", name="Atelier Bucovina RO")


def mapped(store: Store) -> dict[str, str]:
    rows = LocationMapping.objects.filter(store=store).select_related("location", "store_location")
    return {row.location.name: row.store_location.name for row in rows}


# --- proposals


def test_equal_names_are_proposed_whatever_their_case_accents_and_blanks(store: Store) -> None:
    cluj = LocationFactory(name="Depozit Cluj")
    bucharest = LocationFactory(name="Magazin București")
    LocationFactory(name="Depozit Iași")
    cluj_there = StoreLocationFactory(store=store, name="depozit  cluj ")
    bucharest_there = StoreLocationFactory(store=store, name="MAGAZIN BUCURESTI")
    StoreLocationFactory(store=store, name="Depozit Sibiu")

    assert mapping.propose_by_name(store) == {cluj.pk: cluj_there.pk, bucharest.pk: bucharest_there.pk}


def test_nothing_is_proposed_where_a_person_has_to_choose(store: Store) -> None:
    for name in ("Depozit", "Inactiv", "Curier", "Gata"):
        LocationFactory(name=name)
    StoreLocationFactory(store=store, name="Depozit")
    StoreLocationFactory(store=store, name="depozit")
    StoreLocationFactory(store=store, name="Inactiv", is_active=False)
    StoreLocationFactory(store=store, name="Curier", is_fulfillment_service=True)
    there = StoreLocationFactory(store=store, name="Gata")
    LocationMappingFactory(store_location=there, location=Location.objects.get(name="Gata"))

    assert mapping.propose_by_name(store) == {}


# --- mapping


def test_one_to_one_many_to_one_and_back(store: Store) -> None:
    cluj, shop = LocationFactory(name="Depozit Cluj"), LocationFactory(name="Magazin")
    first, second = StoreLocationFactory(store=store, name="Web"), StoreLocationFactory(store=store, name="POS")

    result = mapping.map_locations(store, {cluj.pk: first.pk, shop.pk: second.pk}, None)
    assert (result.mapped, mapped(store)) == (2, {"Depozit Cluj": "Web", "Magazin": "POS"})

    result = mapping.map_locations(store, {cluj.pk: first.pk, shop.pk: first.pk}, None)
    assert (result.moved, result.unchanged) == (1, 1)
    assert mapped(store) == {"Depozit Cluj": "Web", "Magazin": "Web"}

    result = mapping.map_locations(store, {shop.pk: None}, None)
    assert (result.unmapped, mapped(store)) == (1, {"Depozit Cluj": "Web"})


def test_who_changed_what_is_in_the_audit_log(store: Store) -> None:
    somebody = UserFactory(roles=["Onboarding"])
    cluj = LocationFactory(name="Depozit Cluj")
    web, pos = StoreLocationFactory(store=store, name="Web"), StoreLocationFactory(store=store, name="POS")
    mapping.map_locations(store, {cluj.pk: web.pk}, somebody)
    mapping.map_locations(store, {cluj.pk: web.pk}, somebody)
    mapping.map_locations(store, {cluj.pk: pos.pk}, somebody)

    entries = AuditEntry.objects.filter(action="map locations").order_by("pk")
    assert [(entry.actor, entry.before, entry.after) for entry in entries] == [
        (somebody, {"Depozit Cluj": None}, {"Depozit Cluj": "Web"}),
        (somebody, {"Depozit Cluj": "Web"}, {"Depozit Cluj": "POS"}),
    ]


def test_a_location_of_another_store_an_inactive_and_a_managed_one_are_refused(store: Store) -> None:
    ours = LocationFactory()
    others = [
        (StoreLocationFactory(), "no such location"),
        (StoreLocationFactory(store=store, is_active=False), "deactivated"),
        (StoreLocationFactory(store=store, is_fulfillment_service=True), "fulfilment service"),
    ]
    for there, cause in others:
        with pytest.raises(MappingRefused, match=cause) as refused:
            mapping.map_locations(store, {ours.pk: there.pk}, None)
        assert refused.value.remedy
    assert mapped(store) == {}


@pytest.mark.parametrize("role", ["Viewer", "Operator", "Accountant"])
def test_other_roles_may_not_map(store: Store, role: str) -> None:
    there, ours = StoreLocationFactory(store=store), LocationFactory()
    with pytest.raises(MappingRefused):
        mapping.map_locations(store, {ours.pk: there.pk}, UserFactory(roles=[role]))
    with pytest.raises(MappingRefused):
        mapping.location_for(there, by=UserFactory(roles=[role]))


def test_our_location_is_made_from_the_stores_in_one_step(store: Store) -> None:
    LocationFactory(code="depozit-cluj", name="Depozit vechi din Cluj")
    there = StoreLocationFactory(store=store, name="Depozit Cluj")

    made = mapping.location_for(there, by=UserFactory(roles=["Onboarding"]))

    assert (made.code, made.name) == ("depozit-cluj-2", "Depozit Cluj")
    assert mapping.location_for(there, by=None) == made, "and found again the next time"


# --- what a change means for levels that are published


def claim(publication: LevelPublication, world: World) -> None:
    """A push of this level is on its way."""
    run = world.store.runs.create(kind="inventory.delta", trigger="person", status="applying")
    batch = PushBatch.objects.create(
        id=uuid.uuid4(), run=run, store=world.store, kind=WriteKind.ADJUST, body=b"{}", rows=1
    )
    push = Push.objects.create(
        batch=batch, position=0, publication=publication, quantity=1, before=0, revision=0, versions={}
    )
    LevelPublication.objects.filter(pk=publication.pk).update(claim=push)


def shown(world: World) -> dict[str, int]:
    """What the store shows of item A, by the name of its location."""
    rows = world.store.publications.filter(listed__variant__sku="A").select_related("store_location")
    return {str(row.store_location): world.fake.available(row.item_ref, row.store_location.ref) for row in rows}


def test_goods_that_are_sold_from_another_place_leave_the_one_and_come_to_the_other(world: World) -> None:
    """Target moves by itself (algorithms.md §7); a place that has none of ours left goes to 0, or it would sell twice."""
    publication, pos = world.item("A", here=20, there=20), world.fake.add_location("POS")
    world.fake.stock(publication.item_ref, pos, 0)
    elsewhere = StoreLocationFactory(store=world.store, ref=pos, name="POS")
    shop = LocationFactory(name="Magazin")
    world.post("A", 3, at=shop)
    mapping.map_locations(world.store, {shop.pk: world.store_location.pk}, None)
    world.full()
    assert shown(world) == {"Depozit Cluj": 23}

    result = mapping.map_locations(world.store, {world.here.pk: elsewhere.pk}, None)
    assert (result.new_baselines, result.vacated, result.left) == (1, (), ())
    world.run(Job.DELTA)
    assert shown(world) == {"Depozit Cluj": 3, "POS": 0}, "what is new there needs its baseline"
    world.full()
    assert shown(world) == {"Depozit Cluj": 3, "POS": 20}

    result = mapping.map_locations(world.store, {shop.pk: elsewhere.pk}, None)
    assert (result.new_baselines, result.vacated) == (0, ("Depozit Cluj",))
    assert "takes it to 0" in result.words[0]
    world.run(Job.DELTA)
    assert shown(world) == {"Depozit Cluj": 0, "POS": 23}
    world.assert_sound()

    back = mapping.map_locations(world.store, {shop.pk: world.store_location.pk}, None)
    assert (back.new_baselines, world.store.locations.filter(vacated=True).exists()) == (0, False)
    world.run(Job.DELTA)
    assert shown(world) == {"Depozit Cluj": 3, "POS": 20}
    world.assert_sound()


def test_a_place_that_comes_back_needs_a_baseline(world: World) -> None:
    """While it was not mapped, nobody followed what the store did there."""
    world.item("A", here=5, there=5)
    world.full()
    left = mapping.map_locations(world.store, {world.here.pk: None}, None)
    assert (left.left, "keeps its last numbers" in left.words[0]) == (("Depozit Cluj",), True)
    world.edit("A", 4)

    back = mapping.map_locations(world.store, {world.here.pk: world.store_location.pk}, None)

    assert back.new_baselines == 1
    world.rest()
    world.full()
    assert shown(world) == {"Depozit Cluj": 5}


def test_what_was_set_aside_at_a_place_that_comes_back_stays_so_and_then_needs_a_baseline(world: World) -> None:
    item = world.item("A", here=5, there=5)
    world.full()
    frozen.freeze_all({item.pk: "Two writers alternate."})
    mapping.map_locations(world.store, {world.here.pk: None}, None)
    mapping.map_locations(world.store, {world.here.pk: world.store_location.pk}, None)
    assert world.publication("A").state == PublicationState.FROZEN

    frozen.release([item.pk], by=world.operator, reason="One of them is gone.")

    assert world.publication("A").state == PublicationState.NO_BASELINE


def test_levels_of_locations_that_stay_keep_their_baseline(world: World) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    shop = LocationFactory(name="Magazin")
    elsewhere = StoreLocationFactory(store=world.store, ref=world.fake.add_location("POS"), name="POS")

    mapping.map_locations(world.store, {shop.pk: elsewhere.pk}, None)

    states = dict(LevelPublication.objects.filter(store=world.store).values_list("store_location__name", "state"))
    assert states == {"Depozit Cluj": "live", "POS": "no_baseline"}


def test_no_change_while_a_push_of_a_level_concerned_is_not_settled(world: World) -> None:
    publication = world.item("A", here=5, there=5)
    elsewhere = StoreLocationFactory(store=world.store, name="POS")
    claim(publication, world)

    with pytest.raises(MappingRefused, match="1 level is on the way") as refused:
        mapping.map_locations(world.store, {world.here.pk: elsewhere.pk}, None)

    assert "when the run is done" in refused.value.remedy
    assert mapped(world.store) == {"Depozit Cluj": "Depozit Cluj"}
    shop = LocationFactory(name="Magazin")
    mapping.map_locations(world.store, {shop.pk: elsewhere.pk}, None)
    assert mapped(world.store)["Magazin"] == "POS", "what concerns other levels goes on"


def test_a_location_taken_out_is_no_longer_pushed_but_keeps_its_history(world: World) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()

    mapping.map_locations(world.store, {world.here.pk: None}, None)

    publication = LevelPublication.objects.get(store=world.store)
    assert publication.excluded == "unmapped"
    assert publication.entries.exists()


# --- the command


def run(*arguments: str) -> tuple[dict[str, Any], int]:
    out, code = io.StringIO(), 0
    try:
        call_command("map_locations", *arguments, "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return json.loads(out.getvalue()), code


def test_the_command_makes_locations_and_maps_them_by_name(store: Store) -> None:
    StoreLocationFactory(store=store, name="Depozit Cluj")
    StoreLocationFactory(store=store, name="Magazin București")

    report, code = run("bucovina-ro", "--create", "--by-name")

    assert code == 0
    assert report["mapped"] == 2
    assert {row["code"]: row["sold_from"] for row in report["locations"]} == {
        "depozit-cluj": "Depozit Cluj",
        "magazin-bucuresti": "Magazin București",
    }


def test_the_command_maps_one_all_and_none(store: Store) -> None:
    LocationFactory(code="cluj", name="Cluj")
    LocationFactory(code="iasi", name="Iași")
    StoreLocationFactory(store=store, name="Depozit Cluj")
    StoreLocationFactory(store=store, name="Web")

    assert run("bucovina-ro", "--all-to", "Web", "--map", "cluj=depozit cluj")[1] == 0
    assert mapped(store) == {"Cluj": "Depozit Cluj", "Iași": "Web"}

    run("bucovina-ro", "--unmap", "iasi")
    assert mapped(store) == {"Cluj": "Depozit Cluj"}


def test_the_command_names_what_there_is_when_a_name_is_unknown(store: Store) -> None:
    LocationFactory(code="cluj", name="Cluj")
    StoreLocationFactory(store=store, name="Web")
    refused, code = run("bucovina-ro", "--map", "cluj=Depozit")
    assert (code, "Web" in refused["remedy"]) == (2, True)
    refused, code = run("bucovina-ro", "--map", "clij=Web")
    assert (code, "cluj" in refused["remedy"]) == (2, True)
