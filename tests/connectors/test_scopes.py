"""What a token opens, by capability, and how long its API version is served."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from connectors import api_versions, scopes
from connectors.api_versions import Urgency
from connectors.models import Store
from connectors.ports.access import INVENTORY, ORDERS
from connectors.scopes import Access
from connectors.shopify.capabilities import CAPABILITIES

STOCK = ["read_inventory", "read_locations", "read_products", "write_inventory"]


def states(*granted: str) -> dict[str, Access]:
    return {each.capability.key: each.status for each in scopes.capabilities(Store(granted_scopes=list(granted)))}


def test_writing_includes_reading() -> None:
    assert scopes.missing(Store(granted_scopes=["write_orders"]).scopes, ORDERS) == []
    assert scopes.missing(Store(granted_scopes=["write_inventory"]).scopes, INVENTORY) == [
        "read_locations",
        "read_products",
    ]


def test_stock_is_needed_and_everything_else_can_be_done_without() -> None:
    assert states(*STOCK)[INVENTORY] is Access.OPEN
    lacking = states()
    assert lacking.pop(INVENTORY) is Access.REFUSED
    assert set(lacking.values()) == {Access.LACKING}


def test_one_of_the_alternatives_is_enough_and_the_usual_one_is_asked_for() -> None:
    parts = next(each for each in CAPABILITIES if each.key == "order parts")
    assert parts.missing({"read_returns", "read_third_party_fulfillment_orders"}) == []
    assert parts.missing({"read_returns"}) == ["read_merchant_managed_fulfillment_orders"]


def test_every_capability_says_what_cannot_be_done_without_it() -> None:
    assert all(each.without and each.scopes for each in CAPABILITIES)
    assert len({each.key for each in CAPABILITIES}) == len(CAPABILITIES)


def test_scopes_that_nothing_uses_are_named() -> None:
    store = Store(granted_scopes=[*STOCK, "write_draft_orders", "write_products"])
    assert scopes.beyond(store) == ["write_draft_orders"]


@pytest.mark.parametrize(
    ("today", "urgency", "says"),
    [
        ("2027-07-03", Urgency.QUIET, "90 days left: served until 1 Oct 2027."),
        ("2027-07-04", Urgency.NOTICE, "89 days left"),
        ("2027-09-01", Urgency.NOTICE, "30 days left"),
        ("2027-09-02", Urgency.WARNING, "29 days left"),
        ("2027-09-30", Urgency.WARNING, "1 day left"),
        ("2027-10-01", Urgency.PAST, "not served any more since 1 Oct 2027."),
    ],
)
def test_a_version_is_served_for_a_year_and_its_end_is_told_by_urgency(today: str, urgency: Urgency, says: str) -> None:
    with time_machine.travel(dt.datetime.fromisoformat(f"{today}T12:00:00+00:00"), tick=False):
        served = api_versions.support("2026-10")
    assert served.urgency is urgency
    assert says in served.detail
    assert bool(served.remedy) is (urgency is not Urgency.QUIET)
