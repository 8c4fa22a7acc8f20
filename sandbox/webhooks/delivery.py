"""One delivery: its bytes, its headers, its tries; and what a subscription's filter and fields make of a payload (§7.1–7.2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sandbox.shopify.apps import App
from sandbox.shopify.catalogue import Shop
from sandbox.shopify.search import Getter, Search, parse_search
from sandbox.shopify.subscriptions import Subscription

RETRIES = 8
FIRST_RETRY_SECONDS = 56  # doubled eight times: the last one comes 56 × 255 = 14,280 s after the first try, within 4 h
ALWAYS_KEPT = ("id", "admin_graphql_api_id", "updated_at")
_NUMBER = re.compile(r"^-?(?:0|[1-9]\d*)(?:\.\d+)?$")


@dataclass(frozen=True)
class Attempt:
    """One try: when by the sandbox's clock, the HTTP status or why there was none, and how long it took."""

    time: str
    status: int | None
    problem: str | None
    milliseconds: float
    signed_with: str  # current or old

    @property
    def succeeded(self) -> bool:
        """Any 2xx; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class Delivery:
    """What one subscription is told of one event. Body and ids stay the same over all tries."""

    number: int
    shop: Shop
    app: App
    subscription: Subscription
    webhook_id: str
    event_id: str
    triggered_at: str
    body: bytes
    state: str = "waiting"  # waiting, held, delayed, delivered, retrying, failed, lost, dropped
    first_due: float | None = None  # seconds by the sandbox's clock: the retries count from here
    failures: int = 0
    generation: int = 0
    attempts: list[Attempt] = field(default_factory=list)

    def retry_due(self) -> float:
        """When the next retry is due, after `failures` failed tries."""
        return (self.first_due or 0.0) + FIRST_RETRY_SECONDS * ((1 << self.failures) - 1)

    def headers(self, now: float) -> tuple[list[tuple[str, str]], str]:
        """The headers of a try at `now`, signature included, and which secret signed it."""
        secret = self.app.signing_secret(self.number, now)
        rows = [
            ("Content-Type", "application/json"),
            ("User-Agent", "Shopify-Captain-Hook"),
            ("X-Shopify-Topic", self.subscription.topic),
            ("X-Shopify-Hmac-Sha256", signature(secret, self.body)),
            ("X-Shopify-Shop-Domain", self.shop.domain),
            ("X-Shopify-API-Version", self.subscription.api_version),
            ("X-Shopify-Webhook-Id", self.webhook_id),
            ("X-Shopify-Event-Id", self.event_id),
            ("X-Shopify-Triggered-At", self.triggered_at),
        ]
        if self.subscription.name:
            rows.append(("X-Shopify-Name", self.subscription.name))
        return rows, "current" if secret == self.app.secret else "old"

    def as_json(self) -> dict[str, Any]:
        """The delivery as the control API shows it."""
        return {
            "number": self.number,
            "shop": self.shop.domain,
            "topic": self.subscription.topic,
            "subscription": self.subscription.gid,
            "uri": self.subscription.uri,
            "webhook_id": self.webhook_id,
            "event_id": self.event_id,
            "triggered_at": self.triggered_at,
            "state": self.state,
            "body": self.body.decode(),
            "attempts": [attempt.__dict__ for attempt in self.attempts],
        }


def signature(secret: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


# ── filter and fields ──


class _Paths(Mapping[str, Getter]):
    """Every dot path of a payload can be searched: lists on the way are looked through."""

    def __getitem__(self, path: str) -> Getter:
        steps = path.split(".")
        return lambda payload: _value(payload, steps)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _value(row: Any, steps: list[str]) -> Any:
    for at, step in enumerate(steps):
        if isinstance(row, list):
            found = [_value(each, steps[at:]) for each in row]
            return [each for each in found if each is not None]
        row = row.get(step) if isinstance(row, dict) else None
    return Decimal(row) if isinstance(row, str) and _NUMBER.match(row) else row


@lru_cache(maxsize=256)
def _search(text: str) -> Search | None:
    return parse_search(text, _Paths(), lambda payload: "")


def passes(subscription: Subscription, payload: dict[str, Any]) -> bool:
    """True when the subscription's filter lets this payload through."""
    search = _search(subscription.filter) if subscription.filter else None
    return search is None or search.matches(payload)


def only(payload: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The payload cut down to dot paths; ids and ``updated_at`` always stay. No paths: all of it."""
    if not paths:
        return payload
    wanted: dict[str, Any] = {}
    for path in (*ALWAYS_KEPT, *paths):
        branch = wanted
        for step in path.split("."):
            branch = branch.setdefault(step, {})
    return _cut(payload, wanted)  # type: ignore[no-any-return]


def _cut(row: Any, wanted: dict[str, Any]) -> Any:
    if not wanted:
        return row
    if isinstance(row, list):
        return [_cut(each, wanted) for each in row]
    if isinstance(row, dict):
        return {name: _cut(row[name], branch) for name, branch in wanted.items() if name in row}
    return row
