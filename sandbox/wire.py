"""A request and its answer, between the HTTP server and the simulators."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

MAX_BODY = 64 * 1024 * 1024  # bytes of a request


@dataclass(frozen=True)
class Request:
    """What came in. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What goes out."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it, e.g. ``423 Locked``."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} {'Shopify Security Rejection' if self.status == 430 else 'Status'}"


class ConnectionDropped(ConnectionResetError):
    """The answer must not arrive: the server closes the connection without a byte."""


def json_reply(status: int, content: Any, headers: list[tuple[str, str]] | None = None) -> Reply:
    """A JSON answer."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, check_circular=False)
    return Reply(status, text.encode(), headers=headers or [])
