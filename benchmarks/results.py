"""Measurements and their targets, as `benchmarks/latest.json` holds them."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

LATEST = Path(__file__).with_name("latest.json")


@dataclass(frozen=True, slots=True)
class Result:
    """One measured number. `target` None: told for comparison, nothing is promised; `meets` is true then."""

    name: str
    value: float
    unit: str
    target: float | None
    meets: bool

    def __str__(self) -> str:
        promised = (
            ""
            if self.target is None
            else f"  (target {self.target:g} {self.unit}: {'met' if self.meets else 'MISSED'})"
        )
        return f"{self.name}: {self.value:g} {self.unit}{promised}"


def at_most(name: str, value: float, unit: str, target: float) -> Result:
    """A number that must not be larger than `target`."""
    return Result(name, round(value, 4), unit, round(target, 4), value <= target)


def at_least(name: str, value: float, unit: str, target: float) -> Result:
    """A number that must not be smaller than `target`."""
    return Result(name, round(value, 4), unit, round(target, 4), value >= target)


def told(name: str, value: float, unit: str) -> Result:
    """A number without a target."""
    return Result(name, round(value, 4), unit, None, meets=True)


def write(results: Iterable[Result], path: Path = LATEST) -> None:
    """Write the list as JSON, one object for each result."""
    path.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")


def machine() -> str:
    """The machine in words: cores that this process may use, Python's version."""
    return f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
