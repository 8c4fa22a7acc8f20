"""The port to what stores tell by themselves: deliveries, and the subscriptions that make a store send them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from syncconsole.kernel.refusals import Refusal


class NotUnderstood(Refusal):
    """A delivery that nothing can be made of; says why and what a person does next."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers of a delivery say. Only the body is signed, so none of this is to be trusted by itself."""

    topic: str
    delivery_ref: str
    event_ref: str
    api_version: str
    triggered_at: dt.datetime | None
    domain: str
    signature: str


class Subject(StrEnum):
    """What a delivery is about, as far as the console acts on it."""

    CHANGE = "change"
    """An object of `kind` is to be read again."""
    NOTED = "noted"
    """Kept with what it is about; nothing follows from it."""
    UNINSTALLED = "uninstalled"
    SCOPES = "scopes"
    """What the app may do there has changed."""
    DATA_REQUEST = "data_request"
    CUSTOMER_REDACT = "customer_redact"
    SHOP_REDACT = "shop_redact"


@dataclass(frozen=True, slots=True)
class Understood:
    """One delivery in words of no vendor. `traces`: texts by which rows that tell of this customer are found;
    `order_refs`: the orders that it says are theirs."""

    subject: Subject
    kind: str = ""
    ref: str = ""
    updated_at: dt.datetime | None = None
    """The store's own time of the version, where the delivery says it."""
    customer_ref: str = ""
    order_refs: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()


LEVEL_AT: Final = " at "


def level_ref(item_ref: str, location_ref: str) -> str:
    """How a change of kind "level" names its object; `level_of` takes it apart."""
    return f"{item_ref}{LEVEL_AT}{location_ref}"


def level_of(ref: str) -> tuple[str, str]:
    """The item's and the location's reference of a level. Raises ValueError for another object's reference."""
    item_ref, location_ref = ref.split(LEVEL_AT)
    return item_ref, location_ref


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic the console wants to be told of. `scopes`: any one of them opens it; none are needed when empty."""

    name: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteSubscription:
    """A subscription as the store keeps it."""

    ref: str
    topic: str
    address: str
    is_json: bool
    is_complete: bool
    """Everything of the topic is sent: no filter, no chosen fields."""


class WebhookDialect(Protocol):
    """How one vendor's deliveries are signed, read and shown. Pure: no calls, no tables."""

    @property
    def topics(self) -> Sequence[Topic]:
        """What the console wants to be told of."""
        ...

    def envelope(self, headers: Mapping[str, str], body: bytes) -> Envelope:
        """Read the headers. Raises NotUnderstood when they are not those of a delivery."""
        ...

    def is_signed(self, body: bytes, signature: str, secrets: Collection[str]) -> bool:
        """Whether one of `secrets` signed exactly these bytes; compared in constant time."""
        ...

    def understand(self, topic: str, body: bytes) -> Understood:
        """What the delivery is about. Raises NotUnderstood."""
        ...

    def ids_only(self, topic: str, body: bytes) -> bytes:
        """The body without anything but ids and times: enough to understand it again, nothing about a person."""
        ...

    def shown(self, topic: str, body: bytes, *, personal: bool) -> Any:
        """The body as it may be looked at: secrets masked always, personal data unless `personal`. Raises NotUnderstood
        when it is not known what of it is personal."""
        ...


class SubscriptionsPort(Protocol):
    """A store's webhook subscriptions, those this app made. Methods raise `ConnectorError`s."""

    def webhook_subscriptions(self) -> list[RemoteSubscription]:
        """All of them, all pages."""
        ...

    def subscribe(self, topic: str, address: str) -> RemoteSubscription:
        """Have `topic` sent to `address` as JSON. Raises RequestRejected when the store refuses."""
        ...

    def unsubscribe(self, ref: str) -> None:
        """Remove a subscription; one that is gone already is no error."""
        ...
