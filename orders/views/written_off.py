"""Written-off returns: goods that refunds did not put back in stock, each until somebody does."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from connectors.models import Store
from inventory.models import LedgerEntry
from inventory.models.ledger import EntryKind
from inventory.search import levels_found
from orders import put_back, written_off
from orders.written_off import RETURN_RIGHT, ReturnRefused
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.keyset import page_of


def order_of(entry: LedgerEntry) -> str:
    """The order that an entry is about, as people call it."""
    return entry.document.rpartition(":")[2]


class WrittenOffPage(ConsolePage):
    """What was written off, newest first, with *Return to stock*."""

    permission = "inventory.view_ledgerentry"
    title = "Written-off returns"
    template_name = "orders/written_off.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        stores = list(Store.objects.all())
        store = next((each for each in stores if each.slug == request.GET.get("store")), None)
        rows = written_off.written_off(store).select_related("level__variant__product", "level__location")
        if words := request.GET.get("q", "").strip():
            rows = rows.filter(level__in=levels_found(words))
        page = page_of(request, rows, "-id")
        asked = put_back.asked_about(page.rows)
        return self.page(
            rows=[(row, int(-row.on_hand_delta), order_of(row), asked.get(row.pk)) for row in page.rows],
            keyset=page,
            may_return=self.can(RETURN_RIGHT),
            stores=stores,
            filtered=bool(words or store),
        )


class ReturnToStock(ConsolePage):
    """Put units back; a repeat puts nothing back a second time."""

    permission = RETURN_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = LedgerEntry.objects.filter(kind=EntryKind.WRITTEN_OFF).select_related("level__variant__product")
        entry = get_object_or_404(found, pk=pk)
        if order := put_back.asked_about([entry]).get(entry.pk):
            messages.warning(request, f"Nothing was put back. Say first whether {order.store} did it for {order.name}.")
            return redirect("admin:put_back", order.pk)
        quantity, reason = request.POST.get("quantity", ""), request.POST.get("reason", "")
        if not quantity.isdigit() or len(quantity) > 9:
            messages.warning(request, "Nothing was put back. Give how many units, in digits, and the reason.")
            return redirect("admin:written_off")
        try:
            written_off.return_to_stock(
                entry, int(quantity), by=self.person, reason=reason, address=request.META.get("REMOTE_ADDR")
            )
        except ReturnRefused as refused:
            messages.warning(request, f"Nothing was put back. {refused.cause} {refused.remedy}")
        else:
            messages.success(request, f"{int(quantity):,} × {entry.level.variant.label} put back; the stores follow.")
        return redirect("admin:written_off")
