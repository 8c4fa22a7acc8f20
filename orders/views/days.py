"""Orders of a store, day by day: what it has, what is here, and what is not."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from connectors.models import FeedPosition
from connectors.models.webhooks import ChangeState
from connectors.views.frame import StorePage
from orders import days
from orders.intake import KIND
from syncconsole.kernel.admin import Crumb


class OrderDaysPage(StorePage):
    """A row per day, and the orders that the store has and we have not."""

    permission = "orders.view_incomingorder"
    title = "Orders by day"
    template_name = "orders/days.html"

    def crumbs(self) -> list[Crumb]:
        queue = f"{reverse('admin:order_queue')}?store={self.store.slug}"
        return [Crumb("Order queue", queue), Crumb(self.store.name, queue), Crumb(self.title)]

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        now = timezone.now()
        missing = days.not_here(self.store, now)
        return self.page(
            rows=days.of_store(self.store, now),
            missing=[(order, ChangeState(order.state)) for order in missing],
            most=days.NOT_HERE_SHOWN,
            feed=FeedPosition.objects.filter(store=self.store, kind=KIND).first(),
        )
