"""What changes here leaves within seconds where stores share stock, and no posting ever waits for it or fails by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import OperationalError

from connectors import runs
from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus, Trigger
from connectors.models.stores import AtOnce
from inventory import at_once, jobs, ledger, schedules, tasks
from inventory.jobs import Job
from inventory.ledger import Posting
from inventory.models import LocationMapping
from inventory.models.ledger import EntryKind
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.inventory import LocationMappingFactory
from tests.worlds import World

pytestmark = pytest.mark.django_db

Committed = Callable[..., Any]


@pytest.fixture
def shop(world: World) -> World:
    """A live store that shares its stock with another one."""
    world.item("A", here=5, there=5)
    world.item("B", here=5, there=5)
    world.rest()
    world.full()
    LocationMappingFactory(store_location=StoreLocationFactory(store=StoreFactory()), location=world.here)
    world.store.refresh_from_db()
    return world


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked of the workers: seconds and store."""
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks.send_changes, "send_in", lambda *told: asked.append(told))
    return asked


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Committed:
    """Does something as a transaction of its own."""

    def done(work: Callable[..., Any], *args: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            work(*args)

    return done


def test_entries_that_follow_each_other_are_sent_by_one_task(
    shop: World, sent: list[Any], committed: Committed
) -> None:
    for sku in ("A", "B", "A"):
        committed(shop.post, sku, 2)
    assert sent == [(at_once.GATHERING, shop.store.pk)]
    tasks.send_changes(shop.store.pk)
    run = SyncRun.objects.get(kind=Job.DELTA)
    assert (run.trigger, runs.advance(run.pk).status) == (Trigger.CHANGE, RunStatus.COMPLETED)
    assert (shop.shown("A"), shop.shown("B")) == (9, 7)
    committed(shop.post, "A", 1)
    assert len(sent) == 2, "what comes after the task began has a task of its own"


def test_which_stores_want_it(shop: World, sent: list[Any], committed: Committed) -> None:
    def asks(**settings: Any) -> bool:
        Store.objects.filter(pk=shop.store.pk).update(**settings)
        at_once.forget(shop.store)
        sent.clear()
        committed(shop.post, "A", 1)
        return bool(sent)

    assert asks(at_once=AtOnce.SHARED)
    assert not asks(at_once=AtOnce.NEVER)
    LocationMapping.objects.exclude(store=shop.store).delete()
    assert not asks(at_once=AtOnce.SHARED)
    assert asks(at_once=AtOnce.ALWAYS)
    schedules.save(shop.store, Job.DELTA, by=None, enabled=False)
    assert not asks(at_once=AtOnce.ALWAYS), "a delta that is off sends nothing by itself"


def test_an_import_is_left_to_the_schedule_which_sees_it_whole(
    shop: World, sent: list[Any], committed: Committed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "BULK", 2)
    variants = [shop.level(sku).variant_id for sku in ("A", "B")]
    both = [
        Posting(variant, shop.here.pk, EntryKind.RECEIVED, f"file:{variant}", "test", timezone.now(), on_hand_delta=2)  # type: ignore[arg-type]
        for variant in variants
    ]
    committed(ledger.post, both)
    assert sent == []
    assert schedules.of_store(shop.store)[Job.DELTA].live


@pytest.mark.parametrize("broken", ["cache", "broker"])
def test_a_posting_does_not_care_whether_anybody_can_be_told(
    shop: World, committed: Committed, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(*((cache, "add", down) if broken == "cache" else (tasks.send_changes, "apply_async", down)))
    committed(shop.post, "A", 2)
    assert shop.level("A").on_hand == 7
    assert shop.publication("A").needs_look


def test_nothing_is_started_where_nothing_is_owed(shop: World) -> None:
    assert not at_once.send(shop.store)
    assert not SyncRun.objects.filter(kind=Job.DELTA).exists()


@pytest.mark.parametrize(
    ("status", "again"),
    [
        (RunStatus.QUEUED, False),
        (RunStatus.PLANNING, True),
        (RunStatus.APPLYING, True),
        (RunStatus.AWAITING_APPROVAL, False),
    ],
)
def test_while_a_delta_is_open_what_it_may_have_passed_by_is_looked_at_after_it(
    shop: World, sent: list[Any], status: RunStatus, again: bool
) -> None:
    shop.post("A", 2)
    run = jobs.start(shop.store, Job.DELTA, trigger=Trigger.PERSON, requested_by=shop.operator)
    SyncRun.objects.filter(pk=run.pk).update(status=status)
    assert not at_once.send(shop.store)
    assert sent == ([(at_once.AGAIN, shop.store.pk)] if again else [])


def test_behind_a_shut_gate_nothing_starts_and_no_refusal_is_kept(shop: World) -> None:
    shop.post("A", 2)
    Store.objects.filter(pk=shop.store.pk).update(connection_cause="The token was refused.")
    shop.store.refresh_from_db()
    assert not at_once.send(shop.store)
    assert not SyncRun.objects.filter(kind=Job.DELTA).exists()
