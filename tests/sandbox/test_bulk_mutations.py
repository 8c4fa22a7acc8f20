"""Bulk mutations: every line is done once, told in any order, and a bad one stops no other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.bulk import INNER_SET, Bulk, path_of, user_codes
from tests.sandbox.client import App, document


@pytest.fixture
def bulk(app: App) -> Bulk:
    return Bulk(app)


def line(app: App, sku: str, quantity: int, key: str, expected: int | None = None) -> dict[str, Any]:
    given = {"name": "available", "reason": "correction", "quantities": [app.row(sku, quantity, expected)]}
    return {"input": given, "key": key}


def test_every_line_is_carried_out_and_told_by_its_number(app: App, bulk: Bulk) -> None:
    path = bulk.staged(*[line(app, sku, i + 20, f"k-{i}") for i, sku in enumerate(("APA", "BERE-S", "CEAI"))])
    told = bulk.ended(bulk.start_mutation(INNER_SET, path))
    assert (told["status"], told["type"], told["objectCount"]) == ("COMPLETED", "MUTATION", "3")
    rows = bulk.lines(told["url"])
    assert sorted(row["__lineNumber"] for row in rows) == [0, 1, 2]
    assert all(row["data"]["inventorySetQuantities"]["userErrors"] == [] for row in rows)
    assert [app.shows(sku)["available"] for sku in ("APA", "BERE-S", "CEAI")] == [20, 21, 22]


def test_results_do_not_come_in_the_order_of_the_lines(app: App, bulk: Bulk) -> None:
    path = bulk.staged(*[line(app, "APA", i, f"k-{i}") for i in range(60)])
    numbers = [row["__lineNumber"] for row in bulk.lines(bulk.ended(bulk.start_mutation(INNER_SET, path))["url"])]
    assert numbers != sorted(numbers)
    assert sorted(numbers) == list(range(60))


def test_a_completed_operation_may_hold_failed_lines(app: App, bulk: Bulk) -> None:
    path = bulk.staged(
        line(app, "APA", 99, "k-0", expected=1),
        {"input": {"name": "available"}, "key": "k-1"},
        line(app, "BERE-S", 7, "k-2"),
    )
    told = bulk.ended(bulk.start_mutation(INNER_SET, path))
    assert told["status"] == "COMPLETED"
    stale, unfit, good = sorted(bulk.lines(told["url"]), key=lambda row: int(row["__lineNumber"]))
    assert stale["data"]["inventorySetQuantities"]["userErrors"][0]["code"] == "CHANGE_FROM_QUANTITY_STALE"
    assert unfit["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"
    assert good["data"]["inventorySetQuantities"]["userErrors"] == []
    assert (app.shows("APA")["available"], app.shows("BERE-S")["available"]) == (10, 7)


def test_a_line_that_is_not_json_fails_alone(app: App, bulk: Bulk) -> None:
    target = bulk.target()
    bulk.upload(target, b'{"input": {}}\nnonsense\n')
    rows = bulk.lines(bulk.ended(bulk.start_mutation(INNER_SET, path_of(target)))["url"])
    assert {row["__lineNumber"] for row in rows if "errors" in row} == {0, 1}


def test_the_same_file_again_changes_nothing(app: App, bulk: Bulk) -> None:
    path = bulk.staged(line(app, "APA", 33, "once"))
    first = bulk.ended(bulk.start_mutation(INNER_SET, path))
    app.set(app.row("APA", 5))
    again = bulk.ended(bulk.start_mutation(INNER_SET, path))
    assert bulk.lines(first["url"]) == bulk.lines(again["url"])
    assert app.shows("APA")["available"] == 5


def test_the_document_of_the_reference_runs(app: App, bulk: Bulk) -> None:
    text = document("bulk_inner_inventory_set")
    one = line(app, "APA", 3, "ref")
    told = bulk.ended(bulk.start_mutation(text, bulk.staged({"input": one["input"], "idempotencyKey": "ref"})))
    assert told["status"] == "COMPLETED"
    assert app.shows("APA")["available"] == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (("mutation { a: inventoryDeactivate(inventoryLevelId: \"x\") { userErrors { message } }"
         " b: inventoryDeactivate(inventoryLevelId: \"y\") { userErrors { message } } }"), "exactly one mutation field"),
        ('mutation { bulkOperationRunQuery(query: "{ shop { id } }") { userErrors { message } } }', "not allowed"),
        ("{ shop { id } }", "exactly one mutation"),
        ("mutation { nothingLikeThis { id } }", "nothingLikeThis"),
        (
            ("mutation M($id: ID!, $in: InventoryItemInput!) { inventoryItemUpdate(id: $id, input: $in) { inventoryItem {"
            " a: inventoryLevels(first: 1) { edges { node { id } } } b: inventoryLevels(first: 1) { edges { node { id } } }"
            " } } }"),
            "more than 1 connection",
        ),
        (INNER_SET + "#" * 65_536, "65535"),
    ],
)  # fmt: skip
def test_a_mutation_that_cannot_run_in_bulk_is_refused_at_the_start(app: App, bulk: Bulk, text: str, why: str) -> None:
    started = bulk.start_mutation(text, bulk.staged(line(app, "APA", 1, "k")))
    assert user_codes(started) == ["INVALID_MUTATION"]
    assert why in started["userErrors"][0]["message"]


def test_a_file_that_is_not_there_or_is_no_jsonl_is_refused(bulk: Bulk) -> None:
    never_uploaded = path_of(bulk.target())
    assert user_codes(bulk.start_mutation(INNER_SET, never_uploaded)) == ["NO_SUCH_FILE"]
    assert user_codes(bulk.start_mutation(INNER_SET, "tmp/elsewhere.jsonl")) == ["NO_SUCH_FILE"]
    target = bulk.target()
    bulk.upload(target, b"item,quantity\n1,2\n")
    assert user_codes(bulk.start_mutation(INNER_SET, path_of(target))) == ["INVALID_STAGED_UPLOAD_FILE"]


def test_more_than_100_mb_are_refused(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.shopify.bulk.MAX_FILE", 10)
    target = bulk.target()
    bulk.upload(target, b'{"input": "long enough"}\n')
    assert user_codes(bulk.start_mutation(INNER_SET, path_of(target))) == ["INVALID_STAGED_UPLOAD_FILE"]


@pytest.mark.parametrize(("label", "taken"), [("short", False), ("x" * 256, False), ("sync-console-job-42", True)])
def test_a_client_identifier_has_10_to_255_characters(app: App, bulk: Bulk, label: str, taken: bool) -> None:
    started = bulk.start_mutation(INNER_SET, bulk.staged(line(app, "APA", 1, "k")), label)
    assert (started["userErrors"] == []) is taken
    if not taken:
        assert started["userErrors"][0]["field"] == ["clientIdentifier"]


@pytest.mark.parametrize("code", ["INTERNAL_FILE_SERVER_ERROR", "LIMIT_REACHED"])
def test_a_start_can_be_made_to_fail_once(app: App, bulk: Bulk, code: str) -> None:
    app.control("POST", "bulk", {"refuse": [code]})
    path = bulk.staged(line(app, "APA", 1, "k"))
    assert user_codes(bulk.start_mutation(INNER_SET, path)) == [code]
    assert bulk.ended(bulk.start_mutation(INNER_SET, path))["status"] == "COMPLETED"


def test_cancelling_stops_what_is_not_done_yet(app: App, bulk: Bulk) -> None:
    app.control("POST", "bulk", {"rows_per_second": 1})
    path = bulk.staged(*[line(app, "APA", 100 + i, f"k-{i}") for i in range(50)])
    gid = bulk.start_mutation(INNER_SET, path)["bulkOperation"]["id"]
    assert bulk.cancel(gid).data["bulkOperationCancel"]["bulkOperation"]["status"] in ("CANCELING", "CANCELED")
    assert bulk.row(gid).ended.wait(10)
    told = bulk.read(gid)
    assert (told["status"], told["url"]) == ("CANCELED", None)
    assert int(told["objectCount"]) < 50


def test_a_file_replaced_while_it_runs_fails_the_operation(app: App, bulk: Bulk) -> None:
    app.control("POST", "bulk", {"start_delay": 0.3})
    target = bulk.target()
    bulk.upload(target, b'{"input": {}}\n')
    gid = bulk.start_mutation(INNER_SET, path_of(target))["bulkOperation"]["id"]
    bulk.upload(target, b'{"input": {"other": 1}}\n')
    assert bulk.row(gid).ended.wait(10)
    assert bulk.read(gid)["status"] == "FAILED"


def test_without_its_scope_a_mutation_fails(app: App, bulk: Bulk) -> None:
    path = bulk.staged(line(app, "APA", 1, "k"))
    app.control("POST", "tokens", {"scopes": ["read_inventory"]})
    told = bulk.ended(bulk.start_mutation(INNER_SET, path))
    assert (told["status"], told["errorCode"]) == ("FAILED", "ACCESS_DENIED")


def test_the_whole_way_by_the_documents_of_the_reference_costs_what_it_says(app: App, bulk: Bulk) -> None:
    wanted = {
        "resource": "BULK_MUTATION_VARIABLES",
        "filename": "j.jsonl",
        "mimeType": "text/jsonl",
        "httpMethod": "POST",
    }
    staged = app.ask(document("staged_uploads_create"), {"input": [wanted]})
    target = staged.data["stagedUploadsCreate"]["stagedTargets"][0]
    bulk.upload(target, b'{"input": {}}\n')
    started = app.ask(
        document("bulk_run_mutation"),
        {"mutation": INNER_SET, "stagedUploadPath": path_of(target), "clientIdentifier": "sync-console-job-42"},
    )
    told = bulk.ended(started.data["bulkOperationRunMutation"])
    cancelled = app.ask(document("bulk_operation_cancel"), {"id": told["id"]})
    query = app.ask(document("bulk_run_query"), {"query": "{ products { edges { node { id } } } }"})
    assert bulk.ended(query.data["bulkOperationRunQuery"])["status"] == "COMPLETED"
    costs = [answer.cost["requestedQueryCost"] for answer in (staged, started, cancelled, query)]
    assert costs == [11, 10, 10, 10]
