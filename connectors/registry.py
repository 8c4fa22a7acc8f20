"""Store row → adapter. The only importer of adapters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import redis
from django.conf import settings

from connectors.access import RenewedToken
from connectors.http import build_client
from connectors.models import Store
from connectors.models.stores import Grant
from connectors.ports.access import Capability, TokenSource
from connectors.ports.errors import FeatureNotSupported
from connectors.ports.store import StorePort
from connectors.resting import StoreStanding

if TYPE_CHECKING:
    from connectors.ports.webhooks import SubscriptionsPort, WebhookDialect
    from connectors.shopify.contract import Contract

_ports: dict[tuple[int, str, str, str], StorePort] = {}


def store_for(store: Store) -> StorePort:
    """The port to `store`, made once per process for its address, access and version. A token that renews itself is no
    part of that: the port asks for it.

    Raises CredentialsRejected when the base URL names a host this installation does not call.
    """
    identity = (store.pk, store.base_url, _access(store), store.api_version)
    if identity not in _ports:
        _forget(store.pk)
        _ports[identity] = _build(store)
    return _ports[identity]


def pass_points() -> int:
    """Points that one pass over the order feed costs when nothing is new: it asks twice (`feeds.poll`)."""
    from connectors.shopify.documents import document

    return 2 * document("orders_changed").points


def _access(store: Store) -> str:
    if store.grant == Grant.CLIENT_CREDENTIALS:
        return f"{store.grant} {store.client_id} {store.client_secret}"
    return str(store.access_token)


def _forget(store_id: int) -> None:
    for identity in [known for known in _ports if known[0] == store_id]:
        _ports.pop(identity).close()


def _build(store: Store) -> StorePort:
    from connectors.pacing import RedisPacer
    from connectors.shopify.adapter import ShopifyStore

    pacer = RedisPacer(redis.Redis.from_url(settings.REDIS_URL), key=f"shopify:{store.pk}")
    http = build_client()
    return ShopifyStore(
        base_url=store.base_url,
        token=_token_source(store, http),
        api_version=store.api_version,
        pacer=pacer,
        allowed_hosts=settings.ALLOWED_API_HOSTS,
        standing=StoreStanding(store),
        http=http,
    )


def _token_source(store: Store, http: httpx.Client) -> str | TokenSource:
    """Where the port finds its token. The address is checked by the port before it asks for one."""
    from connectors.shopify.grant import ask_token

    if store.grant != Grant.CLIENT_CREDENTIALS:
        return str(store.access_token)
    base_url = store.base_url

    def ask(client_id: str, client_secret: str) -> tuple[str, int]:
        granted = ask_token(http, base_url, client_id, client_secret)
        return granted.token, granted.seconds

    return RenewedToken(store.pk, ask)


def webhooks() -> WebhookDialect:
    """How deliveries of stores are signed, read and shown; nothing is called for it."""
    from connectors.shopify.webhooks import ShopifyWebhooks

    return ShopifyWebhooks()


def capabilities() -> Sequence[Capability]:
    """What may be done with a store, most needed first, and the scopes that each needs; nothing is called for it."""
    from connectors.shopify.capabilities import CAPABILITIES

    return CAPABILITIES


def served_until(api_version: str) -> dt.date:
    """The first day on which the stores' service need not serve this version of its API any more."""
    from connectors.shopify import capabilities

    return capabilities.served_until(api_version)


def subscriptions_for(store: Store) -> SubscriptionsPort:
    """The port to the webhook subscriptions of `store`. Raises FeatureNotSupported where it has none."""
    from connectors.shopify.adapter import ShopifyStore

    port = store_for(store)
    if isinstance(port, ShopifyStore):
        return port.webhooks
    raise FeatureNotSupported(
        service="Sync Console",
        operation="list the webhook subscriptions",
        cause="This kind of store sends no webhooks.",
        remedy="Nothing to do: its changes are found by polling.",
    )


def forget_all() -> None:
    """Close every port of this process; the next use makes a new one."""
    for identity in list(_ports):
        _ports.pop(identity).close()


def contract_with(source: Path | Store) -> Contract:
    """Our documents held against the schema in a file, or against the one that a store serves now.

    Raises ConnectorError: the file cannot be read, the store did not answer, or the library for schemas is missing.
    """
    from connectors.shopify.adapter import ShopifyStore

    try:
        from connectors.shopify import contract
    except ModuleNotFoundError as exc:
        raise FeatureNotSupported(
            service="Sync Console",
            operation="check the documents",
            cause=f"The library {exc.name}, which reads schemas, is not installed.",
            remedy="Install requirements/demo.txt, or run the check on a machine that has it.",
        ) from exc
    if isinstance(source, Path):
        return contract.check_documents(contract.schema_file(source))
    port = store_for(source)
    if not isinstance(port, ShopifyStore):
        raise FeatureNotSupported(
            service="Sync Console",
            operation="check the documents",
            cause=f"{source} is not a store of Shopify.",
            remedy="Name a store of Shopify, or give a schema file.",
        )
    return contract.check_documents(contract.schema_of(port.introspection(), f"The answer of {source}"))
