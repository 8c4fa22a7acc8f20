"""A store that takes long to list its variants is linked in slices, by whoever is there, from one listing."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from connectors import runs
from connectors.models import SyncRun
from connectors.models.runs import RunStatus, Trigger
from connectors.ports.errors import ResultLost
from connectors.progress import progress
from connectors.runs import RunAlreadyOpen
from inventory.linking import LISTINGS, start_link
from inventory.models import LevelPublication
from tests.factories.catalog import VariantFactory
from tests.inventory.test_crash import Killed
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(world: World) -> World:
    """A store that lists one variant, which we have, too."""
    VariantFactory(sku="A")
    world.fake.add_variant(sku="A")
    return world


def begin(world: World) -> SyncRun:
    return start_link(world.store, trigger=Trigger.PERSON)


def look(run: SyncRun) -> SyncRun:
    """The next slice, as if its time had come; a worker that died is silent by then."""
    long_ago = timezone.now() - dt.timedelta(minutes=1)
    SyncRun.objects.filter(pk=run.pk).update(not_before=None, heartbeat_at=long_ago)
    return runs.advance(run.pk)


def test_a_small_store_is_linked_at_once(store: World) -> None:
    run = runs.advance(begin(store).pk)

    assert run.status == RunStatus.COMPLETED
    assert progress(run).headline.startswith("1 linked, 0 linked before")
    assert LevelPublication.objects.count() == 1


def test_a_long_listing_is_looked_at_again_and_again_without_holding_a_worker(store: World) -> None:
    store.fake.take_looks_to_list(3)
    run = begin(store)

    waiting = runs.advance(run.pk)
    assert (waiting.status, waiting.owner) == (RunStatus.PLANNING, "")
    assert waiting.not_before is not None
    assert "The store lists its variants" in progress(waiting).headline
    assert look(run).status == RunStatus.PLANNING
    assert look(run).status == RunStatus.COMPLETED

    assert len(store.fake.called("prepare_listing")) == 3
    assert store.fake.listings == {f"link{run.pk}": "listing/1"}


def test_a_worker_that_dies_before_it_kept_the_ticket_is_followed_by_one_that_finds_the_listing(
    store: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.fake.take_looks_to_list(2)
    run = begin(store)

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("inventory.linking.LinkRun._keep", killed)
        with pytest.raises(Killed):
            runs.advance(run.pk)
    assert look(run).status == RunStatus.COMPLETED

    assert store.fake.listings == {f"link{run.pk}": "listing/1"}


def test_a_worker_that_dies_while_it_reads_is_followed_by_one_that_reads_the_same_listing(
    store: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.fake.take_looks_to_list(1)
    run = begin(store)

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("inventory.linking.link_store", killed)
        with pytest.raises(Killed):
            runs.advance(run.pk)
    assert look(run).status == RunStatus.COMPLETED

    assert store.fake.listings == {f"link{run.pk}": "listing/1"}
    assert LevelPublication.objects.count() == 1


def test_one_listing_of_a_store_is_asked_for_at_a_time(store: World) -> None:
    begin(store)

    with pytest.raises(RunAlreadyOpen):
        begin(store)


def test_a_listing_that_the_store_loses_is_asked_for_again_and_in_the_end_given_up(store: World) -> None:
    run = begin(store)

    for _ in range(LISTINGS):
        lost = ResultLost(service="Shop", operation="list", cause="It was cancelled.", remedy="Wait.")
        store.fake.fail_next_read(lost)
        run = look(run)

    assert run.status == RunStatus.FAILED
    assert f"{LISTINGS} times" in run.cause
    assert run.remedy


def test_a_listing_that_cannot_be_believed_ends_the_run_with_its_cause(world: World) -> None:
    publication = world.item("A", here=3, there=3)
    world.fake.remove_variant(publication.item_ref)

    run = runs.advance(begin(world).pk)

    assert run.status == RunStatus.FAILED
    assert "lists no variant at all" in run.cause
