"""Allocation: at which of our locations an order's goods are held, where a person decides (algorithms.md §3, row 12)."""

from __future__ import annotations

from django.db import transaction

from inventory import ledger
from inventory.models import Location
from inventory.models.ledger import EntryKind
from orders import wave_changes
from orders.models import IncomingOrder, OrderStock
from orders.shipping import CONSOLE, ShippingRefused, Source, Wanted, lock, posting
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

ACTION = "hold elsewhere"


@transaction.atomic
def move(row: IncomingOrder, wanted: Wanted, to: Location, *, by: User | None, source: Source = CONSOLE) -> int:
    """Hold these goods of an order at another of our locations from now on; they will be sent from there.

    Released falls where they were held and rises at `to`. The order's store is not told, and books nothing: stores whose
    levels change follow by the next delta, none where both locations are sold as one. What its store says of the order
    later hits the units where they are held. Units that are held at `to` stay. Returns the units moved. Raises
    ShippingRefused; then nothing was.
    """
    locked, chosen = lock(row, wanted)
    moved = {stock: quantity for stock, quantity in chosen.items() if stock.location_id != to.pk}
    if not moved:
        raise ShippingRefused(f"These units are held at {to} already.", "Choose another location.")
    wholes = {stock.pk: stock for stock in locked.stock.filter(part_of=None)}
    targets: dict[int, OrderStock] = {}
    postings = []
    for stock, quantity in moved.items():
        whole = stock.part_of_id or stock.pk
        target = targets.setdefault(whole, _held_at(to, whole=wholes[whole]))
        stock.held -= quantity
        target.held += quantity
        total = target.totals[ACTION] = int(target.totals.get(ACTION, 0)) + quantity
        fact = f"{ACTION}:{total}:{stock.location_id} to {to.pk}"
        postings.append(posting(locked, stock, EntryKind.RELEASED, f"{fact}:out", by, source, released=-quantity))
        postings.append(posting(locked, target, EntryKind.ALLOCATED, f"{fact}:in", by, source, released=quantity))
    ledger.post(postings)
    OrderStock.objects.bulk_update([*moved, *targets.values()], ["held", "totals"])
    wave_changes.follow([locked], because=f"The goods are held at {to}.")
    after = {"units": sum(moved.values()), "to": str(to)}
    audit.record(by, ACTION, f"{locked.store}: {locked.name}", after=after)
    return sum(moved.values())


def _held_at(location: Location, *, whole: OrderStock) -> OrderStock:
    """The row of what is held there: the whole itself, or a part of it."""
    if whole.location_id == location.pk:
        return whole
    part, _ = OrderStock.objects.get_or_create(
        part_of=whole,
        location=location,
        defaults={
            "order_id": whole.order_id,
            "line_ref": whole.line_ref,
            "item_ref": whole.item_ref,
            "store_location_id": whole.store_location_id,
            "variant_id": whole.variant_id,
        },
    )
    return part
