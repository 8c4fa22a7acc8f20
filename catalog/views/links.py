"""Which variants are linked to stores, and what could not be linked without a guess."""

from __future__ import annotations

from collections import Counter

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from catalog.models import ConflictKind, LinkConflict, ListedVariant
from connectors.models import Store
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.counting import kept
from syncconsole.kernel.keyset import page_of


@kept
def linked() -> dict[int, int]:
    """Store id → its variants that are linked to ours."""
    return dict(ListedVariant.objects.order_by().values_list("store").annotate(n=Count("pk")))


class LinkConflictsPage(ConsolePage):
    """Variants of stores that linking left open: both sides, cause, remedy."""

    permission = "catalog.view_linkconflict"
    title = "Listings and links"
    template_name = "catalog/links.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        found = LinkConflict.objects.select_related("store").prefetch_related("candidates__product")
        slug, kind = request.GET.get("store", ""), request.GET.get("kind", "")
        if slug:
            found = found.filter(store__slug=slug)
        counts = Counter(dict(found.order_by().values_list("kind").annotate(n=Count("pk"))))
        if kind in ConflictKind.values:
            found = found.filter(kind=kind)
        page = page_of(request, found, "id")
        linked_of = linked()
        stores = [(store, linked_of.get(store.pk, 0)) for store in Store.objects.all()]
        base = {"store": slug} if slug else {}
        chips = [{"label": "All", "url": f"?{urlencode(base)}", "count": counts.total(), "current": not kind}]
        chips += [
            {
                "label": each.label,
                "url": f"?{urlencode({**base, 'kind': each.value})}",
                "count": counts[each.value],
                "current": kind == each.value,
            }
            for each in ConflictKind
        ]
        rows = [(conflict, ConflictKind(conflict.kind)) for conflict in page.rows]
        return self.page(rows=rows, keyset=page, chips=chips, stores=stores, slug=slug)
