"""Asking a sandbox in-process, as an app would over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import Sandbox
from sandbox.shopify.catalogue import Shop
from sandbox.shopify.rows import Item, Level, Location
from sandbox.wire import Request

SHARED = Path(__file__).resolve().parents[3] / "shared"
DOCUMENTS = SHARED / "reference" / "graphql"

SET = """
mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id createdAt reason referenceDocumentUri changes { name delta quantityAfterChange } }
    userErrors { code field message }
  }
}
"""
ADJUST = """
mutation Adjust($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id createdAt reason changes { name delta item { id } location { id } } }
    userErrors { code field message }
  }
}
"""


@dataclass
class Answer:
    """What came back from the Admin API."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        """Codes of the top-level errors."""
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]

    @property
    def cost(self) -> dict[str, Any]:
        return dict(self.body["extensions"]["cost"])


class App:
    """One app installed at one shop of a sandbox."""

    def __init__(self, sandbox: Sandbox, shop: Shop, token: str | None = None) -> None:
        self.sandbox = sandbox
        self.shop = shop
        self.token = token or sandbox.token_of(shop.domain)
        self._keys = 0

    def ask(self, text: str, variables: dict[str, Any] | None = None, version: str = "2026-10", **extra: Any) -> Answer:
        """One GraphQL request."""
        body = json.dumps({"query": text, "variables": variables or {}, **extra}).encode()
        return self.post(body, version)

    def post(self, body: bytes, version: str = "2026-10", domain: str | None = None) -> Answer:
        """The bytes of one request."""
        path = f"/shops/{domain or self.shop.domain}/admin/api/{version}/graphql.json"
        reply = self.sandbox.answer(Request("POST", path, {}, {"x-shopify-access-token": self.token}, body))
        return Answer(reply.status, dict(reply.headers), json.loads(reply.body))

    def control(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """One control call that must succeed."""
        status, content = self.try_control(method, path, body, **query)
        assert status == 200, content
        return content

    def try_control(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> tuple[int, Any]:
        """One control call: status and content."""
        data = json.dumps(body).encode() if body is not None else b""
        reply = self.sandbox.answer(Request(method, f"/_control/{path}", query, {}, data))
        return reply.status, json.loads(reply.body)

    # ── rows ──

    @property
    def here(self) -> Location:
        return self.shop.locations[0]

    @property
    def there(self) -> Location:
        return self.shop.locations[1]

    def item(self, sku: str) -> Item:
        return next(item for item in self.shop.items if item.sku == sku)

    def level(self, sku: str, location: Location | None = None) -> Level:
        level = self.item(sku).level_at(location or self.here)
        assert level is not None
        return level

    def shows(self, sku: str, location: Location | None = None) -> dict[str, int]:
        """All quantities of a level, read over the API."""
        text = """query Shows($id: ID!, $at: ID!) { inventoryItem(id: $id) {
          inventoryLevel(locationId: $at, includeInactive: true) { quantities(names: ["available", "committed", "reserved",
            "damaged", "quality_control", "safety_stock", "incoming", "on_hand"]) { name quantity } } } }"""
        data = self.ask(text, {"id": self.item(sku).gid, "at": (location or self.here).gid}).data
        return {row["name"]: row["quantity"] for row in data["inventoryItem"]["inventoryLevel"]["quantities"]}

    # ── writes ──

    def row(self, sku: str, quantity: int, expected: int | None = None, at: Location | None = None) -> dict[str, Any]:
        """A row of a set."""
        place = (at or self.here).gid
        return {
            "inventoryItemId": self.item(sku).gid,
            "locationId": place,
            "quantity": quantity,
            "changeFromQuantity": expected,
        }

    def change(self, sku: str, delta: int, expected: int | None = None, at: Location | None = None) -> dict[str, Any]:
        """A row of an adjustment."""
        place = (at or self.here).gid
        return {
            "inventoryItemId": self.item(sku).gid,
            "locationId": place,
            "delta": delta,
            "changeFromQuantity": expected,
        }

    def set(self, *rows: dict[str, Any], name: str = "available", key: str | None = None, **rest: Any) -> Answer:
        """inventorySetQuantities, with a fresh key unless one is given."""
        given = {"name": name, "reason": "correction", "quantities": list(rows), **rest}
        return self.ask(SET, {"input": given, "key": key or self.new_key()})

    def adjust(self, *rows: dict[str, Any], name: str = "available", key: str | None = None, **rest: Any) -> Answer:
        """inventoryAdjustQuantities, with a fresh key unless one is given."""
        given = {"name": name, "reason": "correction", "changes": list(rows), **rest}
        return self.ask(ADJUST, {"input": given, "key": key or self.new_key()})

    def new_key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}"


def user_errors(answer: Answer) -> list[tuple[str | None, list[str] | None]]:
    """(code, field) of every user error of the answer's only mutation."""
    (payload,) = answer.data.values()
    return [(error.get("code"), error["field"]) for error in payload["userErrors"]]


def document(name: str) -> str:
    """The text of one of the reference's example documents; the test is skipped where they are absent."""
    path = DOCUMENTS / f"{name}.graphql"
    if not path.exists():
        pytest.skip("the reference documents in ../shared are not here")
    return path.read_text(encoding="utf-8")


NODES_ONE = """query N($ids: [ID!]!, $at: ID!) { nodes(ids: $ids) { id
  ... on InventoryItem { sku inventoryLevel(locationId: $at) { id } } } }"""
