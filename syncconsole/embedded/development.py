"""What a checkout needs to run without any set-up: its services, and values for the settings that have no default."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from syncconsole.embedded.errors import ServicesUnavailable
from syncconsole.embedded.launcher import CHECKOUT, Services, ensure, ensure_temporary

IN_USE: list[Services] = []
"""The embedded services this process uses; being here keeps them running until it ends."""


def data_directory(environment: MutableMapping[str, str]) -> Path:
    """Where this checkout keeps the embedded services' data: DATA_DIR, else .data/ in the checkout."""
    return Path(environment.get("DATA_DIR") or CHECKOUT / ".data")


def provide_services(environment: MutableMapping[str, str] = os.environ, *, durable: bool = True) -> Services | None:
    """Name the embedded services, and development secrets, in `environment`; None if it names services already.

    Raises ServicesUnavailable if only one of the two services is named, or the embedded ones cannot be started.
    """
    if names_services(environment):
        return None
    services = ensure(data_directory(environment), durable=durable)
    name_services(services, environment)
    return services


def provide_temporary_services(environment: MutableMapping[str, str] = os.environ) -> Services | None:
    """As `provide_services`, on empty data that are removed when this process ends."""
    if names_services(environment):
        return None
    services = ensure_temporary()
    name_services(services, environment)
    return services


def names_services(environment: MutableMapping[str, str]) -> bool:
    named = [name for name in ("DATABASE_URL", "REDIS_URL") if environment.get(name)]
    if len(named) == 1:
        raise ServicesUnavailable(
            f"{named[0]} is the only one set of DATABASE_URL and REDIS_URL.",
            "Set both to use your own services, or neither to use the embedded ones.",
        )
    return bool(named)


def services_problem() -> str | None:
    """What is wrong with the embedded services this process uses, in words; None if nothing is, or it uses none."""
    return next(filter(None, (services.problem() for services in IN_USE)), None)


def name_services(services: Services, environment: MutableMapping[str, str]) -> None:
    IN_USE.append(services)
    environment["DATABASE_URL"] = services.database_url
    environment["REDIS_URL"] = services.redis_url
    environment.setdefault("SECRET_KEY", services.secrets.SECRET_KEY)
    environment.setdefault("FIELD_ENCRYPTION_KEYS", services.secrets.FIELD_ENCRYPTION_KEYS)
    # Simulated shops on this machine may be connected to; on an installation of somebody's own, only if it says so.
    environment.setdefault("ALLOWED_API_HOSTS", "127.0.0.1")


def announce_demo(environment: MutableMapping[str, str] = os.environ) -> None:
    """Settings that a demo needs whatever services it uses: the sandbox's host, and a word in the header."""
    environment.setdefault("ALLOWED_API_HOSTS", "127.0.0.1")
    environment.setdefault("ENVIRONMENT_LABEL", "Sandbox")
