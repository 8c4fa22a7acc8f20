"""What the orders know of a person: counted, and erased (`connectors.privacy` asks through settings.PERSONAL_DATA)."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from connectors.models import Store
from orders import buyers
from orders.models import IncomingOrder, IncomingState, MappedKind, OutgoingFulfilment
from orders.redaction import without_person

AT_ONCE = 500


def held(store: Store, customer_ref: str, order_refs: Collection[str]) -> int:
    """How many orders name this customer, or are said to be theirs."""
    return _of_customer(store, customer_ref, order_refs).count()


def erase(store: Store, customer_ref: str, order_refs: Collection[str]) -> int:
    """Erase what names this customer, and all persons from the orders said to be theirs: a guest's order names no
    customer, and neither does one whose customer the store withholds. Returns from how many orders. A repeat finds none."""
    return _erase(store, _of_customer(store, customer_ref, order_refs))


def erase_all(store: Store) -> int:
    """Erase what names anybody; returns from how many orders."""
    return _erase(store, IncomingOrder.objects.filter(store=store, redacted_at=None))


def _of_customer(
    store: Store, customer_ref: str, order_refs: Collection[str]
) -> QuerySet[IncomingOrder, IncomingOrder]:
    theirs = Q(ref__in=list(order_refs))
    if customer_ref:
        theirs |= Q(customer_ref=customer_ref)
    return IncomingOrder.objects.filter(theirs, store=store, redacted_at=None)


def _erase(store: Store, named: QuerySet[IncomingOrder, IncomingOrder]) -> int:
    """Some hundreds at a time, each part by itself: after a crash the next try erases the rest."""
    erased = 0
    while some := erase_some(store, named):
        erased += some
    return erased


@transaction.atomic
def erase_some(store: Store, named: QuerySet[IncomingOrder, IncomingOrder]) -> int:
    """Erase what names anybody from some hundreds of these orders of `store`, none of them erased yet; returns from how
    many, 0 when none is left."""
    rows = list(named.order_by("pk").select_for_update(of=("self",))[:AT_ONCE])
    for row in rows:
        row.snapshot = msgspec.to_builtins(without_person(row.order))
        row.customer_ref, row.redacted_at = "", timezone.now()
        if row.waits_for.startswith(f"{MappedKind.CUSTOMER}:"):
            row.state, row.waits_for = IncomingState.PENDING, ""
        row.save(update_fields=["snapshot", "customer_ref", "redacted_at", "state", "waits_for"])
    OutgoingFulfilment.objects.filter(order__in=rows).update(company="", number="", url="", body=b"")
    buyers.redact(store, [row.ref for row in rows])
    return len(rows)
