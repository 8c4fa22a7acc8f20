"""Charts of the console: data and options for the theme's canvas, a text summary, and the same numbers as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from syncconsole.kernel.templatetags.console import n

COLOURS = ("var(--color-blue-500)", "var(--color-base-500)", "var(--color-primary-500)", "var(--color-green-600)")
DASHES: tuple[list[int], ...] = ([], [6, 3], [2, 2], [8, 2, 2, 2])


@dataclass(frozen=True)
class Chart:
    """One question answered by a picture. Without `data` the page says `empty` instead."""

    title: str
    unit: str
    kind: str = "bar"
    axis: str = ""
    series: Sequence[str] = field(default_factory=list)
    rows: Sequence[tuple[str, Sequence[Any]]] = field(default_factory=list)
    summary: str = ""
    empty: str = ""
    data: str = ""
    options: str = ""


def chart(
    title: str,
    unit: str,
    *,
    kind: str,
    axis: str,
    series: Sequence[str],
    rows: Sequence[tuple[str, Sequence[int | float | None]]],
    summary: str,
    empty: str,
    sideways: bool = False,
) -> Chart:
    """A chart of `rows` (label, one value per series); calm text when nothing was measured. `sideways`: bars lie, so that
    long labels can be read."""
    if not any(value for _, values in rows for value in values):
        return Chart(title, unit, empty=empty)
    datasets = [
        {
            "label": name,
            "data": [values[index] for _, values in rows],
            "borderColor": COLOURS[index],
            "backgroundColor": COLOURS[index],
            "borderDash": DASHES[index],
            "borderWidth": 2,
            "pointRadius": 0 if len(rows) > 3 and all(values[index] is not None for _, values in rows) else 3,
            "borderRadius": 2,
            "maxBarThickness": 40,
        }
        for index, name in enumerate(series)
    ]
    data = json.dumps({"labels": [label for label, _ in rows], "datasets": datasets})
    options = json.dumps(_options(unit, len(series), sideways=sideways))
    return Chart(title, unit, kind, axis, series, rows, summary, empty, data, options)


def _options(unit: str, series: int, *, sideways: bool) -> dict[str, Any]:
    """Options replace the theme's whole, so they name the scales as well."""
    tick = {"color": "#8b93a1", "maxRotation": 0, "autoSkipPadding": 16}
    labels = {"grid": {"display": False}, "ticks": {**tick, "autoSkip": not sideways}}
    values = {
        "beginAtZero": True,
        "grid": {"display": True},
        "ticks": {**tick, "precision": 0, "maxTicksLimit": 5},
        "title": {"display": True, "text": unit.partition(",")[0], "color": "#8b93a1"},
    }
    return {
        "indexAxis": "y" if sideways else "x",
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "plugins": {
            "legend": {"display": series > 1, "position": "bottom", "labels": {"boxHeight": 0, "color": "#8b93a1"}},
            "tooltip": {"enabled": True},
        },
        "scales": {"x": values, "y": labels} if sideways else {"x": labels, "y": values},
    }


def peak(rows: Sequence[tuple[str, Sequence[int | float | None]]], unit: str) -> str:
    """A sentence with the sum and the highest value of the first series."""
    values = [(values[0] or 0, label) for label, values in rows]
    total = sum(value for value, _ in values)
    highest, at = max(values)
    return f"{n(total)} {unit} in all; most at {at}: {n(highest)}."
