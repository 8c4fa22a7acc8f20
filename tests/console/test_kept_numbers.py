"""What pages show is counted behind them, and yet nobody sees what they have changed as it was before."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store
from syncconsole.kernel import counting
from syncconsole.kernel.tasks import recount
from tests.console import showcase
from tests.console.conftest import SignIn
from tests.console.test_pages import MOST_QUERIES
from tests.worlds import World


def test_a_later_look_asks_the_database_little_and_a_worker_for_the_rest(
    shown: Store, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, tuple[Any, ...]]] = []
    monkeypatch.setattr(recount, "send", lambda *told: asked.append(told))
    client = sign_in()
    of_store = ("store", "validation", "start_full", "store_schedule", "store_webhooks")
    pages = [reverse("admin:index"), reverse("admin:links")]
    pages += [reverse(f"admin:{name}", args=[shown.slug]) for name in of_store]
    for page in pages:
        client.get(page)
    assert asked == []
    later = timezone.now() + dt.timedelta(seconds=45)
    monkeypatch.setattr(counting, "now", lambda: later)
    for page in pages:
        with CaptureQueriesContext(connection) as queries:
            client.get(page)
        assert len(queries) <= MOST_QUERIES, page
    assert sorted(name.rpartition(".")[2] for name, _ in asked) == sorted(
        [
            *("_health", "not_linked", "drift_over_days", "linked", "counts", "levels_of"),
            *("charts_of_pushes", "charts_of_pushes", "of_store", "of_store"),
        ]
    )
    for name, given in asked:
        with CaptureQueriesContext(connection) as queries:
            recount(name, json.loads(json.dumps(given)))
        assert queries.captured_queries, name


def test_what_was_counted_over_a_minute_ago_says_when(
    shown: Store, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "send", lambda *told: None)
    client = sign_in()
    says = {reverse("admin:index"): "as of <time", reverse("admin:store", args=[shown.slug]): "as of <time"}
    says[reverse("admin:validation", args=[shown.slug])] = "the counts above of <time"
    for page, words in says.items():
        assert words not in client.get(page).content.decode()
    later = timezone.now() + dt.timedelta(minutes=2)
    monkeypatch.setattr(counting, "now", lambda: later)
    for page, words in says.items():
        assert words in client.get(page).content.decode()


def test_who_decided_sees_at_once_what_follows_from_it(world: World, shown: Store, sign_in: SignIn) -> None:
    run = showcase.plan_over_limits(world)
    waits, store = f"The plan of run #{run.pk} waits for approval.", reverse("admin:store", args=[shown.slug])
    ana, ion = sign_in(), sign_in()
    assert waits in ana.get(store).content.decode()
    ana.post(reverse("admin:run_reject", args=[run.pk]), {"reason": "Too many."})
    assert waits not in ana.get(store).content.decode()
    assert waits not in ion.get(store).content.decode(), "nor does anybody else from then on"
