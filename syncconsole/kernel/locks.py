"""Work that only one process may do at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def sole_worker(name: str, number: int) -> Iterator[bool]:
    """True for the one that gets in, False for the others, who do not wait. The lock belongs to the database session: it
    goes with a worker that dies. Not inside a transaction that may be rolled back while the work goes on."""
    key: list[str | int] = [name, number]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s), %s)", key)
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s), %s)", key)
