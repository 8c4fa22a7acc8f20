"""A store that Shopify has closed for a while: work waits for it, nobody has to do anything, and it is seen."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors import approval, connection, registry, resting, runs
from connectors.models import Store
from connectors.models.runs import WORKING, RunStatus
from connectors.models.stores import Health
from connectors.ports.errors import AccountResting
from connectors.resting import StoreStanding
from syncconsole.stores_health import store_health
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.fakes import FakeStore
from tests.worlds import World

pytestmark = pytest.mark.django_db

FROZEN = AccountResting(
    service="Shopify",
    operation="read quantities",
    cause="The shop is frozen because a Shopify bill is unpaid (HTTP 402).",
    remedy="Settle the bill in the Shopify admin.",
    status=402,
    retry_after=3600,
)


def test_a_resting_store_says_until_when_and_why_and_a_good_answer_ends_it() -> None:
    store = StoreFactory()
    standing = StoreStanding(store)

    standing.rests(FROZEN)

    kept = Store.objects.get(pk=store.pk)
    assert kept.rests
    assert (kept.rest_cause, kept.rest_remedy) == (FROZEN.cause, FROZEN.remedy)
    word, reason = store_health(kept)
    assert (word, reason) == (Health.NEEDS_YOU, f"{FROZEN.cause} It is asked again in 60 min.")

    standing.answered()

    kept = Store.objects.get(pk=store.pk)
    assert (kept.rests_until, kept.rest_cause, kept.rest_remedy) == (None, "", "")


def test_good_answers_cost_no_query(django_assert_num_queries: pytest.FixtureRequest) -> None:
    standing = StoreStanding(StoreFactory())

    with django_assert_num_queries(0):  # type: ignore[operator]
        standing.answered()


def test_the_store_page_shows_the_rest() -> None:
    store = StoreFactory()
    resting.begin(store.pk, FROZEN)
    client = Client()
    client.force_login(UserFactory(roles=["Viewer"]))

    page = client.get(reverse("admin:store", args=[store.slug])).content.decode()

    assert "The store rests" in page
    assert "Settle the bill" in page


def test_a_good_connection_test_ends_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    store = StoreFactory(shop_domain="bucovina.myshopify.com")
    resting.begin(store.pk, FROZEN)
    monkeypatch.setattr(registry, "store_for", lambda row: FakeStore())

    assert connection.test_connection(store).ok

    assert not Store.objects.get(pk=store.pk).rests


def test_a_run_waits_for_a_resting_store_asks_nothing_meanwhile_and_goes_on_by_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.item("A", here=5, there=7)
    world.rest()
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        run = world.plan_full()
        approval.approve(run, world.operator)
        resting.begin(world.store.pk, FROZEN)
        before = len(world.fake.calls)

        run = runs.advance(run.pk)

        assert run.status in WORKING
        assert run.not_before == start + dt.timedelta(hours=1)
        assert run.cause == FROZEN.cause
        assert len(world.fake.calls) == before
        assert not Store.objects.get(pk=world.store.pk).writes_paused
        clock.shift(dt.timedelta(hours=1, seconds=1))
        assert runs.advance(run.pk).status == RunStatus.COMPLETED
