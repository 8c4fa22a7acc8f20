"""The reference's example documents run, and cost what the reference says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from sandbox.shopify.documents import load_schema
from tests.sandbox.client import DOCUMENTS, App, document

COSTS = {
    "shop_overview": 7,
    "locations_list": 16,
    "inventory_levels_by_item_ids": 3,
    "inventory_item_all_levels": 24,
    "location_inventory_levels_page": 36,
    "inventory_items_by_sku": 32,
    "inventory_set_quantities": 10,
    "inventory_adjust_quantities": 10,
    "inventory_activate": 10,
    "inventory_deactivate": 10,
    "inventory_item_update": 10,
    "product_by_handle": 32,
    "products_updated_since": 137,
    "product_variants_page": 25,
    "product_variants_by_sku": 23,
}


def example_variables(text: str) -> dict[str, Any]:
    """The variables that a document's header shows."""
    found = re.search(r"# Example variables: (\{.*\})", text)
    return dict(json.loads(found[1])) if found else {}


def of_this_shop(app: App, value: Any) -> Any:
    """Example variables with this shop's ids in the place of the example's."""
    ids = {
        "gid://shopify/InventoryItem/1001": app.item("APA").gid,
        "gid://shopify/InventoryItem/1002": app.item("BERE-S").gid,
        "gid://shopify/Location/55": app.here.gid,
        "gid://shopify/Product/1": app.shop.products[0].gid,
        "blue-shirt": "apa",
        9: 10,  # changeFromQuantity of the set example
    }
    if isinstance(value, dict):
        return {key: of_this_shop(app, entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [of_this_shop(app, entry) for entry in value]
    return ids.get(value, value)


@pytest.mark.parametrize("name", COSTS)
def test_the_example_runs_and_costs_what_the_reference_says(app: App, name: str) -> None:
    text = document(name)
    variables = of_this_shop(app, example_variables(text))
    if name == "inventory_deactivate":
        variables = {"inventoryLevelId": app.level("APA", app.there).gid}
    answer = app.ask(text, variables)
    assert all(not payload["userErrors"] for payload in answer.data.values() if "userErrors" in (payload or {}))
    assert answer.cost["requestedQueryCost"] == COSTS[name]
    assert 0 < answer.cost["actualQueryCost"] <= COSTS[name]


def test_every_example_that_fits_the_subset_is_covered() -> None:
    if not DOCUMENTS.exists():
        pytest.skip("the reference documents in ../shared are not here")
    schema = load_schema()
    documents = {path.stem: parse(path.read_text(encoding="utf-8")) for path in DOCUMENTS.glob("*.graphql")}
    fit = {name for name, text in documents.items() if not validate(schema, text)}
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in sorted(fit) if not name.startswith("bulk_inner_") and f'"{name}"' not in tests] == []
    assert set(COSTS) <= fit
