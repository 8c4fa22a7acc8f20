"""Why a number is what it is: the terms that sum to it, now or at any past moment, with who caused each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import floor
from typing import Any, Final

from django.db.models import Count, DateTimeField, Max, Q, QuerySet, Sum, Value
from django.utils import timezone

from connectors.models import Store
from inventory import gates, schedules
from inventory.jobs import Job
from inventory.knowledge import order_books
from inventory.models import (
    HoldChange,
    LedgerEntry,
    LevelPublication,
    PublicationEntry,
    Push,
    SignedUnits,
    StoreTerms,
    WithheldUnits,
)
from inventory.models.ledger import EntryKind
from inventory.models.publications import PublicationKind, PublicationState
from inventory.models.pushes import PushStatus, WriteKind
from syncconsole.kernel.templatetags.console import source as said


@dataclass(frozen=True, slots=True)
class Term:
    """One line of a sum. `quantity` is signed; `entries` how many facts it adds up; `latest` the newest of them."""

    label: str
    quantity: Decimal
    detail: str = ""
    entries: int = 0
    latest: dt.datetime | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Three sums for one publication at one moment. Each list of terms adds up to the number named after it:
    `on_hand_terms` = on_hand, `target_terms` = target, `expected_terms` = expected. `not_explained` is what the store
    showed beyond expected; None where it was never read."""

    publication_id: int
    store: str
    variant: str
    item_number: str
    place: str
    at: dt.datetime
    now: bool
    on_hand_terms: list[Term]
    on_hand: Decimal
    target_terms: list[Term]
    ats: Decimal
    target: int
    expected_terms: list[Term]
    expected: int | None
    pending: int | None
    in_flight: int
    observed: int | None
    observed_at: dt.datetime | None
    not_explained: int | None
    offset: int
    """Units committed in the store to orders that nobody here can see, as a person has signed."""
    last_push: Term | None
    next_push: dt.datetime | None
    """When the next delta looks at it, where something is owed that a delta may send."""
    next_push_waits: str
    """Which gate keeps that delta from starting, and what opens it."""
    state: str
    hold: str
    hold_remedy: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON output; quantities as text, times in ISO form."""
        return asdict(self)

    def text(self) -> str:
        """The sums as the command prints them and as the page copies them."""
        lines = [f"{self.variant}, {self.place}, {self.store}", f"at {self.at:%Y-%m-%d %H:%M:%S %Z}", ""]
        lines += _sum_lines(self.on_hand_terms, "On hand", self.on_hand)
        lines += _sum_lines(self.target_terms, "Target: what the store should show", Decimal(self.target))
        if self.expected is not None:
            lines += _sum_lines(self.expected_terms, "Expected: what it is believed to show", Decimal(self.expected))
            lines.append(_line("To push (target less expected)", Decimal(self.pending or 0)))
        else:
            lines.append("No baseline yet: what the store shows is not known.")
        if self.last_push and self.last_push.latest:
            at = f"{self.last_push.latest.astimezone(self.at.tzinfo):%Y-%m-%d %H:%M %Z}"
            lines.append(_line(f"Last push ({at})", self.last_push.quantity, self.last_push.detail))
        if self.next_push_waits:
            lines.append(f"Next push: waits. {self.next_push_waits}")
        elif self.next_push:
            at = f"{self.next_push.astimezone(self.at.tzinfo):%Y-%m-%d %H:%M %Z}"
            lines.append(f"Next push: the delta of {at}, or at once after the next entry.")
        if self.in_flight:
            lines.append(_line("Of that on its way", Decimal(self.in_flight)))
        if self.observed is not None and self.observed_at:
            read_at = f"{self.observed_at.astimezone(self.at.tzinfo):%Y-%m-%d %H:%M %Z}"
            lines.append(_line(f"Store showed ({read_at})", Decimal(self.observed)))
            if self.not_explained:
                lines.append(_line("Not explained", Decimal(self.not_explained)))
        if self.offset:
            lines.append(_line("Held by orders not known here, signed for", Decimal(self.offset)))
        if self.hold:
            lines.append(f"Held: {self.hold} {self.hold_remedy}".rstrip())
        return "\n".join(lines)


def _sum_lines(terms: Iterable[Term], label: str, total: Decimal) -> list[str]:
    return [*(_line(term.label, term.quantity, term.detail) for term in terms), _line(f"= {label}", total), ""]


def _line(label: str, quantity: Decimal, detail: str = "") -> str:
    return f"{label:<44}{plain(quantity):>12}  {detail}".rstrip()


def plain(quantity: Decimal) -> str:
    """A quantity without needless zeros: 48, 0.5, -2."""
    return f"{quantity.normalize():f}" if quantity % 1 else f"{quantity:.0f}"


def find(store: Store, item_number: str) -> list[LevelPublication]:
    """Publications of one variant in a store, by item number or SKU; closed ones last."""
    by = Q(listed__variant__item_number=item_number) | Q(listed__variant__sku=item_number)
    rows = LevelPublication.objects.filter(by, store=store).select_related("listed__variant__product", "store_location")
    return sorted(rows, key=lambda row: (row.state == PublicationState.CLOSED, row.store_location.name))


def explain(publication_id: int, at: dt.datetime | None = None) -> Explanation:
    """The sums for one publication as known at `at` (by the time things were recorded), or now.

    The terms always add up to the numbers beside them: past numbers are sums of entries of the levels that were mapped to
    it, under the settings and with the withheld units of that moment. The reading of the store is the last one, which may
    be later than `at`: then none is shown.
    """
    publication = LevelPublication.objects.select_related("store", "listed__variant__product", "store_location").get(
        pk=publication_id
    )
    moment = at or timezone.now()
    ledger = ledger_of(publication, at).filter(recorded_at__lte=moment)
    on_hand_terms, released = _ledger_terms(ledger)
    on_hand = sum((term.quantity for term in on_hand_terms), Decimal(0))
    ats = on_hand - released
    target_terms, target = _target_terms(on_hand, _released_terms(ledger), _terms(publication, at))
    entries = PublicationEntry.objects.filter(publication=publication, recorded_at__lte=moment)
    expected_terms, last_push = _publication_terms(entries)
    hold, hold_remedy = _hold(publication, at)
    has_baseline = any(term.kind == PublicationKind.BASELINE for term in expected_terms)
    expected = int(sum((term.quantity for term in expected_terms), Decimal(0))) if has_baseline else None
    read = publication.observed_at is not None and (at is None or publication.observed_at <= at)
    observed = publication.observed_available if read else None
    next_push = _next_push(publication, expected, target) if at is None else None
    return Explanation(
        publication_id=publication.pk,
        store=publication.store.name,
        variant=publication.listed.variant.label,
        item_number=publication.listed.variant.item_number,
        place=publication.store_location.name,
        at=moment.astimezone(publication.store.zone),
        now=at is None,
        on_hand_terms=on_hand_terms,
        on_hand=on_hand,
        target_terms=target_terms,
        ats=ats,
        target=target,
        expected_terms=expected_terms,
        expected=expected,
        pending=None if expected is None else target - expected,
        in_flight=_in_flight(publication, at),
        observed=observed,
        observed_at=publication.observed_at if observed is not None else None,
        not_explained=_not_explained(publication, expected, observed, at),
        offset=_signed(publication, at),
        last_push=last_push,
        next_push=next_push,
        next_push_waits=_waits(publication) if next_push else "",
        state=PublicationState(publication.state).label if at is None else "",
        hold=hold,
        hold_remedy=hold_remedy,
    )


def ledger_of(publication: LevelPublication, at: dt.datetime | None = None) -> QuerySet[LedgerEntry, LedgerEntry]:
    """Entries of the levels in the publication's group: of now, or of `at`; of its first group where `at` lies before it."""
    if at is None:
        return LedgerEntry.objects.filter(level__published__publication=publication)
    present = publication.members.values_list("level", "since").annotate(until=Value(None, DateTimeField()))
    members = list(present.union(publication.former_members.values_list("level", "since", "until"), all=True))
    first = min((since or EVER for _, since, _ in members), default=EVER)
    moment = max(at, first)
    levels = [
        level for level, since, until in members if (since or EVER) <= moment and (until is None or moment < until)
    ]
    return LedgerEntry.objects.filter(level__in=levels)


EVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
"""For what began before anybody kept when."""


def _not_explained(
    publication: LevelPublication, expected: int | None, observed: int | None, at: dt.datetime | None
) -> int | None:
    """What the last read showed beyond what we expected at that moment; pushes settled since the read are no drift."""
    if expected is None or observed is None:
        return None
    if at is None and publication.observed_revision == publication.revision:
        return observed - expected
    # A reading that was good enough to be believed, or an overwrite, knows our entries by number; another one by time.
    by_number = publication.observed_revision is not None and not publication.hold_test
    later = Q(seq__gt=publication.observed_revision) if by_number else Q(recorded_at__gt=publication.observed_at)
    since = publication.entries.filter(later, applied=True)
    return observed - (expected - (since.aggregate(total=Sum("quantity"))["total"] or 0 if at is None else 0))


def _ledger_terms(entries: Any) -> tuple[list[Term], int]:
    """Terms of on hand, by kind; and the units released."""
    rows = list(
        entries.order_by()
        .values("kind")
        .annotate(total=Sum("on_hand_delta"), released=Sum("released_delta"), n=Count("pk"), latest=Max("recorded_at"))
    )
    newest = {entry.kind: entry for entry in entries.order_by("kind", "-pk").distinct("kind").select_related("actor")}
    order = list(EntryKind)
    terms = [
        Term(
            EntryKind(row["kind"]).label,
            row["total"],
            _caused(row["n"], newest[row["kind"]].document or newest[row["kind"]].origin, newest[row["kind"]].actor),
            row["n"],
            row["latest"],
            kind=row["kind"],
        )
        for row in rows
        if row["total"]
    ]
    terms.sort(key=lambda term: order.index(EntryKind(term.kind)))
    return terms, sum(row["released"] for row in rows)


