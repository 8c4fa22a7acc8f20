"""From which day on orders of a store count: what another day would change is seen before it is saved."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from connectors import registry, rereads, scopes
from connectors.models import Store
from connectors.models.stores import ExcludedRefunds
from connectors.ports.access import SHIPPING
from connectors.store_settings import CHANGE_RIGHT
from connectors.views.frame import StorePage
from orders import all_settings, integration, outgoing, retention
from orders.models import Refund, RefundState
from orders.outgoing import SendingRefused

STOCK_FIELDS = ("opening_orders", "keep_goods")


class DayForm(forms.Form):
    """The day; not in the future by more than a year, which is a slip of the pen."""

    day = forms.DateField(
        label="Orders count from",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Choose the day.", "invalid": "Write the day like 2026-11-21."},
    )


class StockForm(forms.ModelForm):  # type: ignore[type-arg]
    """What older orders and goods cancelled without restock mean for our stock."""

    class Meta:
        model = Store
        fields = STOCK_FIELDS


class RhythmForm(forms.ModelForm):  # type: ignore[type-arg]
    """How often orders are asked for."""

    class Meta:
        model = Store
        fields = ("import_minutes",)


class ExcludedRefundsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What refunds of orders that are left out by date become."""

    class Meta:
        model = Store
        fields = ("excluded_refunds",)


class KeepForm(forms.ModelForm):  # type: ignore[type-arg]
    """How long orders name who bought."""

    class Meta:
        model = Store
        fields = ("keep_months",)


class IntegrationPage(StorePage):
    """The day, a preview of another one, how often orders are asked for, and what they mean for stock."""

    tab: ClassVar[str] = "orders"
    title = "Orders"
    template_name = "orders/integration.html"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        form = DayForm(request.GET) if "day" in request.GET else DayForm(initial={"day": self.store.integration_date})
        change = (
            integration.preview(self.store, form.cleaned_data["day"]) if form.is_bound and form.is_valid() else None
        )
        return self._show(form, StockForm(instance=self.store), change)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        if not self.can(CHANGE_RIGHT):
            return self.refuse(CHANGE_RIGHT)
        doors = {
            "opening_orders": self._save_stock,
            "import_minutes": self._save_rhythm,
            "reread": self._switch_reread,
            "excluded_refunds": self._save_excluded_refunds,
            "keep_months": self._save_months,
            "fulfilments": self._switch_fulfilments,
        }
        return next((door for name, door in doors.items() if name in request.POST), self._save_day)(request)

    def _save_day(self, request: HttpRequest) -> HttpResponse:
        form = DayForm(request.POST)
        if not form.is_valid():
            return self._show(form, StockForm(instance=self.store), None, status=422)
        day = form.cleaned_data["day"]
        integration.set_day(self.store, day, by=self.person, address=request.META.get("REMOTE_ADDR"))
        messages.success(request, f"Orders of {self.store} count from {day:%-d %b %Y}. A worker imports them now.")
        return redirect("admin:store_orders", self.store.slug)

    def _save_stock(self, request: HttpRequest) -> HttpResponse:
        form = StockForm(request.POST, instance=self.store)
        if not form.is_valid():
            return self._show(DayForm(initial={"day": self.store.integration_date}), form, None, status=422)
        all_settings.change(self.store, form.cleaned_data, by=self.person)
        messages.success(request, "Saved. It holds for orders seen from now on.")
        return redirect("admin:store_orders", self.store.slug)

    def _save_rhythm(self, request: HttpRequest) -> HttpResponse:
        form = RhythmForm(request.POST, instance=self.store)
        if not form.is_valid():
            messages.warning(request, "Nothing was saved. Write the minutes as a number from 1 to 60.")
            return redirect("admin:store_orders", self.store.slug)
        all_settings.change(self.store, form.cleaned_data, by=self.person)
        messages.success(request, f"{self.store} is asked for orders every {self.store.import_minutes} minutes.")
        return redirect("admin:store_orders", self.store.slug)

    def _save_excluded_refunds(self, request: HttpRequest) -> HttpResponse:
        form = ExcludedRefundsForm(request.POST, instance=self.store)
        if form.is_valid():
            rule = ExcludedRefunds(form.cleaned_data["excluded_refunds"])
            made = integration.set_excluded_refunds(self.store, rule, by=self.person)
            follows = f" A worker makes those of {made:,} listed {'refund' if made == 1 else 'refunds'} now." * bool(
                made
            )
            messages.success(request, f"Refunds of orders left out by date: {rule.label.lower()}.{follows}")
        return redirect("admin:store_orders", self.store.slug)

    def _save_months(self, request: HttpRequest) -> HttpResponse:
        form = KeepForm(request.POST, instance=self.store)
        if not form.is_valid():
            messages.warning(request, "Nothing was saved. Write the months as a number from 1 to 1200, or nothing.")
            return redirect("admin:store_orders", self.store.slug)
        months = form.cleaned_data["keep_months"]
        retention.set_months(self.store, months, by=self.person)
        kept = "for ever" if months is None else f"for {months:,} {'month' if months == 1 else 'months'}"
        messages.success(request, f"Customers' data is kept {kept}.")
        return redirect("admin:store_orders", self.store.slug)

    def _switch_reread(self, request: HttpRequest) -> HttpResponse:
        if request.POST["reread"] == "on":
            until = rereads.switch_on(self.store, by=self.person).astimezone(self.store.zone)
            messages.success(request, f"Every night until {until:%-d %b} all orders that the store shows are listed.")
        else:
            rereads.switch_off(self.store, by=self.person)
            messages.success(request, "The daily re-read is off.")
        return redirect("admin:store_orders", self.store.slug)

    def _switch_fulfilments(self, request: HttpRequest) -> HttpResponse:
        on = request.POST["fulfilments"] == "on"
        try:
            outgoing.switch(self.store, on=on, by=self.person, address=request.META.get("REMOTE_ADDR"))
        except SendingRefused as refused:
            messages.warning(request, f"Nothing was changed. {refused.cause} {refused.remedy}")
        else:
            said = "is told of goods shipped here first, from now on" if on else "is not told of shipments any more"
            messages.success(request, f"{self.store} {said}.")
        return redirect("admin:store_orders", self.store.slug)

    def _show(
        self, form: DayForm, stock: StockForm, change: integration.Change | None, *, status: int = 200
    ) -> HttpResponse:
        asked = KeepForm(self.request.GET) if "keep_months" in self.request.GET else None
        months = asked.cleaned_data["keep_months"] if asked and asked.is_valid() else self.store.keep_months
        return self.page(
            status=status,
            form=form,
            stock=stock,
            change=change,
            excluded_refunds=ExcludedRefunds,
            listed=Refund.objects.filter(store=self.store, state=RefundState.LISTED).count(),
            months=months,
            outdated=retention.preview(self.store, months) if months else None,
            points_an_hour=round(registry.pass_points() * 60 / self.store.import_minutes),
            rereads=self.store.reread_until is not None and self.store.reread_until > timezone.now(),
            lacks=scopes.missing(self.store.scopes, SHIPPING),
            may_change=self.can(CHANGE_RIGHT),
            today=timezone.localdate(timezone=self.store.zone),
        )
