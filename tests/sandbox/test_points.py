"""Points: what an operation costs, and the bucket that pays for it."""

from __future__ import annotations

import threading

import pytest

from sandbox.app import Sandbox
from sandbox.shopify.bucket import PLANS, Bucket
from sandbox.shopify.cost import rows_factor
from sandbox.shopify.seed import seed_synthetic
from tests.sandbox.client import ADJUST, App, document


class Hand:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize(
    ("rows", "factor"),
    [(1, 1), (2, 1), (3, 2), (5, 3), (10, 4), (20, 5), (25, 6), (50, 7), (100, 9), (200, 10), (250, 11), (2000, 15)],
)
def test_a_connection_is_charged_for_the_logarithm_of_its_rows(rows: int, factor: int) -> None:
    assert rows_factor(rows) == factor


@pytest.mark.parametrize(
    ("selection", "points"),
    [
        ("userErrors { code }", 10),
        ("inventoryAdjustmentGroup { id reason } userErrors { code }", 10),
        ("inventoryAdjustmentGroup { changes { name delta } }", 11),
        ("inventoryAdjustmentGroup { changes { name item { id } location { id } } }", 13),
    ],
)
def test_an_inventory_mutation_costs_ten_and_its_output(app: App, selection: str, points: int) -> None:
    head, _, _ = ADJUST.partition("{\n    inventoryAdjustmentGroup")
    given = {"name": "available", "reason": "correction", "changes": [app.change("APA", -1)]}
    answer = app.ask(f"{head} {{ {selection} }} }}", {"input": given, "key": "k"})
    assert answer.cost["requestedQueryCost"] == points


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("{ products(first: 250) { nodes { id } } }", 13),
        ("{ products(first: 250) { edges { cursor node { id } } } }", 13),
        ("{ products(first: 250) { nodes { id options { id } variants(first: 250) { nodes { id } } } } }", 167),
        ("{ shop { id } }", 1),
        ("{ shop { name } again: shop { plan { shopifyPlus } } }", 3),
        ('{ node(id: "gid://shopify/Product/1") { id } }', 1),
        (
            '{ node(id: "gid://shopify/Product/1") { ... on ProductVariant { product { id } } ... on Product { id } } }',
            2,
        ),
        ("{ productsCount { count } }", 10),
    ],
)
def test_queries_cost_what_the_rules_say(app: App, text: str, points: int) -> None:
    assert app.ask(text).cost["requestedQueryCost"] == points


def test_in_the_end_a_page_is_charged_by_the_rows_that_came(app: App) -> None:
    full = app.ask("{ products(first: 250) { nodes { id } } }").cost
    empty = app.ask("{ products(first: 250, query: \"sku:'NONE'\") { nodes { id } } }").cost
    nothing = app.ask('{ product(id: "gid://shopify/Product/1") { options { id } } shop { id } }').cost
    assert (full["requestedQueryCost"], full["actualQueryCost"]) == (13, 2 + rows_factor(4))
    assert (empty["requestedQueryCost"], empty["actualQueryCost"]) == (13, 2)
    assert (nothing["requestedQueryCost"], nothing["actualQueryCost"]) == (3, 1)


def test_a_read_of_250_levels_costs_three_points(sandbox: Sandbox) -> None:
    shop, _ = sandbox.add_shop("mare")
    seed_synthetic(shop, 250, 10, 1, sandbox.seed_stamp())
    app = App(sandbox, shop)
    variables = {"ids": [item.gid for item in shop.items], "locationId": app.here.gid}
    cost = app.ask(document("inventory_levels_by_item_ids"), variables).cost
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (3, 3)


@pytest.mark.parametrize("plan", PLANS.values(), ids=lambda plan: plan.name)
def test_each_plan_saves_twenty_seconds_of_points(plan: object) -> None:
    assert isinstance(plan, type(PLANS["plus"]))
    assert plan.maximum_available == 20 * plan.restore_rate


