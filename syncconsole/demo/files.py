"""The files of the demo: what the shops sell, what was counted in the two locations, what moved since."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from syncconsole.demo import sample_csv
from syncconsole.kernel.commands import Refused

MAIN, SHOP_FLOOR = "Depozit Cluj", "Magazin București"
STOCK_COLUMNS = ("item_number", "location", "reason", "quantity", "document", "ref", "to_location")
ONE_IN = 4
"""Of a file of the user's own, every so many-th product is sold in the outlet, too."""


@dataclass(frozen=True, slots=True)
class Shops:
    """The product files of the two shops, in Shopify's format."""

    main: Path
    outlet: Path


def shop_files(folder: Path, given: Path | None) -> Shops:
    """The files that the simulated shops start with: our sample, or the export `given`, unchanged.

    Raises Refused when that export cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outlet = folder / "outlet.csv"
    if given is None:
        main = folder / "products.csv"
        sample_csv.write(main)
        sample_csv.write_outlet(outlet)
        return Shops(main, outlet)
    _write_every_few_products(given, outlet)
    return Shops(given, outlet)


def _write_every_few_products(source: Path, target: Path) -> None:
    try:
        text = source.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as exc:
        raise Refused(f"{source} cannot be read: {exc.strerror}.", "Check the path and its permissions.") from exc
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    names = [name.strip().lower() for name in header]
    column = next((names.index(name) for name in ("url handle", "handle") if name in names), None)
    if column is None:
        raise Refused(
            f"{source.name} has no column Handle or URL handle in its first line.",
            "Export products from Shopify's admin as CSV, and give that file.",
        )
    handles: dict[str, int] = {}
    with target.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(header)
        for row in reader:
            handle = row[column] if column < len(row) else ""
            if handles.setdefault(handle, len(handles)) % ONE_IN == 0:
                writer.writerow(row)


@dataclass(frozen=True, slots=True)
class Article:
    """An item that the main shop sells: what it is here and there, and what the shop shows at the main location."""

    item_number: str
    item_ref: str
    shown: int
    shared: bool
    """The outlet sells it, too."""


def counted(place: int, article: Article) -> int:
    """What was counted at the main location: mostly what the shop shows, and something else for one item in five."""
    shown = max(0, article.shown)
    if place % 10 == 0:
        return shown + 4
    return max(0, shown - 3) if place % 10 == 5 else shown


def opening_rows(articles: Sequence[Article], main: str, floor: str) -> Iterable[tuple[object, ...]]:
    """The opening stock of both locations (short names); the shop floor holds some of every fourth item."""
    for place, article in enumerate(articles):
        yield article.item_number, main, "opening", counted(place, article), "INV-2026-11", "", ""
        if place % 4 == 0:
            yield article.item_number, floor, "opening", 2 + place % 5, "INV-2026-11", "", ""


def movement_rows(articles: Sequence[Article], main: str, floor: str) -> Iterable[tuple[object, ...]]:
    """A morning's movements; the first articles are shared with the outlet, where there are such."""

    def item(place: int) -> str:
        return articles[place % len(articles)].item_number

    yield item(0), main, "received", 24, "NIR-1042", "1", ""
    yield item(1), main, "received", 12, "NIR-1042", "2", ""
    yield item(2), main, "damaged", 1, "PV-0031", "1", ""
    yield item(3), main, "count", 7, "INV-0211", "1", ""
    yield item(4), main, "found", 2, "PV-0032", "1", ""
    yield item(5), floor, "pos_sale", 1, "BF-20871", "1", ""
    yield item(6), main, "transfer", 2, "AV-0117", "1", floor


def write_stock(path: Path, rows: Iterable[tuple[object, ...]]) -> Path:
    """A stock file as `record_stock` reads it."""
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(STOCK_COLUMNS)
        writer.writerows(rows)
    return path
