"""What becomes of a store when its shop removes the app, or changes what the app may do there."""

from __future__ import annotations

import structlog
from django.utils import timezone

from connectors import pausing
from connectors.models import Store, WebhookDelivery, WebhookSubscription
from connectors.models.webhooks import SubscriptionState
from connectors.ports.webhooks import Understood

log = structlog.get_logger(__name__)

CAUSE = "The app was uninstalled from the shop, so its token is dead."
REMEDY = "Install the app again, enter its token in the store's settings, test the connection, then resume writes."


def uninstalled(store: Store, delivery: WebhookDelivery, _: Understood) -> None:
    """Stop writing to the store and say why. News from before a connection test that found all well is old news.

    Call it inside the transaction that settles the delivery.
    """
    told_at = delivery.triggered_at or delivery.received_at
    now = Store.objects.select_for_update().get(pk=store.pk)
    if now.connection_checked_at and now.connection_checked_at > told_at and not now.connection_cause:
        log.info("uninstalled_before_the_last_test", store=store.slug, delivery=delivery.pk)
        return
    Store.objects.filter(pk=store.pk).update(connection_cause=CAUSE, connection_remedy=REMEDY)
    WebhookSubscription.objects.filter(store=store).update(
        state=SubscriptionState.MISSING, ref="", cause=CAUSE, remedy=REMEDY, checked_at=timezone.now()
    )
    pausing.pause_store(store, by=None, reason=f"{CAUSE} {REMEDY}")
    log.warning("app_uninstalled", store=store.slug)


def scopes_changed(store: Store, delivery: WebhookDelivery, _: Understood) -> None:
    """Ask the shop what the app may do now, after the commit."""
    from connectors.webhook_tasks import ask_for_scopes

    ask_for_scopes.send(store.pk)
    log.info("scopes_changed", store=store.slug, delivery=delivery.pk)
