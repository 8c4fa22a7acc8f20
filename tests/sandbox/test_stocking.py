"""Activate, deactivate, and the item's own update."""

from __future__ import annotations

from typing import Any

from tests.sandbox.client import App, document, user_errors

ACTIVATE = """mutation A($item: ID!, $at: ID!, $available: Int, $onHand: Int, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $at, available: $available, onHand: $onHand) @idempotent(key: $key) {
    inventoryLevel { isActive quantities(names: ["available", "on_hand"]) { quantity } } userErrors { field message } } }"""
DEACTIVATE = "mutation D($id: ID!) { inventoryDeactivate(inventoryLevelId: $id) { userErrors { field message } } }"
UPDATE = """mutation U($id: ID!, $input: InventoryItemInput!) { inventoryItemUpdate(id: $id, input: $input) {
  inventoryItem { sku tracked unitCost { amount currencyCode } measurement { weight { value unit } } }
  userErrors { field message } } }"""


def activate(app: App, **given: Any) -> Any:
    variables = {"item": app.item("APA").gid, "at": app.there.gid, "key": app.new_key(), **given}
    return app.ask(ACTIVATE, variables).data["inventoryActivate"]


def never_stocked(app: App) -> None:
    app.control("POST", "levels/edit", {"sku": "APA", "location": app.there.name, "stocked": False})


def shown(payload: Any) -> tuple[bool, list[int]]:
    level = payload["inventoryLevel"]
    return level["isActive"], [row["quantity"] for row in level["quantities"]]


def test_an_item_is_stocked_at_a_new_location(app: App) -> None:
    never_stocked(app)
    payload = activate(app)
    assert payload["userErrors"] == []
    assert shown(payload) == (True, [0, 0])


def test_on_hand_seeds_a_new_level_and_available_is_ignored(app: App) -> None:
    never_stocked(app)
    assert shown(activate(app, available=7)) == (True, [0, 0])
    never_stocked(app)
    assert shown(activate(app, onHand=7)) == (True, [7, 7])


def test_both_seeds_at_once_contradict(app: App) -> None:
    never_stocked(app)
    assert activate(app, available=1, onHand=1)["userErrors"][0]["field"] == ["available"]


def test_activating_an_active_level_is_no_error_unless_a_quantity_comes_with_it(app: App) -> None:
    assert activate(app)["userErrors"] == []
    refused = activate(app, available=3)
    assert refused["inventoryLevel"] is None
    assert refused["userErrors"][0]["field"] == ["available"]


def test_quantities_survive_a_deactivation(app: App) -> None:
    app.set(app.row("APA", 6, at=app.there))
    gone = app.ask(DEACTIVATE, {"id": app.level("APA", app.there).gid})
    assert gone.data["inventoryDeactivate"]["userErrors"] == []
    assert app.level("APA", app.there).active is False
    app.adjust(app.change("APA", -2, at=app.there))
    assert shown(activate(app)) == (True, [4, 4])


def test_the_last_active_location_stays(app: App) -> None:
    app.ask(DEACTIVATE, {"id": app.level("APA", app.there).gid})
    answer = app.ask(DEACTIVATE, {"id": app.level("APA").gid})
    assert "minimum of 1 location" in answer.data["inventoryDeactivate"]["userErrors"][0]["message"]
    assert app.level("APA").active is True


def test_unknown_rows_are_named(app: App) -> None:
    assert activate(app, item="gid://shopify/InventoryItem/1")["userErrors"][0]["field"] == ["inventoryItemId"]
    assert activate(app, at="gid://shopify/Location/1")["userErrors"][0]["field"] == ["locationId"]
    answer = app.ask(DEACTIVATE, {"id": "gid://shopify/InventoryLevel/1?inventory_item_id=1"})
    assert answer.data["inventoryDeactivate"]["userErrors"][0]["field"] == ["inventoryLevelId"]
    update = app.ask(UPDATE, {"id": "gid://shopify/InventoryItem/1", "input": {}})
    assert update.data["inventoryItemUpdate"]["userErrors"][0]["field"] == ["id"]


