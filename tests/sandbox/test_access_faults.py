"""Faults of access and of statuses: every status a store may answer with, tokens that end in mid-run, reads that lag."""

from __future__ import annotations

import pytest

from sandbox.faults import STATUSES
from tests.sandbox.client import App

NAME = "{ shop { name } }"


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_the_api_can_be_answered(app: App, status: int) -> None:
    app.control("POST", "faults", {"kind": str(status), "times": 1})
    answer = app.ask(NAME)
    assert answer.status == status
    assert answer.body["errors"]
    assert app.ask(NAME).status == 200


def test_a_throttled_shop_says_when_to_come_again_as_a_decimal(app: App) -> None:
    app.control("POST", "faults", {"kind": "429", "retry_after": "4.0"})
    assert app.ask(NAME).headers["Retry-After"] == "4.0"


def test_a_token_ends_in_the_middle_of_a_run(app: App) -> None:
    app.control("POST", "faults", {"kind": "token_expiry", "after_calls": 2})
    assert [app.ask(NAME).status for _ in range(4)] == [200, 200, 401, 401]
    assert app.control("GET", "faults")["faults"][0]["fired"] == 1


def test_a_stale_read_shows_what_was_and_writes_see_what_is(app: App) -> None:
    app.control("POST", "faults", {"kind": "stale_read"})
    assert app.adjust(app.change("APA", -4, 10)).data["inventoryAdjustQuantities"]["userErrors"] == []
    assert app.shows("APA")["available"] == 10
    assert app.adjust(app.change("APA", -1, 6)).data["inventoryAdjustQuantities"]["userErrors"] == []
    app.control("DELETE", "faults")
    assert app.shows("APA")["available"] == 5
