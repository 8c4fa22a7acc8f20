"""Parallel test processes do not meet in Redis."""

from __future__ import annotations

import os

import pytest
import redis
from django.conf import settings

from tests.services_plugin import own_redis_database


@pytest.mark.parametrize(
    ("worker", "expected"),
    [
        ("", "redis://:secret@127.0.0.1:6379/0"),
        ("gw0", "redis://:secret@127.0.0.1:6379/1"),
        ("gw7", "redis://:secret@127.0.0.1:6379/8"),
    ],
)
def test_each_test_process_has_a_redis_database_of_its_own(worker: str, expected: str) -> None:
    assert own_redis_database("redis://:secret@127.0.0.1:6379/0", worker) == expected


def test_options_in_the_address_are_kept() -> None:
    assert (
        own_redis_database("rediss://host:6379?ssl_cert_reqs=none", "gw1") == "rediss://host:6379/2?ssl_cert_reqs=none"
    )


def test_the_settings_use_this_processs_database_and_it_answers() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    assert own_redis_database(settings.REDIS_URL, worker) == settings.REDIS_URL
    assert redis.Redis.from_url(settings.REDIS_URL).ping() is True