def test_a_bucket_refills_with_time_up_to_its_size() -> None:
    clock = Hand()
    bucket = Bucket(PLANS["standard"], clock)
    assert bucket.take(2000)
    assert not bucket.take(1)
    clock.at += 0.5
    assert bucket.status() == {"maximumAvailable": 2000.0, "currentlyAvailable": 50, "restoreRate": 100.0}
    assert bucket.take(50)
    clock.at += 3600
    assert bucket.status()["currentlyAvailable"] == 2000


def test_what_was_not_used_comes_back_but_never_above_the_size() -> None:
    bucket = Bucket(PLANS["standard"], Hand())
    bucket.take(100)
    bucket.give_back(60)
    assert bucket.status()["currentlyAvailable"] == 1960
    bucket.give_back(1000)
    assert bucket.status()["currentlyAvailable"] == 2000


def test_threads_never_take_more_than_there_is() -> None:
    bucket = Bucket(PLANS["standard"], Hand())
    taken: list[int] = []
    start = threading.Barrier(8)

    def drain() -> None:
        start.wait(10)
        taken.append(sum(10 for _ in range(100) if bucket.take(10)))

    threads = [threading.Thread(target=drain) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sum(taken) == 2000


def test_the_plan_decides_bucket_and_rate(sandbox: Sandbox) -> None:
    shop, _ = sandbox.add_shop("mare", plan="advanced")
    status = App(sandbox, shop).ask("{ shop { id } }").cost["throttleStatus"]
    assert (status["maximumAvailable"], status["restoreRate"]) == (4000.0, 200.0)


@pytest.mark.usefixtures("no_refill")
def test_a_call_that_asks_for_more_than_there_is_gets_throttled_and_has_no_effect(app: App) -> None:
    app.control("POST", "plan", {"available": 0})
    answer = app.adjust(app.change("APA", -1), key="k")
    assert answer.status == 200
    assert answer.codes == ["THROTTLED"]
    assert answer.body["errors"][0]["message"] == "Throttled"
    assert "data" not in answer.body
    assert answer.cost["requestedQueryCost"] == 13
    assert answer.cost["actualQueryCost"] is None
    assert answer.cost["throttleStatus"]["currentlyAvailable"] < 13
    app.control("POST", "plan", {})
    app.adjust(app.change("APA", -1), key="k")
    assert app.shows("APA")["available"] == 9


@pytest.mark.usefixtures("no_refill")
def test_admission_is_by_requested_cost_though_less_is_charged(app: App) -> None:
    bucket = app.sandbox.admin.bucket(app.shop, 1)
    bucket.empty()
    bucket.give_back(100)
    page = document("products_updated_since")
    assert app.ask(page, {"query": ""}).codes == ["THROTTLED"]
    bucket.fill()
    charged = app.ask(page, {"query": ""}).cost
    assert charged["actualQueryCost"] < 30 < charged["requestedQueryCost"]
    assert charged["throttleStatus"]["currentlyAvailable"] >= 2000 - charged["actualQueryCost"]


@pytest.mark.usefixtures("no_refill")
def test_two_shops_and_two_apps_have_buckets_of_their_own(app: App, sandbox: Sandbox) -> None:
    other = App(sandbox, sandbox.add_shop("bucovina-eu")[0])
    app.control("POST", "tokens", {"shop": app.shop.domain, "token": "shpat_second_app", "app": 2})
    second = App(sandbox, app.shop, "shpat_second_app")
    app.control("POST", "plan", {"shop": app.shop.domain, "available": 0})
    assert app.ask(ADJUST, {"input": {"name": "available", "reason": "other", "changes": []}, "key": "k"}).codes
    assert other.ask("{ shop { id } }").status == 200
    assert second.ask("{ productsCount { count } }").data


@pytest.mark.usefixtures("no_refill")
def test_a_refused_text_costs_nothing(app: App) -> None:
    bucket = app.sandbox.admin.bucket(app.shop, 1)
    bucket.empty()
    assert app.ask("{ shop { nothing } }").codes == ["undefinedField"]
