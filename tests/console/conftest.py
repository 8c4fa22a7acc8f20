"""People who look at the console, and a world to look at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from connectors.models import Store
from tests.console import showcase
from tests.factories.kernel import UserFactory
from tests.worlds import World

SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """`sign_in("Viewer")` is a browser of somebody with that role; without a role, of a superuser."""

    def signed_in(*roles: str) -> Client:
        client = Client()
        client.force_login(
            UserFactory(roles=list(roles), is_superuser=not roles), "django.contrib.auth.backends.ModelBackend"
        )
        return client

    return signed_in


@pytest.fixture
def shown(world: World) -> Store:
    """A live store with something on every page."""
    return showcase.live_store(world)
