"""Home: what needs somebody, how each store is, what was done. The only view that reads every app."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q, Subquery, Sum, Value
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from catalog.models import ConflictKind, LinkConflict, ListedVariant, Variant
from connectors.models import RemoteChange, Store, SyncRun
from connectors.models.runs import RunStatus
from connectors.models.webhooks import ChangeState
from connectors.progress import headline
from inventory import audit, drift, drift_history, figures, schedules, standing, tracking
from inventory.figures import Hour
from inventory.models import InventoryLevel, LevelPublication, Schedule
from inventory.standing import Standing
from orders.views.queue import waiting_groups
from syncconsole.kernel.admin import ConsolePage, Crumb, opens
from syncconsole.kernel.charts import Chart, chart, peak
from syncconsole.kernel.counting import kept
from syncconsole.kernel.models import Installation, User
from syncconsole.kernel.status import Meaning
from syncconsole.kernel.templatetags.console import duration, n, plural
from syncconsole.navigation import decisions
from syncconsole.setup import Setup, setup
from syncconsole.store_health import StoreHealth, health_of

NEEDS_SHOWN = 8


@dataclass(frozen=True)
class Need:
    """Something that waits for a person: what, where, since when, and the button that leads to it."""

    meaning: Meaning
    word: str
    text: str
    detail: str
    url: str
    verb: str
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True)
class StoreCard:
    """A store on Home and on its own page."""

    store: Store
    health: StoreHealth
    held: int
    held_since: dt.datetime | None
    drift: int
    drift_units: int
    last: SyncRun | None
    last_headline: str
    next_at: dt.datetime | None
    next_text: str
    not_linked: int
    untracked: int
    unpublished: int
    """Levels that take part since the store went live, and that no run has taken on yet."""
    recent: list[SyncRun] = field(default_factory=list)


def needs(person: User) -> list[Need]:
    """What this person can move on, most urgent first: decisions, then what is stopped, then the rest."""
    found: list[Need] = []
    if person.has_perm("connectors.view_syncrun"):
        waiting = (
            SyncRun.objects.filter(status=RunStatus.AWAITING_APPROVAL).select_related("store").order_by("expires_at")
        )
        found += [_plan(run) for run in waiting[:NEEDS_SHOWN]]
        found += _stopped_runs()
    if person.has_perm("catalog.view_linkconflict"):
        found += _conflicts()
    # The sidebar has counted them: where none waits, nothing is asked.
    if person.has_perm("catalog.view_clonesuspect") and decisions(person.pk)["clones"]:
        found.append(_clones(decisions(person.pk)["clones"]))
    if person.has_perm("orders.view_incomingorder") and decisions(person.pk)["orders"]:
        found += _orders()
    if person.has_perm("connectors.view_remotechange") and decisions(person.pk)["changes"]:
        found += _not_read()
    return [need for need in found if opens(person, need.url)][:NEEDS_SHOWN]


def _plan(run: SyncRun) -> Need:
    rows, to_zero = run.totals.get("rows", 0), run.totals.get("to_zero", 0)
    detail = f"{run.store} · {plural(rows, 'change')}, {n(to_zero)} to zero"
    text = f"Plan of run #{run.pk} ({run.label.lower()}) waits for approval"
    url = reverse("admin:run", args=[run.pk])
    return Need(Meaning.NEEDS_YOU, "Approve", text, detail, url, "Review plan", until=run.expires_at)


def _stopped_runs() -> list[Need]:
    """The newest run of each store and kind, where it failed within a day."""
    since = timezone.now() - dt.timedelta(days=1)
    latest: dict[tuple[int, str], SyncRun] = {}
    for run in SyncRun.objects.filter(created_at__gte=since).select_related("store").order_by("-pk")[:200]:
        latest.setdefault((run.store_id, run.kind), run)
    return [
        Need(
            Meaning.STOPPED,
            run.state.label,
            f"{run.label} #{run.pk} of {run.store}: {headline(run)}",
            run.remedy,
            reverse("admin:run", args=[run.pk]),
            "Open run",
            since=run.finished_at,
        )
        for run in latest.values()
        if run.status == RunStatus.FAILED
    ]


def _conflicts() -> list[Need]:
    open_ones = LinkConflict.objects.exclude(kind=ConflictKind.ONLY_THERE).order_by()
    grouped = open_ones.values("store", "store__name", "store__slug").annotate(
        count=Count("pk"), since=Min("first_seen_at")
    )
    return [
        Need(
            Meaning.NEEDS_YOU,
            "To review",
            f"{plural(row['count'], 'variant')} could not be linked without a guess",
            f"{row['store__name']} · nothing is pushed for them",
            f"{reverse('admin:links')}?store={row['store__slug']}",
            "Compare",
            since=row["since"],
        )
        for row in grouped
    ]


def _clones(count: int) -> Need:
    return Need(
        Meaning.NEEDS_YOU,
        "Quarantined",
        f"{plural(count, 'clone suspect')} {'waits' if count == 1 else 'wait'} for a decision",
        "Nothing is pushed for either side of a pair meanwhile",
        reverse("admin:quarantine"),
        "Compare",
    )


def _orders() -> list[Need]:
    """Orders that cannot be imported, by what they wait for: one fix frees all of them."""
    return [
        Need(
            Meaning.NEEDS_YOU,
            "Waiting",
            f"{plural(group.orders, 'order')} cannot be imported: {group.cause}",
            f"{group.store} · {group.remedy}",
            f"{reverse('admin:order_queue')}?{group.query}",
            "Open queue",
            since=group.oldest,
        )
        for group in waiting_groups()
    ]


def _not_read() -> list[Need]:
    """Objects of each store that could not be read, with the cause of the newest."""
    failed = RemoteChange.objects.filter(state=ChangeState.FAILED)
    newest = failed.filter(store=OuterRef("store")).order_by("-pk").values("cause")[:1]
    grouped = failed.order_by().values("store__name", "store__slug")
    rows = grouped.annotate(count=Count("pk"), since=Min("noticed_at"), why=Subquery(newest))
    return [
        Need(
            Meaning.NEEDS_YOU,
            "Failed",
            f"{plural(row['count'], 'changed object')} could not be read",
            f"{row['store__name']} · {row['why']}",
            f"{reverse('admin:changes')}?store={row['store__slug']}&state=failed",
            "See why",
            since=row["since"],
        )
        for row in rows
    ]


def store_cards(stores: list[Store], person_id: int) -> list[StoreCard]:
    """One card per store, as this person sees it; a fixed number of queries whatever the number of stores, besides what is
    kept of each."""
    publications = LevelPublication.objects.filter(store__in=stores).order_by()
    holding = standing.found(publications, Standing.HELD).values("store", what=Value("held"))
    differing = drift.undecided().filter(store__in=stores).order_by().values("store", what=Value("drift"))
    outside = tracking.untracked_in(stores).order_by().values("store", what=Value("untracked"))
    new = standing.found(publications.filter(store__live_at__isnull=False), Standing.NO_BASELINE)
    unpublished = new.values("store", what=Value("unpublished"))
    together = holding.annotate(n=Count("pk"), units=Sum(Value(0)), since=Min("held_since")).union(
        differing.annotate(n=Count("pk"), units=Sum("quantity"), since=Min("first_seen_at")),
        outside.annotate(n=Count("pk"), units=Sum(Value(0)), since=Min("linked_at")),
        unpublished.annotate(n=Count("pk"), units=Sum(Value(0)), since=Min("held_since")),
        all=True,
    )
    counted: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in together:
        counted[row["store"]][row["what"]] = row
    recent: dict[int, list[SyncRun]] = defaultdict(list)
    for run in SyncRun.objects.filter(store__in=stores).order_by("-pk")[: 20 * max(1, len(stores))]:
        recent[run.store_id].append(run)
    planned = schedules.of_stores(stores)
    return [
        _card(
            store,
            health_of(store, person_id),
            counted[store.pk],
            recent[store.pk],
            planned[store.pk],
        )
        for store in stores
    ]


def _card(
    store: Store, health: StoreHealth, counted: dict[str, Any], recent: list[SyncRun], planned: list[Schedule]
) -> StoreCard:
    held, drifting, outside, new = (counted.get(what) for what in ("held", "drift", "untracked", "unpublished"))
    last = next((run for run in recent if not run.is_open), None)
    next_at, next_text = _next(store, planned)
    return StoreCard(
        store=store,
        health=health,
        held=held["n"] if held else 0,
        held_since=held["since"] if held else None,
        drift=drifting["n"] if drifting else 0,
        drift_units=drifting["units"] if drifting else 0,
        last=last,
        last_headline=headline(last) if last else "",
        next_at=next_at,
        next_text=next_text,
        not_linked=not_linked(store.pk),
        untracked=outside["n"] if outside else 0,
        unpublished=new["n"] if new else 0,
        recent=recent,
    )


@kept
def not_linked(store_id: int) -> int:
    """Variants of the store's tag filter that have stock here and no inventory item there."""
    store = Store.objects.get(pk=store_id)
    levels = InventoryLevel.objects.filter(variant=OuterRef("pk")).exclude(on_hand=0)
    listed = ListedVariant.objects.filter(variant=OuterRef("pk"), store=store, gone_at=None)
    missing = Variant.objects.in_scope(store).filter(Exists(levels), ~Exists(listed))
    return missing.count()


