"""The change log: what moved, was pushed, drifted or was held, of all levels in one list, newest first.

Four tables are read, each by its index on time, and merged. So a page costs the same whatever lies behind it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.urls import reverse

from connectors.models import Store
from inventory.models import Drift, HoldChange, LedgerEntry, LocationMapping, PublicationEntry, PublishedLevel
from inventory.models.drifts import DriftCause, DriftState
from inventory.models.hold_changes import ASIDE, QUARANTINE
from syncconsole.kernel.templatetags.console import source

TESTS: Final = {
    "a": "moved in the store moments ago",
    "b": "the store has orders that are not known here",
    "c": "an order or a message waits to be imported",
    "d": "a push was on its way",
    "e": "not ours to fix",
    QUARANTINE: "clone suspect",
    ASIDE: "set aside",
}


class ChangeKind(models.TextChoices):
    """Where a line of the log comes from; in the order of lines of the same moment."""

    STOCK = "stock", "Stock"
    PUSH = "push", "Store"
    DRIFT = "drift", "Drift"
    HOLD = "hold", "Hold"


@dataclass(frozen=True, slots=True)
class Change:
    """One line: `quantity` is signed units; None where the line moves none."""

    kind: ChangeKind
    id: int
    at: dt.datetime
    store: str
    item: str
    place: str
    what: str
    quantity: Decimal | None
    detail: str
    who: str
    url: str

    @property
    def units(self) -> Decimal | None:
        """The quantity without needless zeros."""
        return None if self.quantity is None else self.quantity.normalize() + 0

    def as_dict(self) -> dict[str, Any]:
        """What a script is given: plain values."""
        return asdict(self) | {"kind": self.kind.value, "quantity": self.units}


class Cursor(NamedTuple):
    """The line after which a page begins."""

    at: dt.datetime
    kind: int
    id: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the log is narrowed to. `variants` and `publication` are ids; `location` is our location's code."""

    kinds: Collection[ChangeKind] = field(default_factory=lambda: list(ChangeKind))
    store: Store | None = None
    location: str = ""
    variants: Sequence[int] | None = None
    publication: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def page(wanted: Wanted, after: Cursor | None, size: int) -> tuple[list[Change], Cursor | None]:
    """The `size` newest lines after `after`, and the cursor of the next page, None at the end. One query finds them, one
    more of each kind that is among them tells what they name."""
    sources = {rank: SOURCES[kind](wanted) for rank, kind in enumerate(ChangeKind) if kind in wanted.kinds}
    found = _newest(sources, wanted, after, size + 1)
    shown, more = found[:size], len(found) > size
    lines = {at: line for rank, source in sources.items() for at, line in _lines(source, rank, shown)}
    return [lines[at.kind, at.id] for at in shown], shown[-1] if more else None


def every(wanted: Wanted, size: int = 2000) -> Iterator[Change]:
    """All lines, newest first, a page at a time."""
    after: Cursor | None = None
    while True:
        lines, after = page(wanted, after, size)
        yield from lines
        if after is None:
            return


class Source(NamedTuple):
    """Where lines of a kind come from: rows that are wanted, what their lines name beside, the column of their time."""

    rows: QuerySet[Any, Any]
    related: Sequence[str]
    time: str
    line: Callable[[Any], Change]


def _newest(sources: Mapping[int, Source], wanted: Wanted, after: Cursor | None, size: int) -> list[Cursor]:
    """Found by their own columns, each kind by its index on time; joined to what they name when they are few."""
    several = [_of_kind(source, rank, wanted, after)[:size] for rank, source in sources.items()]
    first, *others = several
    rows = first.union(*others, all=True).order_by("-moment", "rank", "-pk")[:size] if others else first
    return [Cursor(*row) for row in rows]


def _of_kind(source: Source, rank: int, wanted: Wanted, after: Cursor | None) -> QuerySet[Any, Any]:
    rows, time = source.rows, source.time
    if wanted.since:
        rows = rows.filter(**{f"{time}__gte": wanted.since})
    if wanted.until:
        rows = rows.filter(**{f"{time}__lte": wanted.until})
    if after:
        same_moment = Q(**{time: after.at})
        beyond = Q(pk__lt=after.id) if rank == after.kind else Q(pk__isnull=rank < after.kind)
        # The first condition says nothing new; it is what the index on time is read by.
        rows = rows.filter(Q(**{f"{time}__lte": after.at}), Q(**{f"{time}__lt": after.at}) | same_moment & beyond)
    newest = rows.order_by(f"-{time}", "-pk").annotate(moment=F(time), rank=Value(rank))
    found: QuerySet[Any, Any] = newest.values_list("moment", "rank", "pk")
    return found


