"""A request and its answer, between the HTTP server and the simulators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

_OWN_PHRASES = {430: "Shopify Security Rejection", 530: "Origin DNS Error", 540: "Temporarily Disabled"}
MAX_BODY = 64 * 1024 * 1024  # bytes of a request


@dataclass(frozen=True)
class Request:
    """What came in. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def base_url(self) -> str:
        """Where the sandbox was reached, without a slash at the end."""
        return f"http://{self.headers.get('host', 'sandbox')}"


@dataclass
class Reply:
    """What goes out."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: Iterable[bytes] | None = None  # the content in pieces, in place of `body`
    length: int | None = None  # bytes of the stream

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it, e.g. ``423 Locked``."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} {_OWN_PHRASES.get(self.status, 'Status')}"


class ConnectionDropped(ConnectionResetError):
    """The answer must not arrive: the server closes the connection without a byte."""


def json_reply(status: int, content: Any, headers: list[tuple[str, str]] | None = None) -> Reply:
    """A JSON answer."""
    return Reply(status, msgspec.json.encode(content), headers=headers or [])
