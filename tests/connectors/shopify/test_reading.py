"""Shopify's answers in the port's words: nothing guessed, nothing cut off."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import httpx
import pytest
import respx

from connectors.http import HostNotAllowed
from connectors.ports.errors import ConnectorUnavailable
from connectors.shopify import listing
from connectors.shopify.adapter import ShopifyStore
from tests.connectors.shopify.answers import ITEM, LOCATION, answer, level_node, levels
from tests.pacers import OpenPacer

NINE = "2026-11-21T09:00:00Z"
TEN = "2026-11-21T10:00:00Z"


def test_a_token_is_never_sent_to_a_host_nobody_allowed() -> None:
    with pytest.raises(HostNotAllowed):
        ShopifyStore(base_url="http://169.254.169.254", token="t", api_version="2026-10", pacer=OpenPacer())


def test_all_states_that_hold_stock_back_add_up_to_unavailable(store: ShopifyStore, api: respx.Route) -> None:
    node = level_node(5, 2, reserved=1, damaged=2, quality_control=4, safety_stock=8)
    api.mock(return_value=levels(node))

    level = store.read_levels(LOCATION, [ITEM]).levels[0]

    assert (level.available, level.committed, level.unavailable) == (5, 2, 15)


@pytest.mark.parametrize(
    ("available_moved", "committed", "committed_moved", "moved"),
    [
        (NINE, 2, TEN, TEN),
        (TEN, 2, NINE, TEN),
        (NINE, 0, None, NINE),
        (NINE, 2, None, None),
        (None, 0, TEN, None),
        (None, 0, None, None),
    ],
)
def test_a_level_has_moved_when_available_or_committed_did_and_nobody_guesses(
    available_moved: str | None,
    committed: int,
    committed_moved: str | None,
    moved: str | None,
    store: ShopifyStore,
    api: respx.Route,
) -> None:
    node = level_node(5, committed, moved=available_moved, committed_moved=committed_moved)
    api.mock(return_value=levels(node))

    read = store.read_levels(LOCATION, [ITEM]).levels[0].moved_at

    assert read == (dt.datetime.fromisoformat(moved) if moved else None)


def test_an_id_of_another_kind_is_not_a_known_item(store: ShopifyStore, api: respx.Route) -> None:
    api.mock(return_value=levels({"__typename": "Product"}))

    assert not store.read_levels(LOCATION, [ITEM]).levels[0].known


def test_an_inactive_level_keeps_its_quantities_and_says_so(store: ShopifyStore, api: respx.Route) -> None:
    api.mock(return_value=levels(level_node(4, active=False)))

    level = store.read_levels(LOCATION, [ITEM]).levels[0]

    assert (level.exists, level.is_active, level.available) == (True, False, 4)


def test_an_answer_for_fewer_items_than_asked_is_not_used(store: ShopifyStore, api: respx.Route) -> None:
    api.mock(return_value=levels(level_node()))

    with pytest.raises(ConnectorUnavailable):
        store.read_levels(LOCATION, [ITEM, ITEM])


def test_a_write_scope_implies_reading(store: ShopifyStore, api: respx.Route) -> None:
    shop = {
        "name": "B",
        "myshopifyDomain": "b.myshopify.com",
        "currencyCode": "RON",
        "ianaTimezone": "Europe/Bucharest",
    }
    scopes = [{"handle": "write_inventory"}, {"handle": "read_products"}]
    api.mock(
        return_value=answer(
            {
                "shop": {**shop, "plan": {"publicDisplayName": "Basic"}},
                "currentAppInstallation": {"accessScopes": scopes},
            }
        )
    )

    assert store.overview().scopes == {"write_inventory", "read_inventory", "read_products"}


def test_locations_are_read_to_the_last_page(store: ShopifyStore, api: respx.Route) -> None:
    def page(ref: str, more: bool) -> httpx.Response:
        node = {"id": ref, "name": ref, "isActive": True, "isFulfillmentService": False, "hasActiveInventory": True}
        return answer({"locations": {"pageInfo": {"hasNextPage": more, "endCursor": f"c{ref}"}, "nodes": [node]}})

    api.side_effect = [page("1", True), page("2", True), page("3", False)]

    assert [location.ref for location in store.locations()] == ["1", "2", "3"]
    assert [json.loads(call.request.content)["variables"]["after"] for call in api.calls] == [None, "c1", "c2"]


def _product(number: int, *, variants: int, more: bool = False) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Product/{number}",
        "handle": f"p{number}",
        "title": "Căciulă",
        "status": "DRAFT",
        "tags": ["iarnă"],
        "variants": _variants(number, range(variants), more=more),
    }


def _variants(product: int, numbers: range, *, more: bool) -> dict[str, Any]:
    nodes = [
        {
            "id": f"v{product}-{number}",
            "sku": None,
            "barcode": None,
            "price": "0.00",
            "selectedOptions": [{"value": str(number)}],
            "inventoryItem": {"id": f"i{product}-{number}", "tracked": True},
        }
        for number in numbers
    ]
    return {"pageInfo": {"hasNextPage": more, "endCursor": f"end{numbers.stop}"}, "nodes": nodes}


def _products(*products: dict[str, Any], more: bool = False) -> httpx.Response:
    return answer({"products": {"pageInfo": {"hasNextPage": more, "endCursor": "next"}, "nodes": list(products)}})


def test_variants_beyond_the_first_page_of_a_product_are_followed_to_the_end(
    store: ShopifyStore, api: respx.Route
) -> None:
    api.side_effect = [
        _products(_product(1, variants=2, more=True), more=True),
        answer({"product": {"variants": _variants(1, range(2, 4), more=True)}}),
        answer({"product": {"variants": _variants(1, range(4, 5), more=False)}}),
        answer({"productVariantsCount": {"count": 6}}),
        _products(_product(2, variants=1)),
    ]

    listed = list(store.iter_variants())

    assert [variant.ref for variant in listed] == ["v1-0", "v1-1", "v1-2", "v1-3", "v1-4", "v2-0"]
    assert {variant.product_tags for variant in listed} == {("iarnă",)}
    assert {(variant.sku, variant.barcode, variant.product_status) for variant in listed} == {("", "", "draft")}
    asked = [json.loads(call.request.content)["variables"] for call in api.calls]
    assert [question.get("after") for question in asked] == [None, "end2", "end4", None, "next"]


def test_a_product_deleted_while_it_is_listed_does_not_end_the_listing(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [
        _products(_product(1, variants=2, more=True), _product(2, variants=1)),
        answer({"product": None}),
    ]

    assert [variant.ref for variant in store.iter_variants()] == ["v1-0", "v1-1", "v2-0"]


def test_a_listing_is_read_as_it_is_used(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [_products(_product(1, variants=1), more=True)]

    assert next(store.iter_variants()).ref == "v1-0"
    assert api.call_count == 1


def test_a_small_store_is_not_read_in_bulk(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [
        _products(_product(1, variants=1), more=True),
        answer({"productVariantsCount": {"count": listing.BULK_ABOVE}}),
        _products(_product(2, variants=1)),
    ]

    assert [variant.ref for variant in store.iter_variants()] == ["v1-0", "v2-0"]


def test_a_store_of_one_page_is_not_even_counted(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [_products(_product(1, variants=1))]

    assert len(list(store.iter_variants())) == 1


def test_a_large_store_goes_on_in_bulk_after_its_first_page(
    store: ShopifyStore, api: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bulk_product(number: int) -> bytes:
        return json.dumps({**_product(number, variants=0), "id": f"gid://shopify/Product/{number}"}).encode()

    def bulk_variant(product: int, number: int, position: int) -> bytes:
        (node,) = _variants(product, range(number, number + 1), more=False)["nodes"]
        parent = f"gid://shopify/Product/{product}"
        return json.dumps({**node, "position": position, "__parentId": parent}).encode()

    rows = [bulk_variant(2, 8, 2), bulk_variant(10, 0, 1), bulk_product(10), bulk_variant(1, 0, 1), bulk_product(2)]
    rows += [bulk_product(1), bulk_variant(2, 9, 1)]
    monkeypatch.setattr(store.bulk, "lines", lambda name, **how: iter(rows))
    api.side_effect = [
        _products(_product(1, variants=1), more=True),
        answer({"productVariantsCount": {"count": listing.BULK_ABOVE + 1}}),
    ]

    assert [variant.ref for variant in store.iter_variants()] == ["v1-0", "v2-9", "v2-8", "v10-0"]
