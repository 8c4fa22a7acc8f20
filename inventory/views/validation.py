"""The ATS validation sheet of a store: both systems' numbers, the sample, the signature."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from catalog.csv_rows import CellRefused, decimal_cell
from catalog.models import Variant
from connectors.models import Store
from inventory import signatures, standing, validation
from inventory.models import Validation, ValidationSample
from inventory.standing import Stands
from inventory.validation import RIGHT, ValidationRefused
from inventory.views.gates import BelowGates
from syncconsole.kernel.exports import csv_line
from syncconsole.kernel.keyset import page_of
from syncconsole.kernel.templatetags.console import signed

CHIPS = (("differ", "Differ"), ("held", "Held"), ("equal", "Equal"), ("all", "All"))
COLUMNS = (
    "Item", "Location", "On hand here", "Released here", "ATS here", "Should show", "On hand there", "Committed there",
    "Available there", "Difference", "Why", "Read",
)  # fmt: skip


@dataclass(frozen=True)
class SheetRow:
    """A level with our terms and the store's. Quantities of the store are None before it was read."""

    variant: Variant
    place: str
    on_hand: Decimal
    released: int
    target: int
    store_on_hand: int | None
    committed: int | None
    available: int | None
    stands: Stands
    why: str
    read_at: dt.datetime | None
    url: str

    @property
    def ats(self) -> Decimal:
        return self.on_hand - self.released

    @property
    def difference(self) -> int | None:
        """What the store showed less what it should show."""
        return None if self.available is None else self.available - self.target


@dataclass(frozen=True)
class SampleRow:
    """A level of the sample, with what its fields show: what is kept, or what was typed and could not be."""

    sample: ValidationSample
    counted: str
    note: str
    problem: str = ""


@dataclass(frozen=True)
class Chip:
    """A filter with its count."""

    label: str
    count: int
    url: str
    current: bool


class SheetView(BelowGates):
    """A page or a door of one store's sheet."""

    permission = "inventory.view_validation"
    title = "ATS validation"


class ValidationPage(SheetView):
    """The sheet: counts, differences first, the sample below, the signature."""

    template_name = "inventory/validation.html"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, typed: list[SampleRow] | None = None) -> HttpResponse:
        """The page; `typed` is the sample as somebody filled it in, where not all of it could be kept."""
        store, counted = self.store, validation.counts.counted(self.store.pk)
        counts = counted.value
        which = self.request.GET.get("show") or next((name for name in ("differ", "held") if _of(counts, name)), "all")
        found = page_of(self.request, shown(store, which), "id")
        sheet = validation.open_sheet(store)
        samples = typed or [kept_row(sample) for sample in samples_of(sheet)]
        return self.page(
            status=status,
            counts=counts,
            counted_at=counted.shown_at,
            chips=[Chip(label, _of(counts, name), f"?show={name}", name == which) for name, label in CHIPS],
            which=which,
            rows=[sheet_row(row) for row in found.rows],
            keyset=found,
            read=validation.last_read(store),
            sheet=sheet,
            samples=samples,
            left=sum(1 for row in samples if not row.sample.confirmed),
            signature=signatures.last(store),
            may_sign=self.can(RIGHT),
            may_start=self.can("connectors.start_run"),
        )


def _of(counts: validation.SheetCounts, name: str) -> int:
    return counts.levels if name == "all" else int(getattr(counts, name))


def shown(store: Store, which: str) -> Any:
    """The sheet's levels of one chip."""
    return validation.rows_of(store, "" if which == "all" else which).select_related(
        "listed__variant__product", "store_location", "store"
    )


def kept_row(sample: ValidationSample) -> SampleRow:
    """A row of the sample as it is kept."""
    return SampleRow(sample, "" if sample.counted is None else f"{sample.counted.normalize():f}", sample.note)


def samples_of(sheet: Validation | None) -> list[ValidationSample]:
    """The sample with what its rows name; empty where no sheet is open."""
    if sheet is None:
        return []
    named = sheet.samples.select_related(
        "publication__listed__variant__product", "publication__store_location", "counted_by"
    )
    return list(named)


