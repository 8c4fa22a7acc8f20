"""What a store lists after it has loaded a product CSV, read here independently of the import."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from connectors.ports.store import RemoteVariant


@dataclass
class ListedFile:
    """A store that lists the variants of a file; enough of the store port to link it."""

    path: Path

    def iter_variants(self) -> Iterator[RemoteVariant]:
        with self.path.open(encoding="utf-8-sig", newline="") as stream:
            for number, row in enumerate(csv.DictReader(stream), 1):
                cells = {name.lower().removeprefix("variant "): value for name, value in row.items()}
                options = tuple(cells[f"option{n} value"] for n in (1, 2, 3) if cells[f"option{n} value"])
                handle = cells.get("url handle") or cells["handle"]
                if options:
                    yield RemoteVariant(
                        product_ref=f"product/{handle}",
                        product_handle=handle,
                        product_title=cells["title"],
                        product_status="active",
                        product_tags=(),
                        ref=f"variant/{number}",
                        item_ref=f"item/{number}",
                        sku=cells["sku"],
                        barcode=cells["barcode"],
                        option_values=options,
                        price=Decimal(cells["price"] or 0),
                        tracked=True,
                    )