def test_tracking_and_cost_are_updated(app: App) -> None:
    given = {"tracked": True, "cost": "12.50", "measurement": {"weight": {"value": 0.35, "unit": "KILOGRAMS"}}}
    payload = app.ask(UPDATE, {"id": app.item("DAR").gid, "input": given}).data["inventoryItemUpdate"]
    assert payload["inventoryItem"] == {
        "sku": "DAR",
        "tracked": True,
        "unitCost": {"amount": "12.5", "currencyCode": "RON"},
        "measurement": {"weight": {"value": 0.35, "unit": "KILOGRAMS"}},
    }


def test_what_is_left_out_stays_and_null_clears(app: App) -> None:
    item = app.item("APA")
    app.ask(UPDATE, {"id": item.gid, "input": {"tracked": False}})
    assert str(item.cost) == "2.10"
    app.ask(UPDATE, {"id": item.gid, "input": {"cost": None}})
    assert item.cost is None


def test_a_cost_below_zero_is_refused(app: App) -> None:
    payload = app.ask(UPDATE, {"id": app.item("APA").gid, "input": {"cost": -1}}).data["inventoryItemUpdate"]
    assert payload["userErrors"] == [{"field": ["input", "cost"], "message": "Cost must be greater than or equal to 0"}]


def test_a_new_sku_is_found_at_once(app: App) -> None:
    app.ask(UPDATE, {"id": app.item("APA").gid, "input": {"sku": "APA-2"}})
    text = "query I($q: String!) { inventoryItems(first: 5, query: $q) { nodes { sku } } }"
    assert app.ask(text, {"q": "sku:'APA-2'"}).data["inventoryItems"]["nodes"] == [{"sku": "APA-2"}]
    assert app.ask(text, {"q": "sku:'APA'"}).data["inventoryItems"]["nodes"] == []


def toggle(app: App, *updates: tuple[Any, bool], item: str | None = None) -> Any:
    rows = [{"locationId": place.gid, "activate": wanted} for place, wanted in updates]
    given = {"inventoryItemId": item or app.item("APA").gid, "updates": rows}
    return app.ask(document("inventory_bulk_toggle_activation"), given)


def test_an_item_is_stocked_and_unstocked_at_several_locations_in_one_call(app: App) -> None:
    never_stocked(app)
    answer = toggle(app, (app.there, True), (app.here, False))
    (payload,) = answer.data.values()
    assert [level["isActive"] for level in payload["inventoryLevels"]] == [True]
    assert (app.level("APA").active, app.level("APA", app.there).active) == (False, True)
    assert answer.cost["requestedQueryCost"] == 10


def test_what_is_promised_or_held_stays_stocked_and_nothing_of_the_call_is_done(app: App) -> None:
    never_stocked(app)
    app.control("POST", "orders", {"lines": [{"sku": "APA", "location": app.here.name}]})
    app.control("POST", "levels/edit", {"sku": "APA", "damaged": 1})
    path = ["inventoryItemUpdates", "1", "locationId"]
    codes = user_errors(toggle(app, (app.there, True), (app.here, False)))
    assert codes == [("COMMITTED_INVENTORY_AT_LOCATION", path), ("RESERVED_INVENTORY_AT_LOCATION", path)]
    assert app.item("APA").level_at(app.there) is None


def test_an_item_stays_stocked_somewhere(app: App) -> None:
    answer = toggle(app, (app.here, False), (app.there, False))
    assert user_errors(answer) == [("CANNOT_DEACTIVATE_FROM_ONLY_LOCATION", ["inventoryItemUpdates"])]
    gone = toggle(app, (app.here, True), item="gid://shopify/InventoryItem/1")
    assert user_errors(gone) == [("INVENTORY_ITEM_NOT_FOUND", ["inventoryItemId"])]