SHOWN_ORDERS = 5
"""Orders that a sum names; the others are one term."""


def _released_terms(ledger: Any) -> list[Term]:
    """What is released to each order, most units first. A sum of terms below zero."""
    per_document = ledger.order_by().values("document").annotate(units=Sum("released_delta"), latest=Max("recorded_at"))
    holding = list(per_document.exclude(units=0).order_by("-units", "document"))
    named, others = holding[:SHOWN_ORDERS], holding[SHOWN_ORDERS:]
    shadows = order_books().shadows([row["document"] for row in named])
    terms = [
        Term(
            _released_label(row["document"], shadow=row["document"] in shadows),
            Decimal(-row["units"]),
            row["document"].partition(":")[2].partition(":")[0],
            latest=row["latest"],
            kind="released",
        )
        for row in named
    ]
    if others:
        label = f"Released to {len(others):,} more {'order' if len(others) == 1 else 'orders'}"
        terms.append(Term(label, Decimal(-sum(row["units"] for row in others)), kind="released"))
    return terms


def _released_label(document: str, *, shadow: bool) -> str:
    number = document.rpartition(":")[2]
    if not number:
        return "Released without an order"
    return f"Released to {'shadow order' if shadow else 'order'} {number}"


@dataclass(frozen=True, slots=True)
class _Terms:
    """What makes a target besides ATS."""

    withheld: int
    buffer: int
    never_below_zero: bool


def _terms(publication: LevelPublication, at: dt.datetime | None) -> _Terms:
    """Of now, or of `at`; of the earliest known moment where `at` lies before it."""
    store: Store | StoreTerms = publication.store
    withheld = publication.withheld
    if at is not None:
        known = StoreTerms.objects.filter(store=publication.store)
        store = (
            known.filter(since__lte=at).order_by("-since", "-pk").first()
            or known.order_by("since", "pk").first()
            or store
        )
        withheld = (
            WithheldUnits.objects.filter(publication=publication, since__lte=at)
            .order_by("-since", "-pk")
            .values_list("withheld", flat=True)
            .first()
        ) or 0
    return _Terms(0 if store.unavailable_left_out else withheld, store.buffer, store.never_below_zero)


def _signed(publication: LevelPublication, at: dt.datetime | None) -> int:
    """Committed units signed for as orders that nobody here can see: now, or at that moment."""
    if at is None:
        return publication.acknowledged_offset
    then = SignedUnits.objects.filter(publication=publication, since__lte=at).order_by("-since", "-pk")
    return then.values_list("units", flat=True).first() or 0


