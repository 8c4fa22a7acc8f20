"""The sums and the timeline of a level as the page draws them; the numbers come from `inventory.explanation`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum
from django.urls import reverse

from inventory.explanation import Explanation, Term
from inventory.models import LedgerEntry, PublicationEntry
from inventory.models.publications import PublicationKind
from syncconsole.kernel.templatetags.console import plural, source

TIMELINE_EVENTS = 50
SALE_KINDS = "released"


@dataclass(frozen=True)
class Bar:
    """A term with its bar, in hundredths of the width; `is_sum` starts at zero, `is_rest` is what nothing explains."""

    label: str
    quantity: Decimal
    detail: str = ""
    url: str = ""
    is_sum: bool = False
    is_rest: bool = False
    x: str = "0"
    width: str = ""
    zero: str = "0"
    css: str = ""


@dataclass(frozen=True)
class Event:
    """One fact in a timeline. `quantity` is what it moved, None where it moves nothing; `result` is what was there after
    it: on hand, or what the store was believed to show."""

    at: dt.datetime
    day: str
    what: str
    detail: str = ""
    who: str = ""
    quantity: Decimal | None = None
    result: Decimal | None = None
    result_label: str = ""
    url: str = ""


def ledger_url(variant_id: int, **filters: str) -> str:
    """The ledger narrowed to a variant: where the entries of a term are."""
    return f"{reverse('admin:ledger')}?{urlencode({'variant': variant_id, **filters})}"


def term_detail(term: Term) -> str:
    """How many facts a term adds up."""
    if term.detail or not term.entries:
        return term.detail
    return plural(term.entries, "order" if term.kind == SALE_KINDS else "entry,entries")


def our_sum(explanation: Explanation, variant_id: int, at: str) -> list[Bar]:
    """On hand and what follows from it, down to what the store should show."""
    until = {"to": at} if at else {}
    bars = [
        Bar(term.label, term.quantity, term_detail(term), ledger_url(variant_id, kind=term.kind, **until))
        for term in explanation.on_hand_terms
    ]
    bars.append(Bar("On hand", explanation.on_hand, is_sum=True))
    bars += [Bar(term.label, term.quantity, term_detail(term)) for term in explanation.target_terms[1:]]
    bars.append(Bar("What the store should show", Decimal(explanation.target), is_sum=True))
    return drawn(bars)


def store_sum(explanation: Explanation) -> list[Bar]:
    """What we believe the store shows, what it showed, and what nothing explains. Empty before the baseline."""
    if explanation.expected is None:
        return []
    bars = [Bar(term.label, term.quantity, term_detail(term)) for term in explanation.expected_terms]
    bars.append(Bar("What we believe the store shows", Decimal(explanation.expected), is_sum=True))
    if explanation.observed is not None and not explanation.not_explained:
        return drawn(bars)
    if explanation.observed is not None:
        rest = Decimal(explanation.not_explained or 0)
        moved_since = Decimal(explanation.observed) - explanation.expected - rest
        if moved_since:
            bars.append(Bar("Pushed after that read", moved_since))
        bars.append(Bar("Not explained", rest, "no push of ours and no known order", is_rest=True))
        bars.append(Bar("Store showed", Decimal(explanation.observed), is_sum=True))
    return drawn(bars)


def drawn(bars: Sequence[Bar]) -> list[Bar]:
    """The bars with their places: each starts where the one before ended, sums start at zero."""
    running, spans = Decimal(0), []
    for bar in bars:
        start = Decimal(0) if bar.is_sum else running
        running = bar.quantity if bar.is_sum else running + bar.quantity
        spans.append((min(start, running), max(start, running)))
    low = min([Decimal(0), *(span[0] for span in spans)])
    high = max([Decimal(1), *(span[1] for span in spans)])
    scale = Decimal(100) / (high - low)
    zero = f"{-low * scale:.2f}"
    return [
        replace(
            bar,
            x=f"{(left - low) * scale:.2f}",
            width=f"{max((right - left) * scale, Decimal('0.4')):.2f}",
            zero=zero,
            css=_css(bar),
        )
        for bar, (left, right) in zip(bars, spans, strict=True)
    ]


def _css(bar: Bar) -> str:
    if bar.is_rest:
        return "c-bar-rest"
    if bar.is_sum:
        return "c-bar-sum"
    return "c-bar-up" if bar.quantity >= 0 else "c-bar-down"


@dataclass(frozen=True)
class Timeline:
    """Events, newest first, and the address of older ones (empty at the end)."""

    events: list[Event]
    older: str


def timeline(
    entries: QuerySet[LedgerEntry, LedgerEntry],
    publication_id: int | None,
    until: dt.datetime,
    zone: ZoneInfo,
    *,
    sums: tuple[Decimal, Decimal] | None = None,
) -> Timeline:
    """The newest of `entries` recorded before `until` and, with a publication, what happened to it.

    `sums` are on hand and what the store was believed to show at `until`, where the caller knows them.
    """
    ledger = entries.filter(recorded_at__lt=until)
    on_hand = sums[0] if sums else ledger.aggregate(total=Sum("on_hand_delta"))["total"] or Decimal(0)
    newest = ledger.select_related("level__location", "actor").order_by("-recorded_at", "-pk")
    events = list(_ledger_events(newest[: TIMELINE_EVENTS + 1], on_hand, zone))
    if publication_id is not None:
        about_store = PublicationEntry.objects.filter(publication=publication_id, recorded_at__lt=until)
        events += _publication_events(about_store, zone, sums[1] if sums else None)
    events.sort(key=lambda event: event.at, reverse=True)
    if len(events) <= TIMELINE_EVENTS:
        return Timeline(events, "")
    shown, following = events[:TIMELINE_EVENTS], events[TIMELINE_EVENTS].at
    # The next page begins before a moment, so what one transaction recorded stays on one page.
    while shown[-1].at == following and shown[0].at > following:
        shown.pop()
    return Timeline(shown, shown[-1].at.isoformat())


def _ledger_events(entries: Iterable[LedgerEntry], on_hand: Decimal, zone: ZoneInfo) -> Iterable[Event]:
    for entry in entries:
        parts = [source(entry.document), entry.reason, f"from {source(entry.origin)}", entry.level.location.name]
        moved = entry.on_hand_delta or Decimal(-entry.released_delta)
        yield Event(
            at=entry.recorded_at,
            day=f"{entry.recorded_at.astimezone(zone):%-d %b %Y}",
            what=entry.get_kind_display(),
            detail=" · ".join(part for part in parts if part),
            who=str(entry.actor) if entry.actor else "the system",
            quantity=moved,
            result=on_hand,
            result_label="on hand",
        )
        on_hand -= entry.on_hand_delta


def _publication_events(
    entries: QuerySet[PublicationEntry, PublicationEntry], zone: ZoneInfo, believed: Decimal | None
) -> list[Event]:
    if believed is None:
        believed = Decimal(entries.aggregate(total=Sum("quantity", filter=Q(applied=True)))["total"] or 0)
    events = []
    for entry in entries.select_related("push__batch__run__requested_by").order_by("-seq")[: TIMELINE_EVENTS + 1]:
        run = entry.push.batch.run if entry.push else None
        booked = entry.kind == PublicationKind.STORE_BOOKED
        events.append(
            Event(
                at=entry.recorded_at,
                day=f"{entry.recorded_at.astimezone(zone):%-d %b %Y}",
                what=entry.get_kind_display() if booked else f"{entry.get_kind_display()} in the store",
                detail=f"{run.label} #{run.pk}" if run else source(entry.cause),
                who=str(run.requested_by or run.get_trigger_display()) if run else "",
                quantity=Decimal(entry.quantity),
                result=believed,
                result_label="in the store",
                url=reverse("admin:run", args=[run.pk]) if run else "",
            )
        )
        if entry.applied:
            believed -= entry.quantity
    return events
