"""Waves: released orders are picked together at one of our locations, then shipped by what was picked."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from connectors.models import Store
from inventory.models import Location
from orders import shipping
from orders.effects import StockRule
from orders.models import (
    IncomingOrder,
    OrderStatus,
    OrderStock,
    SalesOrder,
    Wave,
    WaveLine,
    WaveLineState,
    WaveState,
)
from orders.shipping import ShippingRefused, Units
from orders.wave_changes import close_if_done, new_line, open_lines, restate
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

SEE_RIGHT: Final = "orders.view_wave"
WAVE_RIGHT: Final = "orders.wave_orders"
MOST: Final = 100
"""Orders of one wave."""


class WaveRefused(Refusal):
    """Nothing was changed. Carries cause and remedy."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An order that something kept out, and why."""

    order: str
    cause: str


@dataclass(slots=True)
class Created:
    """A new wave, or the one that the same form made before, and the chosen orders that did not get into it."""

    wave: Wave
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(slots=True)
class Completed:
    """What was shipped, and the orders of which nothing was: they changed meanwhile, and stay in the wave."""

    units: int = 0
    left_out: list[LeftOut] = field(default_factory=list)


def summed() -> QuerySet[Wave, Wave]:
    """Waves, each with `orders`, the units `to_pick` and `shipped`, and how many lines were `voided`."""
    return Wave.objects.annotate(
        orders=Count("lines__stock__order", distinct=True),
        to_pick=Sum("lines__quantity", filter=Q(lines__state=WaveLineState.OPEN), default=0),
        shipped=Sum("lines__picked", default=0),
        voided=Count("lines", filter=Q(lines__state=WaveLineState.VOIDED)),
    )


def with_orders_of(rows: QuerySet[Wave, Wave], slug: str) -> QuerySet[Wave, Wave]:
    """Those of these waves that hold an order of the store with this short name."""
    return rows.filter(Exists(WaveLine.objects.filter(wave=OuterRef("pk"), stock__order__store__slug=slug)))


Picked = Mapping[int, Units]
"""Id of a `WaveLine` → what was picked of it."""


def choices(
    location: Location, *, store: Store | None = None, parts: bool = False, limit: int = MOST
) -> QuerySet[SalesOrder, SalesOrder]:
    """Released orders that can be picked at `location`, those placed first at the head, each with its `lines_here` and
    `units_here`. Whole orders alone, of which every unit that is not sent is held there; with `parts` also those of which
    some are held elsewhere."""
    here = Q(incoming__stock__location=location)
    found = SalesOrder.objects.filter(status=OrderStatus.RELEASED, incoming__stock_rule=StockRule.ORDER)
    if store is not None:
        found = found.filter(store=store)
    found = found.annotate(
        units_here=Sum("incoming__stock__held", filter=here, default=0),
        lines_here=Count("incoming__stock", filter=here & Q(incoming__stock__held__gt=0)),
        units_open=Sum("incoming__stock__open_quantity", default=0),
        units_gone=Sum(F("incoming__stock__ahead") + F("incoming__stock__dispatched"), default=0),
    ).filter(units_here__gt=0)
    if not parts:
        found = found.filter(units_open=F("units_here") + F("units_gone"))
    return found.select_related("store", "incoming").defer("incoming__snapshot").order_by("placed_at", "pk")[:limit]


@transaction.atomic
def create(location: Location, orders: Iterable[int], *, intent: uuid.UUID, by: User) -> Created:
    """Put the goods that these incoming orders (by id) hold at `location` in a new wave. Nothing moves: they stay
    released, and what can be sold stays what it was.

    `intent` names the form: sent twice, it makes one wave. Orders that are not released any more, or wave already, are
    left out. Raises WaveRefused when nothing is left to pick.
    """
    rows = _locked_orders(orders)
    made = Wave.objects.filter(intent=intent).first()
    if made is not None:
        return Created(made)
    if len(rows) > MOST:
        raise WaveRefused(f"{len(rows):,} orders are more than one wave takes.", f"Choose at most {MOST}.")
    stocks, left_out = _to_pick(rows, location)
    if not stocks:
        raise WaveRefused(
            "None of the chosen orders has goods to pick there now.", "Look at the list again, then choose."
        )
    wave = Wave.objects.create(intent=intent, location=location, created_at=timezone.now(), created_by=by)
    WaveLine.objects.bulk_create(new_line(wave, stock) for stock in stocks)
    orders_in = {stock.order_id for stock in stocks}
    restate(orders_in)
    after = {"location": str(location), "orders": len(orders_in), "units": sum(stock.held for stock in stocks)}
    audit.record(by, "create wave", str(wave), after=after)
    return Created(wave, left_out)


