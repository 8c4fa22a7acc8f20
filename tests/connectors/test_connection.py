"""Testing a connection: what it finds, what it keeps, and cause and remedy of everything that can be wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from connectors import connection, registry, scopes
from connectors.models import Store
from connectors.ports.access import INVENTORY
from connectors.ports.errors import ConnectorUnavailable, CredentialsRejected
from connectors.ports.store import StoreOverview
from connectors.shopify.adapter import ShopifyStore
from syncconsole.kernel.models import AuditEntry
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.kernel import UserFactory
from tests.fakes import FakeStore
from tests.pacers import OpenPacer

pytestmark = pytest.mark.django_db


class Shop(FakeStore):
    """The fake, whose overview a test can change or make fail."""

    overview_changes: dict[str, Any]
    error: Exception | None = None

    def overview(self) -> StoreOverview:
        if self.error is not None:
            raise self.error
        return replace(super().overview(), **getattr(self, "overview_changes", {}))


@pytest.fixture
def store() -> Store:
    return StoreFactory(
        slug="bucovina-ro", shop_domain="bucovina.myshopify.com", connection_checked_at=None, granted_scopes=[]
    )


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    monkeypatch.setattr(registry, "store_for", lambda store: shop)
    return shop


def test_a_good_connection_names_the_shop_its_scopes_and_locations(store: Store, shop: Shop) -> None:
    shop.add_location("Depozit Cluj")
    shop.add_location("Curier", is_service=True)

    report = connection.test_connection(store)

    assert report.ok
    assert (report.shop, report.domain) == ("Bucovina", "bucovina.myshopify.com")
    assert [(found.name, found.is_fulfillment_service, found.new) for found in report.locations] == [
        ("Depozit Cluj", False, True),
        ("Curier", True, True),
    ]
    store = Store.objects.get(pk=store.pk)
    assert store.connection_checked_at is not None
    assert scopes.missing(store.scopes, INVENTORY) == []
    assert {location.name for location in store.locations.all()} == {"Depozit Cluj", "Curier"}


def test_a_test_changes_no_preference(store: Store, shop: Shop) -> None:
    shop.add_location("Depozit Cluj")
    shop.overview_changes = {"name": "Another name", "plan": "Shopify Plus", "time_zone": "America/New_York"}
    kept = ("name", "plan", "time_zone", "access_token", "tags_any", "limit_units", "writes_paused", "inventory_owner")
    before = [getattr(store, name) for name in kept]

    connection.test_connection(store)

    store = Store.objects.get(pk=store.pk)
    assert [getattr(store, name) for name in kept] == before


def test_a_second_test_knows_the_locations_and_marks_those_that_are_gone(store: Store, shop: Shop) -> None:
    ref = shop.add_location("Depozit Cluj")
    StoreLocationFactory(store=store, ref=ref, name="Depozit")
    StoreLocationFactory(store=store, ref="location/99", name="Magazin vechi")

    report = connection.test_connection(store)

    assert [found.new for found in report.locations] == [False]
    assert store.locations.get(ref=ref).name == "Depozit Cluj"
    assert not store.locations.get(ref="location/99").is_active


def test_the_token_of_another_shop_is_told_apart_and_its_locations_are_not_taken(store: Store, shop: Shop) -> None:
    shop.domain = "outlet.myshopify.com"
    shop.add_location("Depozit Outlet")

    report = connection.test_connection(store)

    assert (
        report.cause == "outlet.myshopify.com answered, not bucovina.myshopify.com: the token belongs to another shop."
    )
    assert "token of bucovina.myshopify.com" in report.remedy
    assert not store.locations.exists()
    assert Store.objects.get(pk=store.pk).granted_scopes == []


def test_a_version_that_fell_forward_is_reported(store: Store, shop: Shop) -> None:
    shop.overview_changes = {"api_version": "2027-01"}

    report = connection.test_connection(store)

    assert "answered with API version 2027-01; 2026-10 is not served any more" in report.cause
    assert "Set the API version" in report.remedy


def test_a_missing_scope_is_named(store: Store, shop: Shop) -> None:
    shop.add_location()
    shop.overview_changes = {"scopes": frozenset({"read_products", "read_inventory", "read_locations"})}

    report = connection.test_connection(store)

    assert report.cause == "The token lacks write_inventory."
    assert "install it again" in report.remedy
    assert report.missing_scopes == ["write_inventory"]
    assert len(report.locations) == 1, "what may be read is read"
    assert Store.objects.get(pk=store.pk).connection_cause == report.cause


def test_without_the_right_to_read_locations_none_are_asked_for_or_forgotten(store: Store, shop: Shop) -> None:
    StoreLocationFactory(store=store, name="Depozit")
    shop.overview_changes = {"scopes": frozenset({"read_products", "write_inventory"})}

    assert connection.test_connection(store).missing_scopes == ["read_locations"]

    assert store.locations.get().is_active


def test_no_token_is_said_before_anything_is_called(shop: Shop) -> None:
    store = StoreFactory(access_token="")
    shop.error = AssertionError("the store was called")

    assert connection.test_connection(store).cause == "No Admin API token is set."


def test_a_good_test_after_a_bad_one_clears_the_cause(store: Store, shop: Shop) -> None:
    shop.add_location()
    shop.error = CredentialsRejected(service="Shopify", operation="o", cause="Refused.", remedy="Replace it.")
    assert not connection.test_connection(store).ok
    assert Store.objects.get(pk=store.pk).connection_remedy == "Replace it."

    shop.error = None
    assert connection.test_connection(store).ok

    assert Store.objects.get(pk=store.pk).connection_cause == ""


def test_a_store_that_is_away_changes_nothing_that_was_known(store: Store, shop: Shop) -> None:
    shop.add_location()
    connection.test_connection(store)
    tested_at = Store.objects.get(pk=store.pk).connection_checked_at

    shop.error = ConnectorUnavailable(service="Shopify", operation="o", cause="Unreachable.", remedy="Wait.")
    report = connection.test_connection(store)

    assert (report.ok, report.cause) == (False, "Unreachable.")
    store = Store.objects.get(pk=store.pk)
    assert (store.connection_cause, store.connection_checked_at) == ("", tested_at), "runs go on by themselves"


def answering(status: int) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(status, json={"errors": "…"})


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("name not known")


@pytest.mark.parametrize(
    ("reply", "cause", "remedy"),
    [
        (answering(401), "refused the access token (HTTP 401)", "Enter a current Admin API access token"),
        (answering(404), "no shop at this address", "Check the shop domain"),
        (answering(402), "frozen", "Settle the bill"),
        (answering(403), "does not let this app", "Grant the app the scopes"),
        (unreachable, "", "."),
    ],
)
def test_what_the_adapter_meets_becomes_cause_and_remedy(
    store: Store, reply: Callable[[httpx.Request], httpx.Response], cause: str, remedy: str
) -> None:
    def through(store: Store) -> ShopifyStore:
        return ShopifyStore(
            base_url=store.base_url,
            token=store.access_token,
            api_version=store.api_version,
            pacer=OpenPacer(),
            read_attempts=1,
            http=httpx.Client(transport=httpx.MockTransport(reply)),
        )

    report = connection.test_connection(store, open_port=through)

    assert not report.ok
    assert cause in report.cause
    assert remedy in report.remedy
    assert report.cause
    assert "shpat_test" not in report.cause + report.remedy


def test_a_host_that_is_not_allowed_is_refused_before_the_token_leaves(store: Store) -> None:
    store.api_base_url = "https://evil.example.com"
    store.save()

    report = connection.test_connection(store)

    assert "not a shop under myshopify.com" in report.cause


# --- commands


def run(*arguments: str, **options: Any) -> tuple[dict[str, Any], int]:
    out, code = io.StringIO(), 0
    try:
        call_command(*arguments, "--json", stdout=out, stderr=io.StringIO(), **options)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return json.loads(out.getvalue()), code


def test_the_command_exits_0_when_all_is_well_and_1_when_not(store: Store, shop: Shop) -> None:
    shop.add_location("Depozit Cluj")
    report, code = run("test_connection", "bucovina-ro")
    assert (report["ok"], report["locations"][0]["name"], code) == (True, "Depozit Cluj", 0)

    shop.error = CredentialsRejected(
        service="Shopify", operation="o", cause="Refused.", remedy="Replace it.", status=401
    )
    report, code = run("test_connection", "bucovina-ro")
    assert (report["ok"], report["cause"], report["remedy"], code) == (False, "Refused.", "Replace it.", 1)


def test_an_unknown_store_and_a_missing_right_are_refusals(store: Store) -> None:
    viewer = UserFactory(roles=["Viewer"])
    refused, code = run("test_connection", "bucovina-de")
    assert code == 2
    assert "bucovina-ro" in refused["remedy"]
    assert run("test_connection", "bucovina-ro", "--as", viewer.email)[1] == 2
    assert (
        run("add_store", "x", "--name", "X", "--domain", "x.myshopify.com", "--token-env", "T", "--as", viewer.email)[1]
        == 2
    )


def test_a_store_is_added_with_a_token_from_the_environment(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    monkeypatch.setenv("BUCOVINA_TOKEN", "shpat_0123456789abcdef")
    shop.add_location("Depozit Cluj")

    report, code = run(
        *("add_store", "bucovina-ro", "--name", "Atelier Bucovina RO", "--domain", "Bucovina.myshopify.com"),
        *("--token-env", "BUCOVINA_TOKEN", "--tags-any", "online"),
    )

    assert code == 0
    assert report["connection"]["ok"]
    store = Store.objects.get(slug="bucovina-ro")
    assert (store.access_token, store.shop_domain) == ("shpat_0123456789abcdef", "bucovina.myshopify.com")
    assert store.tags_any == ["online"]
    entry = AuditEntry.objects.get(action="add store")
    assert "shpat" not in json.dumps(entry.after)


def test_a_store_that_cannot_be_is_refused_by_field(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    monkeypatch.setenv("TOKEN", "shpat_0123456789abcdef")

    refused, code = run(
        *("add_store", "bucovina-ro", "--name", "B", "--domain", "bucovina.myshopify.com", "--token-env", "TOKEN"),
        *("--base-url", "https://evil.example.com"),
    )

    assert code == 2
    assert "Slug" in refused["cause"]
    assert "Api base url" in refused["cause"]
    assert run("add_store", "b", "--name", "B", "--domain", "b.myshopify.com", "--token-env", "NOTHING_HERE")[1] == 2


def test_a_second_owner_of_a_shop_domain_is_refused_and_the_first_is_named(store: Store) -> None:
    second = Store(slug="second", name="Second", shop_domain=store.shop_domain, access_token="shpat_x")
    with pytest.raises(ValidationError, match="already pushes inventory"):
        connection.add_store(second, by=None)

    second.inventory_owner = False
    connection.add_store(second, by=None)

    assert second.other_owner() == store
