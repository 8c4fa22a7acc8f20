"""What every page of one store shares: its address, tabs, breadcrumbs and time zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from connectors.models import Store
from syncconsole.kernel.admin import ConsolePage, Crumb, Tab

TABS = (
    ("health", "Health", "admin:store", "connectors.view_store"),
    ("gates", "Gates", "admin:store_gates", "connectors.view_store"),
    ("schedule", "Schedule", "admin:store_schedule", "inventory.view_schedule"),
    ("mappings", "Mappings", "admin:store_mappings", "connectors.view_store"),
    ("orders", "Orders", "admin:store_orders", "connectors.view_store"),
    ("order_names", "Order names", "admin:order_names", "orders.view_valuemapping"),
    ("webhooks", "Webhooks", "admin:store_webhooks", "connectors.view_webhookdelivery"),
    ("settings", "Settings", "", "connectors.view_store"),
    ("runs", "Runs", "admin:store_runs", "connectors.view_syncrun"),
)


def store_tabs(store: Store, current: str, permissions: Any) -> list[Tab]:
    """The tabs of a store's page that a person may open. `permissions` has `has_perm`."""
    tabs = []
    for name, label, view, permission in TABS:
        if permissions.has_perm(permission):
            url = (
                reverse(view, args=[store.slug]) if view else reverse("admin:connectors_store_change", args=[store.pk])
            )
            tabs.append(Tab(label, url, current=name == current))
    return tabs


class StorePage(ConsolePage):
    """A page of one store, found by its slug in the address. `tab` names the current tab."""

    permission = "connectors.view_store"
    tab: ClassVar[str] = ""
    store: Store

    def stores(self) -> QuerySet[Store]:
        """Where the store is looked up; overridden by pages that want more of it at once."""
        return Store.objects.all()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.store = get_object_or_404(self.stores(), slug=kwargs["slug"])
        return super().dispatch(request, *args, **kwargs)

    def crumbs(self) -> Sequence[Crumb]:
        here = [Crumb(self.title)] if self.title and self.tab != "health" else []
        return [
            Crumb("Stores", reverse("admin:stores")),
            Crumb(self.store.name, reverse("admin:store", args=[self.store.slug])),
            *here,
        ]

    def page(self, *, status: int = 200, template: str = "", **context: Any) -> TemplateResponse:
        tabs = store_tabs(self.store, self.tab, self.person)
        on_health = self.tab == "health"
        frame = {"store": self.store, "tabs": tabs, "zone": self.store.zone, "on_health": on_health}
        return super().page(status=status, template=template, **{**frame, **context})
