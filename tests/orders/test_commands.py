"""import_orders: one JSON object, three exit codes, the same feed and reader as the schedule."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from django.core.management import call_command

from connectors import registry
from connectors.models import Store
from connectors.ports.errors import ConnectorUnavailable, FeatureNotSupported, RequestRejected
from connectors.ports.orders import ChangedOrder, ChangesPage, OrdersWindow, RemoteOrder
from connectors.shopify import orders_mapping, orders_nodes
from tests.connectors.shopify import order_answers as answers
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db

NINE = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


class Shop:
    """Three orders, of which the last may be too long; without the right to the whole history."""

    def __init__(self) -> None:
        self.too_long = False
        self.away = False

    def orders_window(self) -> OrdersWindow:
        return OrdersWindow(days=60, read_at=NINE)

    def iter_changed_orders(
        self, since: dt.datetime | None, *, until: dt.datetime | None = None
    ) -> Iterator[ChangesPage]:
        if self.away:
            raise ConnectorUnavailable(service="Shop", operation="list", cause="Away.", remedy="Wait.")
        if since is None:
            raise FeatureNotSupported(
                service="Shop", operation="list", cause="60 days only.", remedy="Ask for the scope."
            )
        yield ChangesPage(tuple(ChangedOrder(f"gid://shopify/Order/{n}", NINE) for n in (1, 2, 3)), NINE)

    def prepare_orders(self, since: dt.datetime, *, wanted: int, patience: float = 0.0) -> None:
        return None

    def read_orders(self, refs: Sequence[str]) -> list[RemoteOrder | None]:
        if self.too_long and "gid://shopify/Order/3" in refs:
            raise RequestRejected(service="Shop", operation="read", cause="Too long.", remedy="By hand.")
        numbers = [int(ref.rpartition("/")[2]) for ref in refs]
        nodes = [msgspec.convert(answers.order(n), type=orders_nodes.OrderNode, strict=False) for n in numbers]
        return [orders_mapping.order(node) for node in nodes]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    monkeypatch.setattr(registry, "store_for", lambda store: shop)
    return shop


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, JSON object, and what was said on stderr."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    try:
        call_command("import_orders", *arguments, "--json", stdout=out, stderr=err)
    except SystemExit as left:
        code = left.code
    return code, json.loads(out.getvalue()), err.getvalue()


def test_what_changed_is_read_and_a_second_time_there_is_nothing_new(shop: Shop, store: Store) -> None:
    code, first, _ = run(store.slug)
    assert (code, first["found"], first["read"], first["orders"]) == (0, 3, 3, 3)

    code, second, _ = run(store.slug)
    assert (code, second["found"], second["read"], second["orders"]) == (0, 0, 0, 3)


def test_an_order_that_cannot_be_read_is_named_and_the_others_are_kept(shop: Shop, store: Store) -> None:
    shop.too_long = True

    code, told, said = run(store.slug)

    assert (code, told["orders"], told["failed"]) == (1, 2, 1)
    assert "gid://shopify/Order/3: Too long. By hand." in said


def test_a_history_the_store_would_cut_off_is_refused(shop: Shop, store: Store) -> None:
    code, refused, _ = run(store.slug, "--all")
    assert (code, refused["remedy"]) == (2, "Ask for the scope.")

    code, shown, _ = run(store.slug, "--shown")
    assert (code, shown["orders"]) == (0, 3)


def test_a_store_that_is_away_is_a_failure_with_its_cause(shop: Shop, store: Store) -> None:
    shop.away = True

    code, failed, _ = run(store.slug)

    assert (code, failed["cause"]) == (1, "Away.")


def test_two_reaches_at_once_are_refused(store: Store) -> None:
    assert run(store.slug, "--all", "--shown")[0] == 2
