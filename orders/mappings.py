"""What a store's gateways, shipping methods, taxes and business buyers are called here, and orders that wait for a name."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import Count, F, Func

from connectors.models import Store
from connectors.ports.money import TaxLine
from connectors.ports.orders import RemoteOrder, ShippingLine
from connectors.privacy import PERSONAL_RIGHT
from orders import buyers
from orders.errors import OrderRefused
from orders.models import (
    Buyer,
    IncomingOrder,
    IncomingState,
    MappedKind,
    MappingRule,
    SalesOrder,
    Unmapped,
    ValueMapping,
)
from orders.totals import all_taxes
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

MAP_RIGHT = "orders.map_values"

COLUMNS = {
    MappedKind.GATEWAY: "gateways",
    MappedKind.SHIPPING: "shipping_methods",
    MappedKind.TAX: "tax_names",
}
"""Where a sales order keeps its values of a kind; who bought stands apart, in its buyer."""

# Asked for every order, so it is not composed anew each time. A store may have many thousand business buyers.
OF_STORE = """
SELECT kind, NULL, "default", unmapped FROM orders_mappingrule WHERE store_id = %(store)s
 UNION ALL
SELECT kind, value, ours, '' FROM orders_valuemapping
 WHERE store_id = %(store)s AND (kind <> 'customer' OR value = ANY(%(businesses)s))
"""

LONGEST = buyers.LONGEST
"""Characters of a value that are told apart: `waits_for` has room for no more."""

AT_MOST = 200
"""Business buyers that wait, shown at once: each is found in the order that waits."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a value without a name of its own."""

    unmapped: Unmapped = Unmapped.DEFAULT
    default: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Our names for the values of one store."""

    rules: Mapping[MappedKind, Rule] = field(default_factory=dict)
    names: Mapping[tuple[MappedKind, str], str] = field(default_factory=dict)

    def rule(self, kind: MappedKind) -> Rule:
        """What becomes of unmapped values of this kind."""
        return self.rules.get(kind, Rule())

    def ours(self, kind: MappedKind, value: str) -> str:
        """Our name for a value: its own, else the default of its kind, else the store's."""
        return self.names.get((kind, value)) or self.rule(kind).default or value

    def missing(self, kind: MappedKind, values: Iterable[str]) -> list[str]:
        """Of these, the values that stop an order: without a name of their own, where the default may not be used."""
        if self.rule(kind).unmapped == Unmapped.DEFAULT:
            return []
        return [value for value in values if (kind, value) not in self.names]


@dataclass(frozen=True, slots=True)
class ValueInUse:
    """A value of a store: in how many orders it appears, and how many wait for its name."""

    kind: MappedKind
    value: str
    orders: int
    waiting: int
    ours: str
    """Its own name here; empty while it has none."""


def of_store(store: Store, businesses: Collection[str] = ()) -> Names:
    """Our names for the values of a store, of its business buyers for these alone, in one query."""
    by_kind: dict[MappedKind, Rule] = {}
    names: dict[tuple[MappedKind, str], str] = {}
    with connection.cursor() as cursor:
        cursor.execute(OF_STORE, {"store": store.pk, "businesses": list(businesses)})
        rows = cursor.fetchall()
    for kind, value, ours, unmapped in rows:
        if value is None:
            by_kind[MappedKind(kind)] = Rule(Unmapped(unmapped), ours)
        else:
            names[MappedKind(kind), value] = ours
    return Names(by_kind, names)


def may_see_businesses(person: User) -> bool:
    """Whether a person may read who the business buyers are: those who name them, and those who may see customer data."""
    return person.has_perm(MAP_RIGHT) or person.has_perm(PERSONAL_RIGHT)


def values_of(order: RemoteOrder) -> dict[MappedKind, list[str]]:
    """The values of an order that want a name of ours, each once, in the order they come."""
    gateways = [*order.gateways, *(movement.gateway for movement in order.transactions)]
    kept = [line for line in order.shipping if not line.is_removed]
    return {
        MappedKind.GATEWAY: _once(value[:LONGEST] for value in gateways),
        MappedKind.SHIPPING: _once(method_of(line) for line in kept),
        MappedKind.TAX: _once(tax_name(tax) for taxes in all_taxes(order, kept) for tax in taxes),
        MappedKind.CUSTOMER: _once([buyers.business(order)[:LONGEST]]),
    }


def method_of(line: ShippingLine) -> str:
    """The store's name of a shipping method: its code, which outlives a change of title."""
    return (line.code or line.title)[:LONGEST]


def tax_name(tax: TaxLine) -> str:
    """A tax by its title and rate, e.g. "TVA 21 %": one title often has several rates."""
    rate = "" if tax.rate is None else f" {(tax.rate * 100).normalize():f} %"
    return f"{tax.title}{rate}".strip()[:LONGEST]


def check(names: Names, values: Mapping[MappedKind, Collection[str]]) -> None:
    """Raise `OrderRefused` for values without a name of ours, where their store stops such orders."""
    for kind in MappedKind:
        if lacking := names.missing(kind, values.get(kind, ())):
            # Not everybody who reads the queue may see who bought.
            listed = "" if kind is MappedKind.CUSTOMER else f": {', '.join(lacking)}"
            raise OrderRefused(
                cause=f"{kind.label} without a name of ours{listed}."[:400],
                remedy="Name it on the store's page Order names: every order that waits for it goes on by itself.",
                waits_for=wait_for(kind, lacking[0]),
            )


