"""import_orders: one JSON object, three exit codes, the same feed and reader as the schedule."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from connectors import registry
from connectors.models import Store
from tests.factories.connectors import StoreFactory
from tests.fakes import FakeStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    """Three orders in a shop that shows only the last 60 days."""
    shop = FakeStore(shown_days=60)
    location = shop.add_location()
    coat = shop.add_variant(stock={location: 10})
    for _ in range(3):
        shop.place(coat, location)
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


def test_what_changed_is_read_and_a_second_time_there_is_nothing_new(shop: FakeStore, store: Store) -> None:
    code, first, _ = run(store.slug)
    assert (code, first["found"], first["read"], first["orders"]) == (0, 3, 3, 3)

    code, second, _ = run(store.slug)
    assert (code, second["found"], second["read"], second["orders"]) == (0, 0, 0, 3)


def test_an_order_that_cannot_be_read_is_named_and_the_others_are_kept(shop: FakeStore, store: Store) -> None:
    shop.unreadable.add("order/3")

    code, told, said = run(store.slug)

    assert (code, told["orders"], told["failed"]) == (1, 2, 1)
    assert "order/3: order/3 cannot be read whole. The test decides." in said


def test_a_history_the_store_would_cut_off_is_refused(shop: FakeStore, store: Store) -> None:
    code, refused, _ = run(store.slug, "--all")
    assert (code, refused["cause"]) == (2, "Only orders of the last 60 days are shown.")

    code, shown, _ = run(store.slug, "--shown")
    assert (code, shown["orders"]) == (0, 3)


def test_a_store_that_is_away_is_a_failure_with_its_cause(shop: FakeStore, store: Store) -> None:
    shop.fail_next_read()

    code, failed, _ = run(store.slug)

    assert (code, failed["cause"]) == (1, "No connection.")


def test_two_reaches_at_once_are_refused(store: Store) -> None:
    assert run(store.slug, "--all", "--shown")[0] == 2
