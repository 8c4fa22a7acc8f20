"""A bulk change: uploaded from disk, never run twice, every row's outcome known or said to be unknown."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx
import stamina

from connectors.ports.errors import FeatureNotSupported, OutcomeUnknown, RequestRejected
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.bulk import BulkOperations
from connectors.shopify.bulk_changes import BulkChanges, LineOutcome, LineState
from tests.connectors.shopify.answers import BASE_URL, ENDPOINT, answer
from tests.pacers import OpenPacer

UPLOADS = "https://uploads.example.com/bucket"
RESULTS = "https://storage.example.com/results/"
NOW = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)


class FakeShopify:
    """Takes uploads, runs every row at once, and keeps its operations as Shopify does."""

    def __init__(self) -> None:
        self.uploads: list[bytes] = []
        self.requests: list[httpx.Request] = []
        self.operations: list[dict[str, Any]] = []
        self.labels: list[str] = []
        self.replies: dict[int, list[dict[str, Any]]] = {}
        self.partial: dict[int, int] = {}
        self.most_running = 0
        self.lose_start = False
        self.forget_start = False

    def graphql(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        return answer(getattr(self, "on_" + body["operationName"])(**body["variables"]))

    def on_StagedUpload(self, filename: str) -> dict[str, Any]:  # noqa: N802
        parameters = [("key", f"tmp/{len(self.uploads)}/{filename}"), ("policy", "p"), ("acl", "private")]
        target = {"url": UPLOADS, "parameters": [{"name": name, "value": value} for name, value in parameters]}
        return {"stagedUploadsCreate": {"stagedTargets": [target], "userErrors": []}}

    def upload(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.uploads.append(request.content.split(b"\r\n\r\n")[-1].rsplit(b"\r\n--", 1)[0])
        return httpx.Response(201)

    def on_BulkRunMutation(self, mutation: str, stagedUploadPath: str, clientIdentifier: str) -> dict[str, Any]:  # noqa: N802, N803
        number = len(self.operations)
        self.labels.append(clientIdentifier)
        operation = {
            "id": f"gid://shopify/BulkOperation/{number}",
            "type": "MUTATION",
            "status": "RUNNING",
            "query": mutation,
            "createdAt": (NOW - dt.timedelta(minutes=1)).isoformat(),
            "objectCount": "1",
        }
        if not self.forget_start:
            self.operations.append(operation)
        self.most_running = max(self.most_running, sum(each["status"] == "RUNNING" for each in self.operations))
        if self.lose_start:
            self.lose_start = False
            raise httpx.ReadTimeout("lost")
        return {"bulkOperationRunMutation": {"bulkOperation": operation, "userErrors": []}}

    def on_BulkOperation(self, id: str) -> dict[str, Any]:  # noqa: N802
        number = int(id.rpartition("/")[2])
        broken = number in self.partial
        ended = {"status": "FAILED" if broken else "COMPLETED", "errorCode": "TIMEOUT" if broken else None}
        address = "partialDataUrl" if broken else "url"
        self.operations[number] |= {**ended, address: f"{RESULTS}{number}"}
        return {"bulkOperation": self.operations[number]}

    def on_BulkOperations(self, query: str, after: str | None) -> dict[str, Any]:  # noqa: N802
        nodes = sorted(self.operations, key=lambda each: str(each["createdAt"]), reverse=True)
        return {"bulkOperations": {"pageInfo": {"hasNextPage": False}, "nodes": nodes}}

    def result(self, request: httpx.Request) -> httpx.Response:
        number = int(str(request.url).rpartition("/")[2])
        rows = len(self.uploads[number].splitlines())
        lines = self.replies.get(number) or [done(line) for line in reversed(range(rows))]
        lines = lines[: self.partial.get(number)]
        return httpx.Response(200, content="".join(json.dumps(line) + "\n" for line in lines).encode())


def done(line: int, *errors: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"inventorySetQuantities": {"userErrors": list(errors)}}, "__lineNumber": line}


@pytest.fixture
def shopify() -> Iterator[FakeShopify]:
    fake = FakeShopify()
    with respx.mock(assert_all_called=False) as router:
        router.post(ENDPOINT).mock(side_effect=fake.graphql)
        router.post(UPLOADS).mock(side_effect=fake.upload)
        router.get(url__startswith=RESULTS).mock(side_effect=fake.result)
        yield fake


@pytest.fixture
def store() -> Iterator[ShopifyStore]:
    with stamina.set_testing(True, attempts=2, cap=True):
        store = ShopifyStore(
            base_url=BASE_URL, token="shpat_0123456789abcdef", api_version="2026-10", pacer=OpenPacer()
        )
        yield store
        store.close()


def changes(store: ShopifyStore, **how: Any) -> BulkChanges:
    bulk = BulkOperations(store._client, store._http, pause=lambda seconds: None)
    return BulkChanges(store._client, bulk, **how)


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"input": {"name": "available", "quantities": [number]}, "idempotencyKey": str(number)}
        for number in range(count)
    ]


def run(store: ShopifyStore, count: int = 3, *, label: str = "run42", **how: Any) -> dict[int, LineOutcome]:
    outcomes = list(changes(store, **how).run("bulk_inventory_set", rows(count), label=label))
    assert len(outcomes) == count
    return {outcome.index: outcome for outcome in outcomes}


def test_rows_go_up_one_a_line_and_their_answers_are_told_by_number(store: ShopifyStore, shopify: FakeShopify) -> None:
    refusal = {"code": "INVALID_LOCATION", "field": ["input"], "message": "No such location."}
    shopify.replies[0] = [done(2), done(0, refusal), done(1)]

    outcomes = run(store)

    assert shopify.uploads == [b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows(3))]
    assert [outcomes[index].state for index in range(3)] == [LineState.REFUSED, LineState.DONE, LineState.DONE]
    assert "No such location." in outcomes[0].cause
    assert outcomes[0].remedy
    assert json.loads(outcomes[1].payload) == done(1)["data"]


def test_the_form_has_the_parameters_in_their_order_the_file_last_and_no_token(
    store: ShopifyStore, shopify: FakeShopify
) -> None:
    run(store)

    (request,) = shopify.requests
    fields = [part.split(b'"')[1] for part in request.content.split(b"Content-Disposition: form-data; ")[1:]]
    assert fields == [b"key", b"policy", b"acl", b"file"]
    assert "X-Shopify-Access-Token" not in request.headers
    assert b"shpat_" not in request.content


def test_a_large_job_goes_in_several_files_five_at_a_time_and_keeps_its_numbers(
    store: ShopifyStore, shopify: FakeShopify
) -> None:
    outcomes = run(store, 20, max_upload=180)

    assert len(shopify.uploads) > 5
    assert all(len(upload) <= 180 for upload in shopify.uploads)
    assert shopify.most_running == 5
    assert sorted(outcomes) == list(range(20))
    assert {outcome.state for outcome in outcomes.values()} == {LineState.DONE}


def test_a_caller_that_crashed_finds_its_operations_and_runs_nothing_twice(
    store: ShopifyStore, shopify: FakeShopify
) -> None:
    first = changes(store, max_upload=180).run("bulk_inventory_set", rows(12), label="run42")
    next(first)
    first.close()
    begun = len(shopify.operations)

    outcomes = run(store, 12, max_upload=180)

    assert 0 < begun <= len(shopify.operations)
    assert len({operation["query"] for operation in shopify.operations}) == len(shopify.operations)
    assert sorted(outcomes) == list(range(12))
    assert all(10 <= len(label) <= 255 for label in shopify.labels)


def test_another_job_with_the_same_rows_is_another_operation(store: ShopifyStore, shopify: FakeShopify) -> None:
    run(store, label="run4")
    run(store, label="run42")

    assert len(shopify.operations) == 2


def test_other_rows_under_a_used_label_are_not_sent(store: ShopifyStore, shopify: FakeShopify) -> None:
    run(store, 3)

    with pytest.raises(RequestRejected, match="other rows"):
        run(store, 4)
    assert len(shopify.uploads) == 1


def test_a_start_whose_answer_was_lost_is_found_and_not_repeated(store: ShopifyStore, shopify: FakeShopify) -> None:
    shopify.lose_start = True

    assert len(run(store)) == 3
    assert len(shopify.operations) == 1


def test_a_start_that_may_have_happened_is_never_repeated_blindly(store: ShopifyStore, shopify: FakeShopify) -> None:
    shopify.lose_start = shopify.forget_start = True

    with pytest.raises(OutcomeUnknown):
        run(store)
    assert len(shopify.labels) == 1


def test_rows_without_an_answer_are_unknown_and_not_done(store: ShopifyStore, shopify: FakeShopify) -> None:
    shopify.partial[0] = 1

    outcomes = run(store)

    assert [outcomes[index].state for index in range(3)] == [LineState.UNKNOWN, LineState.UNKNOWN, LineState.DONE]
    assert "failed" in outcomes[0].cause


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ({"errors": [{"message": "x", "extensions": {"code": "INVALID_VARIABLE"}}]}, LineState.REFUSED),
        ({"data": None, "errors": [{"message": "x", "extensions": {"code": "ACCESS_DENIED"}}]}, LineState.REFUSED),
        ({"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, LineState.UNKNOWN),
        ({"data": {"inventorySetQuantities": None}}, LineState.UNKNOWN),
        ({"data": None}, LineState.UNKNOWN),
    ],
)
def test_a_row_that_failed_is_refused_only_where_that_is_certain(
    reply: dict[str, Any], state: LineState, store: ShopifyStore, shopify: FakeShopify
) -> None:
    shopify.replies[0] = [{**reply, "__lineNumber": 0}]

    outcome = run(store, 1)[0]

    assert outcome.state == state
    assert outcome.cause
    assert outcome.remedy


def test_no_rows_are_no_operation(store: ShopifyStore, shopify: FakeShopify) -> None:
    assert run(store, 0) == {}
    assert shopify.operations == []


@pytest.mark.parametrize("label", ["", "run 42", "run-42", "x" * 61])
def test_a_label_that_cannot_be_found_again_is_refused_before_anything_is_sent(
    label: str, store: ShopifyStore, shopify: FakeShopify
) -> None:
    with pytest.raises(FeatureNotSupported):
        run(store, label=label)
    assert shopify.uploads == []
