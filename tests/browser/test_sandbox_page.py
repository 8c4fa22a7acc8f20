"""The sandbox's own page in a real browser: a person places an order, edits stock, refunds, renames and duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sandbox.app import Sandbox
from sandbox.server import running
from tests.sandbox.conftest import CSV

Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """`visit()`: a tab on the page of a sandbox with a handful of products; `width=390` is a phone."""
    sandbox = Sandbox(plan="standard")
    sandbox.add_shop("bucovina-ro", CSV)
    contexts = []
    with running(sandbox) as url:

        def opened(width: int = 1440) -> Page:
            context = chromium.new_context(viewport={"width": width, "height": 900})
            contexts.append(context)
            page = context.new_page()
            page.goto(url)
            return page

        yield opened
        for context in contexts:
            context.close()


def fill(page: Page, form: str, **values: str) -> None:
    """Fill a form in by the ids of its inputs, and send it."""
    box = page.locator(f"form[action='/page/{form}']")
    for name, value in values.items():
        field = box.locator(f"[name={name}]")
        if field.evaluate("node => node.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    press(page, box.get_by_role("button"))


def press(page: Page, button: Locator) -> None:
    """Click, and wait until the page that answers is there."""
    with page.expect_navigation():
        button.click()


def cells(page: Page, heading: str, first: str) -> list[str]:
    """The cells of the row that begins with a text, in the table under a heading."""
    table = page.locator(f"h2:has-text('{heading}') ~ .wide").first
    row = table.locator("tr", has=page.locator(f"td:first-child:text-is('{first}')")).first
    return row.locator("td").all_inner_texts()


def test_an_order_is_placed_shipped_and_refunded_by_hand(visit: Visit) -> None:
    page = visit()
    fill(page, "order", sku="APA", quantity="4", location="Depozit Cluj")
    expect(page.get_by_role("status")).to_contain_text("Place an order: done")
    assert cells(page, "Levels", "APA")[3:6] == ["6", "4", "10"]
    number, _, lines, total, state = cells(page, "Recent orders", "1001")
    assert (lines, Decimal(total.removesuffix(" RON")), state) == ("4 × APA", Decimal("22.00"), "unfulfilled, paid")
    fill(page, "fulfill", number=number)
    fill(page, "refund", number=number, line="1", quantity="1", restock="RETURN: shipped goods come back")
    assert cells(page, "Levels", "APA")[3:6] == ["7", "0", "7"]
    assert cells(page, "Recent orders", "1001")[4] == "fulfilled, partially refunded"


def test_stock_is_edited_where_one_says(visit: Visit) -> None:
    page = visit()
    fill(page, "stock", sku="BERE-L", how="set to", quantity="12", location="Magazin București")
    page.get_by_label("SKU or handle").fill("bere-l")
    press(page, page.get_by_role("button", name="Search"))
    rows = page.locator("h2:has-text('Levels') ~ .wide").first.locator("tr").all_inner_texts()
    assert [row.split("\t")[2:4] for row in rows[1:]] == [["Depozit Cluj", "0"], ["Magazin București", "12"]]


def test_a_handle_is_renamed_and_a_product_duplicated(visit: Visit) -> None:
    page = visit()
    fill(page, "rename", handle="bere", to="bere-rece")
    fill(page, "duplicate", handle="bere-rece", title="Bere caldă")
    expect(page.get_by_role("status")).to_contain_text("handle bere-caldă")
    assert cells(page, "Products last changed", "bere-rece")[1] == "Bere"
    assert cells(page, "Products last changed", "bere-caldă")[1:] == ["Bere caldă", "ACTIVE", "2"]


def test_a_refused_form_says_why_and_keeps_what_was_typed(visit: Visit) -> None:
    page = visit()
    fill(page, "order", sku="NIMIC", quantity="3", location="Magazin București")
    expect(page.get_by_role("alert")).to_contain_text("NIMIC")
    form = page.locator("form[action='/page/order']")
    expect(form.get_by_label("SKU")).to_have_value("NIMIC")
    expect(form.get_by_label("Quantity")).to_have_value("3")
    expect(form.get_by_label("Location")).to_have_value("Magazin București")


def test_a_phone_scrolls_tables_and_not_the_page(visit: Visit) -> None:
    page = visit(width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
