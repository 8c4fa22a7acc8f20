"""Replies as the Admin API gives them (reference 2.2 and 2.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

BASE_URL = "https://bucovina.myshopify.com"
ENDPOINT = f"{BASE_URL}/admin/api/2026-10/graphql.json"
KEY = UUID("6f5c2f0e-2f3d-5a55-9b49-0a0c8a9a7f02")
ITEM, LOCATION = "gid://shopify/InventoryItem/1001", "gid://shopify/Location/55"


def cost(requested: float = 10, actual: float | None = 10, available: float = 1990) -> dict[str, Any]:
    throttle = {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": throttle}}


def answer(data: Any, *, headers: dict[str, str] | None = None, **charge: Any) -> httpx.Response:
    common = {
        "Date": "Sat, 21 Nov 2026 10:00:00 GMT",
        "X-Request-ID": "req-1",
        "X-Shopify-API-Version": "2026-10",
    }
    body = {"data": data, "extensions": cost(**charge)}
    return httpx.Response(200, json=body, headers={**common, **(headers or {})})


def refusal(code: str, message: str = "No.", *, data: Any = ..., **extensions: Any) -> httpx.Response:
    """A 200 reply with a top-level error."""
    error = {"message": message, "extensions": {"code": code, **extensions}}
    body: dict[str, Any] = {"errors": [error]}
    if data is not ...:
        body["data"] = data
    return httpx.Response(200, json=body, headers={"X-Request-ID": "req-1"})


def throttled(*, requested: float = 10, available: float = 0) -> httpx.Response:
    body = {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": cost(requested=requested, actual=None, available=available),
    }
    return httpx.Response(200, json=body)


def adjusted(*user_errors: dict[str, Any], group: bool = True, **charge: Any) -> httpx.Response:
    """The payload of `inventoryAdjustQuantities`."""
    return answer({"inventoryAdjustQuantities": _payload(user_errors, group)}, **charge)


def overwritten(*user_errors: dict[str, Any], group: bool = True, **charge: Any) -> httpx.Response:
    """The payload of `inventorySetQuantities`."""
    return answer({"inventorySetQuantities": _payload(user_errors, group)}, **charge)


def _payload(user_errors: tuple[dict[str, Any], ...], group: bool) -> dict[str, Any]:
    written = {"id": "gid://shopify/InventoryAdjustmentGroup/1", "createdAt": "2026-11-21T10:00:00Z"}
    return {"inventoryAdjustmentGroup": written if group and not user_errors else None, "userErrors": [*user_errors]}


def row_error(index: int, code: str, *, rows: str = "changes") -> dict[str, Any]:
    return {"code": code, "field": ["input", rows, str(index), "inventoryItemId"], "message": f"Row {index}: {code}."}


def levels(*nodes: dict[str, Any] | None, **charge: Any) -> httpx.Response:
    return answer({"nodes": list(nodes)}, **charge)


def level_node(available: int = 5, committed: int = 0, **parts: Any) -> dict[str, Any]:
    moved = parts.get("moved", "2026-11-21T09:00:00Z")
    quantities = [
        {"name": "available", "quantity": available, "updatedAt": moved},
        {"name": "committed", "quantity": committed, "updatedAt": parts.get("committed_moved", moved)},
    ]
    quantities += [
        {"name": name, "quantity": parts.get(name, 0), "updatedAt": moved}
        for name in ("reserved", "damaged", "quality_control", "safety_stock")
    ]
    level = {"isActive": parts.get("active", True), "quantities": quantities}
    return {"__typename": "InventoryItem", "id": ITEM, "tracked": parts.get("tracked", True), "inventoryLevel": level}
