"""System checks: what is wrong with the configuration, before it is met in the middle of work.

Ids: connectors.E001 keys of secrets, E002 allowed hosts, E003 run kinds and readers of changes, E004 public address; with
`--deploy` also W001 hosts allowed besides Shopify's, W002 an address that is not https.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from syncconsole.kernel.secrets import cipher

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")


@register(Tags.security)
def keys_of_secrets(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The keys can be used."""
    try:
        cipher()
    except ImproperlyConfigured as exc:
        hint = "Put a key made by cryptography's Fernet.generate_key() first; keep older ones after it."
        return [Error(str(exc), hint=hint, id="connectors.E001")]
    return []


@register(Tags.security)
def allowed_hosts(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Hosts that a token may be sent to are named exactly."""
    return [
        Error(
            f"ALLOWED_API_HOSTS names '{entry}'.",
            hint="Write a host or host:port, without a scheme, a path or a wildcard, e.g. 127.0.0.1:8800.",
            id="connectors.E002",
        )
        for entry in settings.ALLOWED_API_HOSTS
        if not _HOST.fullmatch(entry)
    ]


@register()
def run_kinds(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Every kind of run names a class that exists."""
    found: list[CheckMessage] = []
    for kind, path in settings.RUN_KINDS.items():
        try:
            import_string(path)
        except ImportError as exc:
            hint = "Correct syncconsole/wiring.py."
            found.append(Error(f"The run kind {kind} names {path}: {exc}", hint=hint, id="connectors.E003"))
    for kind, path in settings.CHANGE_READERS.items():
        try:
            import_string(path)
        except ImportError as exc:
            hint = "Correct syncconsole/wiring.py."
            found.append(Error(f"The reader of {kind} names {path}: {exc}", hint=hint, id="connectors.E003"))
    return found


@register()
def public_address(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Links in notices lead somewhere."""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme in {"http", "https"} and parts.netloc:
        return []
    hint = "Write the console's address as people open it, e.g. https://console.example.com."
    return [Error(f"PUBLIC_URL is '{settings.PUBLIC_URL}'.", hint=hint, id="connectors.E004")]


@register(Tags.security, deploy=True)
def hosts_of_production(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """In production tokens go to Shopify alone."""
    if not settings.ALLOWED_API_HOSTS:
        return []
    return [
        Warning(
            f"Tokens may also be sent to: {', '.join(settings.ALLOWED_API_HOSTS)}.",
            hint="Leave ALLOWED_API_HOSTS empty unless a sandbox or a proxy of yours is meant.",
            id="connectors.W001",
        )
    ]


@register(Tags.security, deploy=True)
def address_of_production(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Links in notices lead to https."""
    if urlsplit(settings.PUBLIC_URL).scheme == "https":
        return []
    hint = "Set PUBLIC_URL to the console's https address; links in notices start with it."
    return [Warning(f"PUBLIC_URL is {settings.PUBLIC_URL}.", hint=hint, id="connectors.W002")]
