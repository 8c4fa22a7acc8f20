"""Pulls of the stock feed that name an order: each is that order's shipment once, and waits until the order can take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Concat, Upper
from django.utils import timezone

from connectors.models import Store
from inventory import ledger
from inventory.models import LedgerEntry
from inventory.models.ledger import EntryKind
from inventory.pulls import Pull, Taken
from orders import allocation, shipping
from orders.effects import StockRule
from orders.leaving import Left, Word, dated_back
from orders.models import IncomingOrder, OrderPull, OrderStock, PullState
from orders.shipping import Source, Units
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

SEE_RIGHT: Final = "orders.view_orderpull"
REMOVE_RIGHT: Final = "inventory.record_stock"
AT_A_TIME: Final = 200
"""Waiting pulls tried in one pass, oldest first."""
REMOVABLE: Final = "Remove the row if the order is not the right one."


class PullRefused(Refusal):
    """Nothing was changed. Carries cause and remedy."""


class _Waits(Exception):
    """Its order cannot take it yet."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.cause, self.remedy = cause, remedy


def take(pulls: Sequence[Pull]) -> Mapping[str, Taken]:
    """See `inventory.pulls.OrderPulls`. Each in transactions of its own: it is kept first, then booked."""
    return {pull.key: _take(pull) for pull in pulls}


def settle_waiting(store: Store) -> int:
    """Book those waiting pulls whose order of `store` is here now. Returns how many were booked."""
    numbers = [Upper(OuterRef("order_name")), Concat(Value("#"), Upper(OuterRef("order_name")))]
    here = IncomingOrder.objects.annotate(folded=Upper("name")).filter(store=store, folded__in=numbers)
    waiting = OrderPull.objects.filter(Q(store=None) | Q(store=store), Exists(here), state=PullState.WAITING)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:AT_A_TIME])
    return sum(_settle(pk) for pk in ids)


@transaction.atomic
def remove(pull: OrderPull, *, reason: str, by: User) -> None:
    """It is booked nowhere, for good. Raises PullRefused without a reason, or when it waits no more."""
    reason = reason.strip()[:300]
    if not reason:
        raise PullRefused("No reason was given.", "Write in a few words why it is not booked.")
    taken = OrderPull.objects.filter(pk=pull.pk, state=PullState.WAITING).update(
        state=PullState.REMOVED, reason=reason, removed_by=by, settled_at=timezone.now(), cause="", remedy=""
    )
    if not taken:
        raise PullRefused("The row waits no more.", "Look at what became of it.")
    audit.record(by, "remove pull", str(pull), before={"cause": pull.cause}, after={"reason": reason})


def of_store(rows: QuerySet[OrderPull, OrderPull], slug: str) -> QuerySet[OrderPull, OrderPull]:
    """Those of these pulls that name the store with this short name, or are booked on an order of it."""
    return rows.filter(Q(store__slug=slug) | Q(order__store__slug=slug))


def listed() -> QuerySet[OrderPull, OrderPull]:
    """Pulls with all that their page says of them."""
    found = OrderPull.objects.select_related("store", "variant__product", "location", "removed_by")
    return found.select_related("order__store", "order__sales_order").defer("order__snapshot")


def _take(pull: Pull) -> Taken:
    row, is_new = OrderPull.objects.get_or_create(
        key=pull.key,
        defaults={
            "order_name": pull.order.strip().removeprefix("#"),
            "store_id": pull.store_id,
            "variant_id": pull.variant_id,
            "location_id": pull.location_id,
            "quantity": pull.quantity,
            "happened_at": pull.happened_at,
            "document": pull.document,
            "origin": pull.origin,
            "actor": pull.actor,
            "received_at": timezone.now(),
        },
    )
    if not is_new:
        return Taken.REPEATED if row.quantity == pull.quantity else Taken.CONTRADICTS
    return Taken.BOOKED if _settle(row.pk) else Taken.WAITS


@transaction.atomic
def _settle(pk: int) -> bool:
    """Book a pull that waits, or keep why it cannot be. True when it is booked now. Locks the order first, then the pull:
    whoever comes second finds it settled."""
    pull = OrderPull.objects.get(pk=pk)
    try:
        order = _order_of(pull)
        pull = OrderPull.objects.select_for_update(of=("self",)).select_related("variant", "location").get(pk=pk)
        if pull.state != PullState.WAITING:
            return False
        with transaction.atomic():
            shipped = _book(pull, order)
    except _Waits as waits:
        OrderPull.objects.filter(pk=pk, state=PullState.WAITING).update(
            cause=waits.cause[:400], remedy=waits.remedy[:400]
        )
        return False
    pull.state = PullState.SHIPPED if shipped else PullState.COVERED
    pull.order, pull.settled_at, pull.cause, pull.remedy = order, timezone.now(), "", ""
    pull.save(update_fields=["state", "order", "settled_at", "cause", "remedy"])
    return True


