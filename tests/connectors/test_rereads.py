"""Stores are asked for orders by their own rhythm, and for some nights for all of them."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from connectors import feeds, rereads
from connectors.models import FeedPosition, Store
from connectors.ports.errors import ConnectorUnavailable
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db

NIGHT = dt.datetime(2026, 11, 21, 1, 30, tzinfo=dt.UTC)
"""03:30 in Bucharest."""
MINUTE = dt.timedelta(minutes=1)


def test_each_store_is_asked_by_its_own_rhythm_and_one_that_rests_is_not() -> None:
    often, seldom = StoreFactory(import_minutes=1), StoreFactory(import_minutes=60)
    never, resting = StoreFactory(), StoreFactory(rests_until=NIGHT + MINUTE)
    for store in (often, seldom, resting):
        FeedPosition.objects.create(store=store, kind="order", begun_at=NIGHT - 2 * MINUTE)

    with time_machine.travel(NIGHT, tick=False):
        assert {store.pk for store in feeds.due()} == {often.pk, never.pk}


def test_a_store_is_read_again_once_in_its_night_as_long_as_that_is_wanted() -> None:
    wanted = StoreFactory(reread_until=NIGHT + MINUTE, time_zone="Europe/Bucharest")
    StoreFactory(reread_until=NIGHT + MINUTE, time_zone="America/New_York")
    StoreFactory(reread_until=NIGHT - MINUTE)
    StoreFactory()

    with time_machine.travel(NIGHT, tick=False):
        assert [store.pk for store in rereads.due()] == [wanted.pk]
        Store.objects.filter(pk=wanted.pk).update(reread_at=NIGHT - MINUTE)
        assert rereads.due() == []


def test_what_a_reread_finds_is_kept_and_one_that_failed_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store = StoreFactory(reread_until=NIGHT + MINUTE)
    asked: list[str] = []

    def poll(store: Store, kind: str, *, begin: str) -> feeds.Pass:
        asked.append(begin)
        if len(asked) == 1:
            raise ConnectorUnavailable(service="Shop", operation="list", cause="Away.", remedy="Wait.")
        return feeds.Pass(listed=40, found=2, watermark=NIGHT)

    monkeypatch.setattr(feeds, "poll", poll)
    with pytest.raises(ConnectorUnavailable):
        rereads.reread(store)
    assert Store.objects.get().reread_at is None

    rereads.reread(store)
    found = Store.objects.get()
    assert (asked, found.reread_listed, found.reread_found) == (["shown", "shown"], 40, 2)
    assert found.reread_at is not None
