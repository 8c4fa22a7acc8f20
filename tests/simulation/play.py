"""Playing a history against the engine, and judging how it ended."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

import stamina
import time_machine
from django.core.cache import cache
from django.db import transaction

from connectors import registry
from inventory import audit, drift, sending
from inventory.models import InventoryLevel, LevelPublication
from inventory.models.publications import PublicationState
from orders import knowledge
from orders.models import IncomingOrder, IncomingState, OrderPull, PullState
from tests.simulation import warehouse
from tests.simulation.books import Books, Shelf
from tests.simulation.engine import Engine
from tests.simulation.histories import History, Weather
from tests.simulation.shops import STEPS, Shops

BEGIN: Final = dt.datetime(2026, 11, 21, 8, 0, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is not as it must be, and of which item; None where it is of none."""

    item: int | None
    what: str


@dataclass(slots=True)
class Verdict:
    """How a history ended. Units: `erased` sales overwritten, `doubled` pushed twice, `oversold` through a push, `transient`
    overwrites over unseen sales that the next deltas repaired; those of them that somebody bought first are not `oversold`
    once more, but told in `played`. `wrong`: what is not as it must be."""

    wrong: list[Wrong] = field(default_factory=list)
    erased: int = 0
    doubled: int = 0
    oversold: int = 0
    transient: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Gates that did not let a job through, and how often."""
    played: Counter[str] = field(default_factory=Counter)
    """What people did, and how often."""

    @property
    def wrong_items(self) -> int:
        """Histories, one of each item, that did not end as they must."""
        return len({wrong.item for wrong in self.wrong})

    @property
    def good(self) -> bool:
        return not (self.wrong or self.erased or self.doubled or self.oversold)


def play(history: History) -> Verdict:
    """Play it in a world that leaves no trace in the database."""
    with _world() as clock:
        books = Books(history.setup)
        shops = Shops(history.setup, books)

        def pass_time(seconds: float) -> None:
            clock.shift(seconds)
            books.now += seconds

        with ExitStack() as stack:
            engine = Engine.__new__(Engine)
            engine.ports = {}
            stack.enter_context(mock.patch.object(registry, "_build", lambda store: engine.port(store)))
            stack.enter_context(mock.patch.object(knowledge, "bring_in", engine.brings_in(knowledge.bring_in)))
            stack.enter_context(mock.patch("time.sleep", pass_time))
            stack.enter_context(mock.patch.object(sending, "width", return_value=1))
            engine.__init__(shops, books, pass_time)  # type: ignore[misc]
            for step in history.steps:
                pass_time(step.wait)
                (shops if step.act in STEPS else engine).happen(step)
                warehouse.answer_for_the_cancelled(engine)
            return _judge(history, engine)


@contextmanager
def _world() -> Iterator[Any]:
    registry.forget_all()
    cache.clear()
    stamina.set_testing(True, attempts=3)
    try:
        with transaction.atomic(), time_machine.travel(BEGIN, tick=False) as clock:
            yield clock
            transaction.set_rollback(True)
    finally:
        stamina.set_testing(False)
        registry.forget_all()


def _judge(history: History, engine: Engine) -> Verdict:
    engine.end()
    engine.deltas()
    engine.settle()
    engine.deltas()
    found = Verdict(doubled=engine.doubled, refused=engine.refused, played=engine.played)
    found.wrong = _differences(engine, "after the deltas", edits=True)
    if engine.edited():
        engine.decisions()
        found.wrong += _differences(engine, "after the decisions", edits=True)
        found.wrong += _edited(engine, "after the decisions", lambda shelf: shelf.item % 2 == 1)
    if engine.edited():
        engine.weeklies()
        found.wrong += _edited(engine, "after two weeklies", lambda _: True)
    engine.absolute()
    engine.deltas()
    found.wrong += _differences(engine, "after the full sync", edits=False)
    standing = drift.undecided().filter(store__in=engine.stores)
    found.wrong += [
        Wrong(engine.shelves[each.publication_id].item, f"after the full sync: {each}") for each in standing
    ]
    found.wrong += [Wrong(None, problem) for problem in engine.problems]
    if history.weather is Weather.SLOW:
        found.transient = engine.raised
        found.played["transient units that were bought"] += engine.books.oversold
    else:
        found.erased, found.oversold = engine.raised, engine.books.oversold
    return found


def _edited(engine: Engine, when: str, concerned: Callable[[Shelf], bool]) -> list[Wrong]:
    """Levels among those `concerned` that show what people put there."""
    shelves = [engine.shelves[row.pk] for row in engine.edited()]
    return [Wrong(shelf.item, f"{when}: {shelf} shows an edit still") for shelf in shelves if concerned(shelf)]


def _differences(engine: Engine, when: str, *, edits: bool) -> list[Wrong]:
    """What is not as the omniscient books say. `edits`: what people changed in the stores still stands."""
    found = [*_unsound(engine), *_levels(engine)]
    for row in LevelPublication.objects.filter(store__in=engine.stores).with_target():
        found += _shelf(engine, row, edits=edits)
    return [Wrong(wrong.item, f"{when}: {wrong.what}") for wrong in found]


def _unsound(engine: Engine) -> Iterator[Wrong]:
    """What the ledger check finds, orders that are not imported, and shipments of the feed that are not booked."""
    for difference in audit.audit_ledger().differences:
        said = f"{difference.invariant}: {difference.kept}, not {difference.summed}"
        yield Wrong(None, f"{said} at {difference.subject} {difference.subject_id}")
    left = (IncomingState.PENDING, IncomingState.FAILED)
    for row in IncomingOrder.objects.filter(store__in=engine.stores, state__in=left):
        yield Wrong(None, f"order {row.name} of {row.store} is {row.state}: {row.cause}")
    for pull in OrderPull.objects.filter(state=PullState.WAITING):
        yield Wrong(None, f"pull {pull} waits: {pull.cause}")


def _levels(engine: Engine) -> Iterator[Wrong]:
    variants = {variant.pk: item for item, variant in enumerate(engine.variants)}
    places = {location.pk: place for place, location in enumerate(engine.locations)}
    for level in InventoryLevel.objects.filter(variant__in=engine.variants):
        at = variants[level.variant_id], places[level.location_id]
        ours, theirs = (level.on_hand, level.released), (engine.books.on_hand[at], engine.books.released[at])
        if ours != theirs:
            yield Wrong(at[0], f"on hand and released of {at} are {ours}, not {theirs}")


def _shelf(engine: Engine, row: Any, *, edits: bool) -> Iterator[Wrong]:
    shelf = engine.shelves[row.pk]
    shown = engine.shops.shown(shelf)
    if row.open_remote != shown.committed:
        yield Wrong(shelf.item, f"{shelf} has {shown.committed} committed, we know of {row.open_remote}")
    if row.state in (PublicationState.NO_BASELINE, PublicationState.UNSURE) and edits:
        return
    right = engine.books.right(shelf, shown.unavailable) + (engine.books.undecided(shelf) if edits else 0)
    if shown.available != right:
        said = f"expected {row.expected_quantity}, target {row.target}, {row.state}, hold {row.hold_cause!r}"
        yield Wrong(shelf.item, f"{shelf} shows {shown.available}, not {right} ({said})")
    if not edits and row.expected_quantity != shown.available:
        yield Wrong(shelf.item, f"{shelf} shows {shown.available}, we expect {row.expected_quantity}")
