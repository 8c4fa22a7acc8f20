"""The inbox of webhooks, one delivery, its decisions, and a store's subscriptions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from connectors import changes, inbox, registry, subscriptions, timeliness
from connectors.models import Store, WebhookDelivery, WebhookSubscription
from connectors.models.webhooks import ChangeState, DeliveryState, SubscriptionState
from connectors.ports.errors import ConnectorError
from connectors.ports.webhooks import NotUnderstood
from connectors.privacy import PERSONAL_RIGHT
from connectors.subscriptions import CheckRefused
from connectors.timeliness import Delay, Timeliness
from connectors.views.frame import StorePage
from connectors.views.ignoring import ignore_with_reason
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.charts import Chart, chart
from syncconsole.kernel.keyset import about, page_of
from syncconsole.kernel.templatetags.console import duration, n

SEE_RIGHT: Final = "connectors.view_webhookdelivery"
FILTERS: Final = ("store", "topic", "state")
CHARTED: Final = 6
"""Topics in the chart of delays; the table has them all."""


def found_deliveries(request: HttpRequest) -> QuerySet[WebhookDelivery, WebhookDelivery]:
    """Deliveries by the filters in the address: store, topic, state; without their bodies."""
    rows = WebhookDelivery.objects.select_related("store").defer("body")
    if slug := request.GET.get("store"):
        rows = rows.filter(store__slug=slug)
    if topic := request.GET.get("topic"):
        rows = rows.filter(topic=topic)
    if (state := request.GET.get("state")) in DeliveryState.values:
        rows = rows.filter(state=state)
    return rows


class InboxPage(ConsolePage):
    """Every delivery, newest first."""

    permission = SEE_RIGHT
    title = "Webhooks"
    template_name = "connectors/inbox.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = found_deliveries(request)
        page = page_of(request, rows, "-id")
        return self.page(
            rows=page.rows,
            keyset=page,
            stores=Store.objects.all(),
            topics=sorted(topic.name for topic in registry.webhooks().topics),
            states=DeliveryState,
            filtered=any(request.GET.get(name) for name in FILTERS),
            failed=WebhookDelivery.objects.filter(state=DeliveryState.FAILED).count(),
            waiting=WebhookDelivery.objects.filter(state=DeliveryState.RECEIVED).count(),
            changes_failed=changes.found(states=[ChangeState.FAILED]).count(),
            all_of_them=about(WebhookDelivery),
        )


class DeliveryView(ConsolePage):
    """Something about one delivery."""

    permission = SEE_RIGHT
    delivery: WebhookDelivery

    def find(self, **kwargs: Any) -> None:
        rows = WebhookDelivery.objects.select_related("store", "settled_by")
        self.delivery = get_object_or_404(rows, pk=kwargs["pk"])

    def back(self) -> HttpResponse:
        """To the delivery's page."""
        return redirect("admin:webhook", self.delivery.pk)


class DeliveryPage(DeliveryView):
    """One delivery: what its headers said, what came of it, its body as far as the role may see it."""

    template_name = "connectors/delivery.html"

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Webhooks", reverse("admin:webhooks")), Crumb(f"{self.delivery.topic} #{self.delivery.pk}")]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        personal = self.can(PERSONAL_RIGHT)
        body, hidden = shown_body(self.delivery, personal=personal)
        delivery = self.delivery
        facts = [
            ("Delivery", delivery.delivery_ref),
            ("Event", delivery.event_ref or "–"),
            ("API version", delivery.api_version or "–"),
            ("About", delivery.object_ref or "–"),
            ("Came again", f"{delivery.duplicates:,}×" if delivery.duplicates else "never"),
            ("Tries", f"{delivery.attempts:,}"),
        ]
        return self.page(
            delivery=delivery,
            facts=facts,
            body=body,
            hidden=hidden,
            masked=not personal,
            zone=delivery.store.zone,
            may_handle=self.can(inbox.HANDLE_RIGHT),
            may_retry=delivery.state in (DeliveryState.FAILED, DeliveryState.IGNORED),
            may_ignore=delivery.state == DeliveryState.FAILED,
        )


