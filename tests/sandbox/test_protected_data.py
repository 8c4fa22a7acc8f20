"""What an app sees of buyers when Shopify has not approved it for their data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.shopify.protected import FIELDS, without
from sandbox.shopify.resolvers import documents, payload_builders
from tests.sandbox.client import App

READ = """{ orders(first: 1) { nodes { name email phone note
  customer { id displayName firstName defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } }
  shippingAddress { name company address1 city zip countryCodeV2 phone } } } }"""


@pytest.fixture
def order(app: App) -> dict[str, Any]:
    person = {"first_name": "Ana", "last_name": "Pop", "email": "ana@example.com", "phone": "+40722000000"}
    place = {
        **person,
        "address1": "Str. Lungă 5",
        "city": "Cluj",
        "zip": "400001",
        "country_code": "RO",
        "company": "SC Pop",
    }
    lines = [{"sku": "APA", "quantity": 1}]
    given = {"lines": lines, "customer": person, "shipping_address": place, "billing_address": place, "note": "Repede"}
    return dict(app.control("POST", "orders", given))


def withhold(app: App, *groups: str) -> None:
    app.control("POST", "apps", {"withheld": list(groups)})


def errors(body: dict[str, Any]) -> dict[str, str]:
    """The last step of each error's path → its message, up to the link."""
    return {str(error["path"][-1]): error["message"].partition(". See")[0] for error in body["errors"]}


def test_an_approved_app_sees_everything(app: App, order: dict[str, Any]) -> None:
    row = app.ask(READ).data["orders"]["nodes"][0]
    assert (row["email"], row["customer"]["displayName"]) == ("ana@example.com", "Ana Pop")
    assert row["shippingAddress"]["city"] == "Cluj"


def test_a_withheld_field_is_null_and_says_so_while_the_rest_stands(app: App, order: dict[str, Any]) -> None:
    withhold(app, "email", "phone")
    answer = app.ask(READ)
    row = answer.body["data"]["orders"]["nodes"][0]
    assert (row["email"], row["phone"], row["note"], row["customer"]["displayName"]) == (
        None,
        None,
        "Repede",
        "Ana Pop",
    )
    assert set(answer.codes) == {"ACCESS_DENIED"}
    assert errors(answer.body)["email"] == "This app is not approved to use the email field"
    assert ["orders", "nodes", 0, "email"] in [error["path"] for error in answer.body["errors"]]


def test_a_field_that_may_not_be_null_takes_its_parent_with_it(app: App, order: dict[str, Any]) -> None:
    withhold(app, "name")
    row = app.ask(READ).body["data"]["orders"]["nodes"][0]
    assert (row["customer"], row["email"]) == (None, "ana@example.com")
    assert (row["shippingAddress"]["name"], row["shippingAddress"]["company"]) == (None, "SC Pop")


def test_without_any_approval_buyers_are_not_there_at_all(app: App, order: dict[str, Any]) -> None:
    withhold(app, "customer")
    answer = app.ask(READ)
    row = answer.body["data"]["orders"]["nodes"][0]
    assert (row["customer"], row["shippingAddress"], row["name"]) == (None, None, order["name"])
    assert errors(answer.body) == {
        "customer": "This app is not approved to access the Customer object",
        "shippingAddress": "This app is not approved to access the MailingAddress object",
    }
    withhold(app)
    assert app.ask(READ).data["orders"]["nodes"][0]["customer"]["firstName"] == "Ana"


def test_payloads_come_without_what_is_withheld(app: App, order: dict[str, Any]) -> None:
    row = app.shop.by_gid[order["gid"]]
    whole = payload_builders()["orders/updated"](app.shop, row)
    cut = without(whole, frozenset({"name", "address", "email", "phone"}))
    text = json.dumps(cut, ensure_ascii=False)
    assert not any(word in text for word in ("Ana", "Lungă", "Cluj", "ana@example.com", "+40722"))
    assert (cut["name"], cut["note"], cut["shipping_address"]["company"]) == (row.name, "Repede", "SC Pop")
    assert without(whole, frozenset({"customer"}))["customer"] is None
    assert whole["customer"]["email"] == "ana@example.com"


def test_an_unknown_group_is_refused(app: App) -> None:
    status, told = app.try_control("POST", "apps", {"withheld": ["shoe_size"]})
    assert (status, "shoe_size" in told["error"]) == (400, True)


def test_every_protected_field_exists() -> None:
    schema = documents().schema
    for type_name, name in FIELDS:
        assert name in schema.type_map[type_name].fields  # type: ignore[attr-defined]
