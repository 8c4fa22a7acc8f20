"""Webhook subscriptions of one shop, those this app made through the API (reference 7.1)."""

from __future__ import annotations

from typing import Any

import msgspec

from connectors.ports.webhooks import RemoteSubscription
from connectors.shopify.client import ShopifyClient
from connectors.shopify.mutations import SimpleWrite, refused, send_mutation
from connectors.shopify.pages import Connection
from connectors.shopify.webhooks import TOPIC_OF


class _Subscription(msgspec.Struct, rename="camel"):
    id: str
    topic: str
    uri: str
    format: str
    filter: str | None = None
    include_fields: list[str] = []


class _List(msgspec.Struct, rename="camel"):
    webhook_subscriptions: Connection[_Subscription]


class _Created(SimpleWrite, rename="camel"):
    webhook_subscription: _Subscription | None = None


class ShopifySubscriptions:
    """`SubscriptionsPort` for one shop. Safe to share between threads."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client

    def webhook_subscriptions(self) -> list[RemoteSubscription]:
        """All of them, all pages."""
        found: list[RemoteSubscription] = []
        after: str | None = None
        while True:
            page = self._client.execute("webhooks_list", {"after": after}).read(_List).webhook_subscriptions
            found += [_neutral(node) for node in page.nodes]
            if not page.page_info.has_next_page:
                return found
            after = page.page_info.end_cursor

    def subscribe(self, topic: str, address: str) -> RemoteSubscription:
        """Have `topic` sent to `address` as JSON. Raises RequestRejected when the shop refuses, and OutcomeUnknown
        when its answer was lost: the list tells whether it is there."""
        variables: dict[str, Any] = {"topic": enum_of(topic), "subscription": {"uri": address, "format": "JSON"}}
        made, reply = send_mutation(self._client, "webhook_create", variables, _Created)
        if made.webhook_subscription is None or made.user_errors:
            raise refused(reply, made.user_errors, "Correct what it names, then check the subscriptions again.")
        return _neutral(made.webhook_subscription)

    def unsubscribe(self, ref: str) -> None:
        """Remove a subscription; one that is gone already is no error."""
        gone, reply = send_mutation(self._client, "webhook_delete", {"id": ref}, SimpleWrite)
        if gone.user_errors and not any("does not exist" in error.message.lower() for error in gone.user_errors):
            raise refused(reply, gone.user_errors, "Remove the subscription in Shopify, then check again.")


def enum_of(topic: str) -> str:
    """The API's word for a topic: orders/create → ORDERS_CREATE."""
    return topic.replace("/", "_").upper()


def _neutral(node: _Subscription) -> RemoteSubscription:
    return RemoteSubscription(
        ref=node.id,
        topic=TOPIC_OF.get(node.topic, node.topic),
        address=node.uri,
        is_json=node.format == "JSON",
        is_complete=not node.filter and not node.include_fields,
    )
