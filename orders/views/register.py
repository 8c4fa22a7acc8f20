"""The accountant's register: totals of a period by kind, store and currency, the documents behind them, as CSV, too."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone

from connectors.models import Store
from orders import register
from orders.models import Document, DocumentKind
from orders.views.documents import SEE_RIGHT, csv_rows, filtered
from orders.views.sales import day
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.keyset import page_of

FILTERS: Final = ("store", "kind", "currency", "state")


class RegisterPage(ConsolePage):
    """One period; this month unless the address names another."""

    permission = SEE_RIGHT
    title = "Register"
    template_name = "orders/register.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        found = documents_of(request)
        rows = register.totals(found)
        page = page_of(request, found.select_related("store", "refund__order"), "-posted_at", "-id")
        since, until = days(request)
        return self.page(
            totals=rows,
            sums=register.sums(rows),
            count=sum(row.count for row in rows),
            series=register.series(),
            rows=page.rows,
            keyset=page,
            since=since,
            until=until,
            kinds=DocumentKind,
            stores=Store.objects.all(),
            filtered=any(request.GET.get(name) for name in FILTERS),
            query=request.GET.urlencode(),
        )


class RegisterExport(ConsolePage):
    """The period's documents as CSV, streamed, in the order of posting."""

    permission = SEE_RIGHT

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        since, until = days(request)
        found = documents_of(request).select_related("store", "refund__order", "counters").prefetch_related("lines")
        response = StreamingHttpResponse(
            csv_rows(found.order_by("posted_at", "pk").iterator(500)), content_type="text/csv"
        )
        response["Content-Disposition"] = f'attachment; filename="register-{since}-{until}.csv"'
        return response


def days(request: HttpRequest) -> tuple[dt.date, dt.date]:
    """First and last day of the period, both included."""
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    since, until = day(request.GET.get("from", "")), day(request.GET.get("to", ""))
    return since.date() if since else today.replace(day=1), until.date() if until else today


def documents_of(request: HttpRequest) -> QuerySet[Document, Document]:
    """Documents posted in the period that the other filters let through."""
    first, last = days(request)
    since, end = day(first.isoformat()), day((last + dt.timedelta(days=1)).isoformat())
    asked = {name: request.GET.get(name, "") for name in ("store", "currency", "state")}
    found = filtered(asked, register.Period(since, end).documents())
    kind = request.GET.get("kind")
    return found.filter(kind=kind) if kind in DocumentKind.values else found