def _target_terms(on_hand: Decimal, released: list[Term], then: _Terms) -> tuple[list[Term], int]:
    """Mirrors `PublicationQuerySet.with_target`; a test over random worlds holds the two together."""
    terms = [Term("On hand", on_hand), *released]
    ats = sum((term.quantity for term in terms), Decimal(0))
    whole = floor(ats)
    if whole != ats:
        terms.append(Term("Part of a unit, not sold", Decimal(whole) - ats))
    if then.withheld:
        terms.append(Term("Withheld by the store (damaged, reserved, safety stock)", Decimal(-then.withheld)))
    less_withheld = whole - then.withheld
    less_buffer = min(less_withheld, max(0, less_withheld - then.buffer))
    if less_buffer != less_withheld:
        terms.append(Term("Buffer of the store", Decimal(less_buffer - less_withheld)))
    target = max(0, less_buffer) if then.never_below_zero else less_buffer
    if target != less_buffer:
        terms.append(Term("Never below zero", Decimal(target - less_buffer)))
    return terms, target


def _publication_terms(entries: Any) -> tuple[list[Term], Term | None]:
    """Everything that moved our belief, by kind, so that it adds up; and the newest push among it."""
    applied = entries.filter(applied=True)
    rows = list(
        applied.order_by().values("kind").annotate(total=Sum("quantity"), n=Count("pk"), latest=Max("recorded_at"))
    )
    newest = {
        entry.kind: entry
        for entry in applied.order_by("kind", "-seq").distinct("kind").select_related("push__batch__run__requested_by")
    }
    order = list(PublicationKind)
    terms = [
        Term(
            PublicationKind(row["kind"]).label,
            Decimal(row["total"]),
            _caused(row["n"], _run_of(newest[row["kind"]]) or newest[row["kind"]].cause, None),
            row["n"],
            row["latest"],
            kind=row["kind"],
        )
        for row in rows
    ]
    terms.sort(key=lambda term: order.index(PublicationKind(term.kind)))
    pushed = max((entry for entry in newest.values() if entry.push), key=lambda entry: entry.seq, default=None)
    last = pushed and Term("Last push", Decimal(pushed.quantity), _run_of(pushed), 1, pushed.recorded_at)
    return terms, last


def _in_flight(publication: LevelPublication, at: dt.datetime | None) -> int:
    """Units of a relative push that was claimed and not settled: now, or at that moment."""
    pushes = Push.objects.filter(publication=publication, batch__kind=WriteKind.ADJUST)
    if at is None:
        pushes = pushes.filter(status__in=(PushStatus.CLAIMED, PushStatus.UNSURE))
    else:
        unsettled = Q(batch__settled_at=None) | Q(batch__settled_at__gt=at)
        pushes = pushes.filter(unsettled, created_at__lte=at)
    return pushes.values_list("quantity", flat=True).last() or 0


def _next_push(publication: LevelPublication, expected: int | None, target: int) -> dt.datetime | None:
    if expected in (None, target) or publication.state != PublicationState.LIVE or publication.excluded:
        return None
    slots = schedules.next_slots(schedules.of_store(publication.store)[Job.DELTA])
    return slots[0].astimezone(publication.store.zone) if slots else None


def _waits(publication: LevelPublication) -> str:
    shut = [gate for gate in gates.gates_for(publication.store, Job.DELTA) if not gate.passed]
    return f"{shut[0].detail} {shut[0].remedy}" if shut else ""


def _hold(publication: LevelPublication, at: dt.datetime | None) -> tuple[str, str]:
    """Why the level is held now, with the remedy; or why it was at that moment."""
    if at is None:
        return publication.hold_cause, publication.hold_remedy
    last = HoldChange.objects.filter(publication=publication, at__lte=at).order_by("-pk").first()
    return (last.cause, "") if last and last.test else ("", "")


def _caused(entries: int, source: str, actor: object) -> str:
    """How many facts a term adds up, and where the newest came from, by whom."""
    told = said(source)
    parts = [f"{entries} entries, latest: {told}" if entries > 1 else told, f"by {actor}" if actor else ""]
    return ", ".join(part for part in parts if part)


def _run_of(entry: PublicationEntry) -> str:
    """The run behind a publication entry and who asked for it; empty for one that no push made."""
    if entry.push is None:
        return ""
    run = entry.push.batch.run
    return f"run #{run.pk} ({run.label}, by {run.requested_by or run.get_trigger_display()})"
