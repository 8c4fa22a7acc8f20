"""What is judged in the database is judged as the rules say: plain is what they find nothing about."""

from __future__ import annotations

import datetime as dt
from copy import copy
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from django.db import transaction

from connectors.ports.store import RemoteLevel
from inventory import holding, plain, publications, settled
from inventory.models import LevelPublication
from inventory.models.publications import PublicationState
from inventory.publications import COLUMNS
from inventory.settled import Reading
from tests.worlds import World

pytestmark = pytest.mark.django_db

OBSERVED = {column for column in COLUMNS if column.startswith("observed_")}


@pytest.fixture
def live(world: World) -> LevelPublication:
    """A level that a full sync has just found right."""
    world.item("A", here=5, there=5)
    world.full("go-live")
    return world.publication("A")


def seen_by(publication: LevelPublication, world: World) -> Reading:
    """A settled reading that says what is known already."""
    at = world.fake.now
    level = RemoteLevel(
        publication.item_ref,
        world.there,
        known=True,
        tracked=True,
        exists=True,
        is_active=True,
        available=publication.expected_quantity + 3,
        committed=publication.open_remote,
        unavailable=publication.withheld,
        moved_at=at - dt.timedelta(hours=1),
    )
    return Reading(level, read_at=at, revision=publication.revision, watermark=at - dt.timedelta(minutes=2))


OURS: list[dict[str, Any]] = [
    *({"state": state} for state in PublicationState if state != PublicationState.CLOSED),
    {"open_remote": 4},
    {"acknowledged_offset": 2},
    {"withheld": 1},
    {"verify": True},
    {"hold_test": "b", "hold_cause": "orders", "hold_remedy": "wait"},
    {"revision": 7},
]
READ: list[dict[str, Any]] = [
    {},
    {"known": False},
    {"tracked": False},
    {"exists": False},
    {"is_active": False},
    {"committed": 4},
    {"unavailable": 1},
    {"available": 0},
    {"moved_at": None},
    {"moved_at": dt.datetime(2100, 1, 1, tzinfo=dt.UTC)},
]


def by_the_rules(publication: LevelPublication, reading: Reading) -> bool:
    """Whether they find nothing, and the reading teaches nothing beyond itself."""
    judged = copy(publication)
    hold = settled.judge(judged, reading)
    settled.observe(judged, reading)
    if hold is None:
        settled.learn(judged, reading)
        holding.release(judged)
    before, after = publication.__dict__, judged.__dict__
    changed = {column for column in COLUMNS if before[column] != after[column]}
    return hold is None and changed <= OBSERVED


def test_plain_is_what_the_rules_find_nothing_about(live: LevelPublication, world: World) -> None:
    read = seen_by(live, world)
    plainly = 0
    for ours, said in product(OURS, READ):
        with transaction.atomic():
            LevelPublication.objects.filter(pk=live.pk).update(**ours)
            reading = replace(read, level=replace(read.level, **said))
            plainly += check_one(live.pk, reading, f"{ours} {said}")
            waits = replace(reading, waits="Order #1001 is not booked yet.")
            assert not check_one(live.pk, waits, f"{ours} {said}, and an order waits")
            transaction.set_rollback(True)
    assert plainly > 3


def check_one(publication_id: int, reading: Reading, case: str) -> bool:
    (publication,) = publications.lock([publication_id])
    plainly = by_the_rules(publication, reading) and not publication.acknowledged_offset

    assert bool(plain.observe({publication_id: reading})) == plainly, case

    if plainly:
        settled.observe(publication, reading)
        settled.learn(publication, reading)
        (stored,) = publications.lock([publication_id])
        assert {name: getattr(stored, name) for name in COLUMNS} == {
            name: getattr(publication, name) for name in COLUMNS
        }, case
    return plainly


def test_a_level_that_moved_since_it_was_read_is_not_unmoved(live: LevelPublication, world: World) -> None:
    reading = seen_by(live, world)
    plain.observe({live.pk: reading})

    assert plain.unmoved({live.pk: reading})
    for change in ({"available": 1}, {"moved_at": reading.read_at - dt.timedelta(minutes=30)}):
        moved = replace(reading, level=replace(reading.level, **change))  # type: ignore[arg-type]
        assert not plain.unmoved({live.pk: moved})
    LevelPublication.objects.update(revision=99)
    assert not plain.unmoved({live.pk: reading})
