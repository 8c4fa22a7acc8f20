"""Deliveries as Shopify makes them (reference 7.2): headers, signature, bodies."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store

SECRET = "shpss_test_secret"


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def headers(store: Store, topic: str, body: bytes, *, secret: str = SECRET, **more: str) -> dict[str, str]:
    told = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": signature(body, secret),
        "X-Shopify-Shop-Domain": store.shop_domain,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": str(uuid4()),
        "X-Shopify-Event-Id": str(uuid4()),
        "X-Shopify-Triggered-At": timezone.now().isoformat(),
    }
    told.update({name.replace("_", "-"): value for name, value in more.items()})
    return {name: value for name, value in told.items() if value}


def deliver(store: Store, topic: str, content: Any, *, secret: str = SECRET, **more: str) -> HttpResponse:
    """POST one delivery to the store's address. `more` replaces headers: X_Shopify_Webhook_Id="…"; empty leaves out."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Client().post(  # type: ignore[return-value]
        reverse("webhooks_receiver", args=[store.webhook_key]),
        data=body,
        content_type="application/json",
        headers=headers(store, topic, body, secret=secret, **more),
    )


def order(number: int, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Order/{number}",
        "updated_at": at.isoformat(),
        "name": f"#{number}",
        **more,
    }
