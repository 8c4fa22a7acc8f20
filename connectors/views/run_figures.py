"""What a run's page shows besides its rows: steps, the plan's sums, chips, causes grouped, live progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min

from connectors.models import SyncRun
from connectors.models.runs import WORKING, Outcome, RunStatus
from connectors.plan_lines import FILTERS
from connectors.progress import duration, progress
from syncconsole.kernel.templatetags.console import UNKNOWN, money, n, signed

FLAG_WORDS = {
    "to_zero": "To zero",
    "below_zero": "Below zero",
    "large": "Large",
    "held_late": "Held since the plan",
    "first": "First time",
}


@dataclass(frozen=True)
class Step:
    """One step of the stepper. State: done, current, waiting, failed."""

    label: str
    state: str
    icon: str


STEP_ICONS = {"done": "check_circle", "current": "progress_activity", "waiting": "circle", "failed": "dangerous"}
ORDER = ["Checked", "Planned", "Approved", "Applied", "Verified"]
NOW = ["Checking", "Planning", "Approve", "Applying", "Verifying"]
LATER = ["Check", "Plan", "Approve", "Apply", "Verify"]
REACHED = {
    RunStatus.QUEUED: 1,
    RunStatus.PLANNING: 1,
    RunStatus.AWAITING_APPROVAL: 2,
    RunStatus.APPLYING: 3,
    RunStatus.VERIFYING: 4,
    RunStatus.COMPLETED: 5,
    RunStatus.PARTIAL: 5,
    RunStatus.REFUSED: 0,
}


def steps(run: SyncRun) -> list[Step]:
    """Where the run is between check and verify; approval is left out where nobody had to give it."""
    at = REACHED.get(run.state, _reached_before_the_end(run))
    found = []
    for index, label in enumerate(ORDER):
        if index == 2 and not _asks(run):
            continue
        if index < at:
            found.append(Step(label, "done", STEP_ICONS["done"]))
        elif index == at and run.state in (RunStatus.REFUSED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.EXPIRED):
            found.append(Step(LATER[index], "failed", STEP_ICONS["failed"]))
        elif index == at:
            icon = "front_hand" if run.state == RunStatus.AWAITING_APPROVAL else STEP_ICONS["current"]
            found.append(Step(NOW[index], "current", icon))
        else:
            found.append(Step(LATER[index], "waiting", STEP_ICONS["waiting"]))
    return found


def _asks(run: SyncRun) -> bool:
    return bool(run.expires_at or run.approved_at)


def _reached_before_the_end(run: SyncRun) -> int:
    if run.apply_started_at:
        return 3
    return 2 if run.expires_at else 1


@dataclass(frozen=True)
class Kpi:
    label: str
    value: str
    unit: str = ""
    note: str = ""
    over: bool = False
    href: str = ""


@dataclass(frozen=True)
class BlastRadius:
    """The plan's sums as cards and two bars."""

    kpis: list[Kpi]
    rows_up: int
    rows_down: int
    units_up: int
    units_down: int
    up_width: str
    down_width: str
    rest: str


def blast_radius(run: SyncRun) -> BlastRadius | None:
    """The totals stored with the plan; None before there is one."""
    sums = run.totals
    if not sums or "rows" not in sums:
        return None
    limits = run.snapshot
    up, down = int(sums["rows_up"]), int(sums["rows_down"])
    widest = max(up, down, 1)
    without = int(sums.get("without_cost", 0))
    kpis = [
        Kpi(
            "Levels to change",
            n(sums["rows"]),
            note=f"{sums['share']} % of {n(sums['levels'])}" if sums["levels"] else "",
        ),
        Kpi(
            "Units, net",
            signed(int(sums["units_up"]) + int(sums["units_down"])),
            note=f"{n(sums['units'])} moved",
            over=_over(sums["units"], limits.get("limit_units")),
        ),
        Kpi(
            "Stock value",
            money(sums["value"]) if sums["rows"] != without else UNKNOWN,
            note=f"at cost; {n(without)} without cost" if without else "at cost",
            over=_over(sums["value_moved"], limits.get("limit_value")),
        ),
        Kpi(
            "To zero",
            n(sums["to_zero"]),
            over=_over(sums["to_zero"], limits.get("limit_to_zero")),
            href="?flag=to_zero" if sums["to_zero"] else "",
        ),
        Kpi("Largest change", f"{signed(sums['largest_percent'])} %"),
    ]
    unchanged = max(0, int(sums["levels"]) - int(sums["rows"]) - int(sums.get("held", 0)))
    rest = f"Unchanged {n(unchanged)}"
    if sums.get("held"):
        rest += f" · held {n(sums['held'])} (not in this plan)"
    return BlastRadius(
        kpis,
        up,
        down,
        int(sums["units_up"]),
        int(sums["units_down"]),
        f"{100 * up / widest:.1f}",
        f"{100 * down / widest:.1f}",
        rest,
    )


