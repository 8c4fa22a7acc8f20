"""A history as data: what is there at the start, and the steps that chance took. The same seed gives the same history,
and a step that is left out changes nothing about the others, so that a failing history can be shortened."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

LOCATIONS: Final = 3
ITEMS: Final = 8
"""Items of one play. Each has a history of its own; the jobs, the faults and the deaths of workers they have in common."""
EVENTS_EACH: Final = 12
WORK: Final = 12
DECISIONS_EACH: Final = 1.5


class Weather(StrEnum):
    """The classes of histories."""

    NORMAL = "normal"
    """The feed of orders is late by less than the margin; keys are remembered for as long as they must be."""
    FORGOTTEN = "forgotten"
    """Answers are lost, and whole days pass before anybody asks again: the stores have forgotten the keys."""
    SLOW = "slow"
    """The feed is later than the margin: an overwrite may be wrong for a moment."""


class Act(StrEnum):
    """What can happen. The first group happens in a store, the second here, the third is work of ours, and the
    fourth is for people."""

    BUY = "somebody buys"
    EDIT = "an order is edited"
    FULFIL = "goods are sent"
    UNFULFIL = "a parcel is taken back"
    REFUND = "goods are refunded"
    CANCEL = "an order is cancelled"
    MOVE = "an order is moved to another location"
    DRAFT = "a draft reserves goods"
    DRAFT_ENDS = "a draft becomes an order, or is deleted"
    DAMAGE = "goods are set aside as damaged, or mended"
    HAND = "somebody edits a quantity"

    RECEIVE = "goods come or go"
    COUNT = "a shelf is counted"
    TRANSFER = "goods go to another location"
    SHIP = "an order is shipped here first"
    DISPATCH = "an order is let go without fulfilment"
    ALLOCATE = "an order's goods are held elsewhere"
    PULL = "the stock feed tells of an order's shipment"
    WAVE = "orders are put in a wave"
    WAVE_ENDS = "a wave is picked, or given back"
    CAME_BACK = "somebody says if cancelled goods came back"

    IMPORT = "orders are brought in"
    WEBHOOKS = "webhooks arrive"
    DELTA = "delta"
    FULL = "full"
    DAILY = "daily"
    WEEKLY = "weekly"
    RECENT = "recent changes"
    MANUAL = "manual"
    OBSERVE = "observe"
    WORK = "workers take what waits"

    DECIDE = "somebody decides about drift"
    UNDO = "a run is undone"
    SETTINGS = "the settings of a store are changed"
    MAP = "locations are mapped anew"
    LET_GO = "levels that were set aside are let go"


IN_STORE: Final = (
    Act.BUY, Act.EDIT, Act.FULFIL, Act.UNFULFIL, Act.REFUND, Act.CANCEL, Act.MOVE, Act.DRAFT, Act.DRAFT_ENDS, Act.DAMAGE,
)  # fmt: skip
EVENTS: Final = {
    Act.BUY: 22, Act.EDIT: 5, Act.FULFIL: 9, Act.UNFULFIL: 2, Act.REFUND: 7, Act.CANCEL: 4, Act.MOVE: 3, Act.DRAFT: 3,
    Act.DRAFT_ENDS: 3, Act.DAMAGE: 2, Act.HAND: 6, Act.RECEIVE: 7, Act.COUNT: 2, Act.TRANSFER: 2, Act.SHIP: 3, Act.DISPATCH: 2,
    Act.ALLOCATE: 5, Act.PULL: 3, Act.WAVE: 3, Act.WAVE_ENDS: 4, Act.CAME_BACK: 2,
}  # fmt: skip
JOBS: Final = {
    Act.IMPORT: 5, Act.WEBHOOKS: 4, Act.DELTA: 10, Act.FULL: 2, Act.DAILY: 5, Act.WEEKLY: 1, Act.RECENT: 3, Act.MANUAL: 1,
    Act.OBSERVE: 2, Act.WORK: 4,
}  # fmt: skip
BY_PEOPLE: Final = {Act.DECIDE: 6, Act.UNDO: 3, Act.LET_GO: 2, Act.SETTINGS: 2, Act.MAP: 1}
WAITS: Final = (0, 0, 0, 1, 2, 5, 20, 60)
PAUSES: Final = (0, 5, 130, 400, 400)
LULLS: Final = (0, 2, 20, 130, 130, 400, 400, 2000)
LONG_LULLS: Final = (30, 300, 90_000, 100_000)
LAGS: Final = {Weather.NORMAL: (0, 0, 5, 40), Weather.FORGOTTEN: (0, 5), Weather.SLOW: (200, 400, 700)}
"""Seconds by which a store's list of changed orders trails behind."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens `wait` seconds after the one before, in the store of that number where it happens in one.

    `seed`: what else chance says of it. `meanwhile`: what happens in the stores while a job of ours asks them.
    """

    act: Act
    store: int
    wait: int
    seed: int
    meanwhile: tuple[Step, ...] = ()

    def __str__(self) -> str:
        also = "".join(f"\n        meanwhile: {step}" for step in self.meanwhile)
        return f"{self.wait:>6} s  store {self.store}  {self.act}  [{self.seed}]{also}"


@dataclass(frozen=True, slots=True)
class Setup:
    """`mappings`: per store, for each of our locations the number of the store's it is sold from, or None. `ours` and
    `theirs`: on hand at the start, by item and location. `lags`: seconds per store."""

    items: int
    mappings: tuple[tuple[int | None, ...], ...]
    ours: tuple[tuple[int, ...], ...]
    theirs: tuple[tuple[tuple[int, ...], ...], ...]
    lags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Everything that chance decides."""

    seed: int
    weather: Weather
    setup: Setup
    steps: tuple[Step, ...]

    def without(self, steps: range) -> History:
        """The same history, these steps left out."""
        return replace(self, steps=tuple(step for at, step in enumerate(self.steps) if at not in steps))

    def __str__(self) -> str:
        lines = [
            f"history {self.seed} ({self.weather}): {self.setup}",
            *(f"{n:>3} {s}" for n, s in enumerate(self.steps)),
        ]
        return "\n".join(lines)


