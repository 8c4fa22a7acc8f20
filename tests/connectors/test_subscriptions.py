"""A store tells what it should: missing and changed subscriptions are made again, others' are left alone."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command

from connectors import registry, subscriptions
from connectors.models import Notice, NoticeEvent, NoticeRule, Store, WebhookSubscription
from connectors.models.webhooks import SubscriptionState
from connectors.ports.errors import RequestRejected
from connectors.ports.webhooks import RemoteSubscription
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.subscriptions import enum_of
from connectors.subscriptions import CheckRefused, SubscriptionReport
from sandbox.app import Sandbox
from sandbox.server import running
from tests.factories.connectors import StoreFactory
from tests.pacers import OpenPacer

pytestmark = pytest.mark.django_db

EVERY = ["read_orders", "read_products", "write_inventory", "read_locations", "read_fulfillments", "read_returns"]


@dataclass
class Shop:
    """A store's subscriptions in memory."""

    there: list[RemoteSubscription] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()
    made: int = 0

    def webhook_subscriptions(self) -> list[RemoteSubscription]:
        return list(self.there)

    def subscribe(self, topic: str, address: str) -> RemoteSubscription:
        if topic in self.refuses:
            raise RequestRejected(service="Shop", operation="subscribe", cause="Not approved.", remedy="Ask for it.")
        self.made += 1
        made = RemoteSubscription(f"gid://{self.made}", topic, address, is_json=True, is_complete=True)
        self.there.append(made)
        return made

    def unsubscribe(self, ref: str) -> None:
        self.there = [each for each in self.there if each.ref != ref]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def store(settings: object) -> Store:
    settings.PUBLIC_URL = "https://console.example.com"  # type: ignore[attr-defined]
    return StoreFactory(client_secret="shpss_test_secret", granted_scopes=EVERY)


def check(store: Store, shop: Shop, *, only_look: bool = False) -> SubscriptionReport:
    return subscriptions.check(store, only_look=only_look, open_port=lambda _: shop)


def row(topic: str) -> WebhookSubscription:
    return WebhookSubscription.objects.get(topic=topic)


def wanted() -> set[str]:
    return {topic.name for topic in registry.webhooks().topics}


def test_a_new_store_is_subscribed_to_every_topic_once(store: Store, shop: Shop) -> None:
    report = check(store, shop)
    assert report.ok
    assert {each.topic for each in shop.there} == wanted() == set(report.made)
    assert {each.address for each in shop.there} == {f"https://console.example.com/webhooks/{store.webhook_key}/"}
    assert not check(store, shop).made
    assert len(shop.there) == len(wanted())
    assert row("orders/create").restored == 0


def test_a_subscription_that_vanished_is_made_again_counted_and_told(store: Store, shop: Shop) -> None:
    NoticeRule.objects.create(name="Stock team", events=[NoticeEvent.GATE_LOST], address="json://127.0.0.1")
    check(store, shop)
    shop.there = [each for each in shop.there if each.topic != "orders/create"]
    assert check(store, shop).restored == ["orders/create"]
    assert (row("orders/create").restored, row("orders/create").state) == (1, SubscriptionState.ACTIVE)
    assert "orders/create" in Notice.objects.get().subject


@pytest.mark.parametrize(
    "change",
    [{"is_json": False}, {"is_complete": False}, {"address": "https://old.example.com/webhooks/{key}/"}],
)
def test_a_subscription_that_was_changed_is_replaced(store: Store, shop: Shop, change: dict[str, object]) -> None:
    check(store, shop)
    change = {name: str(value).format(key=store.webhook_key) if name == "address" else value
              for name, value in change.items()}  # fmt: skip
    shop.there = [replace(each, **change) if each.topic == "orders/create" else each for each in shop.there]  # type: ignore[arg-type]
    assert check(store, shop).restored == ["orders/create"]
    (now,) = [each for each in shop.there if each.topic == "orders/create"]
    assert now.is_json
    assert now.is_complete
    assert now.address.startswith("https://console.example.com/")


