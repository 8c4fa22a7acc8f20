"""One mutation sent once, and what the payload of its answer refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from connectors.ports.errors import OutcomeUnknown, RequestRejected
from connectors.shopify.client import ShopifyClient
from connectors.shopify.documents import document, encode
from connectors.shopify.replies import SERVICE, Reply


class UserError(msgspec.Struct):
    """One entry of a mutation's `userErrors`; plain ones have no code."""

    message: str
    field: list[str] | None = None
    code: str | None = None


class SimpleWrite(msgspec.Struct, rename="camel"):
    """Payload of mutations of which only the refusal matters."""

    user_errors: list[UserError]


Payload = TypeVar("Payload", bound=SimpleWrite)
Shape = TypeVar("Shape")


def send_mutation(
    client: ShopifyClient, name: str, variables: dict[str, Any], shape: type[Payload], *, points: float = 0.0
) -> tuple[Payload, Reply]:
    """Send the document `name` once and read its payload. `points` is what it asks for where that grows with its input.

    Raises as `ShopifyClient.send_bytes` does.
    """
    source = document(name)
    reply = client.send_bytes(encode(name, variables), source.purpose, max(points, source.points))
    return payload_of(reply, shape), reply


def send_repeatable(
    client: ShopifyClient, name: str, variables: dict[str, Any], shape: type[Payload], *, points: float = 0.0
) -> tuple[Payload, Reply]:
    """As `send_mutation`, for one that bears no key because doing it twice ends in the same state."""
    try:
        return send_mutation(client, name, variables, shape, points=points)
    except OutcomeUnknown as lost:
        raise settled_by(
            lost, "Do it again: a repeat finds what this try has done and ends in the same state."
        ) from lost


def settled_by(lost: OutcomeUnknown, remedy: str) -> OutcomeUnknown:
    """The same, of a write that bears no key: what settles it is said in `remedy`."""
    return OutcomeUnknown(
        service=lost.service,
        operation=lost.operation,
        cause=lost.cause,
        remedy=remedy,
        request_id=lost.request_id,
        status=lost.status,
    )


def payload_of(reply: Reply, shape: type[Shape]) -> Shape:
    """The payload of the one mutation in a reply."""
    payloads = list(reply.read(dict[str, shape]).values())  # type: ignore[valid-type]
    if len(payloads) != 1:
        raise reply.sent.no_answer("Shopify's answer has no result for the request.", request_id=reply.request_id)
    return payloads[0]


def refused(reply: Reply, errors: Sequence[UserError], remedy: str) -> RequestRejected:
    """The refusal of a whole mutation, in Shopify's words."""
    return RequestRejected(
        service=SERVICE,
        operation=reply.sent.purpose,
        cause=f"Shopify refused: {said(errors)}",
        remedy=remedy,
        request_id=reply.request_id,
    )


def said(errors: Sequence[UserError]) -> str:
    """What the errors say, each once."""
    return "; ".join(dict.fromkeys(error.message for error in errors))[:400] or "it gave no reason"
