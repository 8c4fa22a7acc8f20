"""Bulk queries: every row comes, children name their parents and stand apart from them."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from sandbox.app import Sandbox
from sandbox.shopify.access import Token
from sandbox.wire import ConnectionDropped
from tests.sandbox.bulk import CATALOGUE, LEVELS, Bulk, user_codes
from tests.sandbox.client import App, document


@pytest.fixture
def bulk(app: App) -> Bulk:
    return Bulk(app)


def test_all_variants_come_with_the_products_they_belong_to(app: App, bulk: Bulk) -> None:
    told = bulk.ended(bulk.start_query(CATALOGUE))
    rows = bulk.lines(told["url"])
    assert told["status"] == "COMPLETED"
    assert (told["objectCount"], told["rootObjectCount"]) == ("9", "4")
    assert told["fileSize"] == str(len(bulk.http.get(told["url"]).content))
    children = {row["sku"]: row["__parentId"] for row in rows if "__parentId" in row}
    assert children == {v.item.sku: v.product.gid for v in app.shop.variants}
    assert {row["id"] for row in rows if "__parentId" not in row} == {p.gid for p in app.shop.products}


def test_children_do_not_stand_by_their_parents_unless_they_are_asked_to(bulk: Bulk) -> None:
    apart = bulk.lines(bulk.ended(bulk.start_query(CATALOGUE))["url"])
    grouped = bulk.lines(bulk.ended(bulk.start_query(CATALOGUE, grouped=True))["url"])
    assert [("__parentId" in row) for row in apart] == [False] * 4 + [True] * 5
    for before, row in pairwise(grouped):
        if "__parentId" in row:
            assert row["__parentId"] in (before["id"], before.get("__parentId"))
    assert sorted(row["id"] for row in apart) == sorted(row["id"] for row in grouped)


@pytest.mark.parametrize("grouped", [False, True])
def test_connections_longer_than_a_page_are_read_to_their_end(sandbox: Sandbox, grouped: bool) -> None:
    shop, _ = sandbox.add_shop("mare")
    sandbox.fill(shop, 1_500, per_product=700)
    bulk = Bulk(App(sandbox, shop))
    by_place = """{ locations { edges { node { id inventoryLevels { edges { node { id item { id } } } } } } } }"""
    levels = bulk.lines(bulk.ended(bulk.start_query(by_place, grouped=grouped))["url"])
    assert len({row["id"] for row in levels if "__parentId" in row}) == shop.level_count()
    variants = bulk.lines(bulk.ended(bulk.start_query(CATALOGUE, grouped=grouped))["url"])
    assert {row["id"] for row in variants if "__parentId" in row} == {v.gid for v in shop.variants}
    assert len(variants) == 1_503


@pytest.mark.parametrize("name", ["bulk_inner_query_inventory", "bulk_inner_query_products"])
def test_the_documents_of_the_reference_run(bulk: Bulk, name: str) -> None:
    assert bulk.ended(bulk.start_query(document(name)))["status"] == "COMPLETED"


def test_nothing_found_means_no_file(bulk: Bulk) -> None:
    told = bulk.ended(bulk.start_query('{ products(query: "handle:nobody") { edges { node { id } } } }'))
    assert (told["status"], told["objectCount"], told["url"], told["fileSize"]) == ("COMPLETED", "0", None, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{ shop { id } }", "at least one connection"),
        ("{ products(first: 5) { nodes { id } } }", "`nodes`"),
        ("{ products { edges { node { handle variants { edges { node { id } } } } } } }", "must select `id`"),
        ('{ node(id: "gid://shopify/Product/1") { id } }', "top level `node`"),
        ("query Q($q: String) { products(query: $q) { edges { node { id } } } }", "variables"),
        (
            (
                "{ products { edges { node { id variants { edges { node { id inventoryItem { id inventoryLevels {"
                " edges { node { id } } } } } } } } } } }"
            ),
            "nesting depth",
        ),
        (
            "{ " + " ".join(f"a{i}: products {{ edges {{ node {{ id }} }} }}" for i in range(6)) + " }",
            "more than 5 connections",
        ),
        ("{ products { edges { node { colour } } } }", "colour"),
        ("{ products {", "Parse error"),
        ('mutation { inventoryDeactivate(inventoryLevelId: "x") { userErrors { message } } }', "exactly one query"),
    ],
)
def test_a_query_that_cannot_run_in_bulk_is_refused_at_the_start(bulk: Bulk, text: str, why: str) -> None:
    started = bulk.start_query(text)
    assert started["bulkOperation"] is None
    assert user_codes(started) == ["INVALID"]
    assert why in started["userErrors"][0]["message"]


def test_five_run_at_once_and_the_sixth_hears_which(app: App, bulk: Bulk) -> None:
    app.control("POST", "bulk", {"start_delay": 30})
    running = [bulk.start_query(CATALOGUE)["bulkOperation"]["id"] for _ in range(5)]
    sixth = bulk.start_query(CATALOGUE)
    assert user_codes(sixth) == ["OPERATION_IN_PROGRESS"]
    assert all(gid in sixth["userErrors"][0]["message"] for gid in running)
    listed = app.ask(document("bulk_operations_running"), {"query": "status:created operation_type:query"}).data
    assert {row["id"] for row in listed["bulkOperations"]["nodes"]} == set(running)
    for gid in running:
        assert bulk.cancel(gid).data["bulkOperationCancel"]["userErrors"] == []
        assert bulk.row(gid).ended.wait(10)
        assert bulk.read(gid)["status"] == "CANCELED"
    app.control("POST", "bulk", {"start_delay": 0})
    assert bulk.ended(bulk.start_query(CATALOGUE))["status"] == "COMPLETED"


def test_an_operation_that_has_ended_cannot_be_cancelled(bulk: Bulk) -> None:
    told = bulk.ended(bulk.start_query(CATALOGUE))
    assert bulk.cancel(told["id"]).data["bulkOperationCancel"]["userErrors"][0]["field"] == ["id"]


def test_only_start_and_polls_are_charged(app: App, bulk: Bulk) -> None:
    text = """mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }") {
      bulkOperation { id } userErrors { message } } }"""
    started = app.ask(text)
    gid = started.data["bulkOperationRunQuery"]["bulkOperation"]["id"]
    assert started.cost["requestedQueryCost"] == 10
    poll = app.ask(document("bulk_operation_by_id"), {"id": gid})
    assert poll.cost["requestedQueryCost"] == 1
    running = app.ask(document("bulk_operations_running"), {"query": "status:running"})
    assert running.cost["requestedQueryCost"] == 6


def test_another_app_sees_nothing_of_it(app: App, bulk: Bulk) -> None:
    told = bulk.ended(bulk.start_query(CATALOGUE))
    app.sandbox.admin.tokens["shpat_other"] = Token("shpat_other", app.shop.domain, 2)
    other = App(app.sandbox, app.shop, "shpat_other")
    assert other.ask(document("bulk_operation_by_id"), {"id": told["id"]}).data == {"bulkOperation": None}
    node = app.ask("query N($id: ID!) { node(id: $id) { id ... on BulkOperation { status } } }", {"id": told["id"]})
    assert node.data["node"]["status"] == "COMPLETED"


def test_a_missing_scope_fails_the_operation(app: App, bulk: Bulk) -> None:
    app.control("POST", "tokens", {"scopes": ["read_products"]})
    told = bulk.ended(bulk.start_query(LEVELS))
    assert (told["status"], told["errorCode"], told["url"]) == ("FAILED", "ACCESS_DENIED", None)


def test_a_result_can_be_fetched_for_seven_days(app: App, bulk: Bulk) -> None:
    told = bulk.ended(bulk.start_query(CATALOGUE))
    app.control("POST", "clock", {"advance": 7 * 86_400 - 60})
    assert bulk.http.get(told["url"]).status_code == 200
    app.control("POST", "clock", {"advance": 120})
    assert bulk.http.get(told["url"]).status_code == 403
    assert bulk.read(told["id"])["status"] == "EXPIRED"
    assert bulk.http.get("http://sandbox/files/nothing.jsonl").status_code == 404


def test_a_result_can_be_fetched_in_parts(bulk: Bulk) -> None:
    url = bulk.ended(bulk.start_query(CATALOGUE))["url"]
    whole = bulk.http.get(url).content
    rest = bulk.http.get(url, headers={"Range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, whole[100:])
    assert rest.headers["content-range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"


def test_a_download_that_breaks_in_the_middle_says_its_full_length(app: App, bulk: Bulk) -> None:
    told = bulk.ended(bulk.start_query(CATALOGUE))
    number = told["id"].rpartition("/")[2]
    app.control("POST", f"bulk/{number}/break_download", {"bytes": 50})
    reply = bulk.download(told["url"])
    assert str(reply.length) == told["fileSize"]
    pieces: list[bytes] = []
    with pytest.raises(ConnectionDropped):
        pieces.extend(piece for piece in iter(reply.stream))
    assert bulk.http.get(told["url"]).status_code == 200


def test_ten_days_are_the_limit_of_a_query(app: App, bulk: Bulk) -> None:
    app.control("POST", "bulk", {"rows_per_second": 1})
    gid = bulk.start_query(CATALOGUE)["bulkOperation"]["id"]
    app.control("POST", "clock", {"advance": 10 * 86_400 + 60})
    assert bulk.row(gid).ended.wait(10)
    told = bulk.read(gid)
    assert (told["status"], told["errorCode"]) == ("FAILED", "TIMEOUT")


def test_what_was_written_before_a_failure_is_a_partial_result(app: App, bulk: Bulk) -> None:
    app.control("POST", "bulk", {"rows_per_second": 1})
    gid = bulk.start_query(CATALOGUE)["bulkOperation"]["id"]
    until = time.monotonic() + 10
    while bulk.read(gid)["objectCount"] == "0" and time.monotonic() < until:
        threading.Event().wait(0.01)
    app.control("POST", f"bulk/{gid.rpartition('/')[2]}/fail", {"code": "INTERNAL_SERVER_ERROR"})
    assert bulk.row(gid).ended.wait(10)
    told = bulk.read(gid)
    assert (told["status"], told["errorCode"], told["url"]) == ("FAILED", "INTERNAL_SERVER_ERROR", None)
    assert len(bulk.lines(told["partialDataUrl"])) == 4


def test_whoever_listens_hears_the_end(app: App, bulk: Bulk) -> None:
    heard: list[tuple[str, str]] = []
    app.shop.listeners.append(lambda shop, topic, row: heard.append((topic, getattr(row, "gid", ""))))
    told = bulk.ended(bulk.start_query(CATALOGUE))
    assert heard == [("bulk_operations/finish", told["id"])]


def test_others_are_served_while_a_big_shop_is_read(sandbox: Sandbox) -> None:
    shop, _ = sandbox.add_shop("mare")
    sandbox.fill(shop, 20_000)
    app = App(sandbox, shop)
    bulk = Bulk(app)
    gid = bulk.start_query(LEVELS)["bulkOperation"]["id"]
    answered = 0
    while not bulk.row(gid).ended.is_set():
        assert app.ask("{ shop { name } }").status == 200
        answered += 1
        time.sleep(0.02)
    assert answered > 3
    assert bulk.read(gid)["objectCount"] == str(20_000 + shop.level_count())


def test_orders_come_with_their_lines(app: App, bulk: Bulk) -> None:
    wanted = {"lines": [{"sku": "APA", "quantity": 2}, {"sku": "BERE-S", "quantity": 1}]}
    app.control("POST", "orders", wanted)
    rows = bulk.lines(bulk.ended(bulk.start_query(document("bulk_inner_query_orders")))["url"])
    (order,) = [row for row in rows if "__parentId" not in row]
    lines = [row for row in rows if row.get("__parentId") == order["id"]]
    assert {(row["sku"], row["quantity"]) for row in lines} == {("APA", 2), ("BERE-S", 1)}
