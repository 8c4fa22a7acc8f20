"""What changed in a store is read again once per change heard of, whoever dies meanwhile, and no notice is lost."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from connectors import changes
from connectors.changes import Claimed
from connectors.models import RemoteChange, Store
from connectors.models.webhooks import ChangeState
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db

NINE = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
ORDER = "gid://shopify/Order/1"


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def row(ref: str = ORDER) -> RemoteChange:
    return RemoteChange.objects.get(ref=ref)


def claim_one(store: Store) -> Claimed:
    (claimed,) = changes.claim(store, "order", 10)
    return claimed


def worker_dies(ref: str = ORDER) -> None:
    RemoteChange.objects.filter(ref=ref).update(claimed_until=timezone.now() - dt.timedelta(seconds=1))


def test_notices_of_one_object_become_one_reading(store: Store) -> None:
    for second in range(5):
        changes.notice(store, "order", {ORDER: NINE + dt.timedelta(seconds=second)}, by="webhook")
    claimed = claim_one(store)
    changes.settle([claimed])
    assert (row().state, row().noticed, row().read, row().by_webhook) == (ChangeState.DONE, 5, 5, 5)
    assert changes.claim(store, "order", 10) == []


def test_a_notice_during_the_reading_makes_it_wait_again(store: Store) -> None:
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    claimed = claim_one(store)
    changes.notice(store, "order", {ORDER: NINE + dt.timedelta(seconds=3)}, by="webhook")
    assert changes.claim(store, "order", 10) == []  # one reader at a time
    changes.settle([claimed])
    again = claim_one(store)
    assert again.noticed == 2
    changes.settle([again])
    assert row().state == ChangeState.DONE


def test_a_worker_that_dies_gives_its_objects_back(store: Store) -> None:
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    dead = claim_one(store)
    worker_dies()
    alive = claim_one(store)
    changes.settle([alive])
    changes.settle([dead])  # it was only slow: its reading is true as well, and takes nothing away
    assert (row().state, row().claimed_until) == (ChangeState.DONE, None)


def test_a_slow_worker_does_not_end_the_lease_of_the_one_who_took_over(store: Store) -> None:
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    slow = claim_one(store)
    worker_dies()
    taken_over = claim_one(store)
    changes.fail([slow], "The store did not answer.", "Nothing to do.")
    assert row().claimed_until == taken_over.claimed_until
    assert row().cause == ""


def test_an_object_that_ends_every_worker_is_put_aside_and_named(store: Store) -> None:
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    for _ in range(changes.MOST_ATTEMPTS):
        claim_one(store)
        worker_dies()
    assert changes.claim(store, "order", 10) == []
    assert row().state == ChangeState.FAILED
    assert row().cause
    assert row().remedy


def test_a_failed_reading_is_tried_later_and_later_then_waits_for_a_person(store: Store) -> None:
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    waits = []
    for _ in range(changes.MOST_ATTEMPTS):
        changes.fail([claim_one(store)], "The answer could not be read.", "Report it.")
        not_before = row().not_before
        assert not_before is not None
        waits.append(not_before - timezone.now())
        RemoteChange.objects.update(not_before=None)
    assert waits == sorted(waits)
    assert row().state == ChangeState.FAILED
    assert changes.retry(changes.found(kind="order"), by=None, what="orders") == 1
    assert claim_one(store).attempts == 1


def test_a_failed_object_is_read_again_when_the_store_tells_of_a_later_change(store: Store) -> None:
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    changes.fail([claim_one(store)], "The order has no lines.", "Report it.", lasting=True)
    assert changes.claim(store, "order", 10) == []
    changes.notice(store, "order", {ORDER: NINE + dt.timedelta(minutes=1)}, by="polling")
    assert claim_one(store).attempts == 1
    assert row().cause == ""


def test_a_store_that_cannot_be_asked_costs_no_attempt(store: Store) -> None:
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    for _ in range(changes.MOST_ATTEMPTS + 2):
        changes.postpone([claim_one(store)], 60, "The store does not answer.", "Nothing to do.")
        assert changes.claim(store, "order", 10) == []
        RemoteChange.objects.update(not_before=None)
    assert row().attempts == 0


def test_an_older_or_the_same_version_is_no_news_once_read(store: Store) -> None:
    assert changes.notice(store, "order", {ORDER: NINE}, by="webhook") == [ORDER]
    changes.settle([claim_one(store)], read_at=NINE + dt.timedelta(seconds=2))
    assert changes.notice(store, "order", {ORDER: NINE}, by="polling") == []
    assert changes.notice(store, "order", {ORDER: NINE - dt.timedelta(hours=1)}, by="webhook") == []
    assert row().by_polling == 0
    assert changes.notice(store, "order", {ORDER: NINE + dt.timedelta(seconds=1)}, by="polling") == [ORDER]


def test_a_version_read_within_its_own_second_is_read_once_more(store: Store) -> None:
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    changes.settle([claim_one(store)], read_at=NINE)
    assert changes.notice(store, "order", {ORDER: NINE}, by="polling") == [ORDER]


def test_a_notice_without_a_version_is_always_news(store: Store) -> None:
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    changes.settle([claim_one(store)])
    assert changes.notice(store, "order", {ORDER: None}, by="webhook") == [ORDER]
    assert row().remote_updated_at == NINE


def test_the_longest_waiting_object_goes_first_however_often_it_is_noticed(store: Store) -> None:
    for number in (1, 2, 3):
        changes.notice(store, "order", {f"gid://shopify/Order/{number}": NINE}, by="webhook")
    changes.notice(store, "order", {ORDER: NINE + dt.timedelta(minutes=1)}, by="webhook")
    assert [one.ref for one in changes.claim(store, "order", 2)] == [ORDER, "gid://shopify/Order/2"]


def test_only_kinds_that_somebody_reads_are_offered(store: Store, settings: object) -> None:
    settings.CHANGE_READERS = {"order": "connectors.changes.waiting"}  # type: ignore[attr-defined]
    changes.notice(store, "order", {ORDER: NINE}, by="webhook")
    changes.notice(store, "product", {"gid://shopify/Product/1": NINE}, by="webhook")
    assert changes.waiting() == [(store.pk, "order")]
