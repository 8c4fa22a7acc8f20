"""A store whose answers the test dictates."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import respx
import stamina

from connectors.shopify.adapter import ShopifyStore
from tests.connectors.shopify.answers import BASE_URL, ENDPOINT
from tests.pacers import OpenPacer


@pytest.fixture
def pacer() -> OpenPacer:
    return OpenPacer()


@pytest.fixture
def api() -> Iterator[respx.Route]:
    """The one address our documents are posted to."""
    with respx.mock(assert_all_called=False) as router:
        yield router.post(ENDPOINT)


@pytest.fixture
def store(pacer: OpenPacer, api: respx.Route) -> Iterator[ShopifyStore]:
    """A store whose reads are repeated without waiting, at most three times."""
    with stamina.set_testing(True, attempts=3, cap=True):
        shopify = ShopifyStore(base_url=BASE_URL, token="shpat_0123456789abcdef", api_version="2026-10", pacer=pacer)
        yield shopify
        shopify.close()
