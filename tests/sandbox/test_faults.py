"""Faults, over real HTTP where the connection itself is the point."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox
from sandbox.server import running
from tests.sandbox.client import ADJUST, App


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with running(sandbox) as address:
        yield address


@pytest.fixture
def client(url: str, app: App) -> Iterator[httpx.Client]:
    headers = {"X-Shopify-Access-Token": app.token}
    with httpx.Client(base_url=f"{url}/shops/{app.shop.domain}", headers=headers, timeout=10) as client:
        yield client


_keys = itertools.count()


def adjust(client: httpx.Client, app: App, key: str | None = None) -> httpx.Response:
    """Take one APA away."""
    given = {"name": "available", "reason": "correction", "changes": [app.change("APA", -1)]}
    body = {"query": ADJUST, "variables": {"input": given, "key": key or f"fault-{next(_keys)}"}}
    return client.post("/admin/api/2026-10/graphql.json", json=body)


def turn_on(client: httpx.Client, **rule: Any) -> None:
    root = str(client.base_url).partition("/shops/")[0]
    reply = httpx.post(f"{root}/_control/faults", json=rule)
    assert reply.status_code == 200, reply.text


def left(app: App) -> int:
    return app.level("APA").quantities[0]


def test_a_lost_reply_has_its_effect_and_the_same_key_settles_it(client: httpx.Client, app: App) -> None:
    turn_on(client, kind="lost_reply", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        adjust(client, app, key="k")
    assert left(app) == 9
    assert adjust(client, app, key="k").json()["data"]["inventoryAdjustQuantities"]["userErrors"] == []
    assert left(app) == 9


def test_a_connection_dropped_before_execution_has_no_effect(client: httpx.Client, app: App) -> None:
    turn_on(client, kind="drop_before", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        adjust(client, app, key="k")
    assert left(app) == 10
    adjust(client, app, key="k")
    assert left(app) == 9


def test_lost_calls_are_in_the_log_with_status_0(client: httpx.Client, app: App) -> None:
    turn_on(client, kind="lost_reply", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        adjust(client, app)
    (call,) = app.control("GET", "calls", fault="lost_reply")["calls"]
    assert (call["status"], call["kind"], call["rows"]) == (0, "mutation", 1)


@pytest.mark.parametrize("status", [401, 402, 423, 429, 430, 500, 502, 503, 504])
def test_statuses_come_before_execution(client: httpx.Client, app: App, status: int) -> None:
    turn_on(client, kind=str(status), times=1)
    reply = adjust(client, app)
    assert reply.status_code == status
    assert "errors" in reply.json()
    assert reply.headers["X-Shopify-API-Version"] == "2026-10"
    assert left(app) == 10


def test_a_server_error_after_the_commit_leaves_the_effect(client: httpx.Client, app: App) -> None:
    turn_on(client, kind="503", when="after", times=1)
    assert adjust(client, app, key="k").status_code == 503
    assert left(app) == 9
    adjust(client, app, key="k")
    assert left(app) == 9


def test_429_says_how_long_to_wait(client: httpx.Client, app: App) -> None:
    turn_on(client, kind="429", times=1, retry_after="4.0")
    assert adjust(client, app).headers["Retry-After"] == "4.0"


def test_a_forced_throttle_looks_like_a_real_one(client: httpx.Client, app: App) -> None:
    turn_on(client, kind="throttle", times=1)
    body = adjust(client, app).json()
    assert body["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert body["extensions"]["cost"]["actualQueryCost"] is None
    assert left(app) == 10


def test_an_internal_error_comes_with_status_200(client: httpx.Client, app: App) -> None:
    turn_on(client, kind="internal_error", times=1)
    reply = adjust(client, app)
    assert reply.status_code == 200
    assert reply.json()["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert left(app) == 10


def test_slow_waits_so_many_milliseconds(app: App) -> None:
    waited: list[float] = []
    sandbox = Sandbox(sleep=waited.append)
    slow = App(sandbox, sandbox.add_shop("slow")[0])
    sandbox.faults.add({"kind": "slow", "delay_ms": 250})
    slow.ask("{ shop { id } }")
    assert waited == [0.25]


def test_a_rule_is_for_one_operation_and_one_shop(app: App, sandbox: Sandbox) -> None:
    other = App(sandbox, sandbox.add_shop("bucovina-eu")[0])
    app.control("POST", "faults", {"kind": "500", "operation": "Bad", "shop": "bucovina-ro"})
    assert app.ask("query Bad { shop { id } }").status == 500
    assert app.ask("query Good { shop { id } }").status == 200
    assert other.ask("query Bad { shop { id } }").status == 200


def test_a_rule_strikes_so_often_after_so_many_calls(app: App) -> None:
    app.control("POST", "faults", {"kind": "500", "times": 2, "after_calls": 1})
    assert [app.ask("{ shop { id } }").status for _ in range(5)] == [200, 500, 500, 200, 200]


def test_chances_repeat_from_run_to_run(app: App) -> None:
    def run() -> list[int]:
        app.control("DELETE", "faults")
        app.control("POST", "faults", {"kind": "500", "probability": 0.5})
        return [app.ask("{ shop { id } }").status for _ in range(40)]

    first = run()
    assert first == run()
    assert 8 < first.count(500) < 32


def test_rules_are_listed_and_removed(app: App) -> None:
    rules = app.control("POST", "faults", {"faults": [{"kind": "500"}, {"kind": "slow"}]})["faults"]
    app.control("DELETE", "faults", id=str(rules[0]["id"]))
    assert [rule["kind"] for rule in app.control("GET", "faults")["faults"]] == ["slow"]
    assert app.control("DELETE", "faults") == {"removed": 1}


@pytest.mark.parametrize(
    "rule", [{"kind": "weather"}, {"kind": "500", "colour": "red"}, {"kind": "500", "when": "never"}]
)
def test_a_rule_that_cannot_be_used_is_refused(app: App, rule: dict[str, Any]) -> None:
    status, content = app.try_control("POST", "faults", rule)
    assert status == 400
    assert content["error"]
