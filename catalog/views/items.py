"""Importing items from a file: our own CSV or Shopify's product CSV."""

from __future__ import annotations

import io
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from catalog.csv_rows import FileRefused
from catalog.items import COLUMNS, ImportReport, import_items, template
from syncconsole.kernel import reports
from syncconsole.kernel.admin import ConsolePage, Crumb

SHOWN_PROBLEMS = 200


class ImportItemsPage(ConsolePage):
    """Upload; good rows are kept, each bad one is listed with cause and remedy."""

    permission = "catalog.import_items"
    title = "Import items"
    template_name = "catalog/import_items.html"

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Products", reverse("admin:catalog_product_changelist")), Crumb("Import items")]

    def get(self, request: HttpRequest) -> HttpResponse:
        if "template" in request.GET:
            response = HttpResponse(template(), content_type="text/csv; charset=utf-8")
            response["Content-Disposition"] = 'attachment; filename="items.csv"'
            return response
        return self.show(report=reports.kept(self.person, request.GET.get("report", "")))

    def show(
        self, *, status: int = 200, report: ImportReport | None = None, problem: str = "", remedy: str = ""
    ) -> HttpResponse:
        """The form, and what came of the last file."""
        problems = report.problems[:SHOWN_PROBLEMS] if report else []
        return self.page(
            status=status, report=report, problems=problems, problem=problem, remedy=remedy, columns=COLUMNS
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        upload = request.FILES.get("file")
        if upload is None or not upload.size:
            return self.show(status=422, problem="No file was chosen, or it is empty.", remedy="Choose a CSV file.")
        if upload.size > settings.MAX_UPLOAD_BYTES:
            limit = f"{settings.MAX_UPLOAD_BYTES // 1024 // 1024} MB"
            problem = f"The file is larger than {limit}. Nothing was imported."
            return self.show(status=422, problem=problem, remedy="Split it, or use the command import_items.")
        strict = request.POST.get("strict") == "1"
        try:
            report = import_items(
                io.BytesIO(upload.read()), actor=self.person, strict=strict, origin=upload.name or "upload"
            )
        except FileRefused as refused:
            return self.show(status=422, problem=refused.cause, remedy=refused.remedy)
        word = reports.keep(self.person, report)
        return redirect(f"{reverse('admin:import_items')}?{urlencode({'report': word})}")
