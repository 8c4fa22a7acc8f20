"""The client keeps to the rate limit: reserves before it sends, waits out THROTTLED, learns what requests cost."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import respx
import stamina
from structlog.testing import capture_logs

from connectors.http import build_client
from connectors.pacing import Lane, Reservation, ThrottleStatus, as_bulk
from connectors.ports.errors import ConnectorUnavailable, CredentialsRejected, RateLimited
from connectors.shopify.client import ShopifyClient
from connectors.shopify.documents import encode
from tests.connectors.shopify.answers import BASE_URL, KEY, adjusted, answer, throttled
from tests.pacers import OpenPacer

BODY = encode("inventory_adjust", {"input": {"changes": []}, "idempotencyKey": str(KEY)})


class Waits(list[float]):
    """Stands in for sleeping: remembers how long."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def client(pacer: OpenPacer, waits: Waits) -> Iterator[ShopifyClient]:
    with build_client() as http, stamina.set_testing(True, attempts=3, cap=True):
        yield ShopifyClient(BASE_URL, "token", "2026-10", pacer=pacer, http=http, pause=waits, patience=60)


def test_a_throttled_write_waits_for_its_points_and_sends_the_same_bytes(
    client: ShopifyClient, api: respx.Route, waits: Waits, pacer: OpenPacer
) -> None:
    api.side_effect = [throttled(requested=10, available=4), throttled(requested=10, available=9), adjusted()]

    client.send_bytes(BODY, "adjust quantities", 10)

    assert [call.request.content for call in api.calls] == [BODY] * 3
    assert 0.06 <= waits[0] <= 0.06 + 0.5
    assert 0.01 <= waits[1] <= 0.01 + 0.5
    full = ThrottleStatus(2000.0, 1990, 100.0)
    assert pacer.settled == [
        (0.0, ThrottleStatus(2000.0, 4, 100.0)),
        (0.0, ThrottleStatus(2000.0, 9, 100.0)),
        (10.0, full),
    ]


def test_what_bulk_work_asks_on_its_way_goes_with_it(client: ShopifyClient, api: respx.Route, pacer: OpenPacer) -> None:
    api.return_value = answer({"locations": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}})

    client.execute("locations", {"after": None})
    with as_bulk():
        client.execute("locations", {"after": None})
    client.execute("locations", {"after": None})

    assert pacer.lanes == [Lane.URGENT, Lane.BULK, Lane.URGENT]


def test_throttling_that_does_not_end_gives_up_without_having_written(
    client: ShopifyClient, api: respx.Route, waits: Waits
) -> None:
    api.mock(return_value=throttled(requested=10_000, available=0))

    with pytest.raises(RateLimited) as limited:
        client.send_bytes(BODY, "adjust quantities", 10)

    assert limited.value.retry_after >= 100
    assert sum(waits) == 0
    assert api.call_count == 1


def test_a_read_that_ran_out_of_points_is_not_started_over(client: ShopifyClient, api: respx.Route) -> None:
    api.mock(return_value=throttled(requested=10_000, available=0))

    with pytest.raises(RateLimited):
        client.execute("locations", {})
    assert api.call_count == 1


def test_a_reservation_that_has_to_wait_is_waited_for(
    client: ShopifyClient, api: respx.Route, waits: Waits, pacer: OpenPacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacer, "reserve", lambda cost, lane: Reservation("t", cost, 2.5))
    api.mock(return_value=adjusted())

    client.send_bytes(BODY, "adjust quantities", 10)

    assert waits == [2.5]