def sheet_row(row: Any) -> SheetRow:
    """A line of one publication as `validation.rows_of` gives it."""
    pending = row.target - row.expected_quantity
    stands = standing.stands(row, pending, drifts=row.is_drifting)
    read = row.observed_available is not None
    return SheetRow(
        variant=row.listed.variant,
        place=row.store_location.name,
        on_hand=row.on_hand or Decimal(0),
        released=row.released or 0,
        target=row.target,
        store_on_hand=row.observed_available + row.observed_committed + row.observed_unavailable if read else None,
        committed=row.observed_committed,
        available=row.observed_available,
        stands=stands,
        why=stands.reason or _why(row, stands, pending),
        read_at=row.observed_at,
        url=reverse("admin:why", args=[row.pk]),
    )


def _why(row: Any, stands: Stands, pending: int) -> str:
    if row.observed_available is None:
        return "Not read yet."
    if stands.word is standing.Standing.TO_PUSH:
        return f"Moved here since; the next delta sends {signed(pending)}."
    if stands.word is standing.Standing.DRIFT:
        return "No push of ours and no known order explains it."
    if row.observed_available != row.expected_quantity:
        since = signed(row.expected_quantity - row.observed_available)
        return f"Known to have moved there since this read ({since})."
    if row.target != (row.on_hand or 0) - (row.released or 0):
        return f"It should show {row.target}: ATS in whole units, less what the store withholds and its buffer."
    return ""


class DrawSheet(SheetView):
    """Draw the sample of a new sheet."""

    permission = RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        try:
            validation.draw(self.store, self.person)
        except ValidationRefused as refused:
            messages.warning(request, str(refused))
        return redirect(f"{reverse('admin:validation', args=[slug])}#sample")


class CountSample(ValidationPage):
    """Keep the counts and notes of the sample. What cannot be kept is said beside what was typed."""

    permission = RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        rows = [self._keep(sample) for sample in samples_of(validation.open_sheet(self.store))]
        if any(row.problem for row in rows):
            return self.show(status=422, typed=rows)
        return redirect(f"{reverse('admin:validation', args=[slug])}#sample")

    def _keep(self, sample: ValidationSample) -> SampleRow:
        text = self.request.POST.get(f"counted-{sample.pk}", "").strip()
        note = self.request.POST.get(f"note-{sample.pk}", "").strip()
        try:
            counted = decimal_cell("The count", text, mark=".", places=3, digits=9) if text else None
            kept = validation.count(sample, counted, note, self.person)
        except (CellRefused, ValidationRefused) as refused:
            return SampleRow(sample, text, note, str(refused))
        sample.counted, sample.on_hand, sample.note = kept.counted, kept.on_hand, kept.note
        return kept_row(sample)


class SignSheet(SheetView):
    """Sign the open sheet."""

    permission = RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        try:
            validation.sign(self.store, self.person)
        except ValidationRefused as refused:
            messages.warning(request, str(refused))
        return redirect("admin:validation", slug)


class SheetExport(SheetView):
    """The sheet's levels of one chip as CSV, streamed."""

    def get(self, request: HttpRequest, slug: str) -> StreamingHttpResponse:
        which = request.GET.get("show", "all")
        lines = self.lines(shown(self.store, which).order_by("pk").iterator(2000))
        response = StreamingHttpResponse(lines, content_type="text/csv")
        response["Content-Disposition"] = f'attachment; filename="ats-{self.store.slug}.csv"'
        return response

    @staticmethod
    def lines(rows: Iterator[Any]) -> Iterator[str]:
        """Header, then a line for each level."""
        yield "\ufeff" + csv_line(COLUMNS)
        for row in map(sheet_row, rows):
            yield csv_line(
                (
                    *(row.variant.label, row.place, row.on_hand, row.released, row.ats, row.target),
                    *(row.store_on_hand, row.committed, row.available, row.difference),
                    row.why or row.stands.word.label,
                    row.read_at.isoformat(timespec="seconds") if row.read_at else None,
                )
            )
