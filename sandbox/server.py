"""A small threaded HTTP/1.1 server for a WSGI application: keep-alive, no delay, one thread per connection.

The standard library's handler reads headers through its mail parser; at the rates of a benchmark that alone would limit it."""

from __future__ import annotations

import contextlib
import io
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from .wire import ConnectionDropped

_MAX_HEAD_LINES = 200
_MAX_LINE = 16_384
_IDLE_SECONDS = 300
_DRAINED = 1_048_576  # bytes of an unread body that are read away to keep the connection

WsgiApp = Callable[..., Any]


class HttpServer:
    """Serves one WSGI application on one address until `close`."""

    def __init__(self, app: WsgiApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self._app = app
        self._socket = socket.create_server((host, port), backlog=256, reuse_port=False)
        self.host, self.port = self._socket.getsockname()[:2]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def serve(self) -> None:
        """Accept connections until `close` is called from another thread or a signal handler."""
        while not self._closed.is_set():
            try:
                connection, peer = self._socket.accept()
            except OSError:  # the listening socket was closed
                return
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._converse, args=(connection, peer), daemon=True).start()

    def close(self) -> None:
        """Stop accepting and close every connection."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _converse(self, connection: socket.socket, peer: Any) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_IDLE_SECONDS)
            with _stream(connection) as stream:
                while self._one(connection, stream, peer):
                    pass
        except (ConnectionError, TimeoutError, ConnectionDropped):
            pass  # the peer went away, or a fault wants exactly this
        except OSError:
            if not self._closed.is_set():
                traceback.print_exc(file=sys.stderr)
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _one(self, connection: socket.socket, stream: io.BufferedReader, peer: Any) -> bool:
        """Answer one request; False when the connection is to be closed after it."""
        line = stream.readline(_MAX_LINE)
        if not line.strip():
            return bool(line)
        try:
            method, target, version = line.decode("latin-1").split()
            headers = _headers(stream)
            size = int(headers.get("content-length", "0"))
        except ValueError:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        if headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        body = _Body(_chunks(stream)) if chunked else _Body(stream, size)
        wish = headers.get("connection", "").lower()
        keep = wish != "close" and (version == "HTTP/1.1" or wish == "keep-alive")
        head, content = self._answer(method, target, headers, body, peer, keep)
        keep = keep and content is not None and body.left <= _DRAINED  # a large body that was refused is not waited for
        if not keep:
            head += b"Connection: close\r\n"
        _send(connection, head + b"\r\n", content or ())
        while keep and body.left:
            body.read(_DRAINED)
        return keep

    def _answer(
        self, method: str, target: str, headers: dict[str, str], body: _Body, peer: Any, keep: bool
    ) -> tuple[bytes, Iterable[bytes] | None]:
        """Head without its last line, and content; no content at all when the application broke."""
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": headers.get("content-type", ""),
            "CONTENT_LENGTH": str(body.left),
            "SERVER_NAME": self.host,
            "SERVER_PORT": str(self.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": peer[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        head: list[str] = []

        def start_response(status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> None:
            head.append(f"HTTP/1.1 {status}\r\n")
            head.extend(f"{name}: {value}\r\n" for name, value in fields)

        try:
            content = self._app(environ, start_response)
        except ConnectionDropped:
            raise
        except Exception:  # noqa: BLE001 - one broken answer must not end the connection without a word
            traceback.print_exc(file=sys.stderr)
            return b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n", None
        return "".join(head).encode("latin-1"), content


class _Body:
    """The body of one request, read from the connection as the application asks for it."""

    def __init__(self, stream: io.BufferedIOBase, size: int | None = None) -> None:
        self._stream = stream
        self.left = size if size is not None else len(stream.getvalue())  # type: ignore[attr-defined]

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end. Raises `ConnectionDropped` when the peer closed in the middle."""
        wanted = self.left if size < 0 else min(size, self.left)
        read = self._stream.read(wanted) if wanted else b""
        if len(read) < wanted:
            raise ConnectionDropped("the peer closed in the middle of its body")
        self.left -= wanted
        return read


def _send(connection: socket.socket, head: bytes, content: Iterable[bytes]) -> None:
    """A list in one go, so that a small answer is one packet; anything else piece by piece."""
    if isinstance(content, list | tuple):
        connection.sendall(head + b"".join(content))
        return
    connection.sendall(head)
    for piece in content:
        connection.sendall(piece)


def _stream(connection: socket.socket) -> io.BufferedReader:
    return io.BufferedReader(socket.SocketIO(connection, "r"), 65_536)


def _headers(stream: io.BufferedReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEAD_LINES):
        line = stream.readline(_MAX_LINE)
        if line in (b"\r\n", b"\n", b""):
            return headers
        name, separator, value = line.decode("latin-1").partition(":")
        if not separator:
            raise ValueError("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    raise ValueError("too many headers")


def _chunks(stream: io.BufferedReader) -> io.BytesIO:
    parts: list[bytes] = []
    while True:
        size = int(stream.readline(_MAX_LINE).split(b";")[0], 16)
        if size == 0:
            while stream.readline(_MAX_LINE) not in (b"\r\n", b"\n", b""):
                pass
            return io.BytesIO(b"".join(parts))
        parts.append(stream.read(size))
        stream.readline(_MAX_LINE)


@contextlib.contextmanager
def running(sandbox: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve a `Sandbox` over real HTTP in a thread of this process for the length of a `with`; gives the base address."""
    server = HttpServer(sandbox.wsgi, host, port)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.close()
        thread.join(timeout=5)
