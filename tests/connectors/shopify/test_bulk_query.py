"""A bulk query: started once, waited for, read to its end, joined whatever the order of its lines."""

from __future__ import annotations

import datetime as dt
import json
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx
import stamina

from connectors.http import HostNotAllowed
from connectors.ports.errors import ConnectorUnavailable, CredentialsRejected, RateLimited, RequestRejected
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.bulk import BulkOperations
from connectors.shopify.bulk_rows import joined
from connectors.shopify.documents import document
from tests.connectors.shopify.answers import BASE_URL, ENDPOINT, answer
from tests.pacers import OpenPacer

RESULT = "https://storage.example.com/result.jsonl?signature=1"
NOW = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
"""The Date header of `answers.answer`."""


class Waits:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def clock(self) -> float:
        return sum(self.pauses)


def operation(status: str = "RUNNING", *, minutes_ago: float = 1, **parts: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/BulkOperation/7",
        "type": "QUERY",
        "status": status,
        "errorCode": None,
        "query": document("bulk_products").text,
        "createdAt": (NOW - dt.timedelta(minutes=minutes_ago)).isoformat(),
        "objectCount": "3",
        "fileSize": None,
        "url": RESULT if status == "COMPLETED" else None,
        "partialDataUrl": None,
        **parts,
    }


