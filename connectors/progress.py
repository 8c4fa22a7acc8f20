"""How far a run is, in numbers and in one sentence (console.md §3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from connectors.models import SyncRun
from connectors.models.runs import WORKING, Outcome, RunStatus

ETA_AFTER_SHARE = 0.05
ETA_AFTER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` lines or levels; `eta_seconds` only once the measured rate says something."""

    done: int
    total: int
    rate_per_second: float | None
    eta_seconds: int | None
    headline: str

    @property
    def percent(self) -> int:
        """Whole percent, 0 where the total is unknown."""
        return min(100, 100 * self.done // self.total) if self.total else 0


def duration(seconds: float) -> str:
    """Rounded as people say it: "40 s", "6 min", "2 h 10 min"."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole if whole < 10 else round(whole, -1)} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def progress(run: SyncRun) -> Progress:
    """Progress of `run` as stored."""
    started = run.apply_started_at if run.status in (RunStatus.APPLYING, RunStatus.VERIFYING) else run.started_at
    elapsed = (timezone.now() - started).total_seconds() if started and run.status in WORKING else 0.0
    done, total = run.progress_done, run.progress_total
    rate = done / elapsed if elapsed > 0 and done else None
    known = rate and total and (done / total >= ETA_AFTER_SHARE or elapsed >= ETA_AFTER_SECONDS)
    eta = round((total - done) / rate) if rate and known else None
    return Progress(done, total, rate, eta, headline(run, eta))


def headline(run: SyncRun, eta: int | None = None) -> str:
    """The state in one sentence with its numbers."""
    left = f", about {duration(eta)} left" if eta else ""
    done, total = f"{run.progress_done:,}", f"{run.progress_total:,}"
    if run.status in WORKING and run.not_before and run.not_before > timezone.now() and run.cause:
        return f"Waiting: {run.cause} Tries again by itself; what was written stays."
    match run.state:
        case RunStatus.QUEUED:
            return "Queued; starts when a worker is free."
        case RunStatus.PLANNING:
            read = f"Reading levels: {done} of {total}{left}." if run.progress_total else "Reading the store."
            return f"{read} Nothing has been written."
        case RunStatus.AWAITING_APPROVAL:
            return f"{_changes(run)} planned. Nothing is written until somebody approves it."
        case RunStatus.APPLYING:
            share = f" ({100 * run.progress_done // run.progress_total} %)" if run.progress_total else ""
            return f"{done} of {total} written{share}{left}. You can leave this page."
        case RunStatus.VERIFYING:
            return "Everything is sent; reading back what the store shows."
        case RunStatus.COMPLETED | RunStatus.PARTIAL:
            return _summary(run)
        case RunStatus.FAILED:
            return f"Stopped after {run.counts.get(Outcome.APPLIED, 0):,}: {run.cause}"
        case RunStatus.EXPIRED | RunStatus.CANCELLED | RunStatus.REFUSED:
            return run.cause


def _changes(run: SyncRun) -> str:
    rows = run.totals.get("rows", 0)
    return f"{rows:,} change{'' if rows == 1 else 's'}"


SAYS = {
    Outcome.APPLIED: "changed",
    Outcome.UNCHANGED: "already right",
    Outcome.HELD: "held",
    Outcome.LEFT: "left, changed since the plan",
    Outcome.REFUSED: "refused by the store",
    Outcome.UNSURE: "without an answer",
    Outcome.CANCELLED: "not written",
}


def _summary(run: SyncRun) -> str:
    if own := run.totals.get("summary"):
        return str(own)
    counts = {**run.counts}
    if run.totals.get("read"):
        # Levels that were read and need no line are right already, too.
        without_line = run.totals["read"] - sum(counts.values())
        counts[Outcome.UNCHANGED] = counts.get(Outcome.UNCHANGED, 0) + without_line
    parts = [f"{counts[outcome]:,} {words}" for outcome, words in SAYS.items() if counts.get(outcome)]
    text = ", ".join(parts) if parts else "Nothing to change: the store shows what it should"
    different = run.totals.get("read_back_different", 0)
    if run.totals.get("read_back"):
        agree = run.totals["read_back"] - different
        text += f"; {agree:,} of {run.totals['read_back']:,} read back as written"
    return f"{text}."
