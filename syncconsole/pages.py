"""Pages that need more than one app, besides Home: stores, one store's health, the installation's health, components."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from connectors import lags, pausing
from connectors.models import Store
from connectors.pausing import PauseRefused
from connectors.progress import headline
from connectors.views.frame import StorePage
from inventory import audit
from orders.views.feeds import READ_RIGHT, why_not_readable
from syncconsole import health
from syncconsole.components import previews
from syncconsole.dashboard import charts_of_pushes, store_cards
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.models import Installation
from syncconsole.setup import left_to_do


class StoresPage(ConsolePage):
    """Every store with its health word."""

    permission = "connectors.view_store"
    title = "Stores"
    template_name = "console/stores.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(
            cards=store_cards(list(Store.objects.all()), self.person.pk), may_add=self.can("connectors.add_store")
        )


class StoreHealthPage(StorePage):
    """The store's card in large, its pause, its last runs."""

    title = "Health"
    tab = "health"
    template_name = "console/store_health.html"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        (card,) = store_cards([self.store], self.person.pk)
        return self.page(
            card=card,
            setup=left_to_do(self.store, self.person),
            charts=charts_of_pushes(self.store.pk) if self.store.live_at else [],
            runs=[(run, headline(run)) for run in card.recent],
            feeds=list(self.store.feeds.order_by("kind")) if self.can("connectors.view_feedposition") else None,
            margin=lags.said(self.store),
            may_read_orders=self.can(READ_RIGHT),
            not_readable=why_not_readable(self.store),
            may_pause=self.can(pausing.STORE_RIGHT),
        )


class HealthPage(ConsolePage):
    """The installation: the same checks as the command doctor, the ledger check, the pause of all writes."""

    permission = "connectors.view_store"
    title = "Health"
    template_name = "console/health.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        checks = sorted(health.checks(), key=lambda check: check.ok)
        return self.page(
            checks=checks,
            failing=sum(1 for check in checks if not check.ok),
            check=audit.latest(),
            installation=Installation.current(),
            may_pause=self.can(pausing.INSTALLATION_RIGHT),
            may_audit=self.can("inventory.view_ledgerentry"),
            version=settings.VERSION,
        )


class PauseAll(ConsolePage):
    """Stop, or let go on, every write to every store."""

    permission = pausing.INSTALLATION_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        address = request.META.get("REMOTE_ADDR")
        try:
            if request.POST.get("pause") == "1":
                reason = request.POST.get("reason", "").strip()
                pausing.pause_all(by=self.person, reason=reason, address=address)
                said = "All writes are paused. Plans and reads go on."
            else:
                pausing.resume_all(by=self.person, address=address)
                said = "Writes go on."
        except PauseRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        else:
            messages.success(request, said)
        return redirect("admin:health")


class CheckLedger(ConsolePage):
    """Run the ledger check now."""

    permission = "inventory.view_ledgerentry"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        result = audit.audit_ledger()
        if result.green:
            messages.success(
                request, f"Checked {result.levels:,} levels and {result.entries:,} entries: 0 differences."
            )
        else:
            messages.warning(
                request, f"The ledger check found {result.found:,} differences. They are listed on the ledger's page."
            )
        return redirect("admin:ledger" if not result.green else "admin:health")


class ComponentsPage(ConsolePage):
    """Every component in its states, for looking at; only where DEBUG is on."""

    title = "Components"
    template_name = "console/components.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not settings.DEBUG:
            raise Http404
        return self.page(previews=previews())


urlpatterns: list[URLPattern] = [
    path("stores/", StoresPage.as_view(), name="stores"),
    path("stores/<slug:slug>/", StoreHealthPage.as_view(), name="store"),
    path("health/", HealthPage.as_view(), name="health"),
    path("health/pause/", PauseAll.as_view(), name="pause_all"),
    path("ledger/check/", CheckLedger.as_view(), name="check_ledger"),
    path("_components/", ComponentsPage.as_view(), name="components"),
]