def _next(store: Store, planned: list[Schedule]) -> tuple[dt.datetime | None, str]:
    """When the next job starts by itself, and which; or why none does."""
    if store.writes_paused:
        return None, "none: writes are paused"
    if not any(schedule.enabled for schedule in planned):
        return None, "none: every schedule is off"
    if store.live_at is None:
        return None, "after the first full sync"
    slots = [(slot, schedule.get_job_display()) for schedule in planned for slot in schedules.next_slots(schedule)]
    slot, label = min(slots)
    return max(slot, timezone.now()), label


@kept
def charts_of_pushes(store_id: int | None) -> list[Chart]:
    """How much was pushed, and how late, in each of the last 24 hours; None: to all stores."""
    store = Store.objects.get(pk=store_id) if store_id else None
    hours = figures.per_hour(store)
    zone = store.zone if store else timezone.get_default_timezone()
    labels = [f"{hour.start.astimezone(zone):%H}:00" for hour in hours]
    return [_pushed(labels, hours), _lag(labels, hours)]


def _pushed(labels: list[str], hours: list[Hour]) -> Chart:
    rows = [(label, [hour.levels]) for label, hour in zip(labels, hours, strict=True)]
    return chart(
        "How much do we push?",
        "levels per hour, 24 h",
        kind="bar",
        axis="Hour",
        series=["levels"],
        rows=rows,
        summary=peak(rows, "levels"),
        empty="Nothing was pushed in the last 24 hours.",
    )


