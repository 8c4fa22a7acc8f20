"""Stock movements from a file of the ERP or the warehouse → ledger entries, each fact once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import islice
from typing import IO, Any, BinaryIO

from django.utils import timezone

from catalog.csv_rows import CellRefused, Problems, RowProblem, Table, read_table
from catalog.models import Variant
from connectors.models import Store
from inventory.ledger import Posting, PostResult, post
from inventory.models import LedgerEntry, Location
from inventory.models.ledger import EntryKind
from inventory.models.locations import StockMaster
from inventory.pulls import Pull, Taken, order_pulls
from inventory.stock_rows import COLUMNS, KINDS, Reason, StockRow, parse_row, stock_columns, template
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

__all__ = ["COLUMNS", "StockReport", "record_stock", "template"]

CHUNK_ROWS = 1000
NEEDED = (("item_number", "sku"), ("location",), ("reason",), ("quantity",))


@dataclass(slots=True)
class StockReport:
    """What came of a file. `rows` = `recorded` + `waiting` + `repeated` + `problem_count`.

    `waiting`: rows that wait for the order they name; they go on by themselves.
    `repeated`: rows whose fact the ledger knew already, so nothing happened. `problems` lists the first ten thousand.
    """

    rows: int = 0
    recorded: int = 0
    waiting: int = 0
    repeated: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    problem_count: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        return {
            "rows": self.rows,
            "recorded": self.recorded,
            "waiting": self.waiting,
            "repeated": self.repeated,
            "problems": self.problem_count,
        }

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            **self.counts,
            "notes": self.notes,
            "problem_rows": [{"line": p.line, "cause": p.cause, "remedy": p.remedy} for p in self.problems],
        }


def record_stock(stream: BinaryIO | IO[bytes], *, actor: User | None, origin: str) -> StockReport:
    """Record the movements in `stream` (bytes of a CSV file); `origin` names where they come from in the ledger.

    About a thousand rows at a time go into the ledger in one transaction, a transfer with both its entries in one.
    A row's key is made from its facts, so that loading a file again, or after a break, changes nothing. A count
    records the difference to what the ledger says at that moment. Bad rows are reported with line, cause and remedy,
    and the others kept. Raises FileRefused when the file as a whole cannot be read; nothing was recorded then.
    """
    table = read_table(stream, stock_columns, NEEDED)
    report = StockReport(notes=_notes(table))
    feed = Feed(table.decimal_mark, actor, origin[:80], report)
    rows = iter(table.rows)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        feed.take(chunk)
    report.problem_count = feed.problems.total
    report.problems.sort(key=lambda problem: problem.line)
    if feed.anonymous_repeats:
        report.notes.append(
            f"{feed.anonymous_repeats} of the repeated rows have no document, ref or time. If they are new movements "
            "that look like earlier ones, give them one of these and load them again."
        )
    if report.recorded or report.waiting:
        audit.record(actor, "record_stock", origin, after=report.counts)
    return report


def _notes(table: Table) -> list[str]:
    return [f"Columns that are not known were not read: {', '.join(table.ignored[:20])}."] if table.ignored else []


@dataclass(frozen=True, slots=True)
class Movement:
    """A row with the postings it means; or with the pull of an order, whose shipment it is."""

    row: StockRow
    postings: list[Posting]
    pull: Pull | None = None


class Feed:
    """The rows of one file on their way into the ledger."""

    def __init__(self, mark: str, actor: User | None, origin: str, report: StockReport) -> None:
        self.mark = mark
        self.actor = actor
        self.origin = origin
        self.report = report
        self.problems = Problems(report.problems)
        self.now = timezone.now()
        self.anonymous_repeats = 0
        self.locations = _locations()
        self.seen: dict[str, tuple[int, Decimal]] = {}
        """Key → line and quantity of the first row with it."""

    @cached_property
    def stores(self) -> dict[str, int]:
        """Stores by name and by slug, without case; where both exist, the slug wins."""
        every = list(Store.objects.values_list("pk", "name", "slug"))
        return {name.casefold(): pk for pk, name, _ in every} | {slug.casefold(): pk for pk, _, slug in every}

    def take(self, chunk: Sequence[Any]) -> None:
        """Record one chunk of parsed or broken rows."""
        self.report.rows += len(chunk)
        self.now = timezone.now()  # rows without a time happen when they are recorded, not when the file began
        movements = list(self._movements(list(self._parsed(chunk))))
        result = post([posting for movement in movements for posting in movement.postings])
        self._settle([movement for movement in movements if movement.postings], result)
        self._pull([(movement.row, movement.pull) for movement in movements if movement.pull])

    def _parsed(self, chunk: Sequence[Any]) -> Iterator[StockRow]:
        for row in chunk:
            if isinstance(row, RowProblem):
                self.problems.add(row.line, row.cause, row.remedy)
                continue
            try:
                yield parse_row(row, self.mark, self.now)
            except CellRefused as refusal:
                self.problems.add(row.line, refusal.cause, refusal.remedy)

    def _movements(self, rows: list[StockRow]) -> Iterator[Movement]:
        items = Items(rows)
        for row in rows:
            try:
                yield self._movement(row, items)
            except CellRefused as refusal:
                self.problems.add(row.line, refusal.cause, refusal.remedy)

    def _movement(self, row: StockRow, items: Items) -> Movement:
        variant_id, item_number = items.find(row)
        location = self._location(row.location)
        destination = self._location(row.to_location) if row.reason is Reason.TRANSFER else None
        if destination == location:
            raise CellRefused(f"The transfer goes from {location} to itself.", "Write another to_location.")
        key = row.key(item_number, location.code, destination.code if destination else "")
        self._refuse_repeat(row, key)
        if row.order:
            return Movement(row, [], self._of_order(row, variant_id, location, key))
        if destination is None:
            return Movement(row, [self._posting(row, variant_id, location, KINDS[row.reason], row.on_hand_delta, key)])
        leaves = self._posting(row, variant_id, location, EntryKind.TRANSFER_OUT, -row.quantity, f"{key}:out", key)
        arrives = self._posting(row, variant_id, destination, EntryKind.TRANSFER_IN, row.quantity, f"{key}:in", key)
        return Movement(row, [leaves, arrives])

    def _location(self, name: str) -> Location:
        location = self.locations.get(name.casefold())
        if location is None:
            known = ", ".join(sorted({found.code for found in self.locations.values()})[:10]) or "none yet"
            raise CellRefused(
                f"There is no location {name[:60]}.", f"Write the code or name of one of ours ({known}), or add it."
            )
        if location.stock_master != StockMaster.FEED:
            raise CellRefused(
                f"The stock of {location} is kept by the {location.master}.",
                "Record the movement there, or change the location's stock master.",
            )
        return location

    def _of_order(self, row: StockRow, variant_id: int, location: Location, key: str) -> Pull:
        store_id = self.stores.get(row.store.casefold()) if row.store else None
        if row.store and store_id is None:
            raise CellRefused(f"There is no store {row.store[:60]}.", "Write its name, or leave the store empty.")
        return Pull(
            key=key,
            order=row.order,
            store_id=store_id,
            variant_id=variant_id,
            location_id=location.pk,
            quantity=int(row.quantity),
            happened_at=row.happened_at or self.now,
            document=row.document,
            origin=self.origin,
            actor=self.actor,
        )

    def _pull(self, picked: list[tuple[StockRow, Pull]]) -> None:
        """Hand over what was picked for orders."""
        taken = order_pulls().take([pull for _, pull in picked])
        for row, pull in picked:
            what = taken[pull.key]
            self.report.recorded += what is Taken.BOOKED
            self.report.waiting += what is Taken.WAITS
            self.report.repeated += what is Taken.REPEATED
            if what is Taken.CONTRADICTS:
                cause = f"Ref {row.ref} of order {row.order} was taken with another quantity."
                self.problems.add(row.line, cause, "Give the difference a ref of its own.")

    def _refuse_repeat(self, row: StockRow, key: str) -> None:
        line, quantity = self.seen.setdefault(key, (row.line, row.quantity))
        if line == row.line:
            return
        if quantity != row.quantity:
            raise CellRefused(
                f"Line {line} names the same fact with another quantity.", "Keep one, or give each a ref of its own."
            )
        raise CellRefused(
            f"The row says the same as line {line} and was counted once.",
            "If both happened, give each a ref of its own (the line of its document).",
        )

    def _posting(
        self,
        row: StockRow,
        variant_id: int,
        location: Location,
        kind: EntryKind,
        delta: Decimal,
        key: str,
        fact: str = "",
    ) -> Posting:
        counted = row.quantity if kind == EntryKind.COUNT else None
        return Posting(
            variant_id=variant_id,
            location_id=location.pk,
            kind=kind,
            key=key,
            origin=self.origin,
            effective_at=row.happened_at or self.now,
            on_hand_delta=Decimal(0) if counted is not None else delta,
            count_to=counted,
            document=row.document,
            reason=f"ref {row.ref}" if row.ref else "",
            posting=fact[:200],
            actor=self.actor,
        )

    def _settle(self, movements: list[Movement], result: PostResult) -> None:
        repeated = {posting.key for posting in result.repeated}
        before = {entry.key: entry for entry in LedgerEntry.objects.filter(key__in=repeated)} if repeated else {}
        for movement in movements:
            posting = movement.postings[0]
            if posting.key not in repeated:
                self.report.recorded += 1
            elif posting.count_to is None and before[posting.key].on_hand_delta != posting.on_hand_delta:
                self._contradiction(movement.row, before[posting.key])
            else:
                self.report.repeated += 1
                self.anonymous_repeats += movement.row.is_anonymous

    def _contradiction(self, row: StockRow, entry: LedgerEntry) -> None:
        named = "The opening of this item and location" if row.reason is Reason.OPENING else f"Ref {row.ref}"
        document = f" of document {row.document}" if row.document and row.reason is not Reason.OPENING else ""
        self.problems.add(
            row.line,
            f"{named}{document} was recorded on {entry.recorded_at:%Y-%m-%d} with "
            f"{abs(entry.on_hand_delta).normalize():f} units; this row says {abs(row.quantity).normalize():f}.",
            "Record the difference with the reason correction, or what was counted with the reason count.",
        )


class Items:
    """The variants that some rows name, by item number and by SKU."""

    def __init__(self, rows: Sequence[StockRow]) -> None:
        numbers = {row.item_number for row in rows if row.item_number}
        skus = {row.sku for row in rows if row.sku and not row.item_number}
        self.by_number = dict(Variant.objects.filter(item_number__in=numbers).values_list("item_number", "pk"))
        self.by_sku: dict[str, list[tuple[int, str]]] = {}
        found = Variant.objects.filter(sku__in=skus).order_by("pk").values_list("sku", "pk", "item_number")
        for sku, pk, item_number in found if skus else ():
            self.by_sku.setdefault(sku, []).append((pk, item_number))

    def find(self, row: StockRow) -> tuple[int, str]:
        """(variant id, item number) of the row's item. Raises CellRefused when it is unknown or ambiguous."""
        if row.item_number:
            pk = self.by_number.get(row.item_number)
            if pk is None:
                raise CellRefused(
                    f"Item {row.item_number[:60]} is not in the catalogue.",
                    "Add it with import_items, or correct its number.",
                )
            return pk, row.item_number
        found = self.by_sku.get(row.sku, [])
        if len(found) > 1:
            numbers = ", ".join(number for _, number in found[:3])
            raise CellRefused(
                f"The SKU {row.sku[:60]} is on several items: {numbers}.", "Name the item by its item_number."
            )
        if not found:
            raise CellRefused(
                f"SKU {row.sku[:60]} is not in the catalogue.", "Add the item with import_items, or correct the SKU."
            )
        return found[0]


def _locations() -> dict[str, Location]:
    """Locations by name and by code, without case; where both exist, the code wins."""
    every = list(Location.objects.all())
    return {location.name.casefold(): location for location in every} | {
        location.code.casefold(): location for location in every
    }
