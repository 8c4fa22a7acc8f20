"""The page for people: it shows what is there, and its forms do what the control API does."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from sandbox.wire import Reply, Request
from tests.sandbox.client import App


def look(app: App, **query: str) -> str:
    return app.sandbox.answer(Request("GET", "/", query, {}, b"")).body.decode()


def send(app: App, form: str, **values: str) -> Reply:
    """Submit one form, as a browser does."""
    body = urlencode({"shop": app.shop.domain, **values}).encode()
    return app.sandbox.answer(Request("POST", f"/page/{form}", {}, {}, body))


def done(reply: Reply) -> str:
    """What the page is told after a form that worked."""
    assert reply.status == 303, reply.body.decode()
    place = urlsplit(dict(reply.headers)["Location"])
    assert place.path == "/"
    return parse_qs(place.query)["done"][0]


def test_an_order_is_placed_shipped_and_refunded_by_forms(app: App) -> None:
    done(send(app, "order", sku="APA", quantity="4"))
    number = str(app.control("GET", "orders")["orders"][0]["id"])
    assert app.level("APA").quantities[:2] == [6, 4]
    assert "4 × APA" in look(app)
    done(send(app, "fulfill", number=number))
    assert (app.level("APA").quantities[:2], app.level("APA").on_hand()) == ([6, 0], 6)
    done(send(app, "refund", number=number, line="1", quantity="1", restock="RETURN"))
    assert app.level("APA").quantities[0] == 7


def test_an_order_is_cancelled_by_a_form(app: App) -> None:
    done(send(app, "order", sku="APA", quantity="4"))
    number = str(app.control("GET", "orders")["orders"][0]["id"])
    done(send(app, "cancel", number=number, restock="yes"))
    assert app.level("APA").quantities[:2] == [10, 0]
    assert "cancelled" in look(app)


@pytest.mark.parametrize(
    ("how", "quantity", "available", "on_hand"),
    [("set to", "3", 3, 3), ("delta by", "-2", 8, 8), ("damaged by", "1", 9, 10)],
)
def test_stock_is_edited_by_a_form(app: App, how: str, quantity: str, available: int, on_hand: int) -> None:
    done(send(app, "stock", sku="APA", how=how, quantity=quantity))
    assert (app.level("APA").quantities[0], app.level("APA").on_hand()) == (available, on_hand)


def test_a_handle_is_renamed_by_a_form(app: App) -> None:
    done(send(app, "rename", handle="bere", to="bere-noua"))
    assert "bere-noua" in app.shop.products_by_handle
    assert "bere" not in app.shop.products_by_handle


def test_a_product_is_duplicated_with_its_stock_by_a_form(app: App) -> None:
    done(send(app, "duplicate", handle="apa", title="Altă apă"))
    copies = [item for item in app.shop.items if item.sku == "APA"]
    assert [level.quantities[0] for item in copies if (level := item.level_at(app.here)) is not None] == [10, 10]


def test_webhooks_are_paused_and_let_go_by_forms(app: App) -> None:
    done(send(app, "hold"))
    assert "(paused)" in look(app)
    assert "held 0" in done(send(app, "flush", shuffle="shuffled", duplicate="0.2", lose="0"))
    assert "(paused)" not in look(app)


def test_a_fault_is_added_by_a_form(app: App) -> None:
    done(send(app, "fault", kind="503", times="1", probability="1", operation=""))
    assert [app.ask("{ shop { name } }").status for _ in range(2)] == [503, 200]


def test_the_clock_is_moved_by_a_form(app: App) -> None:
    before = app.sandbox.clock.seconds()
    done(send(app, "clock", minutes="90"))
    assert 5400 <= app.sandbox.clock.seconds() - before < 5460


def test_levels_are_found_by_sku_or_handle(app: App) -> None:
    html = look(app, q="bere")
    levels = html.partition("<h2>Levels")[2].partition("<h2>")[0]
    assert "BERE-S" in levels
    assert "APA" not in levels


def test_what_cannot_be_done_is_told_with_its_cause_and_remedy(app: App) -> None:
    reply = send(app, "order", sku="<b>", quantity="1")
    html = reply.body.decode()
    assert reply.status == 404
    assert "has no SKU &#x27;&lt;b&gt;&#x27;" in html
    assert "GET /_control/levels lists what it has." in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("form", "values", "told"),
    [
        ("order", {"sku": "", "quantity": "1"}, "SKU is empty"),
        ("order", {"sku": "APA", "quantity": "four"}, "Write numbers as digits"),
        ("nothing", {}, "There is no form"),
    ],
)
def test_a_form_that_is_not_filled_in_says_so(app: App, form: str, values: dict[str, str], told: str) -> None:
    reply = send(app, form, **values)
    assert reply.status >= 400
    assert told in reply.body.decode()


def test_the_page_carries_no_script_and_nothing_from_elsewhere(app: App) -> None:
    html = look(app)
    assert "<script" not in html
    assert "src=" not in html
    assert "@import" not in html