def complete(wave: Wave, picked: Picked, *, by: User) -> Completed:
    """Ship what was picked; what was not goes back to released. One order after the other, each with its shipment, so that
    what is done stays done. An order of which `picked` does not name every line as it is now is left out, and stays to be
    picked. Raises WaveRefused when the wave is closed, or nothing of it is named.
    """
    wave = Wave.objects.select_related("closed_by").get(pk=wave.pk)
    if not wave.is_open:
        who = f" by {wave.closed_by}" if wave.closed_by else ""
        raise WaveRefused(f"{wave} is {wave.standing.label.lower()} already{who}.", "Look at what was shipped.")
    lines = wave.lines.filter(pk__in=picked).values_list("stock__order", flat=True)
    orders = sorted(set(lines))
    if not orders:
        raise WaveRefused("No line of the wave was given.", "Say how many were picked of each line.")
    done = Completed()
    for order in orders:
        try:
            done.units += _complete_order(wave, order, picked, by)
        except (WaveRefused, ShippingRefused) as refused:
            name = IncomingOrder.objects.values_list("name", flat=True).get(pk=order)
            done.left_out.append(LeftOut(name, refused.cause))
    after = {"units": done.units, "left out": [each.order for each in done.left_out]}
    audit.record(by, "complete wave", str(wave), after=after)
    return done


@transaction.atomic
def void(wave: Wave, *, reason: str, by: User) -> None:
    """Give all that waits in the wave back to released. Raises WaveRefused without a reason, or when it is closed."""
    reason = reason.strip()[:300]
    if not reason:
        raise WaveRefused("No reason was given.", "Write in a few words why the wave is not picked.")
    orders = [row.pk for row in _locked_orders(_orders_of(wave))]
    wave = Wave.objects.select_for_update(no_key=True).get(pk=wave.pk)
    if not wave.is_open:
        raise WaveRefused(f"{wave} is {wave.standing.label.lower()} already.", "Nothing is left to void.")
    now = timezone.now()
    wave.lines.filter(state=WaveLineState.OPEN).update(state=WaveLineState.VOIDED, reason=reason, closed_at=now)
    wave.state, wave.reason, wave.closed_at, wave.closed_by = WaveState.VOIDED, reason, now, by
    wave.save(update_fields=["state", "reason", "closed_at", "closed_by"])
    restate(orders)
    audit.record(by, "void wave", str(wave), after={"reason": reason})


def _locked_orders(orders: Iterable[int]) -> list[IncomingOrder]:
    rows = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store", "sales_order")
    return list(rows.filter(pk__in=set(orders)).defer("snapshot").order_by("pk"))


def _orders_of(wave: Wave) -> list[int]:
    waiting = wave.lines.filter(state=WaveLineState.OPEN)
    return list(waiting.order_by().values_list("stock__order", flat=True).distinct())


def _to_pick(rows: Sequence[IncomingOrder], location: Location) -> tuple[list[OrderStock], list[LeftOut]]:
    """What the locked orders hold there, in the order in which they were placed; and the orders that cannot be waved."""
    waved = dict(
        WaveLine.objects.filter(stock__order__in=rows, stock__location=location, state=WaveLineState.OPEN).values_list(
            "stock__order", "wave"
        )
    )
    free, left_out = [], []
    for row in rows:
        sale = getattr(row, "sales_order", None)
        if row.pk in waved:
            left_out.append(LeftOut(row.name, f"it is in wave {waved[row.pk]} already"))
        elif sale is None or sale.status not in (OrderStatus.RELEASED, OrderStatus.WAVED):
            left_out.append(LeftOut(row.name, "it is not released any more"))
        else:
            free.append(row)
    held = OrderStock.objects.filter(order__in=free, location=location, held__gt=0)
    return list(held.order_by("order__remote_created_at", "order_id", "pk")), left_out


@transaction.atomic
def _complete_order(wave: Wave, order: int, picked: Picked, by: User) -> int:
    """Settle the lines of one order, and ship them. Returns the units shipped."""
    (row,) = _locked_orders([order])
    lines = [line for line in open_lines([row]) if line.wave_id == wave.pk]
    if not lines:
        raise WaveRefused("it was settled meanwhile", "Look again.")
    for line in lines:
        _check(line, picked.get(line.pk))
    now = timezone.now()
    for line in lines:
        line.state, line.picked, line.closed_at = WaveLineState.DONE, picked[line.pk].quantity, now
    WaveLine.objects.bulk_update(lines, ["state", "picked", "closed_at"])
    wanted = {line.stock_id: Units(line.picked, of=line.stock.held) for line in lines if line.picked}
    units = shipping.ship(row, wanted, by=by) if wanted else 0
    restate([order])
    close_if_done([wave.pk], by=by)
    return units


def _check(line: WaveLine, units: Units | None) -> None:
    if units is None or units.of != line.quantity:
        raise WaveRefused(f"it changed: {line.quantity:,} units of a line are to be picked now", "Look again.")
    if not 0 <= units.quantity <= line.quantity:
        raise WaveRefused(f"{units.quantity:,} of {line.quantity:,} units cannot be picked", "Give fewer.")


def waves_of(row: IncomingOrder) -> list[WaveLine]:
    """The order's lines in waves, oldest first, with what each was and became."""
    lines = WaveLine.objects.filter(stock__order=row).select_related(
        "wave__created_by", "stock__variant__product", "replaced_by", "replaces"
    )
    return list(lines.order_by("pk"))
