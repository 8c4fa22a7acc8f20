"""A token that lives for a day: obtained once for all workers, renewed in time, and replaced in the middle of work."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

import httpx
import pytest
import respx
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors import access, connection, registry
from connectors.access import RenewedToken
from connectors.models import Store
from connectors.models.stores import Grant
from connectors.ports.errors import ConnectorUnavailable, CredentialsRejected, RateLimited
from connectors.ports.store import Adjustment
from syncconsole.kernel.models import AuditEntry
from tests.connectors.shopify.answers import ITEM, KEY, LOCATION, adjusted, answer
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory

BASE_URL = "https://bucovina.myshopify.com"
SECRET = "shpss_0123456789abcdef"
DAY = 86399


class Shop:
    """Gives tokens one after another and accepts the newest alone."""

    def __init__(self, router: respx.Router) -> None:
        self.given = 0
        self.refuses: httpx.Response | None = None
        self.accepts_none = False
        self.bodies: list[bytes] = []
        self.token_requests: list[httpx.Request] = []
        router.post(f"{BASE_URL}/admin/oauth/access_token").mock(side_effect=self.give)
        router.post(f"{BASE_URL}/admin/api/2026-10/graphql.json").mock(side_effect=self.serve)

    def give(self, request: httpx.Request) -> httpx.Response:
        self.token_requests.append(request)
        if self.refuses is not None:
            return self.refuses
        self.given += 1
        return httpx.Response(
            200, json={"access_token": f"shpat_{self.given}", "scope": "read_products", "expires_in": DAY}
        )

    def serve(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        if self.accepts_none or request.headers["X-Shopify-Access-Token"] != f"shpat_{self.given}":
            return httpx.Response(401, json={"errors": "[API] Invalid API key or access token"})
        if b"inventoryAdjustQuantities" in request.content:
            return adjusted()
        return answer({"locations": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}})

    def revoke(self) -> None:
        """The token given last is accepted no more; the next one will be."""
        self.given += 1


@pytest.fixture
def shop() -> Iterator[Shop]:
    with respx.mock(assert_all_called=False) as router:
        yield Shop(router)


@pytest.fixture
def store(db: None) -> Store:
    return StoreFactory(
        slug="bucovina-ro",
        shop_domain="bucovina.myshopify.com",
        grant=Grant.CLIENT_CREDENTIALS,
        access_token="",
        client_id="app-1",
        client_secret=SECRET,
    )


def row(store: Store) -> Store:
    return Store.objects.get(pk=store.pk)


def another_process(store: Store, ask: Callable[[str, str], tuple[str, int]]) -> RenewedToken:
    return RenewedToken(store.pk, ask, pause=lambda seconds: None)


def never(client_id: str, client_secret: str) -> tuple[str, int]:
    raise AssertionError("no token is asked for")


def test_the_first_call_obtains_a_token_and_keeps_it_for_all_workers(store: Store, shop: Shop) -> None:
    port = registry.store_for(store)
    port.locations()
    port.locations()

    assert len(shop.token_requests) == 1
    request = shop.token_requests[0]
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app-1"],
        "client_secret": [SECRET],
    }
    kept = row(store)
    assert kept.access_token == "shpat_1"
    assert kept.token_expires_at is not None
    assert abs(kept.token_expires_at - timezone.now() - dt.timedelta(seconds=DAY)) < dt.timedelta(seconds=30)
    assert another_process(store, never).current() == "shpat_1"


def test_a_renewal_does_not_make_a_new_port(store: Store, shop: Shop) -> None:
    port = registry.store_for(store)
    port.locations()

    assert registry.store_for(row(store)) is port


def test_a_token_is_renewed_after_80_percent_of_its_life(store: Store, shop: Shop) -> None:
    with time_machine.travel("2026-11-21T00:00:00Z", tick=False) as clock:
        port = registry.store_for(store)
        port.locations()
        clock.shift(DAY * 0.79)
        port.locations()
        assert shop.given == 1
        clock.shift(DAY * 0.02)
        port.locations()

    assert shop.given == 2
    assert row(store).access_token == "shpat_2"


def test_a_write_whose_token_died_goes_again_with_the_same_bytes(store: Store, shop: Shop) -> None:
    port = registry.store_for(store)
    port.locations()
    prepared = port.prepare_adjustment([Adjustment(ITEM, LOCATION, -1)], key=KEY, document="run/1")
    shop.revoke()

    # The shop refuses the dead token, gives the next one, and accepts that.
    reply = port.send(prepared)

    assert reply.applied_at is not None
    assert shop.bodies[-2:] == [prepared.body, prepared.body]
    assert row(store).access_token == "shpat_3"


def test_a_second_refusal_is_not_repeated(store: Store, shop: Shop) -> None:
    shop.accepts_none = True

    with pytest.raises(CredentialsRejected, match="HTTP 401"):
        registry.store_for(store).locations()

    assert (len(shop.bodies), len(shop.token_requests)) == (2, 2)


def test_what_another_process_renewed_is_used_without_asking(store: Store, shop: Shop) -> None:
    mine, theirs = another_process(store, never), another_process(store, lambda *_: ("shpat_theirs", DAY))
    theirs.renew("")
    assert mine.current() == "shpat_theirs"
    Store.objects.filter(pk=store.pk).update(access_token="shpat_newer")

    assert mine.renew("shpat_theirs") == "shpat_newer"


def test_who_loses_the_race_waits_and_reads_the_row(store: Store) -> None:
    cache.add(f"access:renewing:{store.pk}", "somebody", 60)

    def somebody_finishes(seconds: float) -> None:
        Store.objects.filter(pk=store.pk).update(
            access_token="shpat_theirs", token_expires_at=timezone.now() + dt.timedelta(hours=24)
        )

    assert RenewedToken(store.pk, never, pause=somebody_finishes).current() == "shpat_theirs"


def test_a_worker_that_waits_too_long_for_another_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.add(f"access:renewing:{store.pk}", "somebody", 60)
    monkeypatch.setattr(access, "WAIT_SECONDS", 0.0)

    with pytest.raises(ConnectorUnavailable, match="Another worker"):
        another_process(store, never).current()


def test_a_good_token_serves_on_while_it_cannot_be_renewed(store: Store) -> None:
    def down(client_id: str, client_secret: str) -> tuple[str, int]:
        raise ConnectorUnavailable(service="Shopify", operation="o", cause="Down.", remedy="Wait.")

    soon = timezone.now() + dt.timedelta(hours=1)
    Store.objects.filter(pk=store.pk).update(
        access_token="shpat_old", token_expires_at=soon, token_renews_at=timezone.now()
    )
    tokens = another_process(store, down)

    assert tokens.current() == "shpat_old"
    with pytest.raises(ConnectorUnavailable):
        tokens.renew("shpat_old")


@pytest.mark.django_db(transaction=True)
def test_eight_threads_and_two_ports_obtain_one_token(shop: Shop) -> None:
    store = StoreFactory(grant=Grant.CLIENT_CREDENTIALS, access_token="", client_id="app-1", client_secret=SECRET)
    asked: list[str] = []

    def ask(client_id: str, client_secret: str) -> tuple[str, int]:
        asked.append(client_id)
        return f"shpat_{len(asked)}", DAY

    ports = [RenewedToken(store.pk, ask), RenewedToken(store.pk, ask)]
    found: list[str] = []
    threads = [threading.Thread(target=lambda n=n: found.append(ports[n % 2].current())) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert asked == ["app-1"]
    assert found == ["shpat_1"] * 8


@pytest.mark.parametrize(
    ("reply", "error", "cause"),
    [
        (httpx.Response(400, json={"error": "invalid_client"}), CredentialsRejected, "client ID and secret"),
        (httpx.Response(401), CredentialsRejected, "client ID and secret"),
        (httpx.Response(404), CredentialsRejected, "no shop at this address"),
        (httpx.Response(429, headers={"Retry-After": "4.0"}), RateLimited, "pause"),
        (httpx.Response(503), ConnectorUnavailable, "HTTP 503"),
        (httpx.Response(200, text=f'{{"access_token": 1, "x": "{SECRET}"}}'), ConnectorUnavailable, "cannot be read"),
    ],
)
def test_why_no_token_was_given_is_cause_and_remedy(
    store: Store, shop: Shop, reply: httpx.Response, error: type[Exception], cause: str
) -> None:
    shop.refuses = reply

    report = connection.test_connection(store)

    assert cause in report.cause
    assert report.remedy
    assert SECRET not in report.cause + report.remedy
    assert report.answered == (error is CredentialsRejected)


def test_a_connection_without_id_and_secret_says_what_to_enter(store: Store) -> None:
    store.client_id = ""
    assert "client ID and secret" in connection.test_connection(store).cause


def test_an_administrator_changes_the_access_and_the_secret_is_never_shown(store: Store) -> None:
    Store.objects.filter(pk=store.pk).update(access_token="shpat_of_the_former_secret", client_secret=SECRET)
    admin = Client()
    admin.force_login(UserFactory(roles=["Administrator"]))
    form = {"grant": "client_credentials", "client_id": "app-1", "client_secret": "shpss_fedcba9876543210"}

    admin.post(reverse("admin:replace_credentials", args=[store.slug]), form)

    changed = row(store)
    assert (changed.client_secret, changed.previous_client_secret) == ("shpss_fedcba9876543210", SECRET)
    assert changed.secret_replaced_at is not None
    assert (changed.access_token, changed.connection_checked_at) == ("", None)
    page = admin.get(reverse("admin:connectors_store_change", args=[store.pk])).content.decode()
    assert "ends …3210" in page
    assert "fedcba" not in page
    entry = AuditEntry.objects.get(action="replace credentials")
    assert "shpss" not in json.dumps([entry.before, entry.after])


def test_an_empty_secret_keeps_the_old_one(store: Store) -> None:
    access.replace_credentials(store, grant="client_credentials", client_id="app-2", client_secret="", by=None)

    changed = row(store)
    assert (changed.client_id, changed.client_secret, changed.previous_client_secret) == ("app-2", SECRET, "")


def test_the_secret_that_only_signs_webhooks_is_replaced_without_stopping_a_job(store: Store) -> None:
    tested = timezone.now()
    Store.objects.filter(pk=store.pk).update(grant=Grant.STATIC, access_token="shpat_1", connection_checked_at=tested)

    access.replace_credentials(store, grant="static", client_id="app-1", client_secret="shpss_new_secret", by=None)

    changed = row(store)
    assert (changed.client_secret, changed.access_token) == ("shpss_new_secret", "shpat_1")
    assert changed.connection_checked_at == tested


def test_client_credentials_without_a_secret_are_refused(store: Store) -> None:
    Store.objects.filter(pk=store.pk).update(client_secret="", grant=Grant.STATIC, client_id="")
    admin = Client()
    admin.force_login(UserFactory(roles=["Administrator"]))

    admin.post(reverse("admin:replace_credentials", args=[store.slug]), {"grant": "client_credentials"})

    assert row(store).grant == Grant.STATIC
    assert not AuditEntry.objects.filter(action="replace credentials").exists()


def test_an_operator_may_not_change_the_access(store: Store) -> None:
    operator = Client()
    operator.force_login(UserFactory(roles=["Operator"]))

    form = {"grant": "static", "client_id": "x"}
    assert operator.post(reverse("admin:replace_credentials", args=[store.slug]), form).status_code == 403
    assert row(store).client_id == "app-1"