def history(seed: int, weather: Weather, *, items: int = ITEMS) -> History:
    """The histories of this seed, one of each of `items`. Each store has its first full sync early, but not at once."""
    chance = random.Random(f"{weather}:{seed}")
    steps = [_event(chance) for _ in range(items * EVENTS_EACH)]
    for store in (0, 1):
        at = chance.choice((0, 0, 8, 40)) + store
        steps.insert(at, replace(_job(chance, weather), act=Act.FULL, store=store, wait=200))
    for _ in range(WORK):
        steps.insert(chance.randint(1, len(steps)), _job(chance, weather))
    for _ in range(int(items * DECISIONS_EACH)):
        steps.insert(chance.randint(1, len(steps)), _decision(chance))
    return History(seed, weather, _setup(chance, weather, items), tuple(steps))


def _setup(chance: random.Random, weather: Weather, items: int) -> Setup:
    ours = tuple(tuple(chance.randint(0, 20) for _ in range(LOCATIONS)) for _ in range(items))
    theirs = tuple(
        tuple(tuple(chance.randint(0, 15) for _ in range(LOCATIONS)) for _ in range(items)) for _ in range(2)
    )
    lags = tuple(chance.choice(LAGS[weather]) for _ in range(2))
    return Setup(items, tuple(_mapping(chance) for _ in range(2)), ours, theirs, lags)


def _mapping(chance: random.Random) -> tuple[int | None, ...]:
    """One to one, two on one, all on one; now and then a location is not sold from in this store."""
    mapped: list[int | None] = list(chance.choice(((0, 1, 2), (0, 1, 2), (0, 0, 1), (0, 1, 1), (0, 0, 0))))
    if chance.random() < 0.3:
        mapped[chance.randrange(LOCATIONS)] = None
    return tuple(mapped)


def _event(chance: random.Random, among: Sequence[Act] = tuple(EVENTS), waits: Sequence[int] = WAITS) -> Step:
    act = chance.choices(among, [EVENTS[act] for act in among])[0]
    return Step(act, chance.randrange(2), chance.choice(waits), chance.getrandbits(32))


def _job(chance: random.Random, weather: Weather) -> Step:
    act = chance.choices(tuple(JOBS), tuple(JOBS.values()))[0]
    lulls = LULLS + (LONG_LULLS if weather is Weather.FORGOTTEN else ())
    meanwhile = tuple(_event(chance, IN_STORE, (0, 0, 1, 3)) for _ in range(chance.choice((0, 0, 1, 3, 6))))
    return Step(act, chance.randrange(2), chance.choice(lulls), chance.getrandbits(32), meanwhile)


def _decision(chance: random.Random) -> Step:
    act = chance.choices(tuple(BY_PEOPLE), tuple(BY_PEOPLE.values()))[0]
    return Step(act, chance.randrange(2), chance.choice(PAUSES), chance.getrandbits(32))
