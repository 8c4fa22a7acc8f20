"""Telling a shop what left: fulfilments with tracking (reference 6.5)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from connectors.ports.errors import CredentialsRejected, FeatureNotSupported, OutcomeUnknown
from connectors.ports.shipments import Shipment
from connectors.shopify.capabilities import WORK_WRITE
from connectors.shopify.client import ShopifyClient
from connectors.shopify.documents import document, document_of, encode
from connectors.shopify.mutations import SimpleWrite, payload_of, refused, settled_by
from connectors.shopify.replies import SERVICE
from connectors.shopify.scopes import Scopes

MAX_LINES: Final = 512
"""Of one fulfilment order in one call (schema: FulfillmentOrderLineItemsInput)."""

_DOCUMENT: Final = "fulfillment_create"


class _Made(msgspec.Struct):
    id: str


class _Payload(SimpleWrite):
    fulfillment: _Made | None = None


class ShipmentWriter:
    """`ShipmentsPort` for one shop, over its client. Safe to share between threads."""

    def __init__(self, client: ShopifyClient, scopes: Scopes) -> None:
        self._client = client
        self._scopes = scopes

    def prepare(self, shipment: Shipment) -> bytes:
        """As the port says."""
        if not 1 <= len(shipment.lines) <= MAX_LINES:
            raise FeatureNotSupported(
                service=SERVICE,
                operation=document(_DOCUMENT).purpose,
                cause=f"One shipment carries 1 to {MAX_LINES} lines, not {len(shipment.lines)}.",
                remedy="Ship the order in several parts.",
            )
        self._scopes.require_one(WORK_WRITE, document(_DOCUMENT).purpose)
        return encode(_DOCUMENT, {"fulfillment": _input(shipment)})

    def send(self, body: bytes) -> str:
        """As the port says."""
        source = document_of(body)
        try:
            reply = self._client.send_bytes(body, source.purpose, source.points)
        except OutcomeUnknown as lost:
            raise settled_by(lost, "Nothing to do: the order is looked at before anything is sent again.") from lost
        except CredentialsRejected as denied:
            if denied.status != 200:
                raise
            # The app holds one of the three scopes, and another one opens this location: nothing else is affected.
            raise FeatureNotSupported(
                service=SERVICE, operation=source.purpose, cause=denied.cause, remedy=denied.remedy
            ) from denied
        payload = payload_of(reply, _Payload)
        if payload.user_errors:
            remedy = "Look at the order in Shopify, correct what the message names, then send it again."
            raise refused(reply, payload.user_errors, remedy)
        if payload.fulfillment is None:
            raise reply.sent.no_answer("Shopify names no fulfilment that it made.", request_id=reply.request_id)
        return payload.fulfillment.id


def _input(shipment: Shipment) -> dict[str, Any]:
    """The mutation's input: lines by their fulfilment order, and tracking where there is any."""
    work: dict[str, list[dict[str, Any]]] = {}
    for line in shipment.lines:
        work.setdefault(line.work_ref, []).append({"id": line.work_line_ref, "quantity": line.quantity})
    given: dict[str, Any] = {
        "lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": ref, "fulfillmentOrderLineItems": lines} for ref, lines in work.items()
        ],
        "notifyCustomer": shipment.notify,
    }
    tracking = {"company": shipment.company, "number": shipment.number, "url": shipment.url}
    if said := {name: value for name, value in tracking.items() if value}:
        given["trackingInfo"] = said
    return given