def wait_for(kind: MappedKind, value: str) -> str:
    """The key by which an order waits for the name of a value. It stands in addresses, so it does not say who bought."""
    told = hashlib.md5(value.encode(), usedforsecurity=False).hexdigest() if kind is MappedKind.CUSTOMER else value
    return f"{kind}:{told}"


def save(store: Store, kind: MappedKind, rule: Rule, names: Mapping[str, str], *, by: User) -> int:
    """Keep a kind's rule and names; an empty name takes a value's own name away. Returns how many waiting orders that
    lets go on."""
    with transaction.atomic():
        before = of_store(store, names)
        MappingRule.objects.update_or_create(
            store=store, kind=kind, defaults={"unmapped": rule.unmapped, "default": rule.default}
        )
        given = {value: ours.strip() for value, ours in names.items()}
        ValueMapping.objects.filter(
            store=store, kind=kind, value__in=[v for v, ours in given.items() if not ours]
        ).delete()
        ValueMapping.objects.bulk_create(
            [ValueMapping(store=store, kind=kind, value=value, ours=ours) for value, ours in given.items() if ours],
            update_conflicts=True,
            unique_fields=["store", "kind", "value"],
            update_fields=["ours", "mapped_at"],
        )
        after = of_store(store, names)
        if before != after:
            audit.record(
                by,
                "values mapped",
                str(store),
                before=_told(before, kind, other=after),
                after=_told(after, kind, other=before),
            )
        return _release(store, kind, after)


def in_use(store: Store) -> list[ValueInUse]:
    """Every value that appears in the store's orders or has a name, those that stop orders first, then by use."""
    used = {kind: _used(store, kind) for kind in MappedKind}
    names = {(kind, value): ours for kind, value, ours in _named(store)}
    waiting = _waiting(store)
    stopping = {kind: _stopping(store, kind, waiting) for kind in MappedKind}
    found = [
        ValueInUse(
            kind=kind,
            value=value,
            orders=used[kind].get(value, 0),
            waiting=waiting.get(wait_for(kind, value), 0),
            ours=names.get((kind, value), ""),
        )
        for kind in MappedKind
        for value in used[kind].keys() | {value for named, value in names if named == kind} | stopping[kind]
    ]
    return sorted(found, key=lambda row: (row.kind, bool(row.ours), -row.waiting, -row.orders, row.value))


def _used(store: Store, kind: MappedKind) -> dict[str, int]:
    """How many orders of the store have each value."""
    if kind is MappedKind.CUSTOMER:
        bought = Buyer.objects.filter(order__store=store).exclude(business="").order_by()
        return dict(bought.values_list("business").annotate(n=Count("pk")))
    values = SalesOrder.objects.filter(store=store).order_by().annotate(value=Func(F(COLUMNS[kind]), function="unnest"))
    return dict(values.values_list("value").annotate(n=Count("pk")))


def _named(store: Store) -> list[tuple[str, str, str]]:
    return list(ValueMapping.objects.filter(store=store).order_by().values_list("kind", "value", "ours"))


def _waiting(store: Store) -> dict[str, int]:
    """How many orders wait for each key."""
    failed = IncomingOrder.objects.filter(store=store, state=IncomingState.FAILED).exclude(waits_for="").order_by()
    return dict(failed.values_list("waits_for").annotate(n=Count("pk")))


def _stopping(store: Store, kind: MappedKind, waiting: Collection[str]) -> set[str]:
    """The values for which orders wait. A key does not say who bought; the orders that wait do."""
    keys = [key for key in waiting if key.startswith(f"{kind}:")]
    if kind is not MappedKind.CUSTOMER or not keys:
        return {key.partition(":")[2] for key in keys}
    failed = IncomingOrder.objects.filter(store=store, state=IncomingState.FAILED, waits_for__in=keys[:AT_MOST])
    return {
        buyers.business(row.order)[:LONGEST] for row in failed.order_by("waits_for", "pk").distinct("waits_for")
    } - {""}


def _release(store: Store, kind: MappedKind, names: Names) -> int:
    """Let orders go on that waited for a value which no longer stops them."""
    waiting = IncomingOrder.objects.filter(store=store, state=IncomingState.FAILED, waits_for__startswith=f"{kind}:")
    if names.rule(kind).unmapped == Unmapped.STOP:
        waiting = waiting.filter(waits_for__in=[wait_for(kind, value) for named, value in names.names if named == kind])
    return waiting.update(state=IncomingState.PENDING, waits_for="")


def _told(names: Names, kind: MappedKind, *, other: Names) -> dict[str, str]:
    """What is not as in `other`, and the rule."""
    rule, mine, theirs = names.rule(kind), names.names, other.names
    told = {
        value: mine.get((named, value), "")
        for named, value in sorted(mine.keys() | theirs.keys())
        if named == kind and mine.get((named, value)) != theirs.get((named, value))
    }
    return {f"{kind.label}: unmapped": rule.unmapped.label, f"{kind.label}: default": rule.default} | told


def _once(values: Iterable[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]
