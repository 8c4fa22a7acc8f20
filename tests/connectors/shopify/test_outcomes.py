"""Every answer, and every missing answer, is one decision: repeat, look up, correct the data, correct the account."""

from __future__ import annotations

import httpx
import pytest
import respx

from connectors.ports.errors import (
    AccountResting,
    ConnectorError,
    ConnectorUnavailable,
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RequestRejected,
)
from connectors.ports.store import Adjustment, PreparedWrite, WriteOutcome
from connectors.shopify.adapter import ShopifyStore
from tests.connectors.shopify.answers import BASE_URL, ITEM, KEY, LOCATION, adjusted, level_node, levels, refusal
from tests.pacers import OpenPacer

ACCOUNT_STATUSES = [401, 403, 404]
RESTS = {402: 3600, 423: 1800, 430: 300, 530: 300, 540: 300}
FAULT_STATUSES = [400, 406, 414, 415, 422, 501]
NO_ANSWER_STATUSES = [409, 500, 502, 503, 504, 530, 540]
NEVER_SENT = [
    httpx.ConnectError("Connection refused"),
    httpx.ConnectTimeout("slow"),
    httpx.PoolTimeout("busy"),
    httpx.ProxyError("proxy"),
]
LOST = [
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset by peer"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
]


@pytest.fixture
def write(store: ShopifyStore) -> PreparedWrite:
    return store.prepare_adjustment([Adjustment(ITEM, LOCATION, -2)], key=KEY, document="run/1")


