"""Is everything running, and how is each store: one answer for probes, `doctor` and the console."""

from __future__ import annotations

import datetime as dt
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import celery
import django
import redis
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from connectors import api_versions
from connectors.api_versions import Urgency
from connectors.models import Store
from connectors.tasks import BEAT_ALIVE
from inventory import audit
from syncconsole.celery import WORKER_ALIVE
from syncconsole.kernel.models import Installation
from syncconsole.kernel.secrets import EncryptedTextField, UndecryptableSecret
from syncconsole.stores_health import store_health

__all__ = ["Check", "checks", "readiness", "store_health", "versions"]

LEAST_DISK: Final = 1_000_000_000
"""Bytes: below that, PostgreSQL and uploads soon have nowhere to go."""
CLOCK_SKEW: Final = dt.timedelta(seconds=5)
"""More than this between here and the database makes "which came first" unsure."""
AUDIT_AGE: Final = dt.timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at now. `remedy` says what to do when it is not as it should be; never holds a secret."""

    name: str
    label: str
    ok: bool
    detail: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return asdict(self)


def well(name: str, label: str, detail: str) -> Check:
    """It is as it should be."""
    return Check(name, label, ok=True, detail=detail)


def unwell(name: str, label: str, detail: str, remedy: str) -> Check:
    """It is not, and this is what to do."""
    return Check(name, label, ok=False, detail=detail, remedy=remedy)


def checks() -> list[Check]:
    """Everything about the installation, each looked at by itself: one that cannot be answered does not hide others."""
    return [check for look in LOOKS for check in look()]


def readiness() -> list[Check]:
    """What must hold before requests are worth sending here: quick, and safe to show to anybody."""
    return [check for look in (database, broker, migrations, beat) for check in look()]


def database() -> Iterator[Check]:
    """PostgreSQL answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = str(cursor.fetchone()[0])
    except DatabaseError:
        yield unwell(
            "database",
            "Database",
            "PostgreSQL does not answer.",
            "Check that it runs and that DATABASE_URL names it.",
        )
        return
    yield well("database", "Database", f"PostgreSQL {version} answers.")


def broker() -> Iterator[Check]:
    """Redis answers."""
    version = redis_version()
    if not version:
        yield unwell("broker", "Broker", "Redis does not answer.", "Check that it runs and that REDIS_URL names it.")
    else:
        yield well("broker", "Broker", f"Redis {version} answers.")


def migrations() -> Iterator[Check]:
    """The tables are those this release was written for."""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        yield unwell("migrations", "Migrations", "The database cannot be asked.", "See the check of the database.")
        return
    if waiting:
        yield unwell("migrations", "Migrations", f"{len(waiting)} not applied yet.", "Run: python manage.py migrate")
    else:
        yield well("migrations", "Migrations", "All are applied.")


def beat() -> Iterator[Check]:
    """Beat publishes and a worker carries out."""
    if _seen(BEAT_ALIVE):
        yield well("beat", "Schedule", "Beat published, and a worker carried it out a moment ago.")
    else:
        yield unwell(
            "beat",
            "Schedule",
            "Nothing scheduled was carried out lately.",
            "Start beat, and a worker if none runs.",
        )


def worker() -> Iterator[Check]:
    """A worker is connected to the broker."""
    if _seen(WORKER_ALIVE):
        yield well("worker", "Worker", "A worker is connected.")
    else:
        yield unwell("worker", "Worker", "No worker has been seen in the last minute.", "Start a Celery worker.")


