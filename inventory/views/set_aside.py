"""Set aside: levels that are frozen or refused, grouped by cause; a person lets them go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Count, Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from connectors.models import Store
from inventory import frozen
from inventory.frozen import ReleaseRefused
from inventory.models.publications import PublicationState
from inventory.views.held import tabs_of
from inventory.views.levels import LevelRow, publication_rows
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.templatetags.console import plural

SHOWN_GROUPS = 4
SAMPLES = 5


@dataclass(frozen=True)
class Group:
    """Levels of one store set aside for one cause. `units`: what deltas would send to them, net."""

    store: Store
    state: PublicationState
    cause: str
    count: int
    units: int
    read_at: dt.datetime | None
    url: str
    rows: Sequence[LevelRow]


class SetAsidePage(ConsolePage):
    """The groups, largest first, and the door that lets one go."""

    permission = "inventory.view_levelpublication"
    title = "Set aside"
    template_name = "inventory/set_aside.html"

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Held and drift", reverse("admin:held")), Crumb("Set aside")]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(tabs=tabs_of("aside"), groups=set_aside_groups(), may_release=self.can(frozen.RIGHT))


class ReleaseSetAside(ConsolePage):
    """Let all levels of one store and cause go."""

    permission = frozen.RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        asked = request.POST
        rows = frozen.set_aside().filter(store__slug=asked.get("store", ""), state_cause=asked.get("cause", ""))
        ids = list(rows.values_list("pk", flat=True))
        try:
            released = frozen.release(ids, by=self.person, reason=request.POST.get("reason", ""))
        except ReleaseRefused as refused:
            messages.warning(request, f"Nothing was let go. {refused.cause} {refused.remedy}")
        else:
            text = f"{plural(released, 'level')} let go; the next delta sends what is owed to them."
            (messages.success if released else messages.info)(request, text)
        return redirect("admin:set_aside")


def set_aside_groups() -> list[Group]:
    """Levels set aside by store and cause, most levels first."""
    rows = frozen.set_aside().order_by()
    grouped = rows.values("store", "state", "state_cause").annotate(n=Count("pk"), read_at=Max("observed_at"))
    stores = Store.objects.in_bulk()
    groups = []
    for group in sorted(grouped, key=lambda each: -each["n"])[:SHOWN_GROUPS]:
        store = stores[group["store"]]
        same = rows.filter(store=store, state=group["state"], state_cause=group["state_cause"])
        owed = same.with_target().aggregate(units=Sum("pending"))["units"]
        query = urlencode({"store": store.slug, "state": group["state"]})
        groups.append(
            Group(
                store,
                PublicationState(group["state"]),
                group["state_cause"],
                group["n"],
                owed or 0,
                group["read_at"],
                f"{reverse('admin:levels')}?{query}",
                publication_rows(list(same.order_by("pk").values_list("pk", flat=True)[:SAMPLES])),
            )
        )
    return groups