class Told:
    """Hears how the account stands."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def rests(self, error: AccountResting) -> None:
        self.heard.append(error)

    def answered(self) -> None:
        self.heard.append("answered")


def read(store: ShopifyStore) -> None:
    store.read_levels(LOCATION, [ITEM])


@pytest.mark.parametrize("status", ACCOUNT_STATUSES)
def test_a_refused_account_says_what_a_person_corrects(
    status: int, store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.respond(status, text="This action requires merchant approval.", headers={"X-Request-ID": "req-9"})

    for call in (lambda: store.send(write), lambda: read(store)):
        with pytest.raises(CredentialsRejected) as refused:
            call()
        assert str(status) in refused.value.cause
        assert refused.value.remedy.endswith(".")
        assert (refused.value.status, refused.value.request_id) == (status, "req-9")
    assert api.call_count == 2


@pytest.mark.parametrize(("status", "seconds"), RESTS.items())
def test_a_shop_that_is_closed_for_a_while_is_left_alone_for_so_long_and_its_row_is_told(
    status: int, seconds: float, pacer: OpenPacer, api: respx.Route
) -> None:
    api.respond(status, headers={"X-Request-ID": "req-9"})
    standing = Told()
    store = ShopifyStore(base_url=BASE_URL, token="shpat_x", api_version="2026-10", pacer=pacer, standing=standing)

    with pytest.raises(AccountResting) as rests:
        read(store)

    assert (rests.value.retry_after, rests.value.status, rests.value.request_id) == (seconds, status, "req-9")
    assert str(status) in rests.value.cause
    assert rests.value.remedy.endswith(".")
    assert api.call_count == 1, "asking again at once would prolong it"
    assert standing.heard == [rests.value]
    api.mock(return_value=levels(level_node()))
    read(store)
    assert standing.heard[1:] == ["answered"]


@pytest.mark.parametrize("status", [402, 423, 430])
def test_a_write_to_a_closed_shop_was_certainly_not_executed(
    status: int, store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.respond(status)

    with pytest.raises(AccountResting):
        store.send(write)


def test_a_wrong_token_asks_for_a_token(store: ShopifyStore, api: respx.Route) -> None:
    api.respond(401, json={"errors": "[API] Invalid API key or access token"})

    with pytest.raises(CredentialsRejected) as refused:
        store.overview()

    assert "token" in refused.value.cause
    assert "store's settings" in refused.value.remedy


def test_a_missing_scope_is_named(store: ShopifyStore, api: respx.Route) -> None:
    api.mock(return_value=refusal("ACCESS_DENIED", "Access denied for nodes field. Required access: `read_inventory`."))

    with pytest.raises(CredentialsRejected) as refused:
        read(store)

    assert "read_inventory" in refused.value.cause
    assert "scope" in refused.value.remedy


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_asks_for_the_permanent_domain(status: int, store: ShopifyStore, api: respx.Route) -> None:
    api.respond(status, headers={"Location": "https://elsewhere.example/"})

    with pytest.raises(CredentialsRejected) as refused:
        store.overview()

    assert ".myshopify.com" in refused.value.remedy


@pytest.mark.parametrize("status", FAULT_STATUSES)
def test_a_request_that_cannot_be_used_is_never_repeated(
    status: int, store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.respond(status)

    with pytest.raises(RequestRejected):
        store.send(write)
    with pytest.raises(RequestRejected):
        read(store)
    assert api.call_count == 2


@pytest.mark.parametrize("status", NO_ANSWER_STATUSES)
def test_a_write_answered_by_a_server_fault_has_an_unknown_outcome_and_is_sent_once(
    status: int, store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.respond(status)

    with pytest.raises(OutcomeUnknown):
        store.send(write)
    assert api.call_count == 1


@pytest.mark.parametrize(("status", "tries"), [(500, 3), (502, 3), (503, 3), (504, 3), (409, 3), (530, 1), (540, 1)])
def test_a_read_answered_by_a_server_fault_is_repeated_and_then_unavailable(
    status: int, tries: int, store: ShopifyStore, api: respx.Route
) -> None:
    api.respond(status)

    with pytest.raises(ConnectorUnavailable):
        read(store)
    assert api.call_count == tries


def test_a_read_that_works_at_the_second_try_is_an_ordinary_read(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [httpx.Response(502), levels(level_node(available=7))]

    assert store.read_levels(LOCATION, [ITEM]).levels[0].available == 7


@pytest.mark.parametrize("fault", NEVER_SENT, ids=lambda fault: type(fault).__name__)
def test_a_connection_that_never_opened_means_nothing_happened(
    fault: httpx.HTTPError, store: ShopifyStore, write: PreparedWrite, api: respx.Route, pacer: OpenPacer
) -> None:
    api.side_effect = fault

    with pytest.raises(ConnectorUnavailable) as unavailable:
        store.send(write)
    assert not isinstance(unavailable.value, OutcomeUnknown)
    assert "bucovina.myshopify.com" in unavailable.value.cause
    assert pacer.settled == [(0.0, None)]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: type(fault).__name__)
def test_a_lost_answer_to_a_write_is_an_unknown_outcome(
    fault: httpx.HTTPError, store: ShopifyStore, write: PreparedWrite, api: respx.Route, pacer: OpenPacer
) -> None:
    api.side_effect = fault

    with pytest.raises(OutcomeUnknown):
        store.send(write)
    assert api.call_count == 1
    assert pacer.settled == [(None, None)]


@pytest.mark.parametrize("fault", [*NEVER_SENT, *LOST], ids=lambda fault: type(fault).__name__)
def test_a_read_without_an_answer_is_repeated_and_then_unavailable(
    fault: httpx.HTTPError, store: ShopifyStore, api: respx.Route
) -> None:
    api.side_effect = fault

    with pytest.raises(ConnectorUnavailable):
        read(store)
    assert api.call_count == 3


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Bad gateway</html>", b"\xff\xfe", b'{"data": {"inventoryAdjustQuantities": ', b"[]", b'"yes"'],
)
def test_an_unreadable_answer_to_a_write_is_an_unknown_outcome(
    body: bytes, store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.respond(200, content=body)

    with pytest.raises(OutcomeUnknown):
        store.send(write)


@pytest.mark.parametrize(
    "data",
    [
        "null",
        "{}",
        '{"inventoryAdjustQuantities": null}',
        '{"inventoryAdjustQuantities": {"inventoryAdjustmentGroup": {"createdAt": 5}, "userErrors": []}}',
    ],
)
def test_an_answer_of_another_shape_is_an_unknown_outcome(
    data: str, store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.respond(200, text=f'{{"data": {data}}}')

    with pytest.raises(OutcomeUnknown):
        store.send(write)


def test_a_server_fault_inside_a_200_leaves_a_write_unknown_and_a_read_repeated(
    store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=refusal("INTERNAL_SERVER_ERROR", "Internal error. Request ID: req-1"))

    with pytest.raises(OutcomeUnknown):
        store.send(write)
    with pytest.raises(ConnectorUnavailable):
        read(store)
    assert api.call_count == 1 + 3


def test_a_fault_nobody_documented_leaves_a_write_unknown(
    store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=refusal("BRAND_NEW_CODE"))

    with pytest.raises(OutcomeUnknown):
        store.send(write)


def test_an_error_beside_a_written_result_is_not_taken_for_a_refusal(
    store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=refusal("ACCESS_DENIED", data={"inventoryAdjustQuantities": {"userErrors": []}}))

    with pytest.raises(OutcomeUnknown):
        store.send(write)


@pytest.mark.parametrize(
    ("code", "extra"),
    [
        ("MAX_COST_EXCEEDED", {"cost": 1200, "maxCost": 1000}),
        ("MAX_INPUT_SIZE_EXCEEDED", {}),
        ("BAD_REQUEST", {}),
        ("INVALID_FIELD_ARGUMENTS", {}),
        ("undefinedField", {}),
    ],
)
def test_a_fault_in_the_request_is_never_repeated(
    code: str, extra: dict[str, int], store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=refusal(code, "Query cost is 1200, which exceeds the limit.", **extra))

    with pytest.raises(RequestRejected) as refused:
        read(store)
    assert "req-1" in refused.value.remedy
    with pytest.raises(RequestRejected):
        store.send(write)
    assert api.call_count == 2


def test_a_syntax_error_is_a_fault_in_the_request(store: ShopifyStore, write: PreparedWrite, api: respx.Route) -> None:
    api.respond(200, json={"errors": [{"message": "Parse error", "locations": [{"line": 1, "column": 1}]}]})

    with pytest.raises(RequestRejected):
        store.send(write)


def test_429_says_how_long_to_wait(store: ShopifyStore, write: PreparedWrite, api: respx.Route) -> None:
    api.respond(429, headers={"Retry-After": "4.5"})

    with pytest.raises(RateLimited) as limited:
        store.send(write)
    assert limited.value.retry_after == 4.5
    assert api.call_count == 1


@pytest.mark.parametrize("header", [{}, {"Retry-After": "soon"}])
def test_429_without_a_readable_time_waits_four_seconds(
    header: dict[str, str], store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.respond(429, headers=header)

    with pytest.raises(RateLimited) as limited:
        store.send(write)
    assert limited.value.retry_after == 4.0


def test_a_read_waits_out_429(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = [httpx.Response(429, headers={"Retry-After": "2.0"}), levels(level_node())]

    assert store.read_levels(LOCATION, [ITEM]).levels[0].known


def test_an_accepted_write_is_applied_at_the_time_of_its_group(
    store: ShopifyStore, write: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=adjusted(actual=10))

    reply = store.send(write)

    assert reply.outcome == WriteOutcome.APPLIED
    assert reply.applied_at is not None
    assert reply.applied_at.isoformat() == "2026-11-21T10:00:00+00:00"
    assert (reply.cost, reply.request_id, reply.problems) == (10, "req-1", [])


def test_no_error_shows_the_token(store: ShopifyStore, write: PreparedWrite, api: respx.Route) -> None:
    said = "bad header X-Shopify-Access-Token: shpat_0123456789abcdef"
    for response in (httpx.Response(400, text=said), httpx.Response(403, text=said), refusal("BAD_REQUEST", said)):
        api.mock(return_value=response)
        with pytest.raises(ConnectorError) as problem:
            store.send(write)
        assert "0123456789abcdef" not in str(problem.value)


def test_a_pause_longer_than_a_task_may_wait_is_left_to_the_caller(store: ShopifyStore, api: respx.Route) -> None:
    api.respond(429, headers={"Retry-After": "3600"})

    with pytest.raises(RateLimited) as limited:
        read(store)
    assert limited.value.retry_after == 3600
    assert api.call_count == 1


@pytest.mark.parametrize("extensions", ["null", "{}", '{"cost": {}}', '{"cost": {"requestedQueryCost": "ten"}}'])
def test_a_result_counts_even_where_its_price_is_not_said(
    extensions: str, store: ShopifyStore, write: PreparedWrite, api: respx.Route, pacer: OpenPacer
) -> None:
    group = '{"id": "g", "createdAt": "2026-11-21T10:00:00Z"}'
    data = f'{{"inventoryAdjustQuantities": {{"inventoryAdjustmentGroup": {group}, "userErrors": []}}}}'
    api.respond(200, text=f'{{"data": {data}, "extensions": {extensions}}}')

    assert store.send(write).outcome == WriteOutcome.APPLIED
    assert pacer.settled == [(None, None)]
