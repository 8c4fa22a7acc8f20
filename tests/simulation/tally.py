"""Many histories, added up; those that fail are told on stderr."""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from tests.simulation import naive
from tests.simulation.histories import ITEMS, History, Weather, history
from tests.simulation.play import Verdict, play
from tests.simulation.shrinking import shrink

SEEDS_APART = 1_000_003
"""Between the first seeds of two `--seed`, so that they have no history in common."""


@dataclass(slots=True)
class Tally:
    """`wrong`: histories that did not end as they must. The others are units."""

    histories: int = 0
    wrong: int = 0
    erased: int = 0
    doubled: int = 0
    oversold: int = 0
    transient: int = 0
    naive_oversold: int = 0

    @property
    def good(self) -> bool:
        """Nothing that must not be."""
        return not (self.wrong or self.erased or self.doubled or self.oversold)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def tell(
    histories: int, seed: int, *, only: int | None = None, weather: str | None = None, shorten: bool = False
) -> Tally:
    """Play so many histories, as many at once as a play has items, the classes in turn.

    `only`: those of this seed alone. `shorten`: failing ones are made short before they are told.
    """
    tally, first = Tally(), seed * SEEDS_APART
    refused, played = Counter[str](), Counter[str]()
    for number in [only] if only is not None else range(first, first + math.ceil(histories / ITEMS)):
        kinds = list(Weather)
        told = history(number, Weather(weather) if weather else kinds[number % len(kinds)])
        found = play(told)
        tally.histories += ITEMS
        tally.wrong += found.wrong_items
        tally.erased += found.erased
        tally.doubled += found.doubled
        tally.oversold += found.oversold
        tally.transient += found.transient
        tally.naive_oversold += naive.oversold(told)
        if not found.good:
            if shorten:
                told = shrink(told, lambda shorter: not play(shorter).good)
                found = play(told)
            report(told, found)
        refused += found.refused
        played += found.played
        print(f"{tally.histories} of {histories}", file=sys.stderr, flush=True)
    print(f"what people did: {dict(sorted(played.items()))}", file=sys.stderr)
    print(f"jobs that gates did not let through: {dict(refused)}", file=sys.stderr)
    return tally


def report(told: History, found: Verdict) -> None:
    """How a history failed, to be played again."""
    again = f"python -m tests.simulation --only {told.seed} --weather {told.weather}"
    print(f"{told}\n{found}\n{again}\n", file=sys.stderr, flush=True)
