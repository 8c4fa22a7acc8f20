"""A person decides what becomes of a drift: it is done exactly once, and only on a read that still holds."""

from __future__ import annotations

import datetime as dt

import pytest

from connectors.models import RemoteChange
from inventory import deciding, participation
from inventory.deciding import Decision, DecisionReport, DriftDecisionRefused
from inventory.models import Drift, LedgerEntry, LevelPublication, PublicationEntry
from inventory.models.drifts import DriftState
from syncconsole.kernel.models import AuditEntry
from tests.factories.catalog import ListedVariantFactory
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.inventory.test_drift import look
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def edited(world: World) -> World:
    """A live store with ten of A, to which somebody added three."""
    world.item("A", here=10, there=7)
    world.rest()
    world.full("go-live")
    world.edit("A", 3)
    look(world)
    return world


def decide(world: World, decision: Decision, **more: dict[int, int]) -> DecisionReport:
    ids = list(Drift.objects.values_list("pk", flat=True))
    return deciding.decide(ids, decision, by=world.operator, reason="Counted on the shelf.", **more)


def share(world: World, sku: str) -> LevelPublication:
    """A second store that sells the same level and is in step."""
    there = world.fake.add_location("Outlet")
    publication = world.publication(sku)
    world.fake.stock(publication.item_ref, there, 10)
    outlet = StoreFactory(name="Atelier Outlet")
    place = StoreLocationFactory(store=outlet, ref=there, name="Outlet")
    LocationMappingFactory(store_location=place, location=world.here)
    ListedVariantFactory(store=outlet, variant=publication.listed.variant, item_ref=publication.item_ref)
    participation.refresh(outlet)
    LevelPublication.objects.filter(store=outlet).update(
        state="live", baseline_at=world.fake.now, expected_quantity=10, needs_look=False
    )
    return LevelPublication.objects.get(store=outlet)


def pending(publication: LevelPublication) -> int:
    return int(LevelPublication.objects.with_target().get(pk=publication.pk).pending)


def test_accepted_the_level_follows_and_other_stores_get_it_and_this_one_nothing(edited: World) -> None:
    outlet = share(edited, "A")
    told = deciding.preview(list(Drift.objects.all()), Decision.ACCEPT)
    assert (told.entries, told.ats, told.to_store, dict(told.to_others)) == (1, 3, 0, {"Atelier Outlet": 3})

    report = decide(edited, Decision.ACCEPT)

    assert (report.decided, report.units, report.left) == (1, 3, [])
    assert edited.level("A").on_hand == 13
    entry = LedgerEntry.objects.get(key=f"drift:{Drift.objects.get().pk}:accepted")
    assert (entry.origin, entry.reason, entry.actor) == (
        f"store:{edited.store.slug}",
        "Counted on the shelf.",
        edited.operator,
    )
    assert pending(edited.publication("A")) == 0
    assert pending(outlet) == 3
    assert LevelPublication.objects.get(pk=outlet.pk).needs_look
    assert Drift.objects.get().state == DriftState.ACCEPTED
    edited.delta()
    assert edited.shown("A") == 13
    look(edited)
    assert Drift.objects.count() == 1


def test_kept_the_next_delta_takes_it_back_there_and_nowhere_else(edited: World) -> None:
    outlet = share(edited, "A")
    told = deciding.preview(list(Drift.objects.all()), Decision.KEEP)
    assert (told.entries, told.ats, told.to_store, dict(told.to_others)) == (0, 0, -3, {})

    decide(edited, Decision.KEEP)

    assert pending(edited.publication("A")) == -3
    assert pending(outlet) == 0
    edited.delta()
    assert edited.shown("A") == 10
    assert edited.level("A").on_hand == 10
    look(edited)
    assert [drift.state for drift in Drift.objects.all()] == [DriftState.REJECTED]


def test_ignored_it_stays_and_nothing_moves(edited: World) -> None:
    decide(edited, Decision.IGNORE)
    edited.delta()
    look(edited)
    (stays,) = Drift.objects.all()
    assert (stays.state, stays.reason, stays.decided_by) == (
        DriftState.IGNORED,
        "Counted on the shelf.",
        edited.operator,
    )
    assert (edited.shown("A"), edited.level("A").on_hand) == (13, 10)
    edited.edit("A", 1)
    look(edited)
    assert Drift.objects.get(state=DriftState.OPEN).quantity == 4


def test_ignored_it_may_be_decided_later(edited: World) -> None:
    decide(edited, Decision.IGNORE)
    assert decide(edited, Decision.ACCEPT).decided == 1
    assert edited.level("A").on_hand == 13


@pytest.mark.parametrize("decision", Decision)
def test_a_form_sent_twice_decides_once(edited: World, decision: Decision) -> None:
    decide(edited, decision)
    again = decide(edited, decision)
    assert (again.decided, again.already, again.left) == (0, 1, [])
    assert edited.level("A").on_hand == (13 if decision is Decision.ACCEPT else 10)
    assert PublicationEntry.objects.filter(kind="adopted").count() == (0 if decision is Decision.IGNORE else 1)
    assert AuditEntry.objects.filter(action__endswith="drift").count() == 1


def test_a_decision_needs_its_reason(edited: World) -> None:
    with pytest.raises(DriftDecisionRefused, match="reason"):
        deciding.decide([Drift.objects.get().pk], Decision.ACCEPT, by=None, reason="  ")
    assert edited.level("A").on_hand == 10


def test_what_moved_since_the_read_is_read_again_first(edited: World) -> None:
    edited.post("A", 1)
    edited.delta()
    LevelPublication.objects.update(observed_revision=1)  # a push without a read after it

    (left,) = decide(edited, Decision.ACCEPT).left

    assert "moved since the read" in left.cause
    assert edited.level("A").on_hand == 11
    assert Drift.objects.get().state == DriftState.OPEN
    assert RemoteChange.objects.get(kind="level").status == "waiting"


def test_an_old_read_decides_nothing(edited: World) -> None:
    LevelPublication.objects.update(observed_at=edited.fake.now - dt.timedelta(days=3))
    (left,) = decide(edited, Decision.KEEP).left
    assert "more than a day old" in left.cause


def test_a_level_on_its_way_or_frozen_is_left(edited: World) -> None:
    LevelPublication.objects.update(state="frozen")
    (left,) = decide(edited, Decision.KEEP).left
    assert left.cause == "The level is frozen."


def test_of_many_locations_behind_one_a_person_says_which_takes_it(edited: World) -> None:
    attic = LocationFactory(name="Magazin București", code="bucuresti")
    LocationMappingFactory(store_location=edited.store_location, location=attic)
    participation.refresh(edited.store)
    drifts = list(Drift.objects.all())
    ((there, _, ours),) = deciding.choices(drifts)
    assert (there, sorted(name for _, name in ours)) == (
        edited.store_location.pk,
        ["Depozit Cluj", "Magazin București"],
    )

    (left,) = decide(edited, Decision.ACCEPT).left
    assert left.remedy == "Say which of them takes the difference."
    decide(edited, Decision.ACCEPT, choice={there: attic.pk})

    assert edited.level("A").on_hand == 10
    assert LedgerEntry.objects.get(level__location=attic).on_hand_delta == 3
    assert pending(edited.publication("A")) == 0
    edited.assert_sound()


def test_every_sum_holds_after_decisions(edited: World) -> None:
    decide(edited, Decision.KEEP)
    edited.delta()
    edited.sell("A", 1)
    edited.assert_sound()
