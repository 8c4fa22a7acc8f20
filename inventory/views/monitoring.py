"""Monitoring: levels that should be right and are not, with cause and remedy, one tab for each trouble."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from connectors.models import Store
from inventory import monitoring
from inventory.monitoring import Trouble, Watch
from inventory.views.levels import publication_rows
from syncconsole.kernel.admin import ConsolePage, Tab
from syncconsole.kernel.keyset import page_of


class MonitoringPage(ConsolePage):
    """One store at a time: each has its own deltas, and its own reason why they did not come."""

    permission = "inventory.view_levelpublication"
    title = "Monitoring"
    template_name = "inventory/monitoring.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        stores = list(Store.objects.all())
        asked = request.GET.get("store", "")
        store = next((each for each in stores if each.slug == asked), stores[0] if stores else None)
        tab = request.GET.get("tab", "")
        trouble = Trouble(tab) if tab in Trouble.values else Trouble.MISSED
        if store is None:
            return self.page(stores=stores, store=None, tabs=[], trouble=trouble, rows=[])
        watch = Watch(store)
        rows = {each: watch.found(each) for each in Trouble}
        counts = {each: found.count() for each, found in rows.items()}
        page = page_of(request, rows[trouble], "id")
        return self.page(
            stores=stores,
            store=store,
            tabs=[
                Tab(
                    each.label, "?" + urlencode({"tab": each.value, "store": store.slug}), each is trouble, f"{count:,}"
                )
                for each, count in counts.items()
            ],
            trouble=trouble,
            rows=publication_rows([row.pk for row in page.rows]),
            oldest=min(filter(None, map(monitoring.since, page.rows)), default=None),
            keyset=page,
            count=counts[trouble],
            told=watch.why(trouble) if page.rows else None,
            minutes=int(watch.patience.total_seconds() // 60),
            zone=store.zone,
        )
