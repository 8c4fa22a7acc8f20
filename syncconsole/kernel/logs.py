"""Logging set-up: one event name and its fields per line, JSON in production, readable on a terminal."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

MASK: Final = "[masked]"
_SECRET_NAME: Final = re.compile(r"(?i)token|secret|password|authorization|api_?key|encryption_key")
_SECRET_IN_TEXT: Final = (
    # Shopify's tokens, and the password in the address of a database, a broker or a notice.
    (re.compile(r"\bshp[a-z]{2}_[A-Za-z0-9]+"), MASK),
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@"), rf"\1:{MASK}@"),
    # The address that a store's webhooks are sent to.
    (re.compile(r"(/webhooks/)[\w-]{20,}"), rf"\1{MASK}"),
)

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.StackInfoRenderer(),
]


def mask_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Last step before a line is written: no field named like a secret, no token or password in any text.

    A net under the rule that secrets are not logged at all; tracebacks of libraries pass here, too.
    """
    for name, value in event.items():
        if _SECRET_NAME.search(name) and value:
            event[name] = MASK
        elif isinstance(value, str):
            for pattern, replacement in _SECRET_IN_TEXT:
                value = pattern.sub(replacement, value)
            event[name] = value
    return event


def configure() -> None:
    """Configure structlog, once per process: loggers keep what they found at their first line."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def django_logging(fmt: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything goes to stderr, `fmt` is json or console."""
    # Plain tracebacks: the decorated ones print the values of local variables, tokens among them.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderer: Any = structlog.processors.JSONRenderer() if fmt == "json" else plain
    finish = [structlog.processors.format_exc_info, mask_secrets, renderer]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "main": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "main"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            "axes": {"level": "WARNING"},
        },
    }
