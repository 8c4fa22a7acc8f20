"""Importing items from a file: our own CSV or Shopify's product CSV."""

from __future__ import annotations

from typing import BinaryIO

from django.urls import reverse

from catalog.items import COLUMNS, ImportReport, import_items, template
from catalog.views.upload import UploadPage
from syncconsole.kernel.admin import Crumb


class ImportItemsPage(UploadPage):
    """Upload; good rows are kept, each bad one is listed with cause and remedy."""

    permission = "catalog.import_items"
    title = "Import items"
    template_name = "catalog/import_items.html"
    command = "import_items"
    done = "imported"
    template_file = "items.csv"
    columns = COLUMNS

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Products", reverse("admin:catalog_product_changelist")), Crumb("Import items")]

    def template_text(self) -> str:
        return template()

    def take(self, stream: BinaryIO, origin: str) -> ImportReport:
        strict = self.request.POST.get("strict") == "1"
        return import_items(stream, actor=self.person, strict=strict, origin=origin)
