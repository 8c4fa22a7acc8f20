"""Recording stock movements from a file: what was recorded, what was known already, and each row that was not taken."""

from __future__ import annotations

from typing import BinaryIO

from django.urls import reverse

from catalog.views.upload import UploadPage
from inventory import stock_feed
from inventory.stock_feed import StockReport
from syncconsole.kernel.admin import Crumb


class RecordStockPage(UploadPage):
    """Upload; the report appears on the page and the entries in the ledger."""

    permission = "inventory.record_stock"
    title = "Record stock"
    template_name = "inventory/record_stock.html"
    command = "record_stock"
    done = "recorded"
    template_file = "stock.csv"
    columns = stock_feed.COLUMNS

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Ledger", reverse("admin:ledger")), Crumb("Record stock")]

    def template_text(self) -> str:
        return stock_feed.template()

    def take(self, stream: BinaryIO, origin: str) -> StockReport:
        return stock_feed.record_stock(stream, actor=self.person, origin=origin)
