"""Tokens: how an app gets one, how long it lives, what it opens; and what answers say of versions."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.app import Sandbox
from sandbox.shopify.apps import app_of
from sandbox.shopify.documents import load_schema
from sandbox.wire import Request
from tests.sandbox.client import SHARED, App

NAME = "{ shop { name } }"


def ask_token(
    app: App, *, as_json: bool = False, domain: str | None = None, **given: Any
) -> tuple[int, dict[str, Any]]:
    """Status and content of one request for a token; the app's own id and secret unless others are given."""
    own = app_of(app.shop)
    form = {"grant_type": "client_credentials", "client_id": own.client_id, "client_secret": own.secret, **given}
    form = {name: value for name, value in form.items() if value}
    body = json.dumps(form) if as_json else urlencode(form)
    kind = "application/json" if as_json else "application/x-www-form-urlencoded"
    path = f"/shops/{domain or app.shop.domain}/admin/oauth/access_token"
    reply = app.sandbox.answer(Request("POST", path, {}, {"content-type": kind}, body.encode()))
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize("as_json", [False, True])
def test_an_app_gets_a_token_for_a_day(app: App, as_json: bool) -> None:
    status, told = ask_token(app, as_json=as_json)
    assert (status, told["expires_in"]) == (200, 86_399)
    assert "write_inventory" in told["scope"].split(",")
    mine = App(app.sandbox, app.shop, told["access_token"])
    assert mine.ask(NAME).status == 200
    app.control("POST", "clock", {"advance": 86_400})
    assert mine.ask(NAME).status == 401
    assert app.ask(NAME).status == 200, "a static token does not end"


def test_an_older_token_works_until_its_own_end(app: App) -> None:
    first = App(app.sandbox, app.shop, ask_token(app)[1]["access_token"])
    app.control("POST", "clock", {"advance": 80_000})
    second = App(app.sandbox, app.shop, ask_token(app)[1]["access_token"])
    assert (first.ask(NAME).status, second.ask(NAME).status) == (200, 200)
    app.control("POST", "clock", {"advance": 7_000})
    assert (first.ask(NAME).status, second.ask(NAME).status) == (401, 200)


@pytest.mark.usefixtures("no_refill")
def test_granted_tokens_of_one_app_share_its_bucket(app: App) -> None:
    mine = App(app.sandbox, app.shop, ask_token(app)[1]["access_token"])
    app.control("POST", "plan", {"available": 0})
    assert mine.ask("{ products(first: 250) { nodes { id title } } }").codes == ["THROTTLED"]


@pytest.mark.parametrize(
    ("given", "status", "error"),
    [
        ({"client_secret": "shpss_wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 400, "application_cannot_be_found"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_request_gets_no_token(app: App, given: dict[str, Any], status: int, error: str) -> None:
    got, told = ask_token(app, **given)
    assert (got, told["error"]) == (status, error)
    assert told["error_description"]


def test_an_unknown_shop_has_no_door(app: App) -> None:
    assert ask_token(app, domain="nobody.myshopify.com")[0] == 404


def test_an_uninstalled_app_gets_no_token(app: App) -> None:
    token = ask_token(app)[1]["access_token"]
    app.control("POST", "apps/uninstall", {})
    assert App(app.sandbox, app.shop, token).ask(NAME).status == 401
    status, told = ask_token(app)
    assert (status, told["error"]) == (400, "shop_not_permitted")
    app.control("POST", "apps", {"installed": True})
    assert ask_token(app)[0] == 200


def test_two_shops_can_know_one_app(sandbox: Sandbox, app: App) -> None:
    other = App(sandbox, sandbox.add_shop("mare")[0])
    for shop in ("bucovina-ro", "mare"):
        app.control("POST", "apps", {"shop": shop, "client_id": "console", "secret": "shpss_one"})
    for each in (app, other):
        assert ask_token(each, client_id="console", client_secret="shpss_one")[0] == 200


def test_the_scopes_of_the_app_are_those_of_its_new_tokens(app: App) -> None:
    app.control("POST", "apps/scopes", {"scopes": ["read_products"]})
    told = ask_token(app)[1]
    assert told["scope"] == "read_products"
    mine = App(app.sandbox, app.shop, told["access_token"])
    scopes = mine.ask("{ currentAppInstallation { accessScopes { handle } } }").data["currentAppInstallation"]
    assert scopes == {"accessScopes": [{"handle": "read_products"}]}


def test_a_token_can_be_ended_now(app: App) -> None:
    app.control("POST", "tokens", {"token": app.token, "expires_in": 0})
    assert app.ask(NAME).status == 401


def test_the_grant_is_logged_and_can_fail(app: App) -> None:
    app.control("POST", "faults", {"kind": "503", "operation": "access_token", "times": 1})
    assert [ask_token(app)[0], ask_token(app)[0]] == [503, 200]
    calls = app.control("GET", "calls", operation="access_token")["calls"]
    assert [(call["status"], call["fault"]) for call in calls] == [(503, "503"), (200, None)]


def test_a_deprecated_field_is_told_in_a_header(app: App) -> None:
    text = "query Q($id: ID!) { inventoryItem(id: $id) { variant { id } } }"
    old = app.ask(text, {"id": app.item("APA").gid})
    assert old.headers["X-Shopify-API-Deprecated-Reason"] == "Use `variants` instead."
    assert "X-Shopify-API-Deprecated-Reason" not in app.ask(NAME).headers


def test_a_deprecated_argument_is_told_in_a_header(app: App) -> None:
    answer = app.ask('{ webhookSubscriptions(first: 1, callbackUrl: "http://127.0.0.1/") { nodes { id } } }')
    assert answer.headers["X-Shopify-API-Deprecated-Reason"] == "Use `uri` instead."


def test_deprecated_fields_are_the_real_ones() -> None:
    path = SHARED / "schemas" / "shopify-admin-2026-10.json.gz"
    if not path.exists():
        pytest.skip("Shopify's schema (../shared/schemas/shopify-admin-2026-10.json.gz) is not here")
    read = json.loads(gzip.decompress(path.read_bytes()))
    theirs = {
        (type_["name"], field["name"]): " ".join((field["deprecationReason"] or "").split())
        for type_ in read.get("data", read)["__schema"]["types"]
        for field in type_["fields"] or ()
    }
    wrong = [
        f"{type_name}.{name}"
        for type_name, type_ in load_schema().type_map.items()
        if (type_name, next(iter(fields := getattr(type_, "fields", {}) or {}), "")) in theirs
        for name, field in fields.items()
        if " ".join((field.deprecation_reason or "").split()) != theirs.get((type_name, name), "")
    ]
    assert wrong == []
