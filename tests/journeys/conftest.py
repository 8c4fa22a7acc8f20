"""One sandbox process for all journeys of this test process; each journey has a shop of its own in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tests.journeys.merchants import Merchant
from tests.journeys.shops import SandboxProcess, sandbox_process


@pytest.fixture(scope="session")
def simulators() -> Iterator[SandboxProcess]:
    with sandbox_process() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(simulators: SandboxProcess) -> SandboxProcess:
    """The simulators as they started."""
    simulators.reset()
    return simulators


@pytest.fixture
def merchant(sandbox: SandboxProcess, settings: Settings, transactional_db: None) -> Callable[..., Merchant]:
    """Opens a shop with a merchant behind it: `merchant(variants=1000)`."""
    settings.ALLOWED_API_HOSTS = ["127.0.0.1"]

    def opened(**wanted: Any) -> Merchant:
        return Merchant(sandbox, **wanted)

    return opened
