"""Recording stock movements from a file: what was recorded, what was known already, and each row that was not taken."""

from __future__ import annotations

import io
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from catalog.csv_rows import FileRefused
from inventory import stock_feed
from inventory.stock_feed import StockReport
from syncconsole.kernel import reports
from syncconsole.kernel.admin import ConsolePage, Crumb

SHOWN_PROBLEMS = 200


class RecordStockPage(ConsolePage):
    """Upload; the report appears on the page and the entries in the ledger."""

    permission = "inventory.record_stock"
    title = "Record stock"
    template_name = "inventory/record_stock.html"

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Ledger", reverse("admin:ledger")), Crumb("Record stock")]

    def get(self, request: HttpRequest) -> HttpResponse:
        if "template" in request.GET:
            response = HttpResponse(stock_feed.template(), content_type="text/csv; charset=utf-8")
            response["Content-Disposition"] = 'attachment; filename="stock.csv"'
            return response
        return self.show(report=reports.kept(self.person, request.GET.get("report", "")))

    def show(
        self, *, status: int = 200, report: StockReport | None = None, problem: str = "", remedy: str = ""
    ) -> HttpResponse:
        """The form, and what came of the last file."""
        problems = report.problems[:SHOWN_PROBLEMS] if report else []
        return self.page(
            status=status,
            report=report,
            problems=problems,
            problem=problem,
            remedy=remedy,
            columns=stock_feed.COLUMNS,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        upload = request.FILES.get("file")
        if upload is None or not upload.size:
            return self.show(status=422, problem="No file was chosen, or it is empty.", remedy="Choose a CSV file.")
        if upload.size > settings.MAX_UPLOAD_BYTES:
            limit = f"{settings.MAX_UPLOAD_BYTES // 1024 // 1024} MB"
            problem = f"The file is larger than {limit}. Nothing was recorded."
            return self.show(status=422, problem=problem, remedy="Split it, or use the command record_stock.")
        try:
            report = stock_feed.record_stock(
                io.BytesIO(upload.read()), actor=self.person, origin=upload.name or "upload"
            )
        except FileRefused as refused:
            return self.show(status=422, problem=refused.cause, remedy=refused.remedy)
        word = reports.keep(self.person, report)
        return redirect(f"{reverse('admin:record_stock')}?{urlencode({'report': word})}")
