"""Deciding about drift, resuming a paused level and signing for orders, on their pages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from connectors.models import Store
from inventory import participation
from inventory.models import Drift, LevelPublication, OffsetAcknowledgement
from inventory.models.drifts import DriftCause, DriftState
from inventory.models.publications import PublicationState
from syncconsole.kernel.models import AuditEntry
from tests.console.conftest import SignIn
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.worlds import World

DECIDE = "admin:decide_drift"


@pytest.fixture
def operator(sign_in: SignIn) -> Client:
    return sign_in("Operator")


@pytest.fixture
def differing(world: World, shown: Store) -> Drift:
    """AB-002 shows five less than we expect."""
    world.plan_full()
    return Drift.objects.get()


def group(drift: Drift, **more: str) -> dict[str, str]:
    return {"store": drift.store.slug, "cause": drift.cause, "writer": "", "last": str(drift.pk), **more}


def messages(client: Client) -> str:
    return client.get(reverse("admin:held") + "?tab=drift").content.decode()


def test_the_tab_groups_by_cause_and_leads_to_each_decision(differing: Drift, operator: Client) -> None:
    page = operator.get(reverse("admin:held") + "?tab=drift")
    (shown,) = page.context["groups"]
    assert (shown.count, shown.units, shown.title) == (1, -5, "No order, refund or push explains it")
    for word in ("Keep ours", "Accept theirs", "Ignore…"):
        assert word in page.content.decode()


def test_a_viewer_sees_drift_and_decides_nothing(differing: Drift, sign_in: SignIn) -> None:
    viewer = sign_in("Viewer")
    assert "Deciding needs another role" in viewer.get(reverse("admin:held") + "?tab=drift").content.decode()
    assert viewer.post(reverse(DECIDE), group(differing, decision="accept", reason="x")).status_code == 403
    assert Drift.objects.get().state == DriftState.OPEN


def test_the_effect_is_said_in_numbers_before(differing: Drift, operator: Client) -> None:
    page = operator.get(reverse(DECIDE), group(differing, decision="accept"))
    said = {option.label: " ".join(option.effects) for option in page.context["options"]}
    assert said["Accept theirs"].startswith("1 ledger entry, ATS −5. Atelier Bucovina RO gets nothing.")
    assert said["Keep ours"].startswith("No ledger entry. The next delta sends +5 to Atelier Bucovina RO.")
    assert LevelPublication.objects.get(pk=differing.publication_id).revision == differing.revision


def test_a_group_is_decided_once_with_its_reason(differing: Drift, operator: Client, world: World) -> None:
    form = group(differing, decision="accept")
    kept = operator.post(reverse(DECIDE), form)
    assert (kept.status_code, "The reason is missing" in kept.content.decode()) == (422, True)

    for _ in range(2):
        assert operator.post(reverse(DECIDE), {**form, "reason": "Counted."}).status_code == 302

    assert world.level("AB-002").on_hand == 17
    assert Drift.objects.get().state == DriftState.ACCEPTED
    assert "Decided, or gone by itself, before." in messages(operator)


def test_what_was_typed_stays_when_no_decision_was_chosen(differing: Drift, operator: Client) -> None:
    page = operator.post(reverse(DECIDE), group(differing, reason="Counted on the shelf"))
    assert page.status_code == 422
    assert "Counted on the shelf" in page.content.decode()


def test_a_drift_that_came_after_the_page_was_shown_is_not_decided_with_it(differing: Drift, operator: Client) -> None:
    other = LevelPublication.objects.exclude(pk=differing.publication_id).first()
    later = Drift.objects.create(
        publication=other, store=differing.store, quantity=2, shown=3,
        first_seen_at=differing.seen_at, seen_at=differing.seen_at,
    )  # fmt: skip
    operator.post(reverse(DECIDE), group(differing, decision="ignore", reason="Known."))
    later.refresh_from_db()
    assert later.state == DriftState.OPEN


def test_the_person_picks_the_location_that_takes_it(world: World, differing: Drift, operator: Client) -> None:
    attic = LocationFactory(name="Magazin București", code="bucuresti")
    LocationMappingFactory(store_location=world.store_location, location=attic)
    participation.refresh(world.store)
    form = {"drift": str(differing.pk), "decision": "accept", "reason": "Counted."}
    operator.post(reverse(DECIDE), form)
    assert "Say which of them takes the difference." in messages(operator)

    operator.post(reverse(DECIDE), {**form, f"location-{world.store_location.pk}": str(attic.pk)})
    assert world.level("AB-002").on_hand == 22
    assert Drift.objects.get().state == DriftState.ACCEPTED


def test_a_paused_level_shows_both_writers_and_is_resumed(differing: Drift, operator: Client) -> None:
    differing.cause = DriftCause.TWO_WRITERS
    differing.save()
    LevelPublication.objects.filter(pk=differing.publication_id).update(
        state=PublicationState.FROZEN, state_cause="Two writers alternate."
    )
    page = messages(operator)
    assert "Shopify does not tell who" in page
    address = reverse("admin:resume_level", args=[differing.publication_id])

    operator.post(address, {"reason": " "})
    assert LevelPublication.objects.get(pk=differing.publication_id).state == PublicationState.FROZEN
    operator.post(address, {"reason": "The other app is switched off."})
    assert LevelPublication.objects.get(pk=differing.publication_id).state == PublicationState.LIVE
    operator.post(address, {"reason": "again"})
    assert "It is not paused any more." in messages(operator)


def test_a_level_held_for_orders_is_signed_for(world: World, differing: Drift, operator: Client) -> None:
    held = world.publication("AB-001")
    assert "Sign" in operator.get(reverse("admin:held")).content.decode()
    address = reverse("admin:sign_offset", args=[held.pk])
    assert "older than 60 days" in operator.get(address).content.decode()

    refused = operator.post(address, {"committed": "9", "open_here": "0", "reason": "Old orders."})
    assert (refused.status_code, "Old orders." in refused.content.decode()) == (422, True)
    for _ in range(2):
        operator.post(address, {"committed": "2", "open_here": "0", "reason": "Old orders."})
    assert OffsetAcknowledgement.objects.get().quantity == 2
    assert "Nothing is to be signed" in operator.get(address).content.decode()
    assert address in operator.get(reverse("admin:why", args=[held.pk])).content.decode()


def test_what_is_signed_is_withdrawn_once_with_its_reason(world: World, differing: Drift, operator: Client) -> None:
    held = world.publication("AB-001")
    address = reverse("admin:sign_offset", args=[held.pk])
    operator.post(address, {"committed": "2", "open_here": "0", "reason": "Old orders."})
    assert "the level is held for these 2 units again" in operator.get(address).content.decode()

    refused = operator.post(address, {"step": "withdraw", "why": " "})
    assert (refused.status_code, "The reason is missing" in refused.content.decode()) == (422, True)
    operator.post(address, {"step": "withdraw", "why": "They were shipped."})

    assert "Withdrawn for 2 units" in messages(operator)
    assert world.publication("AB-001").acknowledged_offset == 0
    assert AuditEntry.objects.get(action="withdraw offset").after["reason"] == "They were shipped."
    assert operator.post(address, {"step": "withdraw", "why": "Again."}).status_code == 422
    assert OffsetAcknowledgement.objects.count() == 1, "what was signed stays as it was given"


def test_the_chart_counts_what_drifted_each_day(differing: Drift, operator: Client) -> None:
    Drift.objects.update(first_seen_at=differing.first_seen_at.replace(year=2020))
    chart = operator.get(reverse("admin:held") + "?tab=drift").context["chart"]
    assert len(chart.rows) == 30
    assert {values[0] for _, values in chart.rows} == {1}
    Drift.objects.update(state=DriftState.CLEARED, closed_at=differing.first_seen_at.replace(year=2021))
    chart = operator.get(reverse("admin:held") + "?tab=drift").context["chart"]
    assert chart.summary == ""
