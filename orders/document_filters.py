"""Documents by what a person asks for: filters of an address, a form or a command, each a word that may be empty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from connectors.models import Store
from orders import register
from orders.models import Document, DocumentKind, DocumentState
from orders.reviews import Looked
from orders.search import day, documents_found


def filtered(
    asked: Mapping[str, str], among: QuerySet[Document, Document] | None = None
) -> QuerySet[Document, Document]:
    """Documents by the filters of an address: store, state, currency, days of the refund, and words."""
    rows = Document.objects.all() if among is None else among
    rows = rows.select_related("store", "refund__order", "counters")
    if slug := asked.get("store"):
        rows = rows.filter(store__slug=slug)
    if asked.get("state") in DocumentState.values:
        rows = rows.filter(state=asked["state"])
    if currency := asked.get("currency", "").strip().upper():
        rows = rows.filter(Q(currency=currency) | Q(shop_currency=currency))
    if since := day(asked.get("from", "")):
        rows = rows.filter(dated_at__gte=since)
    if until := day(asked.get("to", "")):
        rows = rows.filter(dated_at__lt=until + dt.timedelta(days=1))
    if words := asked.get("q", "").strip():
        rows = rows.filter(pk__in=documents_found(words))
    return rows


def days(asked: Mapping[str, Any]) -> tuple[dt.date, dt.date]:
    """First and last day of the period, both included; in this order, however they were typed."""
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    since, until = day(asked.get("from", "")), day(asked.get("to", ""))
    first, last = since.date() if since else today.replace(day=1), until.date() if until else today
    return min(first, last), max(first, last)


def looked_at(asked: Mapping[str, Any]) -> Looked:
    """The period and the filters of an address or a form; what is none of the choices is left out."""
    kind, state = asked.get("kind", ""), asked.get("state", "")
    return Looked(
        *days(asked),
        store=Store.objects.filter(slug=asked["store"]).first() if asked.get("store") else None,
        kind=kind if kind in DocumentKind.values else "",
        currency=asked.get("currency", "").strip().upper()[:3],
        state=state if state in DocumentState.values else "",
    )


def documents_of(asked: Mapping[str, Any]) -> QuerySet[Document, Document]:
    """Documents posted in the period that the other filters let through."""
    first, last = days(asked)
    since, end = day(first.isoformat()), day((last + dt.timedelta(days=1)).isoformat())
    found = filtered(
        {name: asked.get(name, "") for name in ("store", "currency", "state")},
        register.Period(since, end).documents(),
    )
    kind = asked.get("kind")
    return found.filter(kind=kind) if kind in DocumentKind.values else found
