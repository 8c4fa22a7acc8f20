"""Changing a value of a store's order here: the page warns first that the store's next update overwrites it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from orders import edits
from orders.edits import EditRefused
from orders.models import EditedField, SalesOrderLine
from syncconsole.kernel.admin import ConsolePage, Crumb


class EditLinePage(ConsolePage):
    """One value of one line, with what the store says and what becomes of the change."""

    permission = edits.EDIT_RIGHT
    template_name = "orders/edit_line.html"
    line: SalesOrderLine

    def find(self, **kwargs: Any) -> None:
        found = SalesOrderLine.objects.select_related("order__store", "order__incoming")
        self.line = get_object_or_404(found, pk=kwargs["line"], order=kwargs["pk"])

    def crumbs(self) -> list[Crumb]:
        sale = self.line.order
        order = Crumb(f"{sale.number} · {sale.store}", reverse("admin:sale", args=[sale.pk]))
        return [Crumb("Orders", reverse("admin:sales")), order, Crumb("Change a line")]

    def get(self, request: HttpRequest, pk: int, line: int) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, refused: EditRefused | None = None) -> HttpResponse:
        """The form; after a refusal with what was typed and why it cannot stand."""
        sale = self.line.order
        return self.page(
            status=status,
            line=self.line,
            sale=sale,
            overwritten=edits.OVERWRITTEN,
            fields=EditedField,
            typed=self.request.POST,
            refused=refused,
            zone=sale.store.zone,
        )

    def post(self, request: HttpRequest, pk: int, line: int) -> HttpResponse:
        asked = request.POST
        field = EditedField.QUANTITY if asked.get("field") == EditedField.QUANTITY else EditedField.UNIT_PRICE
        try:
            edit = edits.change_line(
                self.line, field, asked.get("value", ""), reason=asked.get("reason", ""), by=self.person
            )
        except EditRefused as refused:
            return self.show(status=422, refused=refused)
        messages.success(
            request, f"{edit} is {edit.shown(edit.ours, self.line.order.currency)} until the store's next update."
        )
        return redirect("admin:sale", pk)
