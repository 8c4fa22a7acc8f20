"""Goods of an order that left here before the store knows, are let go without leaving, or are held elsewhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from inventory.models import Location
from orders import allocation, shipping
from orders.forms import TrackingForm
from orders.models import IncomingOrder
from orders.shipping import ShippingRefused, Units
from syncconsole.kernel.admin import ConsolePage, Crumb


class OrderGoods(ConsolePage):
    """Base of pages about the goods of one order."""

    permission = shipping.SHIP_RIGHT
    crumb: ClassVar[str]
    incoming: IncomingOrder

    def find(self, **kwargs: Any) -> None:
        found = IncomingOrder.objects.select_related("store", "sales_order")
        self.incoming = get_object_or_404(found, pk=kwargs["pk"])

    def crumbs(self) -> list[Crumb]:
        order = Crumb(f"{self.incoming.name} · {self.incoming.store}", self.order_url)
        return [Crumb("Orders", reverse("admin:sales")), order, Crumb(self.crumb)]

    @property
    def order_url(self) -> str:
        """The order's own page: of its sales order, or in the queue where it has none."""
        sale = getattr(self.incoming, "sales_order", None)
        return reverse("admin:sale", args=[sale.pk]) if sale else reverse("admin:incoming", args=[self.incoming.pk])


class GoodsPage(OrderGoods):
    """What the order holds, line by line, and the three things that a person can say of it."""

    crumb = "Goods"
    template_name = "orders/goods.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show()

    def show(
        self, *, status: int = 200, refused: ShippingRefused | None = None, form: TrackingForm | None = None
    ) -> HttpResponse:
        """The form; after a refusal with its cause, what was typed, and what is held now."""
        return self.page(
            status=status,
            incoming=self.incoming,
            form=form or TrackingForm(),
            rows=shipping.holding(self.incoming),
            locations=Location.objects.all(),
            typed=self.request.POST,
            refused=refused,
            back=self.order_url,
            zone=self.incoming.store.zone,
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = TrackingForm(request.POST)
        if not form.is_valid():
            return self.show(status=422, form=form)
        try:
            wanted = units_typed(request.POST)
            if request.POST.get("step") == "move":
                to = self._chosen_location(request.POST.get("location", ""))
                units, said = allocation.move(self.incoming, wanted, to, by=self.person), f"held at {to} from now on"
            elif request.POST.get("step") == "dispatch":
                units, said = shipping.dispatch(self.incoming, wanted, by=self.person), "let go and can be sold again"
            else:
                units = shipping.ship(self.incoming, wanted, by=self.person, tracking=form.tracking)
                said = "booked as shipped here" + self._told()
        except ShippingRefused as refused:
            return self.show(status=409, refused=refused, form=form)
        messages.success(request, f"{units:,} {'unit is' if units == 1 else 'units are'} {said}.")
        return redirect(self.order_url)

    def _chosen_location(self, code: str) -> Location:
        location = Location.objects.filter(code=code).first()
        if location is None:
            raise ShippingRefused("No location was chosen.", "Choose where the goods are held from now on.")
        return location

    def _told(self) -> str:
        return f"; {self.incoming.store} is told of it" if self.incoming.store.send_fulfilments else ""


def units_typed(asked: Any, *, blank: int | None = None) -> dict[int, Units]:
    """`units-<id>` and `held-<id>` of a form, by id. A field left blank means `blank` units, or is left out. Raises
    ShippingRefused for what is no number."""
    found: dict[int, Units] = {}
    for name, value in asked.items():
        row = name.removeprefix("units-")
        if row == name or (blank is None and not value.strip()):
            continue
        try:
            found[int(row)] = Units(int(value.strip() or blank or 0), of=int(asked.get(f"held-{row}", "")))
        except ValueError:
            raise ShippingRefused(f"“{value}” is not a number of units.", "Write whole numbers.") from None
    return found