def _lines(source: Source, rank: int, shown: Iterable[Cursor]) -> Iterator[tuple[tuple[int, int], Change]]:
    ids = [at.id for at in shown if at.kind == rank]
    rows = source.rows.model._default_manager.filter(pk__in=ids).select_related(*source.related) if ids else ()
    return (((rank, row.pk), source.line(row)) for row in rows)


def _stock(wanted: Wanted) -> Source:
    rows = LedgerEntry.objects.all()
    published = PublishedLevel.objects.filter(level=OuterRef("level"))
    if wanted.publication is not None:
        members = PublishedLevel.objects.filter(publication=wanted.publication).values_list("level", flat=True)
        rows = rows.filter(level__in=list(members))
    elif wanted.store:
        rows = rows.filter(Exists(published.filter(store=wanted.store)))
    if wanted.variants is not None:
        rows = rows.filter(level__variant__in=wanted.variants)
    if wanted.location:
        rows = rows.filter(level__location__code=wanted.location)
    return Source(rows, ("level__variant__product", "level__location", "actor"), "recorded_at", _stock_line)


def _stock_line(entry: LedgerEntry) -> Change:
    moved = entry.on_hand_delta - entry.released_delta
    return Change(
        ChangeKind.STOCK,
        entry.pk,
        entry.recorded_at,
        "",
        str(entry.level.variant),
        entry.level.location.name,
        entry.get_kind_display(),
        moved,
        " · ".join(filter(None, [source(entry.document), entry.reason, source(entry.origin)])),
        str(entry.actor or ""),
        reverse("admin:why_level", args=[entry.level_id]),
    )


OF_PUBLICATIONS: Final = (
    "publication__listed__variant__product",
    "publication__store_location",
    "publication__store",
)


def _of_publications(rows: QuerySet[Any, Any], wanted: Wanted) -> QuerySet[Any, Any]:
    if wanted.publication is not None:
        rows = rows.filter(publication=wanted.publication)
    if wanted.store:
        rows = rows.filter(publication__store=wanted.store)
    if wanted.variants is not None:
        rows = rows.filter(publication__listed__variant__in=wanted.variants)
    if wanted.location:
        mapped = LocationMapping.objects.filter(location__code=wanted.location).values("store_location")
        rows = rows.filter(publication__store_location__in=mapped)
    return rows


def _pushes(wanted: Wanted) -> Source:
    rows = _of_publications(PublicationEntry.objects.all(), wanted)
    return Source(rows, (*OF_PUBLICATIONS, "push__batch__run__requested_by"), "recorded_at", _push_line)


def _push_line(entry: PublicationEntry) -> Change:
    run = entry.push.batch.run if entry.push else None
    detail = f"{run.label} #{run.pk}" if run else source(entry.cause)
    if not entry.applied:
        detail = " · ".join(filter(None, [detail, "recorded, not counted"]))
    who = str(run.requested_by or run.get_trigger_display()) if run else ""
    what = entry.get_kind_display()
    return _line(ChangeKind.PUSH, entry, entry.recorded_at, what, Decimal(entry.quantity), detail, who)


def _drifts(wanted: Wanted) -> Source:
    rows = _of_publications(Drift.objects.all(), wanted)
    return Source(rows, (*OF_PUBLICATIONS, "decided_by"), "first_seen_at", _drift_line)


def _drift_line(drift: Drift) -> Change:
    parts = [DriftCause(drift.cause).label, drift.writer, DriftState(drift.state).label, drift.reason]
    detail = " · ".join(filter(None, parts))
    what = f"Store showed {drift.shown}"
    return _line(
        ChangeKind.DRIFT,
        drift,
        drift.first_seen_at,
        what,
        Decimal(drift.quantity),
        detail,
        str(drift.decided_by or ""),
    )


def _holds(wanted: Wanted) -> Source:
    return Source(_of_publications(HoldChange.objects.all(), wanted), (*OF_PUBLICATIONS, "by"), "at", _hold_line)


def _hold_line(change: HoldChange) -> Change:
    what = f"Held: {TESTS.get(change.test, 'not to be overwritten')}" if change.test else "No longer held"
    return _line(ChangeKind.HOLD, change, change.at, what, None, change.cause, str(change.by or ""))


def _line(
    kind: ChangeKind, row: Any, at: dt.datetime, what: str, quantity: Decimal | None, detail: str, who: str
) -> Change:
    publication = row.publication
    return Change(
        kind,
        row.pk,
        at,
        publication.store.name,
        str(publication.listed.variant),
        publication.store_location.name,
        what,
        quantity,
        detail,
        who,
        reverse("admin:why", args=[publication.pk]),
    )


SOURCES: Final[dict[ChangeKind, Callable[[Wanted], Source]]] = {
    ChangeKind.STOCK: _stock,
    ChangeKind.PUSH: _pushes,
    ChangeKind.DRIFT: _drifts,
    ChangeKind.HOLD: _holds,
}