def shown_body(delivery: WebhookDelivery, *, personal: bool) -> tuple[str, str]:
    """The body as text and, where it may not be shown, why not. Secrets are masked for everybody."""
    raw = bytes(delivery.body)
    try:
        content = registry.webhooks().shown(delivery.topic, raw, personal=personal)
    except NotUnderstood as exc:
        if not personal:
            return "", f"{exc.cause} What of it is personal is not known, so your role does not see it."
        return raw.decode("utf-8", "replace")[:20_000], ""
    return json.dumps(content, ensure_ascii=False, indent=2)[:200_000], ""


class RetryDelivery(DeliveryView):
    """Have a failed or ignored delivery understood again."""

    permission = inbox.HANDLE_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if inbox.retry(self.delivery, by=self.person):
            messages.success(request, "It is understood again in a moment.")
        else:
            messages.info(request, "It waits, or was understood, already.")
        return self.back()


class IgnoreDelivery(DeliveryView):
    """Leave a failed delivery for good."""

    permission = inbox.HANDLE_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        ignore_with_reason(request, partial(inbox.ignore, self.delivery, by=self.person))
        return self.back()


@dataclass(frozen=True)
class TopicRow:
    """A topic of a store with what its deliveries of the last day were like; `delay` is None where none came."""

    subscription: WebhookSubscription
    delay: Delay | None

    @property
    def is_active(self) -> bool:
        """The store tells of it."""
        return self.subscription.state == SubscriptionState.ACTIVE

    @property
    def median(self) -> str:
        """Half of the deliveries took no longer."""
        return took(self.delay.median if self.delay else None)

    @property
    def p95(self) -> str:
        """95 % of the deliveries took no longer."""
        return took(self.delay.p95 if self.delay else None)


class StoreWebhooksPage(StorePage):
    """What one store should tell, and whether it does."""

    permission = SEE_RIGHT
    title = "Webhooks"
    tab = "webhooks"
    template_name = "connectors/store_webhooks.html"

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        day = timeliness.of_store(self.store.pk)
        rows = [TopicRow(row, day.of(row.topic)) for row in self.store.subscriptions.all()]
        # What needs somebody comes first.
        rows.sort(key=lambda row: (row.is_active, row.subscription.topic))
        return self.page(
            rows=rows,
            active=sum(row.is_active for row in rows),
            scores=day.scores,
            polled=set(self.store.feeds.values_list("kind", flat=True)),
            chart=delays_of_topics(day),
            may_check=self.can(subscriptions.CHECK_RIGHT),
        )


def delays_of_topics(day: Timeliness) -> Chart:
    """How long deliveries took, of the topics that took longest."""
    measured = [(delay.p95, delay) for delay in day.delays if delay.p95 is not None]
    slowest = [delay for _, delay in sorted(measured, key=lambda pair: -pair[0])[:CHARTED]]
    return chart(
        "Do webhooks arrive?",
        "seconds, from change to arrival, 24 h",
        kind="bar",
        axis="Topic",
        series=["half within", "95 % within"],
        rows=[(delay.topic, [tenths(delay.median), tenths(delay.p95)]) for delay in slowest],
        summary=f"Slowest: {slowest[0].topic}, 95 % within {took(slowest[0].p95)}." if slowest else "",
        empty="No webhook arrived in the last 24 hours.",
        sideways=True,
    )


def tenths(seconds: float | None) -> float | None:
    """Seconds to one decimal."""
    return None if seconds is None else round(seconds, 1)


def took(seconds: float | None) -> str:
    """A delay as people read it: tenths below a minute, then two units; unknown is a dash."""
    return duration(seconds) if seconds is None or seconds >= 60 else f"{n(tenths(seconds))} s"


class CheckSubscriptions(StorePage):
    """Compare the store's subscriptions with those we want, now."""

    permission = subscriptions.CHECK_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        try:
            report = subscriptions.check(self.store)
        except (CheckRefused, ConnectorError) as exc:
            messages.warning(request, f"{exc.cause} {exc.remedy}")
        else:
            made = len(report.made) + len(report.restored)
            messages.success(request, f"{len(report.states)} topics checked, {made} subscribed to.")
        return redirect("admin:store_webhooks", slug)