class FakeApi:
    """Answers by operation name; the last answer of each is repeated."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.listed: list[dict[str, Any]] = []
        self.polls: list[dict[str, Any]] = [operation("COMPLETED")]
        self.starts: list[httpx.Response | Exception] = [started()]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        name = body["operationName"]
        self.asked.append(name)
        self.sent.append(body["variables"])
        if name == "BulkOperations":
            pages = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": self.listed}
            return answer({"bulkOperations": pages})
        if name == "BulkOperation":
            found = self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]
            return answer({"bulkOperation": found})
        given = self.starts.pop(0) if len(self.starts) > 1 else self.starts[0]
        if isinstance(given, Exception):
            raise given
        return given


def started(*errors: dict[str, Any]) -> httpx.Response:
    begun = (
        None if errors else {"id": "gid://shopify/BulkOperation/7", "status": "CREATED", "createdAt": NOW.isoformat()}
    )
    return answer({"bulkOperationRunQuery": {"bulkOperation": begun, "userErrors": list(errors)}})


NO_SLOT = {"code": "OPERATION_IN_PROGRESS", "field": None, "message": "A bulk query operation is already in progress."}


@pytest.fixture
def router() -> Iterator[respx.Router]:
    with respx.mock(assert_all_called=False) as router:
        yield router


@pytest.fixture
def api(router: respx.Router) -> FakeApi:
    api = FakeApi()
    router.post(ENDPOINT).mock(side_effect=api)
    return api


@pytest.fixture
def file(router: respx.Router) -> respx.Route:
    return router.get(RESULT).mock(return_value=httpx.Response(200, content=b'{"id":"gid://shopify/Product/1"}\n'))


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def bulk(waits: Waits) -> Iterator[BulkOperations]:
    with stamina.set_testing(True, attempts=2, cap=True):
        store = ShopifyStore(
            base_url=BASE_URL, token="shpat_0123456789abcdef", api_version="2026-10", pacer=OpenPacer()
        )
        yield BulkOperations(store._client, store._http, pause=waits.pause, clock=waits.clock)
        store.close()


def read(bulk: BulkOperations, **how: Any) -> list[bytes]:
    return list(bulk.lines("bulk_products", **how))


# --- start and wait


def test_a_query_is_started_looked_at_ever_more_seldom_and_read(
    bulk: BulkOperations, api: FakeApi, file: respx.Route, waits: Waits
) -> None:
    api.polls = [operation("CREATED"), *[operation()] * 10, operation("COMPLETED")]

    assert read(bulk) == [b'{"id":"gid://shopify/Product/1"}']
    assert waits.pauses[:3] == [2.0, 3.0, 4.5]
    assert waits.pauses == sorted(waits.pauses)
    assert max(waits.pauses) == 30.0
    assert api.sent[1] == {"query": document("bulk_products").text}


def test_the_token_does_not_go_to_the_storage(bulk: BulkOperations, api: FakeApi, file: respx.Route) -> None:
    read(bulk)

    sent = file.calls.last.request.headers
    assert "X-Shopify-Access-Token" not in sent
    assert "shpat_" not in str(sent)


def test_a_shop_without_a_match_has_no_rows(bulk: BulkOperations, api: FakeApi) -> None:
    api.polls = [operation("COMPLETED", url=None, objectCount="0")]

    assert read(bulk) == []


def test_a_result_whose_address_is_gone_is_not_an_empty_shop(bulk: BulkOperations, api: FakeApi) -> None:
    api.polls = [operation("COMPLETED", url=None)]

    with pytest.raises(ConnectorUnavailable, match="expired"):
        read(bulk)


def test_a_taken_slot_is_waited_for(bulk: BulkOperations, api: FakeApi, file: respx.Route, waits: Waits) -> None:
    api.starts = [started(NO_SLOT), started(NO_SLOT), started()]

    assert len(read(bulk)) == 1
    assert waits.pauses == [2.0, 3.0]


def test_slots_that_stay_taken_end_the_wait(bulk: BulkOperations, api: FakeApi, waits: Waits) -> None:
    api.starts = [started(NO_SLOT)]

    with pytest.raises(RateLimited) as limited:
        read(bulk)
    assert limited.value.retry_after > 0
    assert 800 < waits.clock() <= 900


def test_a_query_that_shopify_refuses_is_not_repeated(bulk: BulkOperations, api: FakeApi) -> None:
    api.starts = [started({"code": "INVALID", "field": ["query"], "message": "Too many connections."})]

    with pytest.raises(RequestRejected, match="Too many connections"):
        read(bulk)
    assert api.asked.count("BulkRunQuery") == 1


@pytest.mark.parametrize(
    ("ended", "error"),
    [
        (operation("FAILED", errorCode="ACCESS_DENIED"), CredentialsRejected),
        (operation("FAILED", errorCode="TIMEOUT", partialDataUrl=RESULT), ConnectorUnavailable),
        (operation("FAILED", errorCode="INTERNAL_SERVER_ERROR"), ConnectorUnavailable),
        (operation("CANCELED"), ConnectorUnavailable),
        (operation("EXPIRED"), ConnectorUnavailable),
    ],
)
def test_an_operation_that_ended_badly_gives_no_rows_and_says_why(
    ended: dict[str, Any], error: type[ConnectorUnavailable], bulk: BulkOperations, api: FakeApi, file: respx.Route
) -> None:
    api.polls = [ended]

    with pytest.raises(error) as raised:
        read(bulk)
    assert raised.value.cause
    assert raised.value.remedy
    assert not file.called


def test_a_query_that_takes_longer_than_the_caller_may_wait_goes_on_in_shopify(
    bulk: BulkOperations, api: FakeApi, waits: Waits
) -> None:
    api.polls = [operation()]

    with pytest.raises(ConnectorUnavailable, match="takes it over"):
        read(bulk, limit=100)
    assert waits.clock() <= 100


# --- a worker that died


def test_an_operation_under_way_is_taken_over_instead_of_starting_another(
    bulk: BulkOperations, api: FakeApi, file: respx.Route
) -> None:
    api.listed = [operation(minutes_ago=59)]

    assert len(read(bulk)) == 1
    assert "BulkRunQuery" not in api.asked


@pytest.mark.parametrize(
    "other",
    [
        operation(minutes_ago=61),
        operation(query="query BulkProducts { products { edges { node { id } } } }"),
        operation(type="MUTATION"),
        operation("CANCELING"),
        operation("COMPLETED"),
    ],
    ids=["too old", "another query", "a mutation", "being cancelled", "ended, and not this job's"],
)
def test_only_the_same_recent_query_is_taken_over(
    other: dict[str, Any], bulk: BulkOperations, api: FakeApi, file: respx.Route
) -> None:
    api.listed = [other]

    read(bulk)

    assert api.asked.count("BulkRunQuery") == 1


def test_a_job_that_died_finds_its_own_result_by_its_label(
    bulk: BulkOperations, api: FakeApi, file: respx.Route
) -> None:
    own = document("bulk_products").text.replace("query BulkProducts", "query BulkProducts_run42")
    api.listed = [operation("COMPLETED", query=own)]

    assert len(read(bulk, label="run42")) == 1
    assert "BulkRunQuery" not in api.asked


def test_a_start_whose_answer_was_lost_is_looked_up(
    bulk: BulkOperations, api: FakeApi, file: respx.Route, router: respx.Router
) -> None:
    def lose(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["operationName"] == "BulkRunQuery":
            api.asked.append("BulkRunQuery")
            api.listed = [operation()]
            raise httpx.ReadTimeout("lost")
        return api(request)

    router.post(ENDPOINT).mock(side_effect=lose)

    assert len(read(bulk)) == 1
    assert api.asked.count("BulkRunQuery") == 1


def test_an_operation_is_cancelled_and_a_refusal_is_said(bulk: BulkOperations, api: FakeApi) -> None:
    done = {"field": ["id"], "message": "A bulk operation cannot be canceled when it is completed"}
    ending = {key: operation("CANCELING")[key] for key in ("id", "status", "createdAt")}
    payloads = [{"bulkOperation": ending, "userErrors": []}, {"bulkOperation": None, "userErrors": [done]}]
    api.starts = [answer({"bulkOperationCancel": payload}) for payload in payloads]

    bulk.cancel("gid://shopify/BulkOperation/7")
    with pytest.raises(RequestRejected, match="completed"):
        bulk.cancel("gid://shopify/BulkOperation/7")


# --- the file


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.example.com/x",
        "https://169.254.169.254/x",
        "https://localhost/x",
        "https://user@storage.example.com/x",
        "file:///etc/passwd",
    ],
)
def test_a_result_is_only_fetched_from_a_storage(url: str, bulk: BulkOperations, api: FakeApi) -> None:
    api.polls = [operation("COMPLETED", url=url)]

    with pytest.raises(HostNotAllowed):
        read(bulk)


class Storage:
    """A file served by HTTP that breaks off after `breaks` bytes of each answer in turn."""

    def __init__(self, content: bytes, breaks: list[int], *, ranges: bool = True) -> None:
        self.content = content
        self.breaks = breaks
        self.ranges = ranges
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        wanted = request.headers.get("Range", "")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        headers = {"ETag": '"1"'}
        if wanted and self.ranges:
            headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        body = self.content[start:]
        stop = self.breaks.pop(0) if self.breaks else None

        def stream() -> Iterator[bytes]:
            yield body[:stop]
            if stop is not None:
                raise httpx.ReadError("broken off")

        return httpx.Response(206 if "Content-Range" in headers else 200, headers=headers, content=stream())


ROWS = [json.dumps({"id": f"gid://shopify/Product/{number}", "title": "ș" * number}).encode() for number in range(40)]


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_broken_download_goes_on_without_a_row_twice_or_missing(
    ranges: bool, ending: bytes, bulk: BulkOperations, api: FakeApi, file: respx.Route, waits: Waits
) -> None:
    storage = Storage(b"\n".join(ROWS) + ending, [700, 1500 if ranges else 2500, 0], ranges=ranges)
    file.mock(side_effect=storage)

    assert read(bulk) == ROWS
    assert len(storage.asked) == 4
    assert storage.asked[1].startswith("bytes=")


def test_a_file_that_ends_early_without_a_word_is_noticed_by_its_size(
    bulk: BulkOperations, api: FakeApi, file: respx.Route
) -> None:
    whole = b"\n".join(ROWS) + b"\n"
    api.polls = [operation("COMPLETED", fileSize=str(len(whole)))]
    file.side_effect = [httpx.Response(200, content=whole[:500]), Storage(whole, [])]
    rest = Storage(whole, [])
    file.mock(
        side_effect=lambda request: (
            rest(request) if "Range" in request.headers else httpx.Response(200, content=whole[:500])
        )
    )

    assert read(bulk) == ROWS


def test_a_file_that_never_comes_is_given_up_with_cause_and_remedy(
    bulk: BulkOperations, api: FakeApi, file: respx.Route, waits: Waits
) -> None:
    file.mock(return_value=httpx.Response(503))

    with pytest.raises(ConnectorUnavailable, match="503"):
        read(bulk)
    assert waits.pauses == [1.0, 2.0, 4.0, 8.0]


def test_an_expired_address_is_asked_for_again(bulk: BulkOperations, api: FakeApi, router: respx.Router) -> None:
    fresh = "https://storage.example.com/result.jsonl?signature=2"
    router.get(RESULT).mock(return_value=httpx.Response(403))
    router.get(fresh).mock(return_value=httpx.Response(200, content=ROWS[1]))
    api.polls = [operation("COMPLETED"), operation("COMPLETED", url=fresh)]

    assert read(bulk) == [ROWS[1]]


def test_a_result_replaced_while_it_is_read_is_not_mixed(bulk: BulkOperations, api: FakeApi, file: respx.Route) -> None:
    first = Storage(b"\n".join(ROWS), [700])
    other = httpx.Response(206, headers={"ETag": '"2"'}, content=b"")
    file.mock(side_effect=lambda request: other if first.asked else first(request))

    with pytest.raises(ConnectorUnavailable, match="replaced"):
        read(bulk)


# --- parents and children


def lines_of(products: int, variants: int) -> list[bytes]:
    made: list[dict[str, Any]] = []
    for product in range(1, products + 1):
        parent = f"gid://shopify/Product/{product}"
        made.append({"id": parent})
        made += [
            {"id": f"gid://shopify/ProductVariant/{product * 1000 + number}", "__parentId": parent}
            for number in range(variants)
        ]
    return [json.dumps(row).encode() for row in made]


def test_children_find_their_parent_wherever_they_stand() -> None:
    lines = lines_of(12, 3)
    random.Random(7).shuffle(lines)

    nodes = list(joined(lines))

    assert [node.id for node in nodes] == [f"gid://shopify/Product/{number}" for number in range(1, 13)]
    assert [child.id for child in nodes[1].children] == [f"gid://shopify/ProductVariant/200{n}" for n in range(3)]


def test_children_of_children_are_joined_too() -> None:
    item, level = "gid://shopify/InventoryItem/1", "gid://shopify/InventoryLevel/5?inventory_item_id=1"
    lines = [
        json.dumps({"name": "leaf", "__parentId": level}).encode(),
        json.dumps({"id": level, "__parentId": item}).encode(),
        json.dumps({"id": item}).encode(),
    ]

    (root,) = joined(lines)

    assert root.children[0].children[0].read(dict[str, str])["name"] == "leaf"


def test_a_child_without_its_parent_is_never_dropped_in_silence() -> None:
    with pytest.raises(ConnectorUnavailable, match="1 of 3"):
        list(
            joined([*lines_of(1, 1), b'{"id":"gid://shopify/ProductVariant/9","__parentId":"gid://shopify/Product/9"}'])
        )


def test_a_line_that_cannot_be_read_ends_the_reading() -> None:
    with pytest.raises(ConnectorUnavailable, match="another shape"):
        list(joined([b'{"id": 5']))


def test_memory_does_not_grow_with_the_number_of_rows() -> None:
    def lines(products: int) -> Iterator[bytes]:
        for product in range(products):
            yield b'{"id":"gid://shopify/ProductVariant/%d","__parentId":"gid://shopify/Product/%d"}' % (
                product,
                product,
            )
            yield b'{"id":"gid://shopify/Product/%d"}' % product

    def peak(products: int) -> int:
        tracemalloc.start()
        for _ in joined(lines(products)):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(10_000) < 1_000_000, "the lines alone are 1.2 MB"