def _over(value: Any, limit: Any) -> bool:
    return limit is not None and Decimal(str(value or 0)) > Decimal(str(limit))


@dataclass(frozen=True)
class Chip:
    """A quick filter that is a link."""

    label: str
    url: str
    count: int | None
    current: bool


def chips(run: SyncRun, current: str, outcomes: dict[str, int]) -> list[Chip]:
    """Chips with the counts stored with the plan; outcomes are those counted for this page."""
    sums = run.totals or {}
    counted: dict[str, int | None] = {
        "": sum(outcomes.values()),
        "to_zero": sums.get("to_zero"),
        "large": None,
        "up": sums.get("rows_up"),
        "down": sums.get("rows_down"),
    }
    shown = [
        Chip(FILTERS[name][0], f"?flag={name}" if name else "?", count, current == name)
        for name, count in counted.items()
    ]
    return shown + [
        Chip(FILTERS[name][0], f"?flag={name}", count, current == name)
        for name, count in sorted(outcomes.items(), key=lambda pair: list(FILTERS).index(pair[0]))
        if count and not (name == Outcome.PLANNED and count == sum(outcomes.values()))
    ]


@dataclass(frozen=True)
class ProblemGroup:
    """Lines of one outcome with one cause; the remedy is said once."""

    outcome: Outcome
    cause: str
    remedy: str
    count: int
    labels: Sequence[str] = field(default_factory=list)


def problems(run: SyncRun, *, limit: int = 12) -> list[ProblemGroup]:
    """What was not carried out, by cause, most lines first. Two queries whatever the run's size."""
    troubled = run.items.filter(outcome__in=(Outcome.REFUSED, Outcome.UNSURE, Outcome.LEFT, Outcome.HELD))
    groups = list(
        troubled.order_by()
        .values("outcome", "cause", "remedy")
        .annotate(n=Count("pk"), first=Min("pk"))
        .order_by("-n")[:limit]
    )
    labels = dict(run.items.filter(pk__in=[group["first"] for group in groups]).values_list("pk", "label"))
    return [
        ProblemGroup(Outcome(group["outcome"]), group["cause"], group["remedy"], group["n"], [labels[group["first"]]])
        for group in groups
    ]


@dataclass(frozen=True)
class Live:
    """What the polled region shows. `delay` 0 ends the polling."""

    headline: str
    steps: list[Step]
    working: bool
    percent: int
    fraction: float | None
    detail: str
    counts: list[tuple[Outcome, int]]
    delay: int
    url: str
    version: str


def live(run: SyncRun, url: str, outcomes: dict[str, int]) -> Live:
    """The region as it is now; its version changes whenever what it shows does."""
    now = progress(run)
    working = run.status in WORKING
    parts = [f"{n(now.done)} of {n(now.total)}"] if now.total else []
    if now.rate_per_second and now.done > 20:
        parts.append(f"{n(round(now.rate_per_second, 1 if now.rate_per_second < 10 else 0))} a second")
    if now.eta_seconds:
        parts.append(f"about {duration(now.eta_seconds)} left")
    counts = [(Outcome(name), count) for name, count in outcomes.items() if count] if run.apply_started_at else []
    version = f"{run.status}-{now.done}-{now.total}-{run.attempts}-{len(run.pace)}-{now.eta_seconds or 0}"
    delay = {RunStatus.APPLYING: 1, RunStatus.QUEUED: 5, RunStatus.AWAITING_APPROVAL: 15}.get(run.state, 2)
    return Live(
        headline=now.headline,
        steps=steps(run),
        working=working,
        percent=now.percent,
        fraction=now.done / now.total if now.total else None,
        detail=" · ".join(parts),
        counts=counts,
        delay=delay if run.is_open else 0,
        url=f"{url}?status={run.status}&v={version}",
        version=version,
    )
