"""What every test may use."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connections
from pytest_django import Settings

from connectors import inbox, registry
from tests.fakes import FakeStore
from tests.worlds import World

# Django keeps a thread's connections apart by whether an event loop runs in it. The driver of the browser runs one in this
# thread, now and then: a transaction that was begun on one connection was never ended there, and the next test that empties
# the tables waited for it for ever.
connections._connections = threading.local()


@pytest.fixture(autouse=True)
def clean_slate() -> Iterator[None]:
    """No port and no cached value survives a test."""
    cache.clear()
    inbox.forget_announcement()
    yield
    registry.forget_all()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """People are made in many tests; hashing their passwords as slowly as in production tests nothing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """One store with one location on each side, mapped, answered by an in-memory fake."""
    fake = FakeStore()
    monkeypatch.setattr(registry, "_build", lambda store: fake)
    return World(fake)
