"""An app installed at a shop: its client id and secret, the version of its webhooks, and what it may do (reference §1, §7)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from .access import ALL_SCOPES, STABLE_VERSION
from .catalogue import Shop

OLD_SECRET_SECONDS = 3600  # so long after a rotation deliveries may still carry the old secret's signature


@dataclass
class App:
    """One app at one shop. `managed` holds the subscriptions of its own configuration: Shopify never deletes those."""

    shop_domain: str
    number: int
    client_id: str
    secret: str
    old_secret: str | None = None
    rotated_at: float = 0.0  # seconds by the sandbox's clock
    api_version: str = STABLE_VERSION
    scopes: tuple[str, ...] = ALL_SCOPES
    withheld: frozenset[str] = frozenset()  # groups of `protected.GROUPS` that it is not approved for
    installed: bool = True
    managed: list[Any] = field(default_factory=list)  # of `subscriptions.Subscription`

    def rotate(self, secret: str, now: float) -> None:
        """Take a new secret; the old one goes on signing some deliveries for an hour."""
        self.old_secret, self.secret, self.rotated_at = self.secret, secret, now

    def signing_secret(self, number: int, now: float) -> str:
        """The secret that signs delivery `number`: within the hour after a rotation every other one has the old secret's."""
        if self.old_secret is not None and now < self.rotated_at + OLD_SECRET_SECONDS and number % 2 == 0:
            return self.old_secret
        return self.secret


def app_of(shop: Shop, number: int = 1) -> App:
    """The shop's app of that number, made when first asked for: its id and secret are always the same."""
    known: App | None = shop.apps.get(number)
    if known is None:
        seed = hashlib.sha256(f"sandbox app {number}:{shop.domain}".encode()).hexdigest()
        known = shop.apps.setdefault(number, App(shop.domain, number, seed[:32], f"shpss_{seed[32:]}"))
    return known


def app_with(shop: Shop, client_id: str) -> App | None:
    """The shop's app with that client id."""
    app_of(shop)
    return next((app for app in shop.apps.values() if app.client_id == client_id), None)
