"""Health: what probes, doctor and the console are told, and that a broken thing is named with its remedy."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from catalog.models import ConflictKind, LinkConflict
from connectors import pausing
from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus
from connectors.models.stores import Health
from connectors.tasks import BEAT_ALIVE, tell_beat_is_alive
from inventory import audit, drift, schedules
from inventory.drift import Residual
from inventory.jobs import Job
from inventory.models import LevelPublication
from inventory.models.publications import PublicationState
from syncconsole import health
from syncconsole.celery import WORKER_ALIVE
from syncconsole.health import store_health
from tests.factories.connectors import StoreFactory
from tests.worlds import World

pytestmark = pytest.mark.django_db


def found(name: str) -> health.Check:
    return next(check for check in health.checks() if check.name == name)


@pytest.fixture
def alive() -> None:
    cache.set(BEAT_ALIVE, timezone.now().isoformat(), 60)
    cache.set(WORKER_ALIVE, 1, 60)


def break_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused: password=hunter2")

    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", refuse)


# --- probes


def test_livez_answers_without_asking_anything(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    break_database(monkeypatch)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert client.get("/livez").json() == {"status": "alive"}


def test_readyz_is_ready_when_everything_is(client: Client, alive: None) -> None:
    reply = client.get("/readyz")
    assert reply.status_code == 200
    assert reply.json() == {
        "status": "ready",
        "checks": {"database": True, "broker": True, "migrations": True, "beat": True},
        "reasons": [],
    }


def test_readyz_says_what_is_missing_and_no_secret(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    break_database(monkeypatch)
    settings.REDIS_URL = "redis://:hunter2@127.0.0.1:1/0"
    reply = client.get("/readyz")
    assert reply.status_code == 503
    assert reply.json()["checks"] == {"database": False, "broker": False, "migrations": False, "beat": False}
    assert len(reply.json()["reasons"]) == 4
    assert "hunter2" not in reply.content.decode()


def test_readyz_notices_a_migration_that_was_not_applied(client: Client, alive: None) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="syncconsole").delete()
    reply = client.get("/readyz")
    assert reply.status_code == 503
    assert "1 not applied yet. Run: python manage.py migrate" in reply.json()["reasons"]


def test_probes_only_read(client: Client) -> None:
    assert client.post("/livez").status_code == 405
    assert client.post("/readyz").status_code == 405


def test_beat_is_alive_when_a_worker_carried_out_what_it_published() -> None:
    assert not found("beat").ok
    assert "Start beat" in found("beat").remedy
    tell_beat_is_alive()
    assert found("beat").ok


# --- checks


def test_a_secret_whose_key_is_lost_names_the_store(settings: Settings) -> None:
    StoreFactory(name="Atelier Outlet")
    assert found("secrets").ok
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert "store Atelier Outlet" in found("secrets").detail
    assert "FIELD_ENCRYPTION_KEYS" in found("secrets").remedy


@pytest.mark.parametrize(
    ("today", "ok", "says"),
    [
        ("2026-11-21", True, "314 days left: served until 1 Oct 2027."),
        ("2027-08-15", True, "47 days left: served until 1 Oct 2027. Plan the update"),
        ("2027-09-10", False, "21 days left"),
        ("2027-10-01", False, "not served any more since 1 Oct 2027"),
    ],
)
def test_the_api_version_counts_down(today: str, ok: bool, says: str) -> None:
    StoreFactory(api_version="2026-10")
    with time_machine.travel(dt.datetime.fromisoformat(f"{today}T12:00:00+00:00"), tick=False):
        check = found("api_version")
    assert (check.ok, says in check.detail) == (ok, True)


def test_a_clock_that_is_wrong_is_told() -> None:
    assert found("clock").ok
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=3)):
        assert not found("clock").ok


def test_the_ledger_check_is_red_old_or_green() -> None:
    assert found("ledger").ok
    audit.audit_ledger()
    assert found("ledger").ok
    with time_machine.travel(timezone.now() + dt.timedelta(hours=30)):
        assert "every night" in found("ledger").detail
    last = audit.latest()
    assert last is not None
    cache.set(audit.LATEST, audit.AuditResult(last.checked_at, 1, 1, 1, 2, []), None)
    assert "2 differences" in found("ledger").detail


def test_pauses_are_named() -> None:
    store = StoreFactory(name="Atelier Outlet")
    assert found("writes").ok
    pausing.pause_store(store, by=None, reason="Stock count")
    assert found("writes").detail == "Atelier Outlet: Stock count"
    pausing.pause_all(by=None, reason="Database is moved")
    assert "All writes are paused: Database is moved" in found("writes").detail


def test_one_check_that_fails_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {check.name for check in health.checks()}
    break_database(monkeypatch)
    checks = {check.name: check for check in health.checks()}
    assert names - set(checks) <= {"api_version", "writes"}
    assert not checks["database"].ok
    assert checks["broker"].ok
    assert all(check.remedy for check in checks.values() if not check.ok)


# --- doctor


def doctor() -> tuple[dict[str, Any], int]:
    out, code = io.StringIO(), 0
    try:
        call_command("doctor", "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return json.loads(out.getvalue()), code


def test_doctor_is_content_when_all_is_well(alive: None) -> None:
    StoreFactory(slug="bucovina-ro")
    report, code = doctor()
    assert code == 0
    assert report["problems"] == []
    assert [(store["slug"], store["health"]) for store in report["stores"]] == [("bucovina-ro", "setting_up")]
    assert report["services"]["database"]["ok"]
    assert set(report["versions"]) == {"sync_console", "python", "django", "celery", "postgresql", "redis"}
    assert all(report["versions"].values())


def test_doctor_names_cause_and_remedy_and_exits_1(alive: None) -> None:
    StoreFactory(
        slug="outlet", name="Outlet", connection_cause="Shopify refused the token.", connection_remedy="Replace it."
    )
    cache.delete(WORKER_ALIVE)
    report, code = doctor()
    assert code == 1
    assert {(problem["name"], problem["remedy"]) for problem in report["problems"]} == {
        ("store outlet", "Replace it."),
        ("worker", "Start a Celery worker."),
    }


def test_doctor_answers_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    break_database(monkeypatch)
    report, code = doctor()
    assert code == 1
    assert report["stores"] == []
    assert "hunter2" not in json.dumps(report)


def test_doctor_speaks_in_words_too(alive: None) -> None:
    StoreFactory(slug="bucovina-ro")
    out = io.StringIO()
    call_command("doctor", stdout=out)
    assert "✔ Database" in out.getvalue()
    assert "‖ bucovina-ro" in out.getvalue()
    assert "All is well." in out.getvalue()


# --- the health of a store


def word(store: Store) -> tuple[Health, str]:
    return store_health(Store.objects.get(pk=store.pk))


def test_a_new_store_is_being_set_up_step_by_step() -> None:
    store = StoreFactory(connection_checked_at=None)
    assert word(store) == (Health.SETTING_UP, "The connection has not been tested yet.")
    Store.objects.update(connection_checked_at=timezone.now())
    assert word(store) == (Health.SETTING_UP, "No location is mapped yet.")


def test_a_store_with_a_baseline_is_healthy(world: World) -> None:
    world.item("A", here=5, there=5)
    assert word(world.store) == (Health.SETTING_UP, "No full sync has been done yet, so there is no baseline.")
    world.rest()
    world.full()
    assert word(world.store) == (Health.HEALTHY, "Nothing waits, nothing is held.")


def test_the_worst_word_wins(world: World) -> None:
    store = world.store
    publication = world.item("A", here=5, there=5)
    world.rest()
    world.full()
    held_since = timezone.now() - dt.timedelta(hours=3)

    LevelPublication.objects.update(hold_test="b", hold_cause="…", held_since=held_since)
    assert word(store) == (Health.ATTENTION, "1 level held for over 2 hours.")

    LinkConflict.objects.create(
        store=store, kind=ConflictKind.DUPLICATE_SKU_THERE, remote_ref="v", item_ref="i", first_seen_at=timezone.now()
    )
    assert word(store)[0] == Health.NEEDS_YOU

    run = SyncRun.objects.create(
        store=store, kind="inventory.delta", trigger="schedule", status=RunStatus.AWAITING_APPROVAL
    )
    assert word(store) == (Health.NEEDS_YOU, f"The plan of run #{run.pk} waits for approval.")

    pausing.pause_store(store, by=None, reason="Stock count")
    assert word(store) == (Health.PAUSED, f"Writes to {store.name} are paused: Stock count")
    assert publication.pk


def test_a_variant_that_is_only_in_the_store_needs_no_decision(world: World) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    LinkConflict.objects.create(
        store=world.store, kind=ConflictKind.ONLY_THERE, remote_ref="v", item_ref="i", first_seen_at=timezone.now()
    )
    assert word(world.store)[0] == Health.HEALTHY


@pytest.mark.parametrize(
    ("change", "expected", "says"),
    [
        ({"state": PublicationState.QUARANTINED}, Health.NEEDS_YOU, "quarantine"),
        ({"state": PublicationState.UNSURE}, Health.ATTENTION, "unsure"),
    ],
)
def test_a_level_that_is_not_in_step_shows(world: World, change: dict[str, Any], expected: Health, says: str) -> None:
    world.item("A", here=5, there=5)
    world.item("B", here=5, there=5)
    world.rest()
    world.full()
    publication = world.publication("A")
    LevelPublication.objects.filter(pk=publication.pk).update(**change)
    got, reason = word(world.store)
    assert (got, says in reason) == (expected, True)


def test_a_drift_that_nobody_decided_shows(world: World) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    publication = world.publication("A")
    assert word(world.store)[0] == Health.HEALTHY
    drift.note({publication.pk: Residual(world.store.pk, 4, -1, publication.revision, world.fake.now)})
    assert word(world.store) == (
        Health.ATTENTION,
        "1 level in drift: the store shows something else than we pushed.",
    )


def finish(store: Store, *statuses: RunStatus) -> None:
    for status in statuses:
        SyncRun.objects.create(
            store=store,
            kind="inventory.delta",
            trigger="schedule",
            status=status,
            cause="Shopify is unreachable." if status == RunStatus.FAILED else "",
            finished_at=timezone.now(),
        )


def test_one_failure_asks_for_attention_and_three_in_a_row_stop(world: World) -> None:
    store = world.store
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    finish(store, RunStatus.FAILED)
    assert word(store)[0] == Health.ATTENTION
    finish(store, RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.FAILED)
    assert word(store)[0] == Health.ATTENTION
    finish(store, RunStatus.FAILED)
    assert word(store) == (Health.PAUSED, "The last 3 runs failed: Shopify is unreachable.")
    finish(store, RunStatus.PARTIAL)
    assert word(store)[0] == Health.ATTENTION
    finish(store, RunStatus.COMPLETED)
    assert word(store)[0] == Health.HEALTHY


def test_a_store_whose_deltas_stopped_is_late(world: World) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    Store.objects.update(live_at=timezone.now())
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=45), tick=False):
        assert word(world.store) == (Health.ATTENTION, "No run has finished for 45 min.")
    schedules.save(world.store, Job.DELTA, by=None, enabled=False)
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=45), tick=False):
        assert word(world.store)[0] == Health.HEALTHY


def test_a_store_costs_few_queries(world: World, django_assert_max_num_queries: Any) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    with django_assert_max_num_queries(19):
        store_health(world.store)
