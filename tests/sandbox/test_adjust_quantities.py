"""inventoryAdjustQuantities: relative changes of one named quantity."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import App, user_errors

DOCUMENT = "gid://sync-console/Count/7"


def test_a_delta_moves_available_and_on_hand(app: App) -> None:
    answer = app.adjust(app.change("APA", -3), app.change("CEAI", 4))
    changes = answer.data["inventoryAdjustQuantities"]["inventoryAdjustmentGroup"]["changes"]
    assert [(c["name"], c["delta"]) for c in changes] == [
        ("available", -3),
        ("on_hand", -3),
        ("available", 4),
        ("on_hand", 4),
    ]
    assert changes[0]["item"] == {"id": app.item("APA").gid}
    assert (app.shows("APA")["available"], app.shows("APA")["on_hand"]) == (7, 7)
    assert app.shows("CEAI")["available"] == 1


def test_an_adjustment_commutes_with_a_sale_that_happens_meanwhile(app: App) -> None:
    app.control("POST", "orders", {"lines": [{"sku": "APA", "quantity": 4}]})
    app.adjust(app.change("APA", -1))
    assert app.shows("APA")["available"] == 5


def test_zero_deltas_succeed_without_a_group(app: App) -> None:
    payload = app.adjust(app.change("APA", 0), app.change("BERE-S", 0)).data["inventoryAdjustQuantities"]
    assert payload == {"inventoryAdjustmentGroup": None, "userErrors": []}


def test_expectations_are_compared_when_given(app: App) -> None:
    answer = app.adjust(app.change("APA", -1, expected=9), app.change("BERE-S", -1, expected=5))
    assert user_errors(answer) == [("CHANGE_FROM_QUANTITY_STALE", ["input", "changes", "0", "changeFromQuantity"])]
    assert app.shows("BERE-S")["available"] == 5


def test_the_same_level_twice_adds_up(app: App) -> None:
    assert user_errors(app.adjust(app.change("APA", -1), app.change("APA", -2, expected=9))) == []
    assert app.shows("APA")["available"] == 7


@pytest.mark.parametrize("name", ["on_hand", "committed", "nothing"])
def test_names_that_cannot_be_adjusted(app: App, name: str) -> None:
    answer = app.adjust({**app.change("APA", 1), "ledgerDocumentUri": DOCUMENT}, name=name)
    assert user_errors(answer) == [("INVALID_QUANTITY_NAME", ["input", "name"])]


@pytest.mark.parametrize("name", ["damaged", "incoming", "quality_control", "reserved", "safety_stock"])
def test_other_names_move_alone_and_on_hand_follows_unless_incoming(app: App, name: str) -> None:
    assert user_errors(app.adjust({**app.change("APA", 2), "ledgerDocumentUri": DOCUMENT}, name=name)) == []
    shown = app.shows("APA")
    assert (shown[name], shown["available"]) == (2, 10)
    assert shown["on_hand"] == (10 if name == "incoming" else 12)


@pytest.mark.parametrize(
    ("name", "uri", "code"),
    [
        ("available", DOCUMENT, "INVALID_AVAILABLE_DOCUMENT"),
        ("damaged", None, "INVALID_QUANTITY_DOCUMENT"),
        ("damaged", "gid://shopify/Order/1", "INTERNAL_LEDGER_DOCUMENT"),
        ("damaged", "no uri", "INVALID_LEDGER_DOCUMENT"),
    ],
)
def test_ledger_documents_are_for_every_name_but_available(app: App, name: str, uri: str | None, code: str) -> None:
    answer = app.adjust({**app.change("APA", 1), "ledgerDocumentUri": uri}, name=name)
    assert user_errors(answer) == [(code, ["input", "changes", "0", "ledgerDocumentUri"])]


def test_a_call_has_one_ledger_document(app: App) -> None:
    rows = [{**app.change(sku, 1), "ledgerDocumentUri": f"{DOCUMENT}{sku}"} for sku in ("APA", "CEAI")]
    assert user_errors(app.adjust(*rows, name="damaged")) == [("MAX_ONE_LEDGER_DOCUMENT", ["input", "changes"])]


@pytest.mark.parametrize(("delta", "code"), [(2_000_000_000, "TOO_HIGH"), (-2_000_000_011, "TOO_LOW")])
def test_quantities_have_bounds(app: App, delta: int, code: str) -> None:
    expected = [(f"INVALID_QUANTITY_{code}", ["input", "changes", "0", "delta"])]
    assert user_errors(app.adjust(app.change("APA", delta))) == expected


def test_the_comparison_key_is_needed_here_too(app: App) -> None:
    row: dict[str, Any] = app.change("APA", 1)
    del row["changeFromQuantity"]
    assert app.adjust(row).codes == ["INVALID_FIELD_ARGUMENTS"]


def test_251_changes_are_too_many(app: App) -> None:
    assert app.adjust(*[app.change("APA", 1)] * 251).codes == ["MAX_INPUT_SIZE_EXCEEDED"]


def test_the_time_of_a_change_is_kept_per_name(app: App) -> None:
    text = """query Q($id: ID!, $at: ID!) { inventoryItem(id: $id) { inventoryLevel(locationId: $at) { updatedAt
      quantities(names: ["available", "damaged", "on_hand"]) { name updatedAt } } } }"""
    app.control("POST", "clock", {"set": "2026-12-01T10:00:00Z"})
    app.adjust(app.change("APA", -1))
    level = app.ask(text, {"id": app.item("APA").gid, "at": app.here.gid}).data["inventoryItem"]["inventoryLevel"]
    assert level["updatedAt"][:16] == "2026-12-01T10:00"
    available, damaged, on_hand = level["quantities"]
    assert available["updatedAt"] == level["updatedAt"]
    assert damaged["updatedAt"] < level["updatedAt"]
    assert on_hand["updatedAt"] is None
