"""Every order that a store has is in exactly one column of its day; what we have not is named."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import changes
from connectors.models import RemoteChange, Store
from connectors.models.webhooks import ChangeState
from orders import days, intake
from orders.models import IncomingOrder, IncomingState
from tests.console.conftest import SignIn, sign_in  # noqa: F401
from tests.factories.connectors import StoreFactory
from tests.factories.orders import NOON
from tests.inventory.test_commands import run
from tests.orders.shapes import sold, told

pytestmark = pytest.mark.django_db

NOW = NOON + dt.timedelta(hours=3)


@pytest.fixture
def store() -> Store:
    return StoreFactory(time_zone="Europe/Bucharest")


def heard_of(store: Store, ref: str, at: dt.datetime = NOON) -> None:
    changes.notice(store, intake.KIND, {ref: None}, by="webhook")
    RemoteChange.objects.filter(store=store, ref=ref).update(first_noticed_at=at, noticed_at=at)


def kept(store: Store, ref: str, state: IncomingState, at: dt.datetime = NOON) -> None:
    heard_of(store, ref)
    intake.keep(store, [sold(ref=ref, created_at=at)], asked_at=NOON)
    IncomingOrder.objects.filter(store=store, ref=ref).update(state=state)


def counted(day: days.Day) -> dict[str, Any]:
    return {name: getattr(day, name) for name in ("told", "sales", "left_out", "waiting", "failed", "not_here")}


def test_each_order_is_counted_once_on_the_day_it_was_placed(store: Store) -> None:
    heard_of(store, "o/1")
    told(store, sold(ref="o/1"))
    kept(store, "o/2", IncomingState.SHADOW)
    kept(store, "o/3", IncomingState.PENDING)
    kept(store, "o/4", IncomingState.FAILED)
    heard_of(store, "o/5")
    kept(StoreFactory(), "o/6", IncomingState.PENDING)

    (day,) = days.of_store(store, NOW)

    assert day.day == NOON.date()
    assert counted(day) == {"told": 5, "sales": 1, "left_out": 1, "waiting": 1, "failed": 1, "not_here": 1}


def test_a_day_is_that_of_the_stores_time_zone(store: Store) -> None:
    kept(store, "o/1", IncomingState.PENDING, at=dt.datetime(2026, 11, 19, 22, 30, tzinfo=dt.UTC))

    assert [day.day for day in days.of_store(store, NOW)] == [dt.date(2026, 11, 20)]


def test_an_old_order_that_changed_now_is_not_of_these_days(store: Store) -> None:
    kept(store, "o/1", IncomingState.PENDING, at=NOON - dt.timedelta(days=60))

    assert days.of_store(store, NOW) == []


def test_what_is_not_here_is_named_with_its_cause(store: Store, sign_in: SignIn) -> None:  # noqa: F811
    heard_of(store, "o/5", at=dt.datetime.now(dt.UTC))
    RemoteChange.objects.update(state=ChangeState.FAILED, cause="It has 250 refunds.", remedy="Enter it by hand.")

    page = sign_in("Operator").get(reverse("admin:order_days", args=[store.slug])).content.decode()

    for shown in ("o/5", "It has 250 refunds.", "Enter it by hand.", "never read to its end"):
        assert shown in page, shown


def test_by_command_the_days_are_counted_and_what_is_not_here_is_named(store: Store) -> None:
    told(store, sold(ref="o/1", created_at=timezone.now()))
    code, _, _ = run("order_days", store.slug)
    heard_of(store, "o/2", at=timezone.now())
    changed, after, said = run("order_days", store.slug)
    assert (code, changed) == (0, 1)
    assert [row["ref"] for row in after["not_here"]] == ["o/2"]
    assert "o/2 is not here" in said