def _lag(labels: list[str], hours: list[Hour]) -> Chart:
    rows = [
        (label, [_minutes(seconds) for seconds in (hour.p50, hour.p95, hour.p99)])
        for label, hour in zip(labels, hours, strict=True)
    ]
    worst = max(hours, key=lambda hour: hour.p95 or 0)
    return chart(
        "How late are pushes?",
        "minutes, 24 h",
        kind="line",
        axis="Hour",
        series=["half within", "95 % within", "99 % within"],
        rows=rows,
        summary=f"From a change here to the store's answer. In the slowest hour, {labels[hours.index(worst)]}, half took "
        f"{duration(worst.p50)} at most, 95 % {duration(worst.p95)}, 99 % {duration(worst.p99)}.",
        empty="No delta pushed anything in the last 24 hours.",
    )


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 1 if seconds >= 60 else 2)


@kept
def drift_over_days(*store_ids: int) -> Chart:
    """Levels that drift, a line per store: the four that drift most."""
    return drift_history.drawn(list(Store.objects.filter(pk__in=store_ids)))


class HomePage(ConsolePage):
    """Open to everybody who may sign in; each part only to those who may see it."""

    title = "Home"
    template_name = "console/home.html"

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Home")]

    def get(self, request: HttpRequest) -> HttpResponse:
        stores = list(Store.objects.all()) if self.can("connectors.view_store") else []
        cards = store_cards(stores, self.person.pk)
        first = self.first_run(stores)
        return self.page(
            cards=cards,
            needs=needs(self.person),
            setup=first,
            check=audit.latest(),
            charts=self.charts(stores) if stores and not first else [],
            runs=self.last_runs(),
            installation=Installation.objects.filter(pk=1).first(),
            may_pause=self.can("kernel.pause_all_writes"),
        )

    @staticmethod
    def charts(stores: list[Store]) -> list[Chart]:
        """What was pushed to these stores, how late, and how they drift."""
        return [*charts_of_pushes(None), drift_over_days(*(store.pk for store in stores))]

    def first_run(self, stores: list[Store]) -> Setup | None:
        """The set-up card, until one store is live."""
        if any(store.live_at for store in stores):
            return None
        return setup(stores[0] if stores else None, self.person)

    def last_runs(self) -> list[tuple[SyncRun, str]]:
        """The newest runs of all stores with their sentences."""
        if not self.can("connectors.view_syncrun"):
            return []
        newest = SyncRun.objects.filter(~Q(status=RunStatus.REFUSED)).select_related("store", "requested_by")
        return [(run, headline(run)) for run in newest.order_by("-pk")[:8]]
