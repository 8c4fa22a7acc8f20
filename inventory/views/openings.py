"""Opening stock: plans by location, each as a diff against the ledger, signed and then posted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from catalog.csv_rows import FileRefused
from catalog.search import variants_found
from connectors.models import Store
from inventory import openings
from inventory.models import Location, OpeningLine, OpeningPlan
from inventory.models.openings import OpeningOutcome, OpeningSource, OpeningState
from inventory.openings import RIGHT, OpeningRefused
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.exports import csv_line
from syncconsole.kernel.keyset import page_of

SHOWN_PLANS = 20
COLUMNS = (
    "Item number",
    "Item",
    "On hand by the source",
    "As of",
    "Ledger",
    "Difference",
    "Value at cost",
    "Outcome",
    "Cause",
)
CHIPS = ("changes", "to_zero", "without_cost", "equal", "left", "all")
LABELS = {
    "changes": "Differ",
    "to_zero": "To zero",
    "without_cost": "Without a cost",
    "equal": "Equal",
    "left": "Left out",
    "all": "All",
}


class OpeningsPage(ConsolePage):
    """The plans, newest first, and the form of a new one."""

    permission = "inventory.view_openingplan"
    title = "Opening stock"
    template_name = "inventory/openings.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show({"source": OpeningSource.STORE, "location": request.GET.get("location", "")})

    def show(self, given: Any, *, status: int = 200, problem: str = "", remedy: str = "") -> HttpResponse:
        """The page with what was chosen kept, and why no plan was made."""
        return self.page(
            status=status,
            plans=OpeningPlan.objects.select_related("location", "store", "made_by", "signed_by")[:SHOWN_PLANS],
            locations=list(Location.objects.all()),
            stores=list(Store.objects.all()),
            sources=OpeningSource.choices,
            given=given,
            problem=problem,
            remedy=remedy,
            may_sign=self.can(RIGHT),
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.can(RIGHT):
            return self.refuse(RIGHT)
        try:
            plan = self.plan(request)
        except (OpeningRefused, FileRefused) as refused:
            return self.show(request.POST, status=422, problem=refused.cause, remedy=refused.remedy)
        return redirect("admin:opening", plan.pk)

    def plan(self, request: HttpRequest) -> OpeningPlan:
        """The plan that the form asks for. Raises OpeningRefused or FileRefused."""
        location = Location.objects.filter(code=request.POST.get("location", "")).first()
        source = request.POST.get("source", "")
        store = Store.objects.filter(slug=request.POST.get("store", "")).first()
        if location is None:
            raise OpeningRefused("No location is chosen.", "Choose whose stock it is.")
        if source != OpeningSource.FILE and store is None:
            raise OpeningRefused("No store is chosen.", "Choose the store that the quantities come from.")
        if source == OpeningSource.STORE and store is not None:
            return openings.plan_from_store(location, store, self.person)
        upload = request.FILES.get("file")
        if upload is None or not upload.size:
            raise OpeningRefused("No file was chosen, or it is empty.", "Choose the CSV file.")
        if upload.size > settings.MAX_UPLOAD_BYTES:
            raise OpeningRefused("The file is too large for the browser.", "Use the command opening_stock.")
        content = io.BytesIO(upload.read())
        named = store if source == OpeningSource.STORE_FILE else None
        return openings.plan_from_file(location, content, upload.name or "upload", self.person, store=named)


class OpeningView(ConsolePage):
    """A page or a door of one plan."""

    permission = "inventory.view_openingplan"
    plan: OpeningPlan

    def find(self, **kwargs: Any) -> None:
        plans = OpeningPlan.objects.select_related("location", "store", "made_by", "signed_by")
        self.plan = get_object_or_404(plans, pk=kwargs["pk"])

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Opening stock", reverse("admin:openings")), Crumb(f"{self.plan.location} #{self.plan.pk}")]

    def lines(self, which: str) -> QuerySet[OpeningLine, OpeningLine]:
        """The plan's lines of one chip and the search."""
        rows = self.plan.lines.select_related("variant__product")
        if words := self.request.GET.get("q", "").strip():
            rows = rows.filter(variant__in=variants_found(words))
        match which:
            case "changes":
                return rows.exclude(delta=0)
            case "to_zero":
                return rows.filter(quantity=0).exclude(delta=0)
            case "without_cost":
                return rows.filter(value=None)
            case "equal":
                return rows.filter(delta=0)
            case "left":
                return rows.filter(outcome=OpeningOutcome.LEFT)
            case _:
                return rows


class OpeningPage(OpeningView):
    """The plan as a diff, largest difference first; its totals, and the signature."""

    template_name = "inventory/opening.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, refused: OpeningRefused | None = None) -> HttpResponse:
        """The page, and why it was not signed."""
        plan, totals = self.plan, self.plan.totals
        left = plan.lines.filter(outcome=OpeningOutcome.LEFT).count() if plan.state == OpeningState.POSTED else 0
        counts = {**totals, "equal": totals["levels"] - totals["changes"], "left": left, "all": totals["levels"]}
        which = self.request.GET.get("show") or ("changes" if totals["changes"] else "all")
        found = page_of(self.request, self.lines(which), "-rank", "id")
        return self.page(
            status=status,
            plan=plan,
            totals=totals,
            chips=[
                {"label": LABELS[name], "count": counts[name], "url": f"?show={name}", "current": name == which}
                for name in CHIPS
            ],
            which=which,
            rows=found.rows,
            keyset=found,
            may_sign=self.can(RIGHT),
            is_open=plan.state == OpeningState.PLANNED,
            refused=refused,
        )


class SignOpening(OpeningView):
    """Sign the plan; a worker posts it."""

    permission = RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            openings.sign(self.plan, self.person)
        except OpeningRefused as refused:
            messages.warning(request, str(refused))
        return redirect("admin:opening", pk)


class DropOpening(OpeningView):
    """Leave the ledger as it is."""

    permission = RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            openings.drop(self.plan, self.person)
        except OpeningRefused as refused:
            messages.warning(request, str(refused))
        return redirect("admin:opening", pk)


class OpeningExport(OpeningView):
    """The lines of one chip as CSV, streamed."""

    def get(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        rows = self.lines(request.GET.get("show", "all")).order_by("-rank", "pk")
        response = StreamingHttpResponse(self.text(rows.iterator(2000)), content_type="text/csv")
        response["Content-Disposition"] = f'attachment; filename="opening-{self.plan.location.code}-{pk}.csv"'
        return response

    @staticmethod
    def text(rows: Iterator[OpeningLine]) -> Iterator[str]:
        """Header, then a line for each level."""
        yield "\ufeff" + csv_line(COLUMNS)
        for row in rows:
            yield csv_line(
                (
                    *(row.variant.item_number, row.variant.label, row.quantity),
                    *(row.as_of.isoformat(timespec="seconds"), row.ledger, row.delta, row.value),
                    *(OpeningOutcome(row.outcome).label, row.cause),
                )
            )
