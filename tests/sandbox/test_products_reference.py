"""The reference's documents on products and publications run, and cost what the reference says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sandbox.shopify.publications import publications_of
from tests.sandbox.client import App, document

COSTS = {
    "job_status": 1,
    "metafields_set": 10,
    "product_create": 14,
    "product_duplicate": 10,
    "product_operation": 3,
    "product_publications": 15,
    "product_set_async": 10,
    "product_set_by_handle": 30,
    "product_update": 10,
    "product_variants_bulk_create": 11,
    "product_variants_bulk_update": 10,
    "publications_list": 51,
    "publishable_publish": 10,
    "publishable_unpublish": 10,
    "bulk_inner_product_set": 10,
    "bulk_inner_variants_update": 10,
}


def of_this_shop(app: App, value: Any) -> Any:
    """Example variables with this shop's ids in the place of the example's."""
    beer = app.shop.products_by_handle["bere"]
    ids = {
        "gid://shopify/Location/55": app.here.gid,
        "gid://shopify/Product/1": beer.gid,
        "gid://shopify/ProductVariant/11": beer.variants[0].gid,
        "gid://shopify/Publication/71": publications_of(app.shop)[0].gid,
    }
    if isinstance(value, dict):
        return {key: of_this_shop(app, entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [of_this_shop(app, entry) for entry in value]
    return ids.get(value, value)


@pytest.mark.parametrize("name", COSTS)
def test_the_example_runs_and_costs_what_the_reference_says(app: App, name: str) -> None:
    text = document(name)
    found = re.search(r"# Example variables: (\{.*\})", text)
    variables = of_this_shop(app, json.loads(found[1]) if found else {})
    answer = app.ask(text, variables)
    assert all(not payload["userErrors"] for payload in answer.data.values() if "userErrors" in (payload or {}))
    assert answer.cost["requestedQueryCost"] == COSTS[name]
