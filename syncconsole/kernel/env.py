"""Strict readers of the process environment: a wrong value is an error that names the variable."""

from __future__ import annotations

from collections.abc import Sequence

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})

env = environ.Env()


def text(name: str, default: str | None = None) -> str:
    """Value of `name`; without a default it is required.

    Raises ImproperlyConfigured naming the variable.
    """
    value: str = env.str(name, default=default or "")
    if not value and default is None:
        raise ImproperlyConfigured(f"{name} is not set. Set it in the environment; .env.example shows each variable.")
    return value


def boolean(name: str, *, default: bool) -> bool:
    """True or False; anything else than a known word is an error, never a guess."""
    raw: str = env.str(name, default="true" if default else "false").strip().lower()
    if raw in TRUE:
        return True
    if raw in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is '{raw}'. Write true or false.")


def words(name: str, default: Sequence[str] = ()) -> list[str]:
    """Comma-separated words, trimmed, empty ones left out."""
    raw: str = env.str(name, default=",".join(default))
    return [word.strip() for word in raw.split(",") if word.strip()]


def choice(name: str, options: Sequence[str], default: str) -> str:
    """One of `options`; anything else is an error that lists them."""
    value = text(name, default)
    if value not in options:
        raise ImproperlyConfigured(f"{name} is '{value}'. Write one of: {', '.join(options)}.")
    return value


def integer(name: str, default: int) -> int:
    """A whole number; anything else is an error."""
    raw = text(name, str(default))
    try:
        return int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is '{raw}'. Write a whole number.") from None
