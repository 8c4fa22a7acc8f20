"""HTTP POST over connections that are kept: a second to connect, five in all, no redirects (reference §7.2).

Written on sockets: the standard library's client reads headers through its mail parser, which alone would halve the rate."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

_MAX_ANSWER = 1024 * 1024


class Undelivered(Exception):
    """No HTTP status came back; says why."""


class Sender:
    """Sends from any thread; every thread keeps its own connection to each address."""

    def __init__(self, connect_seconds: float = 1.0, total_seconds: float = 5.0) -> None:
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._here = threading.local()

    def post(self, uri: str, headers: list[tuple[str, str]], body: bytes) -> int:
        """The HTTP status of one POST. Raises `Undelivered` when none came in time."""
        parts = urlsplit(uri)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        message = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
        deadline = time.monotonic() + self._total_seconds
        place = (host, port, secure)
        kept = self._connections().pop(place, None)
        if kept is not None:
            try:
                return self._exchange(place, kept, message, deadline)
            except ConnectionError:  # closed while idle: the usual end of a kept connection, a fresh one decides
                kept.close()
            except (OSError, ValueError) as problem:
                kept.close()
                raise Undelivered(_told(problem)) from None
        connection: socket.socket | None = None
        try:
            connection = self._connect(place)
            return self._exchange(place, connection, message, deadline)
        except (OSError, ValueError) as problem:
            if connection is not None:
                connection.close()
            raise Undelivered(_told(problem)) from None

    def forget(self) -> None:
        """Close this thread's connections."""
        for connection in self._connections().values():
            with contextlib.suppress(OSError):
                connection.close()
        self._connections().clear()

    def _connections(self) -> dict[tuple[str, int, bool], socket.socket]:
        if not hasattr(self._here, "connections"):
            self._here.connections = {}
        return self._here.connections  # type: ignore[no-any-return]

    def _connect(self, place: tuple[str, int, bool]) -> socket.socket:
        host, port, secure = place
        connection = socket.create_connection((host, port), timeout=self._connect_seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        return connection

    def _exchange(
        self, place: tuple[str, int, bool], connection: socket.socket, message: bytes, deadline: float
    ) -> int:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        connection.sendall(message)
        status, reusable = _Answer(connection, deadline).read()
        if reusable:
            self._connections()[place] = connection
        else:
            connection.close()
        return status


class _Answer:
    """Reads one HTTP answer; its body only to get past it."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._bytes = b""

    def read(self) -> tuple[int, bool]:
        """Status, and whether the connection can carry another request."""
        while True:
            head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            version, _, rest = head[0].partition(" ")
            status = int(rest[:3])
            if status >= 200:  # what is below only announces the answer
                break
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        keep = fields.get("connection", "").lower() != "close" and version == "HTTP/1.1"
        if status in (204, 304):
            return status, keep
        if fields.get("transfer-encoding", "").lower() == "chunked":
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                self._exactly(size + 2)
            self._until(b"\r\n")
            return status, keep
        if "content-length" in fields:
            self._exactly(int(fields["content-length"]))
            return status, keep
        return status, False  # the body ends with the connection

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._bytes:
            self._more()
        found, _, self._bytes = self._bytes.partition(mark)
        return found

    def _exactly(self, size: int) -> None:
        while len(self._bytes) < size:
            self._more()
        self._bytes = self._bytes[size:]

    def _more(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no complete answer in time")
        self._connection.settimeout(left)
        part = self._connection.recv(65_536)
        if not part:
            raise ConnectionResetError("the connection was closed before the answer")
        self._bytes += part
        if len(self._bytes) > _MAX_ANSWER:
            raise ValueError("the answer is larger than 1 MiB")


def _told(problem: BaseException) -> str:
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    if isinstance(problem, ConnectionRefusedError):
        return "connection refused"
    return str(problem) or type(problem).__name__
