"""inventorySetQuantities: absolute, compare-and-swap, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.shopify.inventory import REASONS
from tests.sandbox.client import SET, App, user_errors


def test_a_set_writes_and_answers_with_its_group(app: App) -> None:
    answer = app.set(app.row("APA", 12), referenceDocumentUri="gid://sync-console/Run/42")
    group = answer.data["inventorySetQuantities"]["inventoryAdjustmentGroup"]
    assert app.shows("APA")["available"] == 12
    assert group["reason"] == "correction"
    assert group["referenceDocumentUri"] == "gid://sync-console/Run/42"
    assert group["createdAt"] == app.sandbox.clock.stamp()
    assert group["changes"] == [
        {"name": "available", "delta": 2, "quantityAfterChange": None},
        {"name": "on_hand", "delta": 2, "quantityAfterChange": None},
    ]


def test_a_set_that_changes_nothing_succeeds_without_a_group(app: App) -> None:
    payload = app.set(app.row("APA", 10), app.row("BERE-S", 5)).data["inventorySetQuantities"]
    assert payload == {"inventoryAdjustmentGroup": None, "userErrors": []}


def test_a_matching_expectation_lets_the_write_through(app: App) -> None:
    assert user_errors(app.set(app.row("APA", 3, expected=10))) == []
    assert app.shows("APA")["available"] == 3


def test_one_stale_row_stops_the_whole_call(app: App) -> None:
    answer = app.set(app.row("APA", 3, expected=10), app.row("BERE-S", 1, expected=6), app.row("BERE-L", 1, expected=2))
    assert user_errors(answer) == [
        ("CHANGE_FROM_QUANTITY_STALE", ["input", "quantities", "1", "changeFromQuantity"]),
        ("CHANGE_FROM_QUANTITY_STALE", ["input", "quantities", "2", "changeFromQuantity"]),
    ]
    assert answer.data["inventorySetQuantities"]["inventoryAdjustmentGroup"] is None
    assert [app.shows(sku)["available"] for sku in ("APA", "BERE-S", "BERE-L")] == [10, 5, 0]


def test_errors_of_different_rows_are_reported_together(app: App) -> None:
    foreign = {**app.row("APA", 1), "inventoryItemId": "gid://shopify/InventoryItem/1"}
    nowhere = {**app.row("BERE-S", 1), "locationId": "gid://shopify/Location/1"}
    answer = app.set(foreign, app.row("BERE-L", 4), nowhere, app.row("CEAI", 1_000_000_001))
    assert user_errors(answer) == [
        ("INVALID_INVENTORY_ITEM", ["input", "quantities", "0", "inventoryItemId"]),
        ("INVALID_LOCATION", ["input", "quantities", "2", "locationId"]),
        ("INVALID_QUANTITY_TOO_HIGH", ["input", "quantities", "3", "quantity"]),
    ]
    assert app.shows("BERE-L")["available"] == 0


def test_an_item_and_location_named_twice_gives_one_error_per_row(app: App) -> None:
    answer = app.set(app.row("APA", 1), app.row("BERE-S", 1), app.row("APA", 2))
    code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
    assert user_errors(answer) == [
        (code, ["input", "quantities", "0", "locationId"]),
        (code, ["input", "quantities", "2", "locationId"]),
    ]


def test_the_same_item_at_two_locations_is_no_repetition(app: App) -> None:
    app.set(app.row("APA", 1), app.row("APA", 2, at=app.there))
    assert (app.shows("APA")["available"], app.shows("APA", app.there)["available"]) == (1, 2)


def test_a_poisoned_row_names_itself(app: App) -> None:
    app.control("POST", "poison", {"skus": ["BERE-S"], "code": "NON_MUTABLE_INVENTORY_ITEM"})
    answer = app.set(app.row("APA", 1), app.row("BERE-S", 1))
    assert user_errors(answer) == [("NON_MUTABLE_INVENTORY_ITEM", ["input", "quantities", "1", "inventoryItemId"])]
    assert app.shows("APA")["available"] == 10


def test_setting_on_hand_shifts_available_and_may_take_it_below_zero(app: App) -> None:
    app.control("POST", "levels/edit", {"sku": "APA", "quantities": {"committed": 4, "damaged": 1}})
    assert user_errors(app.set(app.row("APA", 3, expected=15), name="on_hand")) == []
    assert app.shows("APA") == {
        "available": -2,
        "committed": 4,
        "reserved": 0,
        "damaged": 1,
        "quality_control": 0,
        "safety_stock": 0,
        "incoming": 0,
        "on_hand": 3,
    }


def test_on_hand_is_never_negative_but_available_can_be(app: App) -> None:
    code, path = "INVALID_QUANTITY_NEGATIVE", ["input", "quantities", "0", "quantity"]
    assert user_errors(app.set(app.row("APA", -1), name="on_hand")) == [(code, path)]
    assert user_errors(app.set(app.row("APA", -7))) == []
    assert app.shows("APA")["available"] == -7


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": "committed"}, "INVALID_NAME", "name"),
        ({"name": "damaged"}, "INVALID_NAME", "name"),
        ({"reason": "because"}, "INVALID_REASON", "reason"),
        ({"referenceDocumentUri": "run 42"}, "INVALID_REFERENCE_DOCUMENT", "referenceDocumentUri"),
        ({"referenceDocumentUri": "gid://sync-console/Run"}, "INVALID_REFERENCE_DOCUMENT", "referenceDocumentUri"),
        ({"referenceDocumentUri": "https://"}, "INVALID_REFERENCE_DOCUMENT", "referenceDocumentUri"),
    ],
)
def test_bad_frames_are_refused(app: App, given: dict[str, Any], code: str, field: str) -> None:
    assert user_errors(app.set(app.row("APA", 1), **given)) == [(code, ["input", field])]
    assert app.shows("APA")["available"] == 10


@pytest.mark.parametrize("uri", ["gid://sync-console/Run/42", "https://console.example/run/42", "erp:count-7"])
def test_useful_references_are_taken(app: App, uri: str) -> None:
    assert user_errors(app.set(app.row("APA", 1), referenceDocumentUri=uri)) == []


@pytest.mark.parametrize("reason", REASONS)
def test_every_known_reason_is_taken(app: App, reason: str) -> None:
    assert user_errors(app.set(app.row("APA", 1), reason=reason)) == []


def test_a_row_without_the_comparison_key_fails_the_whole_call_at_the_top(app: App) -> None:
    row = app.row("APA", 1)
    del row["changeFromQuantity"]
    answer = app.set(row, app.row("BERE-S", 1))
    assert answer.status == 200
    assert answer.codes == ["INVALID_FIELD_ARGUMENTS"]
    assert answer.body["data"] == {"inventorySetQuantities": None}
    assert app.shows("BERE-S")["available"] == 5


def test_the_removed_comparison_field_is_an_unfit_variable(app: App) -> None:
    answer = app.set({**app.row("APA", 1), "compareQuantity": 10})
    assert answer.codes == ["INVALID_VARIABLE"]
    (problem,) = answer.body["errors"][0]["extensions"]["problems"]
    assert problem["path"] == ["quantities", 0, "compareQuantity"]
    assert "Field is not defined on InventoryQuantityInput" in problem["explanation"]
    assert "data" not in answer.body


def test_250_rows_are_taken_and_251_are_not(app: App) -> None:
    rows = [{**app.row("APA", 1), "inventoryItemId": f"gid://shopify/InventoryItem/{n}"} for n in range(251)]
    assert len(user_errors(app.set(*rows[:250]))) == 250
    answer = app.set(*rows)
    assert answer.codes == ["MAX_INPUT_SIZE_EXCEEDED"]
    assert answer.body["errors"][0]["path"] == ["inventorySetQuantities", "input", "quantities"]
    assert "data" not in answer.body


def test_a_level_that_was_never_stocked_takes_the_quantity_and_stays_inactive(app: App) -> None:
    app.control("POST", "levels/edit", {"sku": "APA", "location": app.there.name, "stocked": False})
    assert user_errors(app.set(app.row("APA", 6, expected=0, at=app.there))) == []
    level = app.level("APA", app.there)
    assert (level.active, level.quantities[0]) == (False, 6)


def test_a_closed_location_is_not_found(app: App) -> None:
    app.there.active = False
    answer = app.set(app.row("APA", 1, at=app.there))
    assert user_errors(answer) == [("INVALID_LOCATION", ["input", "quantities", "0", "locationId"])]


def test_quantities_written_as_literals_work_like_variables(app: App) -> None:
    row = (
        f'inventoryItemId: "{app.item("APA").gid}", locationId: "{app.here.gid}", quantity: 4, changeFromQuantity: null'
    )
    given = f'input: {{name: "available", reason: "correction", quantities: [{{{row}}}]}}'
    text = SET.replace("$input: InventorySetQuantitiesInput!, ", "").replace("input: $input", given)
    assert user_errors(app.ask(text, {"key": "literal"})) == []
    assert app.shows("APA")["available"] == 4