def test_the_subscriptions_of_others_are_left_alone(store: Store, shop: Shop) -> None:
    theirs = RemoteSubscription("gid://theirs", "orders/create", "https://erp.example.com/in", True, True)
    shop.there.append(theirs)
    check(store, shop)
    assert theirs in shop.there


def test_a_look_changes_nothing_there(store: Store, shop: Shop) -> None:
    report = check(store, shop, only_look=True)
    assert shop.there == []
    assert not report.ok
    assert row("orders/create").state == SubscriptionState.MISSING


def test_topics_without_a_scope_and_topics_refused_are_named(store: Store, shop: Shop) -> None:
    store.granted_scopes = [scope for scope in EVERY if scope != "read_returns"]
    shop.refuses = frozenset({"orders/create"})
    report = check(store, shop)
    assert "read_returns" in report.problems["returns/request"]
    assert row("returns/request").state == row("orders/create").state == SubscriptionState.REFUSED
    assert row("orders/create").remedy == "Ask for it."
    assert row("orders/updated").state == SubscriptionState.ACTIVE


@pytest.mark.parametrize(
    "address", ["http://console.example.com", "https://127.0.0.1:8000", "https://localhost", "https://10.1.2.3"]
)
def test_an_address_that_no_shop_can_reach_is_refused_before_anything_is_sent(
    store: Store, shop: Shop, settings: object, address: str
) -> None:
    settings.PUBLIC_URL = address  # type: ignore[attr-defined]
    with pytest.raises(CheckRefused) as refused:
        check(store, shop)
    assert "PUBLIC_URL" in refused.value.remedy
    assert not WebhookSubscription.objects.exists()


def test_without_the_client_secret_nothing_is_subscribed(store: Store, shop: Shop) -> None:
    store.client_secret = ""
    with pytest.raises(CheckRefused, match="client secret"):
        check(store, shop)


def test_the_command_tells_topics_and_exits_by_what_it_found(
    store: Store, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "subscriptions_for", lambda _: shop)
    out = io.StringIO()
    call_command("webhooks", store.slug, "--json", stdout=out)
    assert json.loads(out.getvalue())["counts"] == {"active": len(wanted())}
    shop.there.clear()
    with pytest.raises(SystemExit) as left:
        call_command("webhooks", store.slug, "--check-only", stdout=io.StringIO(), stderr=io.StringIO())
    assert left.value.code == 1
    assert shop.there == []


def test_every_wanted_topic_can_be_subscribed_to_and_removed_at_the_sandbox(store: Store, settings: object) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    sandbox = Sandbox(plan="plus")
    sandbox.add_shop(store.shop_domain)
    with running(sandbox) as url:
        port = ShopifyStore(
            base_url=f"{url}/shops/{store.shop_domain}",
            token=sandbox.token_of(store.shop_domain),
            api_version="2026-10",
            pacer=OpenPacer(),
            allowed_hosts=[urlsplit(url).netloc],
        )
        store.api_base_url = f"{url}/shops/{store.shop_domain}"
        store.granted_scopes = sorted(port.overview().scopes)
        report = subscriptions.check(store, open_port=lambda _: port.webhooks)
        assert {each.topic for each in port.webhooks.webhook_subscriptions()} == set(report.made)
        assert "orders/create" in report.made
        assert subscriptions.check(store, open_port=lambda _: port.webhooks).made == []
        for each in port.webhooks.webhook_subscriptions():
            port.webhooks.unsubscribe(each.ref)
            port.webhooks.unsubscribe(each.ref)
        assert port.webhooks.webhook_subscriptions() == []
        assert subscriptions.check(store, open_port=lambda _: port.webhooks).restored == report.made
        port.close()


def test_a_topic_is_named_as_the_api_names_it() -> None:
    assert enum_of("inventory_levels/update") == "INVENTORY_LEVELS_UPDATE"
