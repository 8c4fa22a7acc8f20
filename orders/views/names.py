"""What a store's gateways, shipping methods, taxes and business buyers are called here: seen in its orders, named in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connectors.models import Store
from connectors.views.frame import StorePage
from orders import all_settings, mappings
from orders.mappings import Rule, ValueInUse
from orders.models import MappedKind, Unmapped

SHOWN: Final = 200
"""Values of one kind on the page; the others are found by their words."""


@dataclass(frozen=True)
class KindTable:
    """The values of one kind, and what becomes of those without a name."""

    kind: MappedKind
    rule: Rule
    rows: list[ValueInUse]
    masked: bool = False
    """They tell who bought, and the person may not see that."""

    @property
    def shown(self) -> list[ValueInUse]:
        """As many as fit on the page: those that stop orders first."""
        return [] if self.masked else self.rows[:SHOWN]

    @property
    def left_out(self) -> int:
        """How many values are found only by their words."""
        return len(self.rows) - len(self.shown)

    @property
    def unnamed(self) -> int:
        """Values without a name of their own."""
        return sum(not row.ours for row in self.rows)

    @property
    def waiting(self) -> int:
        """Orders that wait for a name."""
        return sum(row.waiting for row in self.rows)


class TaxFieldsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Where the shop keeps tax ids."""

    class Meta:
        model = Store
        fields = ("tax_fields",)


class OrderNamesPage(StorePage):
    """A table for each kind, values without a name first; a saved name lets the orders go on that wait for it."""

    permission = "orders.view_valuemapping"
    title = "Order names"
    tab = "order_names"
    template_name = "orders/names.html"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.show(TaxFieldsForm(instance=self.store))

    def show(self, tax_fields: TaxFieldsForm, *, status: int = 200) -> HttpResponse:
        """The tables; after metafields that are not written as names with what was typed."""
        request = self.request
        names, words = mappings.of_store(self.store), request.GET.get("q", "").strip().casefold()
        rows = [
            row for row in mappings.in_use(self.store) if words in row.value.casefold() or words in row.ours.casefold()
        ]
        may_name = self.can(mappings.MAP_RIGHT)
        tables = [
            KindTable(
                kind,
                names.rule(kind),
                [row for row in rows if row.kind == kind],
                masked=kind is MappedKind.CUSTOMER and not mappings.may_see_businesses(self.person),
            )
            for kind in MappedKind
        ]
        return self.page(
            status=status,
            tables=tables,
            choices=Unmapped,
            may_name=may_name,
            businesses=MappedKind.CUSTOMER,
            tax_fields=tax_fields,
        )

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        if not self.can(mappings.MAP_RIGHT):
            return self.refuse(mappings.MAP_RIGHT)
        asked = request.POST
        if "tax_fields" in asked:
            return self._save_tax_fields(request)
        if asked.get("kind") not in MappedKind.values or asked.get("unmapped") not in Unmapped.values:
            messages.warning(request, "Nothing was saved: the form was not complete. Save it again.")
            return redirect("admin:order_names", slug)
        kind = MappedKind(asked["kind"])
        rule = Rule(Unmapped(asked["unmapped"]), asked.get("default", "").strip()[:120])
        names = dict(zip(asked.getlist("value"), (name[:120] for name in asked.getlist("ours")), strict=False))
        released = mappings.save(self.store, kind, rule, names, by=self.person)
        named = sum(bool(name.strip()) for name in names.values())
        goes_on = f"; {released:,} waiting orders go on" if released else ""
        messages.success(request, f"{kind.label}: {named:,} of {len(names):,} values have a name of ours{goes_on}.")
        return redirect("admin:order_names", slug)

    def _save_tax_fields(self, request: HttpRequest) -> HttpResponse:
        form = TaxFieldsForm(request.POST, instance=self.store)
        if not form.is_valid():
            return self.show(form, status=422)
        all_settings.change(self.store, form.cleaned_data, by=self.person)
        messages.success(request, "Saved. It holds for orders read from now on.")
        return redirect("admin:order_names", self.store.slug)
