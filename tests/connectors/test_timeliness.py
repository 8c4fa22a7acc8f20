"""How soon and how surely a store tells, measured over a day."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from connectors import changes, timeliness
from connectors.models import RemoteChange, Store, WebhookDelivery
from connectors.timeliness import Delay, Score
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db

NINE = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def arrived(store: Store, ref: str, seconds: float | None, *, ago: float = 1, again: int = 0) -> None:
    """A delivery that took `seconds` and came `ago` hours before now."""
    at = timezone.now() - dt.timedelta(hours=ago)
    triggered_at = None if seconds is None else at - dt.timedelta(seconds=seconds)
    WebhookDelivery.objects.create(
        store=store,
        topic="orders/updated",
        delivery_ref=ref,
        received_at=at,
        triggered_at=triggered_at,
        duplicates=again,
        body=b"{}",
    )


def measured(store: Store) -> timeliness.Timeliness:
    return timeliness.of_store.anew(store.pk).value


def test_the_delay_of_a_topic_is_told_by_the_day(store: Store) -> None:
    for number, seconds in enumerate((1, 2, 3)):
        arrived(store, f"w{number}", seconds, again=number)
    arrived(store, "yesterday", 3600, ago=25)
    arrived(StoreFactory(), "elsewhere", 60)
    assert measured(store).delays == (Delay("orders/updated", 3, 3, 2.0, pytest.approx(2.9)),)
    assert measured(store).of("orders/delete") is None


def test_a_delivery_without_its_time_counts_and_has_no_delay(store: Store) -> None:
    arrived(store, "w1", None)
    assert measured(store).delays == (Delay("orders/updated", 1, 0, None, None),)


def test_a_clock_ahead_of_ours_makes_no_negative_delay(store: Store) -> None:
    arrived(store, "w1", -5)
    assert measured(store).delays[0].median == 0


def test_the_score_compares_what_webhooks_told_with_what_polling_found_first(store: Store) -> None:
    def versions(*numbers: int) -> dict[str, dt.datetime | None]:
        return {f"gid://shopify/Order/{number}": NINE for number in numbers}

    changes.notice(store, "order", versions(1, 2, 3), by="webhook")
    changes.notice(store, "order", versions(1, 2, 3, 4), by="polling")
    changes.notice(store, "order", versions(4), by="webhook")
    (score,) = measured(store).scores
    assert score == Score("order", told=3, found=1)
    assert score.share == 75


def test_what_was_told_yesterday_is_no_part_of_today(store: Store) -> None:
    changes.notice(store, "order", {"gid://shopify/Order/1": NINE}, by="webhook")
    RemoteChange.objects.update(webhook_at=timezone.now() - dt.timedelta(hours=25))
    assert measured(store).scores == ()
    changes.notice(store, "order", {"gid://shopify/Order/1": NINE + dt.timedelta(minutes=1)}, by="polling")
    assert measured(store).scores == (Score("order", told=0, found=1),)
