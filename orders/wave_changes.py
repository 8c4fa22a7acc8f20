"""Waves follow their orders: what a store, or a person, changes on an order in mid-wave changes its lines there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from django.db.models import Case, Exists, OuterRef, Value, When
from django.utils import timezone

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
from syncconsole.kernel.models import User

SETTLED_BY_STORES = "Its last lines were settled by their stores."


def follow(rows: Collection[IncomingOrder], *, because: str = "") -> None:
    """Bring the open wave lines of these orders to what the orders hold now. Call it after whatever changed that, in the
    same transaction, with `rows` locked.

    A line whose units changed is voided and made again with those there are now; the old one keeps the reason
    (`because`, or what the store said) and what replaced it. What the store sent itself is covered. Goods that an order
    holds at its wave's location since then join it. A wave without a line left to pick is closed.
    """
    lines = list(open_lines(rows))
    if not lines:
        return
    told = {row.pk: row for row in rows}
    changed = [line for line in lines if line.stock.held != line.quantity]
    for line in changed:
        _follow(line, told[line.stock.order_id], because)
    moved = {line.stock.order_id for line in [*changed, *_add(lines)]}
    if moved:
        restate(moved)
        close_if_done({line.wave_id for line in lines if line.stock.order_id in moved}, by=None)


def open_lines(rows: Collection[IncomingOrder]) -> Iterable[WaveLine]:
    """The lines of these orders that wait to be picked."""
    lines = WaveLine.objects.filter(stock__order__in=rows, state=WaveLineState.OPEN)
    return lines.select_related("stock", "wave__location").order_by("pk")


def new_line(wave: Wave, stock: OrderStock) -> WaveLine:
    """An unsaved line of all that the stock row holds."""
    return WaveLine(
        wave=wave,
        stock=stock,
        quantity=stock.held,
        fulfilled_before=stock.fulfilled,
        made_at=timezone.now(),
    )


def restate(orders: Iterable[int]) -> None:
    """Bring the status of these orders' sales orders in step with the waves: waved while a line waits to be picked."""
    waiting = WaveLine.objects.filter(stock__order=OuterRef("incoming"), state=WaveLineState.OPEN)
    sales = SalesOrder.objects.filter(incoming__in=orders, status__in=(OrderStatus.RELEASED, OrderStatus.WAVED))
    waved = When(Exists(waiting), then=Value(OrderStatus.WAVED))
    sales.update(status=Case(waved, default=Value(OrderStatus.RELEASED)))


def close_if_done(waves: Iterable[int], *, by: User | None) -> None:
    """Close those waves in which no line waits any more. Locks them, after everything else: whoever settles the last line
    of a wave sees that it was the last."""
    for wave in Wave.objects.select_for_update(no_key=True).filter(pk__in=waves, state=WaveState.OPEN).order_by("pk"):
        states = set(wave.lines.values_list("state", flat=True))
        if WaveLineState.OPEN in states:
            continue
        went = states & {WaveLineState.DONE, WaveLineState.COVERED}
        wave.state = WaveState.COMPLETED if went else WaveState.VOIDED
        wave.closed_at, wave.closed_by = timezone.now(), by
        wave.reason = "" if by else SETTLED_BY_STORES
        wave.save(update_fields=["state", "closed_at", "closed_by", "reason"])


def _follow(line: WaveLine, row: IncomingOrder, because: str) -> None:
    """One line whose units changed; saved first, since a stock row has one open line at most."""
    held, sent = line.stock.held, line.stock.fulfilled - line.fulfilled_before
    line.closed_at = timezone.now()
    if not held and sent >= line.quantity and not row.cancelled_at:
        line.state = WaveLineState.COVERED
    else:
        line.state = WaveLineState.VOIDED
        line.reason = (because or _said(line, row, sent))[:300]
    line.save(update_fields=["state", "closed_at", "reason"])
    if held:
        line.replaced_by = new_line(line.wave, line.stock)
        line.replaced_by.save()
        line.save(update_fields=["replaced_by"])


def _said(line: WaveLine, row: IncomingOrder, sent: int) -> str:
    held = line.stock.held
    if row.cancelled_at and not held:
        return f"The order was cancelled in {row.store}."
    if sent > 0:
        return f"{row.store} sent {sent:,} of {line.quantity:,} itself."
    return f"{row.store} changed the order: {line.quantity:,} units became {held:,}."


def _add(lines: Sequence[WaveLine]) -> list[WaveLine]:
    """Lines for what the orders of these lines hold since at the locations of their waves."""
    waves = {(line.stock.order_id, line.wave.location_id): line.wave for line in lines}
    orders, locations = zip(*waves, strict=True)
    waiting = WaveLine.objects.filter(stock=OuterRef("pk"), state=WaveLineState.OPEN)
    stocks = OrderStock.objects.filter(~Exists(waiting), order__in=orders, location__in=locations, held__gt=0)
    new = [stock for stock in stocks.order_by("pk") if (stock.order_id, stock.location_id) in waves]
    return WaveLine.objects.bulk_create(new_line(waves[stock.order_id, stock.location_id], stock) for stock in new)
