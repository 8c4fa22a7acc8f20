"""Waves: the list, making one from released orders, and one wave from its pick list to what was shipped."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property

from connectors.models import Store
from inventory.models import Location
from orders import picking, waves
from orders.models import Wave, WaveLine, WaveLineState, WaveState
from orders.paper import pick_list_of
from orders.shipping import ShippingRefused
from orders.views.goods import units_typed
from orders.waves import SEE_RIGHT, LeftOut, WaveRefused
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.keyset import page_of

USUAL: Final = 20
"""Orders that a new wave offers unless another number is asked for."""


class WavesPage(ConsolePage):
    """Every wave, newest first."""

    permission = SEE_RIGHT
    title = "Waves"
    template_name = "orders/waves.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        page = page_of(request, self.found().select_related("location", "created_by"), "-id")
        return self.page(
            rows=page.rows,
            keyset=page,
            states=WaveState,
            locations=Location.objects.all(),
            stores=Store.objects.all(),
            filtered=any(request.GET.get(name) for name in ("store", "state", "location")),
            may_wave=self.can(waves.WAVE_RIGHT),
        )

    def found(self) -> QuerySet[Wave, Wave]:
        """Waves by the filters in the address, each with the sums of its lines."""
        asked = self.request.GET
        rows = waves.summed()
        if asked.get("state") in WaveState.values:
            rows = rows.filter(state=asked["state"])
        if code := asked.get("location"):
            rows = rows.filter(location__code=code)
        return waves.with_orders_of(rows, asked["store"]) if asked.get("store") else rows


class NewWavePage(ConsolePage):
    """Choose where, of which store and how many; what would be picked stands below, oldest order first."""

    permission = waves.WAVE_RIGHT
    template_name = "orders/new_wave.html"

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Waves", reverse("admin:waves")), Crumb("New wave")]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request.GET)

    def show(self, asked: Any, *, status: int = 200, refused: WaveRefused | None = None) -> HttpResponse:
        """The filters as they were given, and the orders that they let through."""
        locations = list(Location.objects.all())
        location = next((each for each in locations if each.code == asked.get("location")), None)
        store = Store.objects.filter(slug=asked.get("store", "")).first()
        limit = how_many(asked.get("limit", ""))
        offered = waves.choices(location, store=store, parts="parts" in asked, limit=limit) if location else []
        rows = list(offered)
        return self.page(
            status=status,
            refused=refused,
            asked=asked,
            locations=locations,
            location=location,
            stores=Store.objects.all(),
            limit=limit,
            most=waves.MOST,
            rows=rows,
            units=sum(vars(row)["units_here"] for row in rows),
            intent=uuid.uuid4(),
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        asked = request.POST
        location = get_object_or_404(Location, code=asked.get("location", ""))
        chosen = [int(pk) for pk in asked.getlist("order") if pk.isdigit() and len(pk) < 19]
        try:
            intent = uuid.UUID(asked.get("intent", ""))
            made = waves.create(location, chosen, intent=intent, by=self.person)
        except ValueError:
            return self.show(asked, status=422, refused=WaveRefused("The form was cut off.", "Send it again."))
        except WaveRefused as refused:
            return self.show(asked, status=409, refused=refused)
        if made.left_out:
            messages.warning(request, f"Left out: {told(made.left_out)}.")
        return redirect("admin:wave", made.wave.pk)


class WavePage(ConsolePage):
    """One wave: what is to pick, what became of each line, completing with what was picked."""

    permission = SEE_RIGHT
    template_name = "orders/wave.html"
    wave: Wave

    def find(self, **kwargs: Any) -> None:
        self.wave = get_object_or_404(Wave.objects.select_related("location", "created_by", "closed_by"), **kwargs)

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Waves", reverse("admin:waves")), Crumb(str(self.wave))]

    @cached_property
    def lines(self) -> list[WaveLine]:
        """All lines, those of one order together, oldest order first."""
        found = self.wave.lines.select_related(
            "stock__order__store", "stock__order__sales_order", "stock__variant__product", "replaced_by"
        ).defer("stock__order__snapshot")
        return list(found.order_by("stock__order__remote_created_at", "stock__order_id", "pk"))

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, refused: WaveRefused | ShippingRefused | None = None) -> HttpResponse:
        """The wave; after a refusal with its cause and what was typed."""
        waiting = [line for line in self.lines if line.state == WaveLineState.OPEN]
        typed = self.request.POST
        return self.page(
            status=status,
            wave=self.wave,
            waiting=[(line, typed.get(f"units-{line.pk}", line.quantity)) for line in waiting],
            settled=[line for line in self.lines if line.state != WaveLineState.OPEN],
            units=sum(line.quantity for line in waiting),
            orders=len({line.stock.order_id for line in waiting}),
            may_wave=self.can(waves.WAVE_RIGHT),
            reason=typed.get("reason", ""),
            refused=refused,
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.can(waves.WAVE_RIGHT):
            return self.refuse(waves.WAVE_RIGHT)
        try:
            if request.POST.get("step") == "void":
                waves.void(self.wave, reason=request.POST.get("reason", ""), by=self.person)
                messages.success(request, f"{self.wave} is voided; its goods are released again.")
            else:
                self.complete(request)
        except (WaveRefused, ShippingRefused) as refused:
            return self.show(status=409, refused=refused)
        return redirect("admin:wave", pk)

    def complete(self, request: HttpRequest) -> None:
        """Ship what the form says was picked. Raises WaveRefused or ShippingRefused."""
        done = waves.complete(self.wave, units_typed(request.POST, blank=0), by=self.person)
        messages.success(request, f"{done.units:,} {'unit is' if done.units == 1 else 'units are'} booked as shipped.")
        if done.left_out:
            messages.warning(request, f"Not booked, look again: {told(done.left_out)}.")


class PickList(ConsolePage):
    """What is still to pick, as PDF to print."""

    permission = SEE_RIGHT

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        wave = get_object_or_404(Wave.objects.select_related("location"), pk=pk)
        pdf = pick_list_of(wave, picking.waiting(wave))
        response = HttpResponse(pdf, content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="wave-{wave.pk}.pdf"'
        return response


def how_many(typed: str) -> int:
    """The number of orders asked for, within what a wave takes."""
    return min(max(int(typed), 1), waves.MOST) if typed.isdigit() and len(typed) < 9 else USUAL


def told(left_out: list[LeftOut]) -> str:
    """Orders that were left out, each with its cause."""
    return "; ".join(f"{each.order}: {each.cause}" for each in left_out)
