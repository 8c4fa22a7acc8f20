"""Orders and documents by what people know of them: numbers, the third-party reference, the store's id, days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.dateparse import parse_date

from connectors.models import Store
from orders.models import Document, DocumentKind, IncomingOrder, SalesOrder

AT_MOST = 200
"""Orders found at once; more of one number are more than anybody looks through."""

NUMBER_DIGITS = 10
"""A document's number has fewer."""


def orders_found(words: str, *, limit: int = AT_MOST) -> list[int]:
    """Ids of the sales orders that `words` names, newest first: by number with or without #, third-party reference, or
    the store's id, whole or its last part. Index look-ups only."""
    term = words.strip().upper()
    if not term:
        return []
    return _newest(
        [
            SalesOrder.objects.annotate(folded=Upper("number")).filter(folded__in=_numbers(term)),
            SalesOrder.objects.exclude(third_party_ref="")
            .annotate(folded=Upper("third_party_ref"))
            .filter(folded=term),
            SalesOrder.objects.filter(incoming__in=_with_ref(words.strip())),
        ],
        limit,
    )


def incoming_found(words: str, *, limit: int = AT_MOST) -> list[int]:
    """Ids of the orders that `words` names among all that stores told of, whatever became of them, newest first: by number
    with or without #, or the store's id, whole or its last part. Index look-ups only."""
    term = words.strip().upper()
    if not term:
        return []
    by_number = IncomingOrder.objects.annotate(folded=Upper("name")).filter(folded__in=_numbers(term))
    return _newest([by_number, _with_ref(words.strip())], limit)


def documents_found(words: str, *, limit: int = AT_MOST) -> list[int]:
    """Ids of the documents that `words` names, newest first: by their number, with its series or without (ICM-0042, icm
    42, 42), the fiscal one, or their order. Index look-ups only."""
    term = words.strip().upper()
    series, _, number = term.replace(" ", "-").rpartition("-")
    codes = [kind.code for kind in DocumentKind if series in ("", kind.code)]
    found = [
        Document.objects.filter(fiscal_number=words.strip()).exclude(fiscal_number=""),
        Document.objects.filter(refund__order__sales_order__in=orders_found(words, limit=limit)),
    ]
    if number.isdigit() and len(number) < NUMBER_DIGITS:
        found.append(Document.objects.filter(series__in=codes, number=int(number)))
    return _newest(found, limit)


def elsewhere(orders: Mapping[int, IncomingOrder]) -> dict[int, list[str]]:
    """Key → the other stores that have an order of the same number, where there are any. `orders`: any key → its order.
    One query."""
    numbers = {order.name.upper() for order in orders.values()}
    same = IncomingOrder.objects.annotate(folded=Upper("name")).filter(folded__in=numbers).order_by()
    stores: dict[str, dict[int, str]] = {}
    for number, store, name in same.values_list("folded", "store", "store__name").distinct()[: AT_MOST * 5]:
        stores.setdefault(number, {})[store] = name
    return {
        key: others
        for key, order in orders.items()
        if (others := sorted(name for pk, name in stores.get(order.name.upper(), {}).items() if pk != order.store_id))
    }


def day(text: str) -> dt.datetime | None:
    """The beginning of a day typed as 2026-11-19, in the installation's time zone; None when it is none."""
    try:
        found = parse_date(text.strip())
    except ValueError:
        return None
    return timezone.make_aware(dt.datetime.combine(found, dt.time())) if found else None


def _numbers(term: str) -> set[str]:
    return {term, f"#{term}", term.removeprefix("#")}


def _newest(found: Sequence[QuerySet[Any, Any]], limit: int) -> list[int]:
    ids = {pk for rows in found for pk in rows.order_by("-pk").values_list("pk", flat=True)[:limit]}
    return sorted(ids, reverse=True)[:limit]


def _with_ref(ref: str) -> QuerySet[IncomingOrder, IncomingOrder]:
    """By the store's reference. References of orders differ in their last part alone, so that part is enough."""
    any_ref = IncomingOrder.objects.order_by().values_list("ref", flat=True).first() or ""
    head, slash, _ = any_ref.rpartition("/")
    return IncomingOrder.objects.filter(store__in=Store.objects.all(), ref__in={ref, f"{head}{slash}{ref}"})
