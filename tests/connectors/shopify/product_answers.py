"""Shopify's answers about products, as a test dictates them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import respx

from tests.connectors.shopify.answers import answer

PRODUCT, SHIRT = "gid://shopify/Product/7", "camasa"
SCOPES = ("write_products", "read_inventory", "write_publications")
Answer = httpx.Response | dict[str, Any]


def connection(nodes: Iterable[Any] = (), *, more: bool = False) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": more, "endCursor": "c1" if more else None}, "nodes": [*nodes]}


def variant(number: int, **parts: Any) -> dict[str, Any]:
    item = {
        "id": f"gid://shopify/InventoryItem/{number}",
        "tracked": True,
        "requiresShipping": True,
        "unitCost": None,
        "measurement": {"weight": None},
    }
    node = {
        "id": f"gid://shopify/ProductVariant/{number}",
        "sku": f"SKU-{number}",
        "barcode": None,
        "position": number,
        "price": "10.00",
        "compareAtPrice": None,
        "taxable": True,
        "updatedAt": "2026-11-21T09:00:00Z",
        "selectedOptions": [{"name": "Size", "value": f"S{number}"}],
        "inventoryItem": item,
    }
    return {**node, **parts}


def product(*variants: dict[str, Any], more: bool = False, count: int | None = None, **parts: Any) -> dict[str, Any]:
    rows = list(variants) or [variant(1)]
    node = {
        "id": PRODUCT,
        "handle": SHIRT,
        "title": "Cămașă",
        "descriptionHtml": "",
        "vendor": "",
        "productType": "",
        "status": "ACTIVE",
        "tags": [],
        "isGiftCard": False,
        "createdAt": "2026-11-01T09:00:00Z",
        "updatedAt": "2026-11-21T09:00:00Z",
        "variantsCount": {"count": len(rows) if count is None else count},
        "options": [{"id": "gid://shopify/ProductOption/1", "name": "Size", "optionValues": [{"name": "S1"}]}],
        "variants": connection(rows, more=more),
        "media": connection(),
        "metafields": connection(),
        "resourcePublicationsV2": connection(),
    }
    return {**node, **parts}


def marked(key: object) -> dict[str, Any]:
    """The metafields of a product that we made for `key`."""
    own = {"namespace": "sync_console", "key": "creation_key", "type": "single_line_text_field", "value": str(key)}
    return connection([own])


def overview(*scopes: str) -> dict[str, Any]:
    shop = {
        "name": "Bucovina",
        "myshopifyDomain": "bucovina.myshopify.com",
        "currencyCode": "RON",
        "ianaTimezone": "Europe/Bucharest",
        "plan": {"publicDisplayName": "Basic"},
    }
    return {"shop": shop, "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in scopes]}}


def refusal(mutation: str, *errors: tuple[list[str] | None, str, str], **parts: Any) -> dict[str, Any]:
    """The payload of a mutation with user errors: path, code, message."""
    said = [{"field": field, "code": code, "message": message} for field, code, message in errors]
    return {mutation: {"userErrors": said, **parts}}


class Script:
    """Answers by operation, in turn; the last one stays. `asked` is what was sent, oldest first."""

    def __init__(self, api: respx.Route, **answers: Answer | list[Answer]) -> None:
        self._answers = {"Overview": [overview(*SCOPES)]}
        for name, given in answers.items():
            self._answers[name] = list(given) if isinstance(given, list) else [given]
        self.asked: list[tuple[str, dict[str, Any]]] = []
        respond: Callable[[httpx.Request], httpx.Response] = self._respond
        api.mock(side_effect=respond)

    def of(self, operation: str) -> list[dict[str, Any]]:
        """The variables of each call of one operation."""
        return [variables for name, variables in self.asked if name == operation]

    def _respond(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        name = body["operationName"]
        self.asked.append((name, body["variables"]))
        waiting = self._answers[name]
        given = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return given if isinstance(given, httpx.Response) else answer(given)