def secrets() -> Iterator[Check]:
    """Every stored secret can be opened with the keys that are configured."""
    opened, locked = 0, []
    try:
        for model in apps.get_models():
            sealed = [field for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
            for row in model._default_manager.iterator() if sealed else ():
                for field in sealed:
                    try:
                        opened += bool(getattr(row, field.attname))
                    except UndecryptableSecret:
                        locked.append(f"{model._meta.verbose_name} {row}")
    except DatabaseError:
        yield unwell("secrets", "Secrets", "The database cannot be asked.", "See the check of the database.")
        return
    if locked:
        yield unwell(
            "secrets",
            "Secrets",
            f"No key opens the secret of: {', '.join(locked[:5])}{' …' if len(locked) > 5 else ''}.",
            "Put the key they were written with back into FIELD_ENCRYPTION_KEYS, or enter them again.",
        )
    else:
        yield well("secrets", "Secrets", f"{opened} of {opened} can be opened.")


def disk() -> Iterator[Check]:
    """There is room left where the program runs."""
    free = shutil.disk_usage(settings.BASE_DIR).free
    detail = f"{free / 1e9:,.1f} GB free."
    if free >= LEAST_DISK:
        yield well("disk", "Disk", detail)
    else:
        yield unwell("disk", "Disk", detail, "Free some space, or enlarge the volume.")


def clock() -> Iterator[Check]:
    """This machine and the database agree about the time."""
    try:
        with connection.cursor() as cursor:
            before = timezone.now()
            cursor.execute("SELECT clock_timestamp()")
            there = cursor.fetchone()[0]
            after = timezone.now()
    except DatabaseError:
        yield unwell("clock", "Clock", "The database cannot be asked.", "See the check of the database.")
        return
    apart = max(before - there, there - after, dt.timedelta(0))
    detail = f"{apart.total_seconds():.1f} s apart from the database."
    if apart <= CLOCK_SKEW:
        yield well("clock", "Clock", detail)
    else:
        yield unwell("clock", "Clock", detail, "Let both machines take their time from the same time server.")


def ledger() -> Iterator[Check]:
    """The last ledger check was green, and not long ago."""
    last = audit.latest()
    if last is None:
        yield well("ledger", "Ledger check", "Not run yet; it runs every night.")
    elif last.found:
        yield unwell(
            "ledger",
            "Ledger check",
            f"{last.found} differences at {timezone.localtime(last.checked_at):%Y-%m-%d %H:%M %Z}.",
            "Run audit_ledger to list them; pause writes until they are explained.",
        )
    elif timezone.now() - last.checked_at > AUDIT_AGE:
        yield unwell(
            "ledger",
            "Ledger check",
            f"Last run at {timezone.localtime(last.checked_at):%Y-%m-%d %H:%M %Z}; it should run every night.",
            "Check that beat and a worker run, then run audit_ledger.",
        )
    else:
        yield well("ledger", "Ledger check", f"{last.levels:,} levels, 0 differences.")


def served_versions() -> Iterator[Check]:
    """How long Shopify still serves the versions in use."""
    try:
        in_use = list(Store.objects.order_by("api_version").values_list("api_version", flat=True).distinct())
    except DatabaseError:
        return
    for version in in_use:
        name = "api_version" if len(in_use) == 1 else f"api_version_{version}"
        served = api_versions.support(version)
        if served.urgency in (Urgency.QUIET, Urgency.NOTICE):
            yield well(name, "API version", f"{served.detail} {served.remedy}".strip())
        else:
            yield unwell(name, "API version", served.detail, served.remedy)


def pauses() -> Iterator[Check]:
    """Whether anything is kept from being written."""
    try:
        installation = Installation.objects.filter(pk=1).first()
        paused = list(Store.objects.filter(writes_paused=True))
    except DatabaseError:
        return
    if installation is not None and installation.writes_paused:
        detail = f"All writes are paused: {installation.pause_reason}"
    elif paused:
        detail = "; ".join(f"{store.name}: {store.pause_reason}" for store in paused)
    else:
        yield well("writes", "Writes", "Nothing is paused.")
        return
    yield unwell("writes", "Writes", detail, "Resume when the reason is gone: console, or pause_writes --resume.")


LOOKS: Final[list[Callable[[], Iterator[Check]]]] = [
    database,
    broker,
    migrations,
    beat,
    worker,
    secrets,
    disk,
    clock,
    ledger,
    served_versions,
    pauses,
]


def versions() -> dict[str, str]:
    """What runs here; empty where it cannot be asked."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            postgres = str(cursor.fetchone()[0])
    except DatabaseError:
        postgres = ""
    return {
        "sync_console": settings.VERSION,
        "python": platform.python_version(),
        "django": django.get_version(),
        "celery": celery.__version__,
        "postgresql": postgres,
        "redis": redis_version(),
    }


def redis_version() -> str:
    """The version Redis reports, empty when it does not answer within two seconds."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
    try:
        info: Any = client.info("server")
        return str(info["redis_version"])
    except redis.RedisError:
        return ""
    finally:
        client.close()


def _seen(key: str) -> bool:
    """Whether a sign of life is still there; signs fade by themselves."""
    try:
        return cache.get(key) is not None
    except redis.RedisError:
        return False
