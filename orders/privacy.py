"""What the orders know of a person: counted, and erased (`connectors.privacy` asks through settings.PERSONAL_DATA)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from connectors.models import Store
from orders import buyers, intake
from orders.models import IncomingOrder

AT_ONCE = 500


def held(store: Store, customer_ref: str) -> int:
    """How many orders name this customer."""
    return _of_customer(store, customer_ref).count()


def erase(store: Store, customer_ref: str) -> int:
    """Erase what names this customer; returns from how many orders. A repeat finds none."""
    return _erase(store, _of_customer(store, customer_ref).order_by("pk").values_list("ref", flat=True))


def erase_all(store: Store) -> int:
    """Erase what names anybody; returns from how many orders."""
    named = IncomingOrder.objects.filter(store=store, redacted_at=None)
    return _erase(store, named.order_by("pk").values_list("ref", flat=True))


def _of_customer(store: Store, customer_ref: str) -> QuerySet[IncomingOrder, IncomingOrder]:
    if not customer_ref:
        return IncomingOrder.objects.none()
    return IncomingOrder.objects.filter(store=store, customer_ref=customer_ref, redacted_at=None)


def _erase(store: Store, refs: Iterable[str]) -> int:
    """Some hundreds at a time, each part by itself: after a crash the next try erases the rest."""
    every, erased = list(refs), 0
    for start in range(0, len(every), AT_ONCE):
        part = every[start : start + AT_ONCE]
        with transaction.atomic():
            erased += intake.redact(store, "", part)
            buyers.redact(store, part)
    return erased