def _order_of(pull: OrderPull) -> IncomingOrder:
    """The order that the pull names, locked. Raises _Waits unless there is one, and its stock is booked."""
    name = pull.order_name.upper()
    found = IncomingOrder.objects.annotate(folded=Upper("name")).filter(folded__in=(name, f"#{name}"))
    if pull.store_id:
        found = found.filter(store=pull.store_id)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:5])
    if not ids:
        raise _Waits(f"There is no order {pull.order_name} yet.", f"It is booked once the order is here. {REMOVABLE}")
    if len(ids) > 1:
        raise _Waits(
            f"{len(ids)} orders are called {pull.order_name}.", "Remove the row, and load it again with its store."
        )
    order = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store").get(pk=ids[0])
    if not order.stock_rule:
        raise _Waits(f"The stock of order {order} is not booked yet.", "It is booked when the order is imported.")
    if order.stock_rule != StockRule.ORDER:
        raise _Waits(f"Order {order} is a test, or older: it holds no stock here.", REMOVABLE)
    return order


def _book(pull: OrderPull, order: IncomingOrder) -> int:
    """Ship what the order still holds of it; units that left already, and that no pull named yet, are the same shipment.
    Goods held elsewhere are first held where the pull says that they left. Returns the units shipped now."""
    rows = list(order.stock.filter(variant=pull.variant).order_by("pk"))
    covered = min(pull.quantity, _unnamed(pull, order, rows))
    rest = pull.quantity - covered
    held = sum(row.held for row in rows)
    if rest > held:
        raise _Waits(
            f"Order {order} has {held:,} units of {pull.variant} left to ship; the row says {pull.quantity:,}.",
            f"It is booked when the order grows. {REMOVABLE}",
        )
    source = Source(pull.origin, pull.happened_at)
    short = rest - sum(row.held for row in rows if row.location_id == pull.location_id)
    if short > 0:
        elsewhere = [row for row in rows if row.location_id != pull.location_id]
        allocation.move(order, _from(elsewhere, short), pull.location, by=pull.actor, source=source)
        rows = list(order.stock.filter(variant=pull.variant).order_by("pk"))
    if rest:
        there = _from([row for row in rows if row.location_id == pull.location_id], rest)
        shipping.ship(order, there, by=pull.actor, source=source)
    if covered:
        _left_first(pull, order, covered)
    return rest


def _left_first(pull: OrderPull, order: IncomingOrder, covered: int) -> None:
    """Of units that left by their store's word, those that left before it as the pull says, left for us: row 5 of
    algorithms.md §3. What the store tells is covered by that (row 6), and brings nothing back when it is taken back.

    A count between the two has seen them gone already: they are booked as of when they left, which the ledger counters.
    """
    entries = LedgerEntry.objects.filter(level__variant=pull.variant_id, level__location=pull.location_id)
    told = entries.filter(kind=EntryKind.SHIPPED, document=order.document, origin=order.store.origin)
    told = told.filter(effective_at__gte=pull.happened_at.replace(microsecond=0))  # stores tell whole seconds
    left = min(covered, _units(told))
    rows = [
        row for row in order.stock.filter(variant=pull.variant, location=pull.location) if row.fulfilled > row.covered
    ]
    for row in rows:
        units = min(left, row.fulfilled - row.covered)
        row.covered, left = row.covered + units, left - units
    OrderStock.objects.bulk_update(rows, ["covered"])
    count = entries.filter(kind=EntryKind.COUNT).order_by("-effective_at", "-seq").first()
    if count and count.effective_at > pull.happened_at:
        _date_back(pull, order, told.filter(seq__gt=count.seq, effective_at__gte=count.effective_at), covered)


def _date_back(pull: OrderPull, order: IncomingOrder, told: QuerySet[LedgerEntry, LedgerEntry], covered: int) -> None:
    if units := min(covered, _units(told)):
        booked = Word(order.store.origin, told.latest("effective_at").effective_at)
        left = Left(pull.variant_id, pull.location_id, order.document, units)
        earlier = Word(pull.origin, pull.happened_at)
        ledger.post(dated_back(left, f"pull:{pull.pk}", booked=booked, earlier=earlier, actor=pull.actor))


def _units(shipped: QuerySet[LedgerEntry, LedgerEntry]) -> int:
    return max(0, -int(shipped.aggregate(units=Sum("on_hand_delta", default=0))["units"]))


def _unnamed(pull: OrderPull, order: IncomingOrder, rows: Sequence[OrderStock]) -> int:
    """Units that left the pull's location for the order, by whosever word, and that no pull has named."""
    left = sum(row.fulfilled + row.ahead for row in rows if row.location_id == pull.location_id)
    same = OrderPull.objects.filter(
        order=order, variant=pull.variant, location=pull.location, state__in=(PullState.SHIPPED, PullState.COVERED)
    )
    return max(0, left - int(same.aggregate(units=Sum("quantity", default=0))["units"]))


def _from(rows: Sequence[OrderStock], quantity: int) -> dict[int, Units]:
    """So many held units of these rows, taken one row after the other."""
    wanted: dict[int, Units] = {}
    for row in rows:
        taken = min(row.held, quantity)
        if taken:
            wanted[row.pk] = Units(taken, of=row.held)
            quantity -= taken
    return wanted
