"""Loaded with `-p` before Django's settings are read: gives the tests a PostgreSQL and a Redis of their own.

Where DATABASE_URL and REDIS_URL are set, those are used. Parallel test processes (`-n 2`) share the servers of the one
that started them; each gets a database of its own from pytest-django, and a numbered Redis database from here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from syncconsole.embedded.development import provide_temporary_services
from syncconsole.embedded.errors import ServicesUnavailable

# What a developer's .env file says is for running the console; the process environment wins over it.
INDEPENDENT_OF_ENV_FILE = {"SECURE": "false", "DEBUG": "false", "TIME_ZONE": "Europe/Bucharest"}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """A wrapper runs before every plain hook, so before pytest-django reads the settings."""
    try:
        provide_temporary_services()
    except ServicesUnavailable as problem:
        raise pytest.UsageError(str(problem)) from problem
    os.environ.setdefault("SECRET_KEY", "for tests against services named in the environment")
    os.environ.setdefault("FIELD_ENCRYPTION_KEYS", "Zm9yIHRlc3RzIG9ubHksIHRoaXJ0eS10d28gYnl0ZXM=")
    for name, value in INDEPENDENT_OF_ENV_FILE.items():
        os.environ.setdefault(name, value)
    os.environ["REDIS_URL"] = own_redis_database(os.environ["REDIS_URL"], os.environ.get("PYTEST_XDIST_WORKER", ""))
    return (yield)


def own_redis_database(url: str, worker: str) -> str:
    """The URL with the number of this test process's database: 0 alone, 1 for worker gw0, 2 for gw1 …"""
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    return urlsplit(url)._replace(path=f"/{number}").geturl()
