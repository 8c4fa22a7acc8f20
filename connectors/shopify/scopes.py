"""What the app may do in one shop."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.ports.errors import FeatureNotSupported
from connectors.shopify import mapping
from connectors.shopify.client import ShopifyClient
from connectors.shopify.replies import SERVICE


class Scopes:
    """The scopes of one client. Asked for once; again where something needs one that was missing."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client
        self._granted: frozenset[str] | None = None

    def include(self, scope: str) -> bool:
        """Whether the app has a scope."""
        return scope in self._all()

    def require(self, scope: str, operation: str) -> None:
        """Raises `FeatureNotSupported` where the app has not got a scope: it lacks one capability, and the store goes on
        with all others."""
        self.require_one([scope], operation)

    def require_one(self, scopes: Sequence[str], operation: str) -> None:
        """As `require`, where any of the scopes will do; the first is the usual one."""
        if not self._all().isdisjoint(scopes):
            return
        self._granted = None
        if self._all().isdisjoint(scopes):
            raise FeatureNotSupported(
                service=SERVICE,
                operation=operation,
                cause=f"The app has not got the scope {scopes[0]}.",
                remedy=f"Grant the app {scopes[0]} in Shopify, then test the connection.",
            )

    def _all(self) -> frozenset[str]:
        if self._granted is None:
            reply = self._client.execute("overview", {})
            self._granted = mapping.overview(reply.read(mapping.OverviewData), reply.api_version).scopes
        return self._granted
