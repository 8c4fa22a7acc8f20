"""Opening stock of a location: planned from one source, signed by a person, posted to the ledger exactly once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import IO, Any, BinaryIO, Final

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Abs
from django.utils import timezone

from catalog.csv_rows import CellRefused, Problems, read_table
from catalog.models import Variant
from connectors.models import Store
from inventory import ledger, opening_rows
from inventory.ledger import Posting
from inventory.models import InventoryLevel, LedgerEntry, LevelPublication, Location, OpeningLine, OpeningPlan
from inventory.models.ledger import EntryKind
from inventory.models.locations import StockMaster
from inventory.models.openings import OpeningOutcome, OpeningSource, OpeningState
from inventory.stock_feed import Items
from inventory.stock_rows import StockRow
from syncconsole.kernel import audit
from syncconsole.kernel.locks import sole_worker
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

RIGHT: Final = "inventory.sign_opening"
BATCH: Final = 500
"""Lines written, and posted, in one transaction."""
KEPT_PROBLEMS: Final = 200
OPEN: Final = (OpeningState.PLANNED, OpeningState.POSTING)


class OpeningRefused(Refusal):
    """No plan was made, signed or dropped; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a source says of one variant: `quantity` on hand at `as_of`."""

    variant_id: int
    quantity: Decimal
    as_of: dt.datetime


def plan_from_store(location: Location, store: Store, by: User | None) -> OpeningPlan:
    """Plan from what `store` had on hand at the last read of each level: available + committed + unavailable, less the
    unavailable where our stock leaves them out.

    Raises OpeningRefused: no right, a plan is open, another master, several of our locations share one there, or
    nothing was read.
    """
    shared = LevelPublication.objects.filter(store=store, members__level__location=location).eligible()
    places = shared.values("store_location").distinct()
    if store.location_mappings.filter(store_location__in=places).exclude(location=location).exists():
        raise OpeningRefused(
            f"Several of our locations are sold from one of {store}: what is there cannot be told apart.",
            "Plan from a file with this location's own quantities.",
        )
    read = shared.filter(observed_available__isnull=False, observed_at__isnull=False)
    unavailable = Decimal(0) if store.unavailable_left_out else F("observed_unavailable")
    rows = read.annotate(there=F("observed_available") + F("observed_committed") + unavailable)
    if not rows.exists():
        raise OpeningRefused(
            f"No level of {location} was read from {store} yet.",
            "Plan a full sync, which reads every level; reject its plan, then come back.",
        )
    named = rows.order_by("pk").values_list("listed__variant", "there", "observed_at").iterator(2000)

    def told(_: Problems) -> Iterator[Told]:
        return (Told(variant, Decimal(there), at) for variant, there, at in named if at)

    return _make(location, OpeningSource.STORE, told, by, store=store)


def plan_from_file(
    location: Location, stream: BinaryIO | IO[bytes], name: str, by: User | None, *, store: Store | None = None
) -> OpeningPlan:
    """Plan from a file as of now: our own CSV (item_number or sku, quantity), or with `store` Shopify's inventory CSV,
    of which the rows of this location count. Rows that cannot be taken are kept with line, cause and remedy.

    Raises FileRefused when the file as a whole cannot be read, else as `plan_from_store`.
    """
    now = timezone.now()
    if store is None:
        table = read_table(stream, opening_rows.own_columns, (("item_number", "sku"), ("quantity",)))
        rows = partial(opening_rows.own_rows, table)
    else:
        table = read_table(stream, opening_rows.store_columns, (("sku",), ("location",), (opening_rows.ON_HAND,)))
        names = list(store.locations.filter(mappings__location=location).values_list("name", flat=True))
        rows = partial(opening_rows.store_rows, table, [location.name, *names])
    source = OpeningSource.STORE_FILE if store else OpeningSource.FILE
    return _make(location, source, lambda p: _found(rows(p), p, now), by, store=store, file_name=name[:200])


def _found(rows: Iterator[StockRow], problems: Problems, as_of: dt.datetime) -> Iterator[Told]:
    """The variants that rows name, each once; the first row of a variant counts."""
    seen: dict[int, int] = {}
    while chunk := list(islice(rows, BATCH)):
        items = Items(chunk)
        for row in chunk:
            try:
                variant_id, number = items.find(row)
            except CellRefused as refused:
                problems.add(row.line, refused.cause, refused.remedy)
                continue
            if (first := seen.setdefault(variant_id, row.line)) != row.line:
                problems.add(row.line, f"Line {first} names {number} already.", "Keep one row for each item.")
                continue
            yield Told(variant_id, row.quantity, as_of)


def _make(
    location: Location,
    source: OpeningSource,
    told: Callable[[Problems], Iterator[Told]],
    by: User | None,
    *,
    store: Store | None = None,
    file_name: str = "",
) -> OpeningPlan:
    _check_right(by)
    if location.stock_master != StockMaster.FEED:
        raise OpeningRefused(
            f"The stock of {location} is kept by the {location.master}.", "Its opening comes from there."
        )
    problems = Problems([])
    try:
        with transaction.atomic():
            plan = OpeningPlan.objects.create(
                location=location,
                source=source,
                store=store,
                file_name=file_name,
                made_at=timezone.now(),
                made_by=by,
            )
            rows = told(problems)
            while chunk := list(islice(rows, BATCH)):
                OpeningLine.objects.bulk_create(_lines(plan, chunk))
            plan.totals = _totals(plan)
            if not plan.totals["levels"]:
                raise OpeningRefused(
                    "No row names an item of ours at this location.", _first(problems) or "Check the file and location."
                )
            plan.totals["problems"] = problems.total
            listed = sorted(problems.listed, key=lambda each: each.line)
            plan.problems = [[each.line, each.cause, each.remedy] for each in listed[:KEPT_PROBLEMS]]
            plan.save(update_fields=["totals", "problems"])
            audit.record(by, "plan opening stock", str(location), after={"source": plan.origin, **plan.totals})
    except IntegrityError as exc:
        if OpeningPlan.objects.filter(location=location, state__in=OPEN).exists():
            raise OpeningRefused(
                f"A plan of {location} is open already.", "Sign it or drop it before making another."
            ) from exc
        raise
    return plan


def _first(problems: Problems) -> str:
    return str(problems.listed[0]) if problems.listed else ""


def _lines(plan: OpeningPlan, told: list[Told]) -> list[OpeningLine]:
    before = on_hand_then(plan.location_id, {each.variant_id: each.as_of for each in told})
    costs = dict(Variant.objects.filter(pk__in=before).values_list("pk", "cost"))
    lines = []
    for each in told:
        delta, cost = each.quantity - before[each.variant_id], costs.get(each.variant_id)
        lines.append(
            OpeningLine(
                plan=plan,
                variant_id=each.variant_id,
                as_of=each.as_of,
                quantity=each.quantity,
                ledger=before[each.variant_id],
                delta=delta,
                value=None if cost is None else round(delta * cost, 2),
                rank=int(abs(delta) * 1000),
            )
        )
    return lines


def on_hand_then(location_id: int, wanted: dict[int, dt.datetime]) -> dict[int, Decimal]:
    """Variant → on hand at its moment, by our entries: what is there now less what moved since. 0 without a level."""
    levels = InventoryLevel.objects.filter(location=location_id, variant__in=wanted).values_list(
        "pk", "variant_id", "on_hand"
    )
    found = {variant: on_hand for _, variant, on_hand in levels}
    of_level = {pk: variant for pk, variant, _ in levels}
    since = LedgerEntry.objects.filter(level__in=of_level, effective_at__gt=min(wanted.values()))
    for level, at, delta in since.values_list("level_id", "effective_at", "on_hand_delta"):
        if at > wanted[of_level[level]]:
            found[of_level[level]] -= delta
    return {variant: found.get(variant, Decimal(0)) for variant in wanted}


def _totals(plan: OpeningPlan) -> dict[str, Any]:
    changing = ~Q(delta=0)
    sums = plan.lines.aggregate(
        levels=Count("pk"),
        changes=Count("pk", filter=changing),
        units=Sum("quantity"),
        units_moved=Sum(Abs("delta")),
        stock_value=Sum(F("quantity") * F("variant__cost")),
        value_moved=Sum(Abs("value")),
        without_cost=Count("pk", filter=Q(variant__cost=None)),
        to_zero=Count("pk", filter=Q(quantity=0) & changing),
    )
    return {name: _plain(value) if isinstance(value, Decimal) else value or 0 for name, value in sums.items()}


def _plain(value: Decimal) -> str:
    """A sum as it is kept: no zeros behind the point, no exponent."""
    return f"{value.normalize():f}"


def sign(plan: OpeningPlan, by: User) -> OpeningPlan:
    """Sign a plan; the workers post it. Signing twice is one signature. Raises OpeningRefused."""
    from inventory.tasks import post_opening

    _check_right(by)
    with transaction.atomic():
        taken = OpeningPlan.objects.filter(pk=plan.pk, state=OpeningState.PLANNED).update(
            state=OpeningState.POSTING, signed_by=by, signed_at=timezone.now()
        )
        if taken:
            audit.record(by, "sign opening stock", str(plan.location), after=plan.totals)
            post_opening.send(plan.pk)
    plan.refresh_from_db()
    if plan.state == OpeningState.DROPPED:
        raise OpeningRefused("This plan was dropped.", "Make another one.")
    return plan


def drop(plan: OpeningPlan, by: User) -> None:
    """Leave the ledger as it is. Raises OpeningRefused when the plan was signed."""
    _check_right(by)
    dropped = OpeningPlan.objects.filter(pk=plan.pk, state=OpeningState.PLANNED).update(state=OpeningState.DROPPED)
    if not dropped:
        raise OpeningRefused("This plan is not open any more.", "What was posted is corrected by a count.")
    audit.record(by, "drop opening stock", str(plan.location))


def post(plan: OpeningPlan, *, until: dt.datetime | None = None) -> bool:
    """Post the lines of a signed plan that are left, some hundred in a transaction. False when time ran out before the
    last; True, too, where another worker is at it. One that dies leaves the rest to the next, and no line is posted twice."""
    with sole_worker("inventory.openings", plan.pk) as mine:
        if not mine:
            return True
        plan.refresh_from_db()
        while plan.state == OpeningState.POSTING:
            if until is not None and timezone.now() >= until:
                return False
            if not _post_some(plan):
                OpeningPlan.objects.filter(pk=plan.pk, state=OpeningState.POSTING).update(
                    state=OpeningState.POSTED, posted_at=timezone.now()
                )
                plan.refresh_from_db()
    return True


@transaction.atomic
def _post_some(plan: OpeningPlan) -> int:
    """Derive the next lines again under the lock of their levels; what is as planned is posted, the rest says why not."""
    lines = list(plan.lines.filter(outcome=OpeningOutcome.PLANNED).order_by("pk")[:BATCH])
    if not lines:
        return 0
    variants = {line.variant_id: line.as_of for line in lines}
    levels = InventoryLevel.objects.filter(location=plan.location_id, variant__in=variants).order_by("pk")
    list(levels.select_for_update(no_key=True).values_list("pk", flat=True))
    now = on_hand_then(plan.location_id, variants)
    for line in lines:
        if line.quantity - now[line.variant_id] != line.delta:
            said = (now[line.variant_id], line.ledger)
            line.outcome = OpeningOutcome.LEFT
            line.cause = "The ledger says {:f} of that moment now; it said {:f}.".format(*(n.normalize() for n in said))
        else:
            line.outcome = OpeningOutcome.POSTED if line.delta else OpeningOutcome.EQUAL
    ledger.post([_posting(plan, line) for line in lines if line.outcome == OpeningOutcome.POSTED])
    OpeningLine.objects.bulk_update(lines, ["outcome", "cause"])
    return len(lines)


def _posting(plan: OpeningPlan, line: OpeningLine) -> Posting:
    return Posting(
        variant_id=line.variant_id,
        location_id=plan.location_id,
        kind=EntryKind.OPENING,
        key=f"opening:{plan.pk}:{line.variant_id}",
        origin=plan.origin,
        effective_at=line.as_of,
        on_hand_delta=line.delta,
        document=f"opening/{plan.pk}",
        reason=f"{OpeningSource(plan.source).label}, signed by {plan.signed_by}"[:300],
        actor=plan.signed_by,
    )


def outcomes(plan: OpeningPlan) -> dict[str, int]:
    """Outcome → number of lines, counted now."""
    rows = plan.lines.order_by().values("outcome").annotate(n=Count("pk"))
    return {row["outcome"]: row["n"] for row in rows}


def unfinished() -> Iterable[OpeningPlan]:
    """Signed plans that are not posted to the end."""
    return OpeningPlan.objects.filter(state=OpeningState.POSTING)


def _check_right(by: User | None) -> None:
    if by is not None and not by.has_perm(RIGHT):
        raise OpeningRefused("Your role may not plan opening stock.", "Onboarding staff or an administrator can.")
