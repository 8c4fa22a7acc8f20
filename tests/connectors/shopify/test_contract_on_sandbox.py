"""The documents against the schema that a shop serves now, read with a token that the client-credentials grant gave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from connectors.models import Store
from connectors.models.stores import Grant
from connectors.shopify.contract import our_documents
from sandbox.app import Sandbox
from sandbox.server import running
from sandbox.shopify.apps import app_of
from tests.connectors.shopify.test_contract import run
from tests.factories.connectors import StoreFactory

DOMAIN = "bucovina-ro.myshopify.com"


@pytest.fixture
def sandbox() -> Sandbox:
    """A shop that the app has no token for yet."""
    sandbox = Sandbox(plan="plus")
    sandbox.add_shop(DOMAIN)
    sandbox.admin.tokens.clear()
    return sandbox


@pytest.fixture
def store(sandbox: Sandbox, db: None, settings: Settings) -> Iterator[Store]:
    """The connection to it: an id and a secret."""
    settings.ALLOWED_API_HOSTS = ["127.0.0.1"]
    app = app_of(sandbox.shops[DOMAIN])
    with running(sandbox) as url:
        yield StoreFactory(
            slug="bucovina-ro",
            shop_domain=DOMAIN,
            api_base_url=f"{url}/shops/{DOMAIN}",
            grant=Grant.CLIENT_CREDENTIALS,
            access_token="",
            client_id=app.client_id,
            client_secret=app.secret,
        )


def asked(sandbox: Sandbox) -> list[tuple[str | None, int]]:
    """The kinds of calls and how they were answered, in the order of their first; a slow machine may ask twice."""
    return list(dict.fromkeys((call.operation, call.status) for call in sandbox.calls.matching({})))


def test_the_schema_of_a_shop_is_read_with_a_granted_token(sandbox: Sandbox, store: Store) -> None:
    code, report = run("bucovina-ro")

    assert (report["broken"], report["forbidden"], report["deprecated"]) == ([], [], [])
    assert (code, report["ok"], report["documents"]) == (0, True, len(our_documents()))
    (granted,) = sandbox.admin.tokens.values()
    store.refresh_from_db()
    assert (granted.text, granted.shop_domain) == (store.access_token, DOMAIN)
    assert asked(sandbox) == [("access_token", 200), ("Schema", 200)]


def test_a_token_that_died_meanwhile_is_renewed_and_the_check_goes_on(sandbox: Sandbox, store: Store) -> None:
    later = timezone.now() + dt.timedelta(hours=20)
    Store.objects.filter(pk=store.pk).update(access_token="shpat_dead", token_expires_at=later, token_renews_at=later)

    assert run("bucovina-ro")[0] == 0
    assert asked(sandbox) == [(None, 401), ("access_token", 200), ("Schema", 200)]


def test_a_wrong_secret_is_told_with_cause_and_remedy(sandbox: Sandbox, store: Store) -> None:
    Store.objects.filter(pk=store.pk).update(client_secret="shpss_of_another_app")

    code, report = run("bucovina-ro")

    assert (code, report["outcome"]) == (2, "refused")
    assert "client ID and secret" in report["cause"]
    assert report["remedy"]
