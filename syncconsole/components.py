"""Components in their states, with ready values: what `/console/_components/` shows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from connectors.models.runs import Outcome, RunStatus
from connectors.models.stores import Health
from connectors.runs import Gate
from connectors.views.run_figures import BlastRadius, Kpi, Live, Step
from inventory.standing import Standing
from inventory.views.why_figures import Bar, Event, drawn
from syncconsole.kernel.admin import Tab
from syncconsole.kernel.charts import chart, peak


@dataclass(frozen=True)
class Preview:
    """One component with the values of one state."""

    name: str
    template: str
    values: dict[str, Any]

    @property
    def html(self) -> SafeString:
        """The component as a page shows it."""
        return render_to_string(self.template, self.values)


def previews() -> list[Preview]:
    """Every component, in the states that differ in look."""
    return [*_small(), *_of_runs(), *_of_sums(), *_others()]


def _small() -> list[Preview]:
    states = [*Health, *RunStatus, *Outcome, *Standing]
    return [
        Preview("status_badge", "console/previews/badges.html", {"states": states}),
        Preview(
            "quantity_diff",
            "console/previews/diffs.html",
            {"pairs": [(18, 0), (4, 9), (0, 0), (None, 5), (-3, 2), (1_000_000, 12)]},
        ),
        Preview("kpi", "components/kpi.html", {"label": "go to zero", "value": "37", "over": True, "note": "limit 25"}),
        Preview(
            "tabs",
            "components/tabs.html",
            {"tabs": [Tab("Health", "#", current=True), Tab("Gates", "#", count="11/12")]},
        ),
        Preview(
            "filter_chips",
            "components/filter_chips.html",
            {
                "chips": [
                    {"label": "All", "url": "#", "count": 214, "current": True},
                    {"label": "To zero", "url": "#", "count": 37, "current": False},
                    {"label": "Held", "url": "#", "count": 0, "current": False},
                ]
            },
        ),
        Preview(
            "facts",
            "components/facts.html",
            {"rows": [("Token", "ends …4f2a"), ("Scopes", "read_inventory, write_inventory")]},
        ),
    ]


def _of_runs() -> list[Preview]:
    radius = BlastRadius(
        [
            Kpi("Levels to change", "214", note="17.7 % of 1,208"),
            Kpi("Units, net", "−1,632"),
            Kpi("To zero", "37", over=True),
        ],
        96,
        118,
        312,
        -1944,
        "81",
        "100",
        "Unchanged 991 · held 3 (not in this plan)",
    )
    steps = [
        Step("Checked", "done", "check_circle"),
        Step("Planned", "done", "check_circle"),
        Step("Applying", "current", "progress_activity"),
        Step("Verify", "waiting", "circle"),
    ]
    live = Live(
        "120 of 214 written (56 %), about 40 s left. You can leave this page.",
        steps,
        working=True,
        percent=56,
        fraction=0.56,
        detail="120 of 214 · 4 a second",
        counts=[(Outcome.APPLIED, 120), (Outcome.HELD, 3)],
        delay=0,
        url="",
        version="",
    )
    return [
        Preview(
            "blast_radius",
            "components/blast_radius.html",
            {"radius": radius, "limits": ["37 levels go to zero (limit 25)."]},
        ),
        Preview(
            "run_progress",
            "components/run_progress.html",
            {"run": {"state": RunStatus.APPLYING, "pace": "Waits 3 s for Shopify's budget."}, "live": live},
        ),
        Preview(
            "gate_row",
            "console/previews/gates.html",
            {
                "gates": [
                    Gate("a", "Locations mapped", passed=True, detail="2 of our locations are mapped."),
                    Gate(
                        "b",
                        "Baseline taken",
                        passed=False,
                        detail="No full sync has run yet.",
                        remedy="Start a full sync (reason: go-live).",
                    ),
                ]
            },
        ),
    ]


def _of_sums() -> list[Preview]:
    bars = drawn(
        [
            Bar("Opening", Decimal(60)),
            Bar("Received", Decimal(24), "2 entries"),
            Bar("Sale shipped", Decimal(-36), "22 orders"),
            Bar("On hand", Decimal(48), is_sum=True),
            Bar("Released to open orders", Decimal(-7), "5 orders"),
            Bar("Not explained", Decimal(-1), is_rest=True),
        ]
    )
    now = timezone.now()
    events = [
        Event(
            now,
            "21 Nov 2026",
            "Cycle count",
            "count of 21 Nov · from warehouse",
            "Mihai Pop",
            Decimal(-6),
            Decimal(48),
            "on hand",
        ),
        Event(
            now - dt.timedelta(days=1),
            "20 Nov 2026",
            "Pushed in the store",
            "Delta #4372",
            "the schedule",
            Decimal(-2),
            Decimal(41),
            "in the store",
        ),
    ]
    rows = [(f"{hour:02}:00", [hour * 7 % 23]) for hour in range(24)]
    picture = chart(
        "How much do we push?",
        "levels per hour, 24 h",
        kind="bar",
        axis="Hour",
        series=["levels"],
        rows=rows,
        summary=peak(rows, "levels"),
        empty="",
    )
    return [
        Preview("waterfall", "components/waterfall.html", {"terms": bars, "caption": "Terms"}),
        Preview("timeline", "components/timeline.html", {"events": events}),
        Preview("chart", "components/chart.html", {"chart": picture}),
    ]


def _others() -> list[Preview]:
    confirm = {
        "title": "Send again?",
        "effect": "Sets 3,412 quantities.",
        "verb": "Apply 3,412 changes",
        "type_to_confirm": "bucovina-ro",
        "problem": "Type bucovina-ro.",
    }
    return [
        Preview(
            "problem",
            "components/problem.html",
            {
                "title": "The last test did not pass",
                "cause": "Shopify refused the token (401).",
                "remedy": "Enter a new one under Settings.",
                "stopped": True,
                "details": "request 6f3c",
            },
        ),
        Preview(
            "empty_state",
            "components/empty_state.html",
            {"icon": "check_circle", "title": "No drift", "text": "Every level the store showed is the one we pushed."},
        ),
        Preview("confirm", "components/confirm.html", {"confirm": confirm, "id": "confirm"}),
        Preview(
            "side_by_side",
            "components/side_by_side.html",
            {
                "left": "Tricou negru",
                "right": "Tricou negru (Copy)",
                "fields": [
                    {"name": "SKU", "left": "TS-BLK-M", "right": "TS-BLK-M", "same": True},
                    {"name": "Handle", "left": "tricou-negru", "right": "tricou-negru-copy", "same": False},
                ],
            },
        ),
    ]
