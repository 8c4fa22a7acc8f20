"""One row of a stock file in neutral form, and the format of that file (docs/operators/stock.md)."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.utils import timezone

from catalog.csv_rows import CellRefused, Row, decimal_cell, text_cell
from inventory.models.ledger import EntryKind

COLUMNS = (
    "item_number",
    "sku",
    "location",
    "reason",
    "quantity",
    "happened_at",
    "document",
    "ref",
    "to_location",
    "order",
    "store",
)
SYNONYMS = {"line": "ref"}
CLOCK_TOLERANCE = dt.timedelta(minutes=10)


class Reason(StrEnum):
    """Why stock moved, as the file says it."""

    OPENING = "opening"
    RECEIVED = "received"
    ISSUED = "issued"
    POS_SALE = "pos_sale"
    DAMAGED = "damaged"
    LOST = "lost"
    FOUND = "found"
    RETURN_RESTOCK = "return_restock"
    TRANSFER = "transfer"
    COUNT = "count"
    CORRECTION = "correction"


KINDS = {
    Reason.OPENING: EntryKind.OPENING,
    Reason.RECEIVED: EntryKind.RECEIVED,
    Reason.ISSUED: EntryKind.ISSUED,
    Reason.POS_SALE: EntryKind.POS_SALE,
    Reason.DAMAGED: EntryKind.DAMAGED,
    Reason.LOST: EntryKind.LOST,
    Reason.FOUND: EntryKind.FOUND,
    Reason.RETURN_RESTOCK: EntryKind.RESTOCKED,
    Reason.COUNT: EntryKind.COUNT,
    Reason.CORRECTION: EntryKind.CORRECTION,
}
LEAVING = frozenset({Reason.ISSUED, Reason.POS_SALE, Reason.DAMAGED, Reason.LOST})
SIGNED = frozenset({Reason.OPENING, Reason.CORRECTION})
ZERO_MEANS_SOMETHING = frozenset({Reason.OPENING, Reason.COUNT})


@dataclass(frozen=True, slots=True)
class StockRow:
    """What one row says. `quantity` as written, in units; `happened_at` None: when the file is loaded."""

    line: int
    item_number: str
    sku: str
    location: str
    to_location: str
    reason: Reason
    quantity: Decimal
    happened_at: dt.datetime | None
    document: str
    ref: str
    order: str = ""
    """The number of the order that the goods were picked for: the row is its shipment."""
    store: str = ""
    """Its store, by slug or name."""

    @property
    def on_hand_delta(self) -> Decimal:
        """Units that the row adds to its location."""
        return -self.quantity if self.reason in LEAVING or self.reason is Reason.TRANSFER else self.quantity

    @property
    def identity(self) -> str:
        """What tells this fact from others like it: its line, else its time; empty when the row gives neither."""
        if self.ref:
            return self.ref
        return self.happened_at.astimezone(dt.UTC).isoformat() if self.happened_at else ""

    @property
    def is_anonymous(self) -> bool:
        """Nothing but its content tells it from another row of the same content."""
        return not (self.document or self.identity or self.reason is Reason.OPENING)

    def key(self, item_number: str, location: str, to_location: str = "") -> str:
        """The natural key of the fact, whatever file it comes in.

        A line reference names the fact with its document, so the quantity is not part of it: the same line with
        another quantity contradicts what was recorded. Without one, the quantity is part of the fact, as it always is
        of a count (counting again is another fact). An opening happens once for an item and location.
        """
        facts: list[str] = [item_number, location, to_location, self.reason.value]
        if self.reason is not Reason.OPENING:
            facts += [self.document, self.identity]
            facts += [f"{self.quantity.normalize():f}"] if not self.ref or self.reason is Reason.COUNT else []
        if self.order:
            facts += [self.order, self.store]
        key: str = ":".join(["feed", *(fact.replace("%", "%25").replace(":", "%3A") for fact in facts)])
        if len(key) > KEY_LIMIT:
            key = key[: KEY_LIMIT - 33] + "~" + hashlib.sha256(key.encode()).hexdigest()[:32]
        return key


KEY_LIMIT = 230
"""The column holds 255; the ledger and transfers append a few words."""


def stock_columns(header: Sequence[str]) -> Mapping[int, str]:
    """Positions of our columns; "Item number" is read as item_number, `line` as ref."""
    names = {index: name.strip().casefold().replace(" ", "_").replace("-", "_") for index, name in enumerate(header)}
    names = {index: SYNONYMS.get(name, name) for index, name in names.items()}
    return {index: name for index, name in names.items() if name in COLUMNS}


def parse_row(row: Row, mark: str, now: dt.datetime) -> StockRow:
    """The row as facts. Raises CellRefused naming what is missing or contradicts itself."""
    cells = {column: row.cells.get(column, "") for column in COLUMNS}
    reason = _reason(cells["reason"])
    if not (cells["item_number"] or cells["sku"]):
        raise CellRefused("The row names no item.", "Write its item_number, or its sku.")
    if not cells["location"]:
        raise CellRefused("The row names no location.", "Write the code or the name of a location.")
    _check_destination(reason, cells["to_location"])
    quantity = _quantity(reason, cells["quantity"], mark)
    _check_order(reason, quantity, cells["order"], cells["store"])
    return StockRow(
        line=row.line,
        item_number=cells["item_number"],
        sku=cells["sku"],
        location=cells["location"],
        to_location=cells["to_location"],
        reason=reason,
        quantity=quantity,
        happened_at=_happened_at(cells["happened_at"], now),
        document=text_cell("The document", cells["document"], 200),
        ref=text_cell("The ref", cells["ref"], 100),
        order=text_cell("The order", cells["order"], 100).removeprefix("#"),
        store=text_cell("The store", cells["store"], 100),
    )


def _reason(text: str) -> Reason:
    word = text.casefold().replace(" ", "_").replace("-", "_")
    if word not in set(Reason):
        known = ", ".join(Reason)
        raise CellRefused(
            f"The reason {text[:40]} is not known." if text else "The row gives no reason.", f"Write one of: {known}."
        )
    return Reason(word)


def _check_destination(reason: Reason, to_location: str) -> None:
    if reason is Reason.TRANSFER and not to_location:
        raise CellRefused("A transfer needs the location it goes to.", "Write it in the column to_location.")
    if reason is not Reason.TRANSFER and to_location:
        raise CellRefused(
            f"to_location is given, and the reason is {reason.value}.",
            "Write transfer as the reason, or leave to_location empty.",
        )


def _check_order(reason: Reason, quantity: Decimal, order: str, store: str) -> None:
    if order and reason is not Reason.ISSUED:
        raise CellRefused(
            f"An order is named, and the reason is {reason.value}.",
            "Write issued, which is what picking an order is, or leave the order empty.",
        )
    if order and quantity != quantity.to_integral_value():
        raise CellRefused("Units of an order are whole.", "Write a whole number, or leave the order empty.")
    if store and not order:
        raise CellRefused("A store is named without an order.", "Write the order's number, or leave the store empty.")


def _quantity(reason: Reason, text: str, mark: str) -> Decimal:
    if not text:
        raise CellRefused("The row gives no quantity.", "Write how many units, e.g. 5 or 2,5.")
    quantity = decimal_cell("The quantity", text, mark=mark, places=3, digits=9)
    if quantity < 0 and reason not in SIGNED:
        if reason is Reason.COUNT:
            raise CellRefused(f"A count of {text} is negative.", "Write what was counted: zero or more.")
        raise CellRefused(
            f"The quantity {text} is negative, and {reason.value} says already which way the units go.",
            f"Write {-quantity.normalize():f}; or use the reason correction, whose quantity has a sign.",
        )
    if not quantity and reason not in ZERO_MEANS_SOMETHING:
        raise CellRefused(f"A quantity of 0 with the reason {reason.value} moves nothing.", "Leave the row out.")
    return quantity


def _happened_at(text: str, now: dt.datetime) -> dt.datetime | None:
    if not text:
        return None
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise CellRefused(
            f"The time {text[:40]} cannot be read.", "Write it like 2026-11-21T14:30, or 2026-11-21."
        ) from None
    try:
        aware = at if at.tzinfo else timezone.make_aware(at)
        late = aware > now + CLOCK_TOLERANCE
    except (OverflowError, ValueError):
        late, aware = True, now
    if late:
        raise CellRefused(f"The time {text[:40]} lies in the future.", "Write when it happened.")
    if aware.year < 1990:
        raise CellRefused(f"The time {text[:40]} lies before 1990.", "Write the year with four digits.")
    return aware


EXAMPLES: tuple[dict[str, str], ...] = (
    {
        "item_number": "AB-0001-S",
        "location": "cluj",
        "reason": "received",
        "quantity": "12",
        "happened_at": "2026-11-20T09:15",
        "document": "NIR-1042",
        "ref": "1",
    },
    {"sku": "TS-BLK-M", "location": "cluj", "reason": "count", "quantity": "8", "document": "INV-2026-11", "ref": "17"},
    {
        "item_number": "AB-0001-S",
        "location": "cluj",
        "to_location": "bucuresti",
        "reason": "transfer",
        "quantity": "2",
        "document": "AVZ-77",
        "ref": "1",
    },
)


def template() -> str:
    """The header and three example rows, as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(EXAMPLES)
    return out.getvalue()
