"""What the app may do in one shop."""

from __future__ import annotations

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
        if self._granted is None:
            reply = self._client.execute("overview", {})
            self._granted = mapping.overview(reply.read(mapping.OverviewData), reply.api_version).scopes
        return scope in self._granted

    def require(self, scope: str, operation: str) -> None:
        """Raises `FeatureNotSupported` where the app has not got a scope: it lacks one capability, and the store goes on
        with all others."""
        if self.include(scope):
            return
        self._granted = None
        if not self.include(scope):
            raise FeatureNotSupported(
                service=SERVICE,
                operation=operation,
                cause=f"The app has not got the scope {scope}.",
                remedy=f"Grant the app {scope} in Shopify, then test the connection.",
            )
