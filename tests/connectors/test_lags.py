"""How late a store tells of its changes, and what is kept clear of because of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from connectors import changes, feeds, lags
from connectors.lags import Lag
from connectors.models import FeedLag, FeedPosition, Store
from tests.connectors.test_feeds import MINUTE, NINE, Shop, shop, store

__all__ = ["shop", "store"]

pytestmark = pytest.mark.django_db


def polled(shop: Shop, store: Store, at: dt.datetime) -> None:
    shop.now = at
    feeds.poll(store)


def test_what_is_told_in_time_counts_as_such(shop: Shop, store: Store) -> None:
    polled(shop, store, NINE)
    shop.changed["A"] = NINE + MINUTE
    polled(shop, store, NINE + 5 * MINUTE)
    assert lags.measured(store) == Lag(1, 0)
    assert lags.margin(store) == dt.timedelta(seconds=120)


def test_what_a_pass_should_have_listed_is_late_by_the_time_until_it_was_heard_of(shop: Shop, store: Store) -> None:
    polled(shop, store, NINE)
    shop.changed["A"] = NINE - dt.timedelta(seconds=30)
    polled(shop, store, NINE + 2 * MINUTE)
    assert lags.measured(store) == Lag(1, 180), "150 s, as the next step"
    assert lags.margin(store) == dt.timedelta(seconds=540)
    polled(shop, store, NINE + 4 * MINUTE)
    assert lags.measured(store).changes == 1, "the overlap lists it again; it was heard of"


def test_a_webhook_that_comes_after_a_pass_without_it_is_late(shop: Shop, store: Store) -> None:
    polled(shop, store, NINE)
    told = {"A": NINE - MINUTE, "B": NINE + MINUTE, "C": None}
    lags.heard(store, "order", told, at=NINE + 2 * MINUTE)
    changes.notice(store, "order", told, by="webhook")
    lags.heard(store, "order", told, at=NINE + 9 * MINUTE)
    late = dict(FeedLag.objects.filter(seconds__gt=0).values_list("seconds", "changes"))
    assert late == {180: 1}, "said again, it is no news"


def test_the_second_in_which_a_pass_began_is_not_held_against_it(shop: Shop, store: Store) -> None:
    polled(shop, store, NINE + dt.timedelta(seconds=0.7))
    lags.heard(store, "order", {"A": NINE}, at=NINE + dt.timedelta(seconds=9))
    assert lags.measured(store) == Lag(1, 0)


def test_history_is_not_lateness(shop: Shop, store: Store) -> None:
    shop.changed["old"] = NINE - 600 * MINUTE
    polled(shop, store, NINE)
    shop.changed["older"] = NINE - 900 * MINUTE
    feeds.poll(store, begin="beginning")
    assert lags.measured(store) == Lag(0, 0)


def test_one_in_a_thousand_may_be_late(store: Store) -> None:
    today = timezone.now().date()
    FeedLag.objects.create(store=store, kind="order", day=today, seconds=60, changes=1)
    FeedLag.objects.create(store=store, kind="order", day=today - dt.timedelta(days=3), seconds=0, changes=998)
    assert lags.measured(store) == Lag(999, 60)
    FeedLag.objects.filter(seconds=0).update(changes=999)
    assert lags.measured(store) == Lag(1000, 0)
    FeedLag.objects.create(store=store, kind="order", day=today - dt.timedelta(days=7), seconds=900, changes=50)
    assert lags.measured(store) == Lag(1000, 0), "a week ago"


def test_a_store_that_tells_late_is_asked_for_more(shop: Shop, store: Store) -> None:
    polled(shop, store, NINE)
    FeedLag.objects.create(store=store, kind="order", day=timezone.now().date(), seconds=300, changes=1)
    polled(shop, store, NINE + 60 * MINUTE)
    assert FeedPosition.objects.get().watermark == NINE + 60 * MINUTE
    assert shop.asked[2] == NINE - 15 * MINUTE


def test_the_sentence_says_margin_and_measure(store: Store) -> None:
    assert lags.said(store) == (
        "A level that moved in the store within 2 min is not overwritten: how late its changes are told is not measured yet."
    )
    FeedLag.objects.create(store=store, kind="order", day=timezone.now().date(), seconds=90, changes=1203)
    assert lags.said(store) == (
        "A level that moved in the store within 4 min 30 s is not overwritten: "
        "99.9 % of 1,203 changes of the last 7 days were told within 1 min 30 s."
    )


def test_what_is_not_looked_at_any_more_is_deleted(store: Store) -> None:
    for days in (1, 20):
        FeedLag.objects.create(
            store=store, kind="order", day=timezone.now().date() - dt.timedelta(days=days), seconds=0
        )
    assert lags.prune() == 1
