"""The demo begins with nothing each time, so that it always tells the same story; but never over somebody's own data."""

from __future__ import annotations

from typing import Any

import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from syncconsole.celery import app
from syncconsole.demo.people import DOMAIN
from syncconsole.embedded.development import IN_USE
from syncconsole.kernel.commands import Refused

SLUGS = ("bucovina-ro", "bucovina-outlet")
SANDBOX_HOST = "127.0.0.1"

OTHER_SESSIONS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
OWN_STORE = "SELECT name FROM connectors_store WHERE NOT (slug = ANY(%s) AND api_base_url LIKE %s) LIMIT 1"
OWN_PERSON = "SELECT email FROM kernel_user WHERE email NOT LIKE %s LIMIT 1"


def begin_anew() -> None:
    """Empty the database and the broker; the tables are made anew where they are not this release's.

    Raises Refused where something else is at work on these data, or they are not a demo's.
    """
    with connection.cursor() as cursor:
        cursor.execute(OTHER_SESSIONS)
        if cursor.fetchone()[0]:
            raise Refused(
                "Something else is at work on these data: a demo, make run, or another command.",
                "End it first, or set DATA_DIR to another directory for the demo.",
            )
        kept = _somebodys_own()
        if kept:
            raise Refused(
                f"These data are not a demo's: {kept} was added by somebody, and the demo begins with nothing.",
                "Set DATA_DIR to another directory for the demo, or remove this one if nobody needs it.",
            )
    if IN_USE:
        redis.Redis.from_url(settings.REDIS_URL).flushdb()
    else:
        app.control.purge()  # a server of somebody's own may hold other things
    if has_our_tables():
        # Making them takes longer than the demo's story.
        call_command("flush", interactive=False, verbosity=0)
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    call_command("migrate", interactive=False, verbosity=0)


def has_our_tables() -> bool:
    """The migrations carried out here are those of this release, no fewer and no more."""
    loader = MigrationLoader(connection)
    return set(loader.applied_migrations) == set(loader.graph.nodes)


def _somebodys_own() -> str:
    """A store or a person that no demo made; empty when there is none. The tables may be of an earlier version."""
    questions: list[tuple[str, str, list[Any]]] = [
        ("connectors_store", OWN_STORE, [list(SLUGS), f"http://{SANDBOX_HOST}:%"]),
        ("kernel_user", OWN_PERSON, [f"%@{DOMAIN}"]),
    ]
    for table, question, values in questions:
        with connection.cursor() as look:
            look.execute("SELECT to_regclass(%s)", [table])
            if look.fetchone()[0] is None:
                continue
            look.execute(question, values)
            found = look.fetchone()
            if found:
                return str(found[0])
    return ""
