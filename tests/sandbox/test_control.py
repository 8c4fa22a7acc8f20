"""The control API: orders, hand edits, the call log, the clock, shops."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import Sandbox
from sandbox.control.routes import ROUTES
from sandbox.shopify.documents import load_schema
from sandbox.wire import Request
from tests.sandbox.client import App

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "sandbox.md"


def place(app: App, *lines: tuple[str, int], **rest: Any) -> int:
    body = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], **rest}
    return int(app.control("POST", "orders", body)["id"])


def acr(app: App, sku: str) -> tuple[int, int, int]:
    """(available, committed, on hand)."""
    shown = app.shows(sku)
    return shown["available"], shown["committed"], shown["on_hand"]


# ── orders ──


def test_an_order_commits_stock_and_leaves_on_hand(app: App) -> None:
    place(app, ("APA", 4), ("BERE-S", 1))
    assert acr(app, "APA") == (6, 4, 10)
    assert acr(app, "BERE-S") == (4, 1, 5)


def test_a_fulfilment_takes_committed_and_on_hand(app: App) -> None:
    number = place(app, ("APA", 4))
    app.control("POST", f"orders/{number}/fulfill", {"lines": [{"line": 1, "quantity": 3}]})
    assert acr(app, "APA") == (6, 1, 7)
    app.control("POST", f"orders/{number}/fulfill")
    assert acr(app, "APA") == (6, 0, 6)


@pytest.mark.parametrize(("restock", "left"), [(True, (10, 0, 10)), (False, (6, 0, 6))])
def test_a_cancelled_order_gives_back_what_is_restocked(app: App, restock: bool, left: tuple[int, int, int]) -> None:
    number = place(app, ("APA", 4))
    app.control("POST", f"orders/{number}/cancel", {"restock": restock})
    assert acr(app, "APA") == left


def test_shipped_goods_come_back_into_stock(app: App) -> None:
    number = place(app, ("APA", 4))
    app.control("POST", f"orders/{number}/fulfill")
    app.control("POST", f"orders/{number}/restock", {"lines": [{"line": 1, "quantity": 1}]})
    assert acr(app, "APA") == (7, 0, 7)


def test_an_order_may_oversell(app: App) -> None:
    place(app, ("BERE-L", 2))
    assert acr(app, "BERE-L") == (-2, 2, 0)


def test_an_order_of_an_untracked_item_touches_nothing(app: App) -> None:
    place(app, ("DAR", 2))
    assert acr(app, "DAR") == (100, 0, 100)


@pytest.mark.parametrize("step", ["fulfill", "cancel"])
def test_steps_that_no_longer_fit_are_refused_with_the_reason(app: App, step: str) -> None:
    number = place(app, ("APA", 4))
    app.control("POST", f"orders/{number}/cancel")
    status, content = app.try_control("POST", f"orders/{number}/{step}")
    assert status == 409
    assert "cancelled" in content["error"]
    assert content["remedy"]


def test_more_than_remains_cannot_be_shipped(app: App) -> None:
    number = place(app, ("APA", 4))
    status, content = app.try_control("POST", f"orders/{number}/fulfill", {"lines": [{"line": 1, "quantity": 5}]})
    assert (status, content["error"]) == (409, f"Line 1 of order {number} has 4 left to ship.")
    assert acr(app, "APA") == (6, 4, 10)


def test_orders_are_listed_with_what_remains(app: App) -> None:
    number = place(app, ("APA", 4), test=True)
    (order,) = app.control("GET", "orders")["orders"]
    assert (order["id"], order["test"], order["lines"][0]["remaining"]) == (number, True, 4)


# ── levels ──


def test_levels_are_listed_with_all_quantities(app: App) -> None:
    listed = app.control("GET", "levels", sku="APA", location="Depozit Cluj")
    (level,) = listed["levels"]
    assert level["quantities"]["available"] == level["quantities"]["on_hand"] == 10
    assert (level["handle"], level["sku"], level["tracked"], level["active"]) == ("apa", "APA", True, True)


def test_levels_are_listed_in_parts(app: App) -> None:
    part = app.control("GET", "levels", limit="3", offset="2")
    assert (part["total"], len(part["levels"])) == (10, 3)


@pytest.mark.parametrize(
    ("edit", "left"),
    [
        ({"delta": -4}, (6, 0, 6)),
        ({"set": 3}, (3, 0, 3)),
        ({"damaged": 2}, (8, 0, 10)),
        ({"quantities": {"committed": 2, "available": 8}}, (8, 2, 10)),
    ],
)
def test_stock_is_edited_by_hand(app: App, edit: dict[str, Any], left: tuple[int, int, int]) -> None:
    app.control("POST", "levels/edit", {"sku": "APA", **edit})
    assert acr(app, "APA") == left


def test_several_edits_are_checked_before_the_first_is_made(app: App) -> None:
    edits = [{"sku": "APA", "delta": -1}, {"sku": "NONE", "delta": -1}]
    status, content = app.try_control("POST", "levels/edit", {"edits": edits})
    assert (status, content["error"]) == (404, "bucovina-ro.myshopify.com has no SKU 'NONE'.")
    assert acr(app, "APA") == (10, 0, 10)


def test_tracking_can_be_switched(app: App) -> None:
    app.control("POST", "levels/edit", {"sku": "APA", "tracked": False})
    assert app.item("APA").tracked is False


# ── calls ──


def test_the_call_log_says_what_was_asked_and_answered(app: App) -> None:
    body = json.dumps({"query": "query Name { shop { name } }", "operationName": "Name"}).encode()
    app.post(body)
    app.adjust(app.change("APA", -1, expected=99), app.change("CEAI", 1), key="k")
    first, second = app.control("GET", "calls")["calls"]
    assert (first["operation"], first["kind"], first["status"]) == ("Name", "query", 200)
    assert first["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert (second["kind"], second["rows"], second["keys"]) == ("mutation", 2, ["k"])
    assert second["codes"] == ["CHANGE_FROM_QUANTITY_STALE"]
    assert (first["requested"], second["actual"]) == (1, 10)
    assert first["shop"] == app.shop.domain


def test_the_call_log_is_filtered_and_emptied(app: App) -> None:
    app.ask("query A { shop { name } }")
    app.ask("query B { shop { name } }")
    app.token = "wrong"
    app.ask("query B { shop { name } }")
    assert app.control("GET", "calls", operation="B")["total"] == 1
    assert app.control("GET", "calls", status="401")["total"] == 1
    last = app.control("GET", "calls", limit="1")["calls"][0]["seq"]
    assert app.control("GET", "calls", after=str(last))["total"] == 0
    assert app.control("DELETE", "calls") == {"removed": 3}
    assert app.control("GET", "calls")["total"] == 0


# ── clock, shops, reset ──


def test_the_clock_is_moved_and_set_right(app: App) -> None:
    app.control("POST", "clock", {"set": "2027-03-01T00:00:00Z"})
    assert app.control("POST", "clock", {"advance": 3600})["now"].startswith("2027-03-01T01:00:0")
    assert app.control("POST", "clock", {"reset": True})["offset_seconds"] == 0
    assert app.try_control("POST", "clock", {"set": "tomorrow"})[0] == 400
    assert app.try_control("POST", "clock", {"set": "2027-03-01T00:00:00"})[0] == 400


def test_a_shop_is_opened_from_a_csv_and_closed_again(app: App, sandbox: Sandbox) -> None:
    text = "Handle,Title,Variant SKU\na,A,X\n,,\n"
    made = app.control("POST", "shops", {"name": "nou", "csv": text, "plan": "plus", "locations": ["Unu"]})
    assert (made["shop"], made["variants"]) == ("nou.myshopify.com", 1)
    other = App(sandbox, sandbox.shops["nou.myshopify.com"], made["token"])
    assert other.ask("{ shop { plan { shopifyPlus } } }").data == {"shop": {"plan": {"shopifyPlus": True}}}
    assert app.try_control("POST", "shops", {"name": "nou"})[0] == 409
    assert app.control("DELETE", "shops", shop="nou") == {"removed": "nou.myshopify.com"}
    assert other.ask("{ shop { id } }").status == 404


def test_a_synthetic_shop_is_opened(app: App) -> None:
    made = app.control("POST", "shops", {"name": "mare", "synthetic": {"variants": 40, "per_product": 4}})
    assert (made["products"], made["variants"]) == (10, 40)


@pytest.mark.parametrize("name", ["", "spaces here", "x.example.com", "../etc"])
def test_names_that_are_no_shop_s_are_refused(app: App, name: str) -> None:
    assert app.try_control("POST", "shops", {"name": name})[0] == 409


def test_with_several_shops_the_call_must_say_which(app: App, sandbox: Sandbox) -> None:
    sandbox.add_shop("bucovina-eu")
    status, content = app.try_control("GET", "levels")
    assert status == 400
    assert "bucovina-eu.myshopify.com" in content["remedy"]
    assert app.try_control("GET", "levels", shop="nimeni")[0] == 404
    assert app.control("GET", "levels", shop="bucovina-ro")["total"] == 10


def test_state_sums_each_location(app: App) -> None:
    place(app, ("APA", 4))
    state = app.control("GET", "state")
    (shop,) = state["shops"].values()
    cluj = shop["locations"][0]
    assert (cluj["levels"], cluj["available"], cluj["committed"], cluj["on_hand"]) == (5, 108, 4, 112)
    assert (state["orders"], shop["variants"], shop["levels"]) == (1, 5, 10)


def test_a_reset_keeps_shops_on_request(app: App, sandbox: Sandbox) -> None:
    place(app, ("APA", 1))
    app.control("POST", "faults", {"kind": "500"})
    assert app.control("POST", "reset", {"keep_shops": True}) == {"shops": ["bucovina-ro.myshopify.com"]}
    state = app.control("GET", "state")
    assert (state["orders"], state["faults"], state["calls"]) == (0, [], 0)
    assert app.control("POST", "reset") == {"shops": []}
    assert app.ask("{ shop { id } }").status == 404


def test_calls_that_cannot_be_understood_get_cause_and_remedy(app: App) -> None:
    assert app.try_control("GET", "nothing")[0] == 404
    assert app.try_control("DELETE", "state")[0] == 405
    assert app.try_control("POST", "orders", {})[0] == 400
    assert app.try_control("POST", "orders", {"lines": [{"sku": "APA", "quantity": "two"}]})[0] == 400
    assert app.try_control("GET", "calls", limit="many")[0] == 400
    reply = app.sandbox.answer(Request("POST", "/_control/clock", {}, {}, b"not json"))
    assert reply.status == 400
    for status, content in (
        app.try_control("POST", "poison", {"code": "X"}),
        app.try_control("POST", "levels/edit", {}),
    ):
        assert status == 400
        assert content["error"]
        assert content["remedy"]


def test_poison_is_healed(app: App) -> None:
    app.control("POST", "poison", {"items": [app.item("APA").gid]})
    assert app.control("GET", "state")["shops"][app.shop.domain]["poison"] == {
        app.item("APA").gid: "INVALID_INVENTORY_ITEM"
    }
    assert app.control("POST", "poison", {"code": None}) == {"poison": {}}


def test_every_call_is_listed_and_documented(app: App) -> None:
    listed = app.control("GET", "")["calls"]
    assert len(listed) == len(ROUTES)
    assert all(row["does"] for row in listed)
    guide = GUIDE.read_text(encoding="utf-8")
    missing = [row["call"] for row in listed if row["call"].replace("/_control/", "").split(" ")[1] not in guide]
    assert missing == []


def test_the_page_for_people_shows_shops_faults_and_calls(app: App) -> None:
    app.ask("query Hello { shop { name } }")
    app.control("POST", "faults", {"kind": "slow", "operation": "<b>"})
    html = app.sandbox.answer(Request("GET", "/", {}, {}, b"")).body.decode()
    assert "bucovina-ro.myshopify.com" in html
    assert "Hello" in html
    assert "&lt;b&gt;" in html
    assert "<script" not in html


def test_the_guide_names_every_operation() -> None:
    guide, schema = GUIDE.read_text(encoding="utf-8"), load_schema()
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    assert [
        name for name in (*schema.query_type.fields, *schema.mutation_type.fields) if f"`{name}`" not in guide
    ] == []
