"""The list of levels: each filter shows the levels it names, and no other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store
from inventory import ledger, standing
from inventory.ledger import Posting
from inventory.models.ledger import EntryKind
from tests.console.conftest import SignIn
from tests.factories.inventory import InventoryLevelFactory, LocationFactory
from tests.worlds import World


@pytest.fixture
def viewer(sign_in: SignIn) -> Client:
    return sign_in("Viewer")


def shown_by(client: Client, query: str) -> list[str]:
    rows = client.get(reverse("admin:levels") + query).context["rows"]
    return sorted(row.variant.sku for row in rows)


def test_states_tell_levels_apart(world: World, shown: Store, viewer: Client) -> None:
    slug = shown.slug
    world.post("AB-003", 5)
    run = world.plan_full()  # reads every level; the one with an order that we do not know is held
    assert run.items.filter(outcome="held").exists()
    assert shown_by(viewer, f"?store={slug}&state=held") == ["AB-001"]
    assert shown_by(viewer, f"?store={slug}&state=drift") == ["AB-002"]
    assert shown_by(viewer, f"?store={slug}&state=to_push") == ["AB-003"]
    assert len(shown_by(viewer, f"?store={slug}&state=in_step")) == 37


def test_many_marked_levels_are_listed_without_working_each_out(
    world: World, shown: Store, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "WORKED_OUT_AT_MOST", 1)
    for number in (3, 4, 5):
        world.post(f"AB-{number:03}", 5)
    assert {"AB-003", "AB-004", "AB-005"} <= set(shown_by(viewer, f"?store={shown.slug}&state=to_push"))
    assert "AB-003" not in shown_by(viewer, f"?store={shown.slug}&state=in_step")


def test_levels_of_items_and_locations_that_the_store_does_not_have(world: World, shown: Store, viewer: Client) -> None:
    query = f"?store={shown.slug}&state=not_listed"
    assert shown_by(viewer, query) == []
    InventoryLevelFactory(location=world.here, on_hand=3, variant__sku="NOT-THERE")
    assert shown_by(viewer, query) == ["NOT-THERE"]
    attic = LocationFactory(name="Magazin București")
    InventoryLevelFactory(location=attic, on_hand=1, variant=world.publication("AB-007").listed.variant)
    assert shown_by(viewer, query) == ["AB-007", "NOT-THERE"]


def test_items_are_found_by_key_and_by_title(shown: Store, viewer: Client) -> None:
    assert shown_by(viewer, f"?store={shown.slug}&q=TS-BLK") == ["TS-BLK-M"]
    assert shown_by(viewer, f"?store={shown.slug}&q=guler tunică") == ["CM-LIN-38"]
    assert shown_by(viewer, f"?store={shown.slug}&q=nothing here") == []
    assert shown_by(viewer, "?store=&q=SC-WOL") == ["SC-WOL-U"]


def test_levels_with_nothing_to_sell(world: World, shown: Store, viewer: Client) -> None:
    assert shown_by(viewer, f"?store={shown.slug}&zero=1") == ["SC-WOL-U"]


def test_numbers_are_those_of_the_ledger_and_the_store(world: World, shown: Store, viewer: Client) -> None:
    (row,) = viewer.get(reverse("admin:levels") + f"?store={shown.slug}&q=MT-HALF").context["rows"]
    assert (row.on_hand, row.released, row.ats, row.target, row.expected) == (2.5, 0, 2.5, 2, 2)


@pytest.mark.parametrize("page", ["why", "why_level"])
def test_a_long_history_is_told_page_by_page_and_each_event_once(world: World, viewer: Client, page: str) -> None:
    """What is recorded together has one moment; a page that ended within it would lose the rest."""
    publication, now = world.item("A"), timezone.now()
    level = world.level("A")
    for number in range(20):
        facts = [
            Posting(level.variant_id, level.location_id, EntryKind.RECEIVED, f"{number}.{i}", "", now) for i in "abc"
        ]
        ledger.post([replace(fact, on_hand_delta=Decimal(1)) for fact in facts])
    url = reverse(f"admin:{page}", args=[publication.pk if page == "why" else level.pk])

    told, older = [], "none yet"
    while older:
        told.append(viewer.get(url, {} if older == "none yet" else {"until": older}).context["timeline"])
        older = told[-1].older

    assert [len(timeline.events) for timeline in told] == [48, 12]
    assert [event.result for timeline in told for event in timeline.events] == list(range(60, 0, -1))
