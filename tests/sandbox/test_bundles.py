"""Bundles: sold as their components, with a stock of their own that follows and can't be written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.client import App, user_errors

READ = """query B($id: ID!) { productVariant(id: $id) { requiresComponents inventoryQuantity
  productVariantComponents(first: 9) { nodes { quantity productVariant { sku } } } } }"""
LINES = """query L($id: ID!) { order(id: $id) { totalPriceSet { shopMoney { amount } } lineItems(first: 9) { nodes {
  sku quantity originalUnitPriceSet { shopMoney { amount } }
  lineItemGroup { id title quantity variantSku variantId productId } } } } }"""


@pytest.fixture
def gift(app: App) -> Any:
    """DAR holds two bottles of water and a small beer."""
    parts = [{"sku": "APA", "quantity": 2}, {"sku": "BERE-S"}]
    app.control("POST", "variants/bundle", {"sku": "DAR", "components": parts})
    return app.item("DAR").variant


def can_make(app: App) -> int:
    return app.shows("DAR")["available"]


def test_a_bundle_names_its_components_and_shows_what_can_be_made_of_them(app: App, gift: Any) -> None:
    row = app.ask(READ, {"id": gift.gid}).data["productVariant"]
    parts = [(node["productVariant"]["sku"], node["quantity"]) for node in row["productVariantComponents"]["nodes"]]
    assert (row["requiresComponents"], parts) == (True, [("APA", 2), ("BERE-S", 1)])
    assert can_make(app) == 5


def test_a_bundle_follows_its_components(app: App, gift: Any) -> None:
    heard: list[str] = []
    app.shop.listeners.append(lambda shop, topic, row: heard.append(f"{topic} {getattr(row, 'gid', '')}"))
    app.adjust(app.change("APA", -3))
    assert can_make(app) == 3
    assert f"inventory_levels/update {app.level('DAR').gid}" in heard
    app.control("POST", "orders", {"lines": [{"sku": "BERE-S", "quantity": 4}]})
    assert can_make(app) == 1


def test_the_stock_of_a_bundle_can_not_be_written(app: App, gift: Any) -> None:
    row = ("NON_MUTABLE_INVENTORY_ITEM", ["input", "quantities", "0", "inventoryItemId"])
    assert user_errors(app.set(app.row("DAR", 9))) == [row]
    assert user_errors(app.adjust(app.change("DAR", 1)))[0][0] == "NON_MUTABLE_INVENTORY_ITEM"
    assert can_make(app) == 5


def test_a_merchant_edits_the_components_not_the_bundle(app: App, gift: Any) -> None:
    status, told = app.try_control("POST", "levels/edit", {"sku": "DAR", "set": 9})
    assert (status, told["remedy"]) == (409, "Edit one of: APA, BERE-S.")


def test_nothing_can_be_made_where_a_component_is_not_stocked(app: App, gift: Any) -> None:
    app.control("POST", "levels/edit", {"sku": "BERE-S", "active": False})
    assert can_make(app) == 0
    app.control("POST", "levels/edit", {"sku": "BERE-S", "active": True})
    assert can_make(app) == 5


def test_an_order_has_a_line_for_each_component_at_the_bundles_price(app: App, gift: Any) -> None:
    order = app.control("POST", "orders", {"lines": [{"sku": "DAR", "quantity": 2}, {"sku": "CEAI"}]})
    whole = app.ask(LINES, {"id": order["gid"]}).data["order"]
    lines = whole["lineItems"]["nodes"]
    assert [(line["sku"], line["quantity"]) for line in lines] == [("APA", 4), ("BERE-S", 2), ("CEAI", 1)]
    groups = [line["lineItemGroup"] for line in lines]
    assert groups[0] == groups[1]
    assert (groups[0]["variantSku"], groups[0]["quantity"], groups[0]["variantId"]) == ("DAR", 2, gift.gid)
    assert groups[2] is None
    prices = [Decimal(line["originalUnitPriceSet"]["shopMoney"]["amount"]) for line in lines]
    assert prices[0] * 4 + prices[1] * 2 == 100
    assert Decimal(whole["totalPriceSet"]["shopMoney"]["amount"]) == 112


def test_selling_a_bundle_commits_its_components_only(app: App, gift: Any) -> None:
    app.control("POST", "orders", {"lines": [{"sku": "DAR", "quantity": 2}]})
    assert (app.shows("APA")["committed"], app.shows("BERE-S")["committed"]) == (4, 2)
    assert (app.shows("DAR")["committed"], can_make(app)) == (0, 3)


def test_a_bundle_of_bundles_is_refused_and_without_components_it_ends(app: App, gift: Any) -> None:
    status, _ = app.try_control("POST", "variants/bundle", {"sku": "CEAI", "components": [{"sku": "DAR"}]})
    assert status == 409
    app.control("POST", "variants/bundle", {"sku": "DAR", "components": []})
    assert user_errors(app.set(app.row("DAR", 9))) == []
    assert app.ask(READ, {"id": gift.gid}).data["productVariant"]["requiresComponents"] is False
