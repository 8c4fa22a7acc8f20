"""Where stores send their webhooks: outside the console, without a session, signed instead."""

from __future__ import annotations

from typing import Final

import structlog
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from connectors import inbox
from connectors.inbox import DeliveryRefused
from syncconsole.kernel.secrets import UndecryptableSecret

log = structlog.get_logger(__name__)

MOST_BYTES: Final = 5 * 1024 * 1024


@csrf_exempt
def receive(request: HttpRequest, webhook_key: str) -> HttpResponse:
    """Keep a delivery and answer 200 at once; refusals carry no words, since whoever guesses learns nothing."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    try:
        body = _body(request)
        inbox.receive(webhook_key, request.headers, body)
    except DeliveryRefused as refused:
        log.warning("webhook_refused", status=refused.status, cause=refused.cause)
        return HttpResponse(status=refused.status)
    except UndecryptableSecret as exc:
        log.exception("webhook_secret_unreadable", cause=exc.cause)
        return HttpResponse(status=503)
    return HttpResponse(status=200)


def _body(request: HttpRequest) -> bytes:
    """The raw bytes. Raises DeliveryRefused when they are too many or break off."""
    stated = request.headers.get("Content-Length", "")
    if stated.isdigit() and int(stated) > MOST_BYTES:
        raise DeliveryRefused(413, f"The body has {stated} bytes.")
    try:
        return request.body
    except UnreadablePostError as exc:
        raise DeliveryRefused(400, "The connection broke off.") from exc
