"""The door that has a store's order feed read now, as the schedule and `import_orders` do."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connectors import feeds, scopes
from connectors.feed_tasks import poll_feed
from connectors.models import Store
from connectors.ports.access import ORDERS
from connectors.views.frame import StorePage

READ_RIGHT: Final = "orders.import_orders"


def why_not_readable(store: Store) -> str:
    """Why the orders of `store` cannot be asked for now; empty when they can."""
    if lacks := scopes.missing(store.scopes, ORDERS):
        return f"The token lacks the scope {', '.join(lacks)}."
    return "The store rests." if store.rests else ""


class ReadOrders(StorePage):
    """Ask the store now which orders changed since the last pass; a worker does it."""

    permission = READ_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        if why_not := why_not_readable(self.store):
            messages.warning(request, f"Nothing was asked. {why_not}")
        else:
            poll_feed.send(self.store.pk, feeds.ORDER)
            messages.success(
                request, f"{self.store} is asked which orders changed. What it tells is in the queue soon."
            )
        return redirect("admin:store", slug)
