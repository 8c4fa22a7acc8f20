"""Deciding about a plan: who may, what must be typed, and what a repeat does."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from connectors import runs
from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus
from syncconsole.kernel.models import AuditEntry
from tests.console import showcase
from tests.console.conftest import SignIn
from tests.factories.catalog import VariantFactory
from tests.worlds import World


@pytest.fixture
def plan(world: World) -> SyncRun:
    """A plan over its limits, asked for by the world's operator."""
    showcase.live_store(world)
    return showcase.plan_over_limits(world)


def approve(client: Client, run: SyncRun, typed: str = "") -> object:
    return client.post(reverse("admin:run_approve", args=[run.pk]), {"confirmation": typed})


def test_the_page_shows_the_plan_with_its_limits_and_sums(plan: SyncRun, sign_in: SignIn) -> None:
    text = sign_in("Operator").get(reverse("admin:run", args=[plan.pk])).content.decode()
    assert "25 levels go to zero (limit 20)." in text
    assert "Approve 27 changes" in text
    assert "18 → " in text
    assert f'Type <span class="c-mono">{plan.store.slug}' in text


def test_a_plan_over_a_limit_is_approved_only_with_the_typed_slug(plan: SyncRun, sign_in: SignIn) -> None:
    operator = sign_in("Operator")
    for typed in ("", "bucovina", "yes"):
        answer = approve(operator, plan, typed)
        assert answer.status_code == 422  # type: ignore[attr-defined]
        plan.refresh_from_db()
        assert plan.status == RunStatus.AWAITING_APPROVAL
    answer = approve(operator, plan, plan.store.slug)
    assert answer.headers["Location"] == reverse("admin:run", args=[plan.pk])  # type: ignore[attr-defined]
    plan.refresh_from_db()
    assert plan.status == RunStatus.APPLYING
    assert AuditEntry.objects.filter(action="approve plan").exists()


def test_who_started_a_plan_over_a_limit_may_not_approve_it(plan: SyncRun, world: World, sign_in: SignIn) -> None:
    sign_in("Operator")
    starter = Client()
    starter.force_login(world.operator, "django.contrib.auth.backends.ModelBackend")
    text = starter.get(reverse("admin:run", args=[plan.pk])).content.decode()
    assert "Approving needs someone else: you started this plan" in text
    assert "Who can: Ana Ionescu" in text
    approve(starter, plan, plan.store.slug)
    plan.refresh_from_db()
    assert plan.status == RunStatus.AWAITING_APPROVAL


@pytest.mark.parametrize("role", ["Viewer", "Onboarding"])
def test_other_roles_see_the_plan_and_cannot_decide(role: str, plan: SyncRun, sign_in: SignIn) -> None:
    client = sign_in(role)
    assert client.get(reverse("admin:run", args=[plan.pk])).status_code == 200
    approve(client, plan, plan.store.slug)
    client.post(reverse("admin:run_reject", args=[plan.pk]), {"reason": "no"})
    client.post(reverse("admin:run_cancel", args=[plan.pk]))
    plan.refresh_from_db()
    assert plan.status == RunStatus.AWAITING_APPROVAL


def test_a_second_click_lands_on_the_same_run(plan: SyncRun, sign_in: SignIn) -> None:
    first, second = sign_in("Operator"), sign_in("Operator")
    approve(first, plan, plan.store.slug)
    again = approve(second, plan, plan.store.slug)
    assert again.status_code == 302  # type: ignore[attr-defined]
    text = second.get(reverse("admin:run", args=[plan.pk])).content.decode()
    assert "Approved by Ana Ionescu" in text


def test_a_rejected_plan_writes_nothing_and_keeps_the_reason(plan: SyncRun, sign_in: SignIn) -> None:
    sign_in("Operator").post(reverse("admin:run_reject", args=[plan.pk]), {"reason": "wrong file"})
    plan.refresh_from_db()
    assert plan.status == RunStatus.CANCELLED
    assert "wrong file" in plan.cause


def test_looking_at_a_door_changes_nothing(plan: SyncRun, sign_in: SignIn) -> None:
    client = sign_in()
    slug = plan.store.slug
    for name, key in [("run_approve", plan.pk), ("run_reject", plan.pk), ("run_cancel", plan.pk)]:
        assert client.get(reverse(f"admin:{name}", args=[key])).status_code == 405
    for name in ("test_connection", "pause_writes", "replace_token", "link_now"):
        assert client.get(reverse(f"admin:{name}", args=[slug])).status_code == 405


def test_starting_a_run_twice_lands_on_the_one_that_is_open(world: World, sign_in: SignIn) -> None:
    store = showcase.live_store(world)
    client = sign_in("Operator")
    first = client.post(reverse("admin:start_job", args=[store.slug, "delta"]))
    second = client.post(reverse("admin:start_job", args=[store.slug, "delta"]))
    assert first.headers["Location"] == second.headers["Location"]
    assert store.runs.open().count() == 1


def test_a_full_sync_asks_for_its_reason_and_after_go_live_for_the_slug(world: World, sign_in: SignIn) -> None:
    store = showcase.live_store(world)
    client, address = sign_in("Operator"), reverse("admin:start_full", args=[store.slug])
    page = client.get(address).content.decode()
    assert "A full sync ran less than seven days ago" in page
    assert client.post(address, {"reason": "other", "text": "", "confirmation": store.slug}).status_code == 422
    untyped = client.post(address, {"reason": "major discrepancy"})
    assert untyped.status_code == 422
    assert "Type bucovina-ro to confirm." in untyped.content.decode()
    started = client.post(address, {"reason": "other", "text": "flood in Cluj", "confirmation": store.slug})
    assert started.status_code == 302
    run = store.runs.first()
    assert run is not None
    assert run.reason == "flood in Cluj"


def test_a_gate_that_is_shut_leads_to_the_gates(world: World, sign_in: SignIn) -> None:
    store = showcase.live_store(world)
    Store.objects.filter(pk=store.pk).update(writes_paused=True, pause_reason="stock taking")
    answer = sign_in("Operator").post(reverse("admin:start_job", args=[store.slug, "delta"]), follow=True)
    assert answer.redirect_chain[-1][0] == reverse("admin:store_gates", args=[store.slug])
    assert "stock taking" in answer.content.decode()


def test_link_now_lands_on_its_run_whose_page_says_what_came_of_it(world: World, sign_in: SignIn) -> None:
    VariantFactory(sku="A")
    world.fake.add_variant(sku="A")
    client, door = sign_in("Operator"), reverse("admin:link_now", args=[world.store.slug])
    landed, again = client.post(door), client.post(door)
    assert landed.headers["Location"] == again.headers["Location"]

    runs.advance(world.store.runs.get().pk)

    page = client.get(landed.headers["Location"]).content.decode()
    assert "1 linked, 0 linked before" in page
    assert "Nothing to change" not in page
