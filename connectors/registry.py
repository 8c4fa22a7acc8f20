"""Store row → adapter. The only importer of adapters."""

from __future__ import annotations

import redis
from django.conf import settings

from connectors.models import Store
from connectors.ports.store import StorePort

_ports: dict[tuple[int, str, str, str], StorePort] = {}


def store_for(store: Store) -> StorePort:
    """The port to `store`, made once per process for its address, token and version.

    Raises CredentialsRejected when the base URL names a host this installation does not call.
    """
    identity = (store.pk, store.base_url, store.access_token, store.api_version)
    if identity not in _ports:
        _forget(store.pk)
        _ports[identity] = _build(store)
    return _ports[identity]


def _forget(store_id: int) -> None:
    for identity in [known for known in _ports if known[0] == store_id]:
        _ports.pop(identity).close()


def _build(store: Store) -> StorePort:
    from connectors.pacing import RedisPacer
    from connectors.shopify.adapter import ShopifyStore

    pacer = RedisPacer(redis.Redis.from_url(settings.REDIS_URL), key=f"shopify:{store.pk}")
    return ShopifyStore(
        base_url=store.base_url,
        token=store.access_token,
        api_version=store.api_version,
        pacer=pacer,
        allowed_hosts=settings.ALLOWED_API_HOSTS,
    )


def forget_all() -> None:
    """Close every port of this process; the next use makes a new one."""
    for identity in list(_ports):
        _ports.pop(identity).close()
