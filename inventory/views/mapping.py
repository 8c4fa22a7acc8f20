"""Which location of a store each of our locations is sold from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connectors.models import StoreLocation
from connectors.views.frame import StorePage
from inventory.mapping import MappingRefused, map_locations, propose_by_name
from inventory.models import Location, LocationMapping


@dataclass(frozen=True)
class MappingRow:
    """One of our locations with what it is mapped to, and what its name suggests."""

    location: Location
    current: int | None
    proposed: StoreLocation | None
    shares: int


class MappingsPage(StorePage):
    """Unmapped first; a proposal by equal names; a change says what becomes of the quantities."""

    title = "Mappings"
    tab = "mappings"
    template_name = "inventory/mappings.html"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, problem: str = "", remedy: str = "") -> HttpResponse:
        """The table, and a problem with the last attempt."""
        targets = list(self.store.locations.all())
        current = dict(LocationMapping.objects.filter(store=self.store).values_list("location", "store_location"))
        proposals = propose_by_name(self.store)
        by_id = {target.pk: target for target in targets}
        shared = Counter(current.values())
        rows = [
            MappingRow(
                location,
                current.get(location.pk),
                None if location.pk in current else by_id.get(proposals.get(location.pk) or 0),
                shared[current[location.pk]] if location.pk in current else 0,
            )
            for location in Location.objects.all()
        ]
        rows.sort(key=lambda row: (row.current is not None, row.location.name))
        return self.page(
            status=status,
            rows=rows,
            targets=targets,
            problem=problem,
            remedy=remedy,
            may_map=self.can("connectors.map_locations"),
            proposals=any(row.proposed for row in rows),
        )

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        if not self.can("connectors.map_locations"):
            return self.refuse("connectors.map_locations")
        known = {str(pk) for pk in self.store.locations.values_list("pk", flat=True)}
        wanted: dict[int, int | None] = {}
        for location in Location.objects.all():
            value = request.POST.get(f"location-{location.pk}", "")
            if request.POST.get("all_to") in known:
                value = request.POST["all_to"]
            wanted[location.pk] = int(value) if value in known else None
        try:
            result = map_locations(self.store, wanted, self.person)
        except MappingRefused as refused:
            return self.show(status=422, problem=refused.cause, remedy=refused.remedy)
        messages.success(request, f"{sum(1 for to in wanted.values() if to)} of {len(wanted)} locations are mapped.")
        for sentence in result.words:
            messages.warning(request, sentence)
        return redirect("admin:store_mappings", self.store.slug)
