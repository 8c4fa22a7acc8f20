"""Webhook subscriptions: what each store should tell us is compared with what it has, and what is missing made again.

A store deletes a subscription after eight deliveries in a row failed, and anybody with the app's token may change one.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from connectors import notices, registry
from connectors.models import NoticeEvent, Store, WebhookSubscription
from connectors.models.webhooks import SubscriptionState
from connectors.ports.errors import ConnectorError, RequestRejected
from connectors.ports.webhooks import RemoteSubscription, SubscriptionsPort, Topic
from syncconsole.kernel.refusals import Refusal

log = structlog.get_logger(__name__)

CHECK_RIGHT: Final = "connectors.test_connection"
_SHOPS: Final = ".myshopify.com"


class CheckRefused(Refusal):
    """The store was not asked; says why and what to do."""


@dataclass
class SubscriptionReport:
    """What a check found and did, topic by topic."""

    store: str
    states: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    """Subscribed for the first time."""
    restored: list[str] = field(default_factory=list)
    """Had been there before, were missing or changed, and are there again."""
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Every wanted topic whose scope is granted is subscribed to."""
        return set(self.states.values()) <= {SubscriptionState.ACTIVE}

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        counts = dict(Counter(str(state) for state in self.states.values()))
        return {
            "ok": self.ok,
            "store": self.store,
            "counts": counts,
            "topics": {topic: str(state) for topic, state in self.states.items()},
            "made": self.made,
            "restored": self.restored,
            "problems": self.problems,
        }


def address_of(store: Store) -> str:
    """Where the store sends its webhooks. Raises CheckRefused when it could not reach it, or would not be believed."""
    base = settings.PUBLIC_URL.rstrip("/")
    parts = urlsplit(base)
    if urlsplit(store.base_url).netloc.endswith(_SHOPS) and (parts.scheme != "https" or _only_here(parts.hostname)):
        raise CheckRefused(
            f"The console's address is {base}, which {store.shop_domain} cannot reach.",
            "Set PUBLIC_URL to the https address under which the internet reaches the console.",
        )
    if not store.client_secret:
        raise CheckRefused(
            "The app's client secret is not set, so no delivery could be told from a forged one.",
            "Enter the client secret in the store's settings.",
        )
    return f"{base}/webhooks/{store.webhook_key}/"


def check(
    store: Store, *, only_look: bool = False, open_port: Callable[[Store], SubscriptionsPort] | None = None
) -> SubscriptionReport:
    """Compare and, unless `only_look`, make again what is missing or sends elsewhere, otherwise or not everything.

    Subscriptions that lead to another address than this store's are others' and left alone. Calls the store, so never
    inside a transaction. Raises CheckRefused, or ConnectorError when the store cannot be asked; what was done stays.
    """
    address = address_of(store)
    port = (open_port or registry.subscriptions_for)(store)
    ours: dict[str, list[RemoteSubscription]] = {}
    for found in port.webhook_subscriptions():
        if store.webhook_key in found.address:
            ours.setdefault(found.topic, []).append(found)
    report = SubscriptionReport(store.slug)
    known = {row.topic: row for row in store.subscriptions.all()}
    for topic in registry.webhooks().topics:
        row = known.pop(topic.name, None) or WebhookSubscription(store=store, topic=topic.name)
        _check_topic(port, row, topic, ours.get(topic.name, []), address, report, only_look=only_look)
    store.subscriptions.filter(topic__in=known).delete()  # not wanted any more
    if report.restored:
        _tell(store, report.restored)
    log.info("subscriptions_checked", store=store.slug, made=len(report.made), restored=len(report.restored))
    return report


def _check_topic(
    port: SubscriptionsPort,
    row: WebhookSubscription,
    topic: Topic,
    found: list[RemoteSubscription],
    address: str,
    report: SubscriptionReport,
    *,
    only_look: bool,
) -> None:
    right = [each for each in found if each.address == address and each.is_json and each.is_complete]
    if right:
        _keep(row, SubscriptionState.ACTIVE, report, ref=right[0].ref)
    elif missing := _missing_scope(row.store, topic):
        cause = f"The token lacks {missing}."
        remedy = "Add the scope to the app in Shopify and install it again, or do without this topic: polling finds it."
        _keep(row, SubscriptionState.REFUSED, report, cause=cause, remedy=remedy)
        return
    elif only_look:
        state = SubscriptionState.CHANGED if found else SubscriptionState.MISSING
        cause = "It sends elsewhere, or not everything." if found else "The store has no such subscription."
        _keep(row, state, report, ref=row.ref, cause=cause, remedy="Check now makes it again.")
        return
    elif not _make(port, row, address, report):
        return
    if not only_look:
        for wrong in found:
            if wrong.ref != row.ref:
                port.unsubscribe(wrong.ref)


def _make(port: SubscriptionsPort, row: WebhookSubscription, address: str, report: SubscriptionReport) -> bool:
    was_there = bool(row.pk and (row.ref or row.restored))
    try:
        made = port.subscribe(row.topic, address)
    except RequestRejected as exc:
        _keep(row, SubscriptionState.REFUSED, report, ref=row.ref, cause=exc.cause, remedy=exc.remedy)
        return False
    (report.restored if was_there else report.made).append(row.topic)
    _keep(row, SubscriptionState.ACTIVE, report, ref=made.ref)
    if was_there:
        WebhookSubscription.objects.filter(pk=row.pk).update(restored=F("restored") + 1, restored_at=timezone.now())
    return True


def _keep(
    row: WebhookSubscription,
    state: SubscriptionState,
    report: SubscriptionReport,
    *,
    ref: str = "",
    cause: str = "",
    remedy: str = "",
) -> None:
    row.state, row.ref, row.cause, row.remedy = state, ref, cause[:300], remedy[:300]
    row.checked_at = timezone.now()
    row.save()
    report.states[row.topic] = state
    if cause:
        report.problems[row.topic] = f"{cause} {remedy}"


def _missing_scope(store: Store, topic: Topic) -> str:
    """The scope to ask for; empty when one that opens the topic is granted."""
    return "" if not topic.scopes or store.scopes & set(topic.scopes) else topic.scopes[0]


def _only_here(host: str | None) -> bool:
    """Whether a host is one that only this machine or network knows."""
    if not host or host == "localhost" or ("." not in host.strip("[]") and ":" not in host):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _tell(store: Store, restored: list[str]) -> None:
    notices.notify(
        NoticeEvent.GATE_LOST,
        store,
        f"{store} had stopped telling of {', '.join(restored[:5])}{' …' if len(restored) > 5 else ''}.",
        "The subscriptions were made again. What was missed meanwhile is found by polling. A store drops a subscription "
        "after eight deliveries in a row failed: see whether the console was out of reach.",
        link=f"/console/stores/{store.slug}/webhooks/",
    )


def check_or_log(store: Store) -> None:
    """The hourly check: what hinders it is logged and shown by the connection's own messages."""
    try:
        check(store)
    except CheckRefused as exc:
        log.info("subscriptions_not_checked", store=store.slug, cause=exc.cause)
    except ConnectorError as exc:
        log.warning("subscriptions_not_checked", store=store.slug, cause=exc.cause)
