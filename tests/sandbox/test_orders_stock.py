"""What each event of an order does to stock: the table of reference §3.1, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import App

Step = tuple[str, dict[str, Any]]

LINE = {"line": 1, "quantity": 2}


def placed(app: App, **words: Any) -> int:
    """An order of four APA at the first location, which held ten."""
    return int(app.control("POST", "orders", {"lines": [{"sku": "APA", "quantity": 4}], **words})["id"])


def numbers(app: App, sku: str = "APA", place: Any = None) -> tuple[int, int, int]:
    shown = app.shows(sku, place)
    return shown["available"], shown["committed"], shown["on_hand"]


def refund(kind: str) -> Step:
    return ("refund", {"lines": [{**LINE, "restock_type": kind}]})


FULFILL: Step = ("fulfill", {"lines": [{"line": 1, "quantity": 3}]})

EFFECTS: list[tuple[str, list[Step], tuple[int, int, int]]] = [
    ("placed", [], (6, 4, 10)),
    ("fulfilled in part", [FULFILL], (6, 1, 7)),
    ("fulfilment cancelled", [FULFILL, ("unfulfill", {})], (6, 4, 10)),
    ("refund CANCEL", [refund("CANCEL")], (8, 2, 10)),
    ("refund NO_RESTOCK leaves the units fulfillable", [refund("NO_RESTOCK")], (6, 4, 10)),
    ("refund RETURN", [FULFILL, refund("RETURN")], (8, 1, 9)),
    ("refund LEGACY_RESTOCK", [FULFILL, refund("LEGACY_RESTOCK")], (8, 1, 9)),
    ("cancelled with restock", [("cancel", {"restock": True})], (10, 0, 10)),
    ("cancelled without", [("cancel", {"restock": False})], (6, 0, 6)),
    ("cancelled after a part was shipped", [FULFILL, ("cancel", {})], (7, 0, 7)),
    ("line grown by edit", [("edit", {"set": [{"line": 1, "quantity": 5}]})], (5, 5, 10)),
    ("line shrunk by edit", [("edit", {"set": [{"line": 1, "quantity": 1}]})], (9, 1, 10)),
    ("line removed without restock", [("edit", {"remove": [{"line": 1, "restock": False}]})], (6, 0, 6)),
    ("on hold", [("hold", {}), ("hold", {"release": True})], (6, 4, 10)),
    ("returned", [FULFILL, ("return", {"lines": [LINE]}), ("return", {"do": "process"})], (8, 1, 9)),
    (
        "returned, lost",
        [FULFILL, ("return", {"lines": [LINE]}), ("return", {"do": "process", "restock": False})],
        (6, 1, 7),
    ),
]


@pytest.mark.parametrize(("name", "steps", "left"), EFFECTS, ids=[name for name, _, _ in EFFECTS])
def test_each_event_moves_stock_as_the_reference_says(
    app: App, name: str, steps: list[Step], left: tuple[int, int, int]
) -> None:
    number = placed(app)
    for what, body in steps:
        app.control("POST", f"orders/{number}/{what}", body)
    assert numbers(app) == left


def test_a_moved_fulfilment_order_takes_its_committed_stock_along(app: App) -> None:
    number = placed(app)
    app.control("POST", f"orders/{number}/move", {"to": app.there.name})
    assert numbers(app) == (10, 0, 10)
    assert numbers(app, place=app.there) == (-4, 4, 0)
    app.control("POST", f"orders/{number}/fulfill")
    assert numbers(app, place=app.there) == (-4, 0, -4)


def test_a_draft_reserves_and_hands_over_to_its_order(app: App) -> None:
    draft = app.control("POST", "drafts", {"lines": [{"sku": "APA", "quantity": 3}]})
    shown = app.shows("APA")
    assert (shown["available"], shown["reserved"], shown["on_hand"]) == (7, 3, 10)
    app.control("POST", f"drafts/{draft['id']}/complete")
    shown = app.shows("APA")
    assert (shown["available"], shown["reserved"], shown["committed"]) == (7, 0, 3)


def test_a_deleted_draft_gives_back_what_it_reserved(app: App) -> None:
    draft = app.control("POST", "drafts", {"lines": [{"sku": "APA", "quantity": 3}]})
    app.control("DELETE", f"drafts/{draft['id']}")
    assert (app.shows("APA")["available"], app.shows("APA")["reserved"]) == (10, 0)


def test_an_order_goes_to_the_first_location_that_has_enough(app: App) -> None:
    app.control("POST", "levels/edit", {"sku": "APA", "location": app.there.name, "set": 50})
    app.control("POST", "orders", {"lines": [{"sku": "APA", "quantity": 20}]})
    assert numbers(app) == (10, 0, 10)
    assert numbers(app, place=app.there) == (30, 20, 50)


def test_a_refund_may_restock_elsewhere(app: App) -> None:
    number = placed(app)
    lines = [{**LINE, "restock_type": "CANCEL", "location": app.there.name}]
    app.control("POST", f"orders/{number}/refund", {"lines": lines})
    assert numbers(app) == (6, 2, 8)
    assert numbers(app, place=app.there) == (2, 0, 2)


def test_cancelled_units_of_two_places_are_told_of_in_two_refund_lines(app: App) -> None:
    """A refund line names the one place where its units are put back."""
    number = placed(app)
    app.control("POST", f"orders/{number}/move", {"to": app.there.name})
    app.control("POST", f"orders/{number}/edit", {"set": [{"line": 1, "quantity": 5}]})
    before = {place.name: numbers(app, place=place)[1] for place in (app.here, app.there)}
    assert sorted(before.values()) == [1, 4]

    order = app.control("POST", f"orders/{number}/cancel", {"restock": True})

    assert [numbers(app, place=place) for place in (app.here, app.there)] == [(10, 0, 10), (0, 0, 0)]
    lines = app.sandbox.orders.find(number).refunds[0].lines
    assert {line.location.name: line.quantity for line in lines} == before
    whole = app.sandbox.orders.find(number).lines[0].net
    assert sum(line.subtotal_set.buyer for line in lines) == whole.buyer
    assert order["cancelled_at"]


def test_an_exchange_waits_on_hold_until_the_goods_are_back(app: App) -> None:
    number = placed(app)
    app.control("POST", f"orders/{number}/fulfill")
    body = {"lines": [LINE], "exchange": [{"sku": "BERE-S", "quantity": 1}]}
    order = app.control("POST", f"orders/{number}/return", body)
    assert order["fulfillment_orders"][-1]["status"] == "ON_HOLD"
    assert numbers(app, "BERE-S") == (4, 1, 5)
    order = app.control("POST", f"orders/{number}/return", {"do": "process"})
    assert order["fulfillment_orders"][-1]["status"] == "OPEN"


@pytest.mark.parametrize(
    ("what", "body", "cause"),
    [
        ("refund", {"lines": [{"line": 1, "quantity": 5}]}, "Quantity cannot refund more items than were purchased"),
        (
            "refund",
            {"lines": [{**LINE, "restock_type": "RETURN"}]},
            "Quantity cannot return more items than were fulfilled",
        ),
        ("refund", {"money": "1000"}, "Refund amount cannot be more than the amount that is left of the payments"),
        ("return", {"lines": [LINE]}, "has only 0 units to return."),
        ("edit", {"set": [{"line": 1, "quantity": -1}]}, "can't be less than 0."),
    ],
)
def test_what_cannot_be_is_refused_and_moves_nothing(app: App, what: str, body: dict[str, Any], cause: str) -> None:
    number = placed(app)
    status, content = app.try_control("POST", f"orders/{number}/{what}", body)
    assert status == 409
    assert cause in content["error"]
    assert numbers(app) == (6, 4, 10)
