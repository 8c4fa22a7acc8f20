"""The accountant's register: totals of a period by kind, store and currency, its taxes by rate, the documents behind them
as CSV, too, and who looked through it when."""

from __future__ import annotations

import tempfile
from typing import Final

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from connectors.models import Store
from orders import register, reviews, workbook
from orders.document_filters import days, documents_of, looked_at
from orders.document_table import by_posting, csv_of
from orders.documents import SEE_RIGHT
from orders.models import DocumentKind, DocumentState
from orders.reviews import ReviewRefused
from orders.workbook import WorkbookRefused
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.keyset import page_of

FILTERS: Final = ("store", "kind", "currency", "state")
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class RegisterPage(ConsolePage):
    """One period; this month unless the address names another."""

    permission = SEE_RIGHT
    title = "Register"
    template_name = "orders/register.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        found, looked = documents_of(request.GET), looked_at(request.GET)
        totals = register.totals(found)
        page = page_of(request, found.select_related("store", "refund__order"), "-posted_at", "-id")
        closed = reviews.of_period(looked.since, looked.until)
        return self.page(
            totals=totals,
            sums=register.sums(totals),
            count=sum(row.count for row in totals),
            rates=register.rates(found),
            series=register.series(),
            rows=[(row, reviews.since_review(row, closed)) for row in page.rows],
            keyset=page,
            looked=looked,
            since=looked.since,
            until=looked.until,
            kinds=DocumentKind,
            states=(DocumentState.POSTED, DocumentState.COUNTERED),
            stores=Store.objects.all(),
            filtered=any(request.GET.get(name) for name in FILTERS),
            query=request.GET.urlencode(),
            reviews=closed,
            posted_since=reviews.posted_since(found, looked, closed),
            mark=reviews.mark(found),
            may_close=self.can(reviews.CLOSE_RIGHT),
        )


class CloseReview(ConsolePage):
    """Keep that the person looked through the period as the page showed it."""

    permission = reviews.CLOSE_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        asked = request.POST
        looked = looked_at(asked)
        try:
            review = reviews.close(documents_of(asked), looked, seen=asked.get("seen", ""), by=self.person)
        except ReviewRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        else:
            noun = "document" if review.documents == 1 else "documents"
            messages.success(request, f"Review of {review} is closed: {review.documents:,} {noun}.")
        kept = {name: asked[name] for name in ("from", "to", *FILTERS) if asked.get(name)}
        return redirect(reverse("admin:register", query=kept))


class RegisterExport(ConsolePage):
    """The period's documents as CSV, streamed, in the order of posting."""

    permission = SEE_RIGHT

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        since, until = days(request.GET)
        response = StreamingHttpResponse(csv_of(by_posting(documents_of(request.GET))), content_type="text/csv")
        response["Content-Disposition"] = f'attachment; filename="register-{since}-{until}.csv"'
        return response


class RegisterWorkbook(ConsolePage):
    """The same period as a workbook: totals, taxes by rate, documents and their lines."""

    permission = SEE_RIGHT

    def get(self, request: HttpRequest) -> HttpResponseBase:
        looked = looked_at(request.GET)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        try:
            workbook.write(file, looked, documents_of(request.GET))
        except WorkbookRefused as refused:
            file.close()
            messages.warning(request, f"{refused.cause} {refused.remedy}")
            return redirect(f"{reverse('admin:register')}?{request.GET.urlencode()}")
        file.seek(0)
        name = f"register-{looked.since}-{looked.until}.xlsx"
        return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)