def test_a_request_that_was_passed_by_an_urgent_one_waits_on(
    client: ShopifyClient, api: respx.Route, waits: Waits, pacer: OpenPacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_off = iter([1.5, 0.0])
    monkeypatch.setattr(pacer, "reserve", lambda cost, lane: Reservation("t", cost, 2.5))
    monkeypatch.setattr(pacer, "still_to_wait", lambda reservation: next(put_off))
    api.mock(return_value=adjusted())

    client.send_bytes(BODY, "adjust quantities", 10)

    assert waits == [2.5, 1.5]


def test_a_wait_beyond_patience_gives_the_points_back_and_sends_nothing(
    client: ShopifyClient, api: respx.Route, pacer: OpenPacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacer, "reserve", lambda cost, lane: Reservation("t", cost, 61.0))

    with pytest.raises(RateLimited) as limited:
        client.send_bytes(BODY, "adjust quantities", 10)

    assert limited.value.retry_after == 61.0
    assert pacer.settled == [(0.0, None)]
    assert not api.called


def test_the_real_cost_of_an_operation_is_reserved_from_then_on(
    client: ShopifyClient, api: respx.Route, pacer: OpenPacer
) -> None:
    api.mock(return_value=adjusted(requested=60, actual=60))

    client.send_bytes(BODY, "adjust quantities", 10)
    client.send_bytes(BODY, "adjust quantities", 10)

    assert pacer.reserved == [10, 60]


def test_what_was_charged_is_settled_not_what_was_asked(
    client: ShopifyClient, api: respx.Route, pacer: OpenPacer
) -> None:
    api.mock(return_value=answer({}, requested=191, actual=21, available=1979))

    reply = client.execute("products_page", {})

    assert (reply.requested, reply.charged) == (191, 21)
    assert pacer.settled == [(21.0, ThrottleStatus(2000.0, 1979, 100.0))]


def test_a_pacer_that_fails_after_the_answer_does_not_lose_the_answer(
    client: ShopifyClient, api: respx.Route, pacer: OpenPacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectorUnavailable(service="Redis", operation="pace", cause="Gone.", remedy="Start it.")

    monkeypatch.setattr(pacer, "settle", fail)
    api.mock(return_value=adjusted())

    assert client.send_bytes(BODY, "adjust quantities", 10).charged == 10


def test_another_version_than_asked_is_told_once(client: ShopifyClient, api: respx.Route) -> None:
    api.mock(return_value=answer({}, headers={"X-Shopify-API-Version": "2027-01"}))

    with capture_logs() as logs:
        versions = [client.execute("overview", {}).api_version for _ in range(3)]

    assert versions == ["2027-01"] * 3
    told = [entry for entry in logs if entry["event"] == "shopify.version_differs"]
    assert [(entry["asked"], entry["answered"]) for entry in told] == [("2026-10", "2027-01")]


def test_use_of_something_deprecated_is_told_with_the_operation(client: ShopifyClient, api: respx.Route) -> None:
    api.mock(return_value=answer({}, headers={"X-Shopify-API-Deprecated-Reason": "https://example/why"}))

    with capture_logs() as logs:
        client.execute("overview", {})

    assert [entry["operation"] for entry in logs if entry["event"] == "shopify.deprecated_use"] == [
        "test the connection"
    ]


def test_the_time_of_a_reply_is_the_servers(client: ShopifyClient, api: respx.Route) -> None:
    api.mock(return_value=answer({}))

    assert client.execute("overview", {}).answered_at().isoformat() == "2026-11-21T10:00:00+00:00"


@pytest.mark.parametrize("date", ["", "tomorrow"])
def test_a_read_without_the_servers_time_is_refused_rather_than_dated_by_us(
    date: str, client: ShopifyClient, api: respx.Route
) -> None:
    api.mock(return_value=answer({}, headers={"Date": date}))

    reply = client.execute("overview", {})

    with pytest.raises(ConnectorUnavailable) as problem:
        reply.answered_at()
    assert "Date" in problem.value.cause
    assert problem.value.remedy


@pytest.mark.parametrize("token", ["shpat_1\nHost: evil.example", "shpat 1", "șhpat"])
def test_a_token_that_cannot_be_one_is_refused_before_it_is_sent(token: str, pacer: OpenPacer) -> None:
    with build_client() as http, pytest.raises(CredentialsRejected):
        ShopifyClient(BASE_URL, token, "2026-10", pacer=pacer, http=http)


def test_a_version_cannot_change_the_address(pacer: OpenPacer) -> None:
    with build_client() as http, pytest.raises(CredentialsRejected):
        ShopifyClient(BASE_URL, "token", "../../oauth", pacer=pacer, http=http)


def test_the_token_travels_in_its_header_and_stays_out_of_the_log(
    client: ShopifyClient, api: respx.Route, caplog: pytest.LogCaptureFixture
) -> None:
    api.mock(return_value=answer({}))

    with caplog.at_level(logging.DEBUG):
        client.execute("overview", {})

    assert api.calls.last.request.headers["X-Shopify-Access-Token"] == "token"
    assert api.calls.last.request.headers["Content-Type"] == "application/json"
    assert "X-Shopify-Access-Token: token" not in caplog.text
