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
from syncconsole.kernel.templatetags.console import plural


@dataclass(frozen=True)
class MappingRow:
    """One of our locations with what it is mapped to, what its name suggests, and what the form chooses: the id of a location
    of the store as text, empty for none."""

    location: Location
    current: int | None
    proposed: StoreLocation | None
    shares: int
    chosen: str


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
        rows = []
        for location in Location.objects.all():
            there = current.get(location.pk)
            proposed = None if there else by_id.get(proposals.get(location.pk) or 0)
            suggested = str(there or (proposed.pk if proposed else ""))
            chosen = self.request.POST.get(field(location), suggested)
            rows.append(MappingRow(location, there, proposed, shared[there] if there else 0, chosen))
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
        try:
            wanted = self.wanted()
            result = map_locations(self.store, wanted, self.person)
        except MappingRefused as refused:
            return self.show(status=422, problem=refused.cause, remedy=refused.remedy)
        count, mapped = Location.objects.count(), LocationMapping.objects.filter(store=self.store).count()
        messages.success(request, f"{mapped} of {plural(count, 'location')} {'is' if count == 1 else 'are'} mapped.")
        for sentence in result.words:
            messages.warning(request, sentence)
        return redirect("admin:store_mappings", self.store.slug)

    def wanted(self) -> dict[int, int | None]:
        """What the person changed of what the page showed; what somebody else has mapped meanwhile stays. Raises
        MappingRefused for what is no location."""
        given, locations = self.request.POST, Location.objects.all()
        if everywhere := given.get("all_to"):
            return dict.fromkeys((location.pk for location in locations), chosen_id(everywhere))
        fields = [(location.pk, field(location)) for location in locations]
        return {
            pk: chosen_id(given[name])
            for pk, name in fields
            if name in given and given[name] != given.get(f"was-{name}")
        }


def field(location: Location) -> str:
    """Name of the field that says where one of our locations is sold from."""
    return f"location-{location.pk}"


def chosen_id(value: str) -> int | None:
    """The location of the store that a field names; None for none. Raises MappingRefused for what is no id."""
    if value and not (value.isdecimal() and len(value) < 19):
        raise MappingRefused(f"{value} is no location of the store.", "Choose one of the list.")
    return int(value) if value else None
