"""A receiver of webhooks for tests: real HTTP on this machine, answers as told, keeps what came."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.server import HttpServer


@dataclass
class Arrived:
    """One delivery as it came over the wire."""

    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)

    @property
    def topic(self) -> str:
        return self.headers["x-shopify-topic"]

    @property
    def webhook_id(self) -> str:
        return self.headers["x-shopify-webhook-id"]


@dataclass
class Receiver:
    """What came; `answers` gives the status of the n-th delivery (0 = the first)."""

    url: str = ""
    arrived: list[Arrived] = field(default_factory=list)
    answers: Callable[[int], int] = lambda nth: 200
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """Keep one delivery."""
        headers = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
        with self.lock:
            nth = len(self.arrived)
            self.arrived.append(Arrived(environ["PATH_INFO"], headers, environ["wsgi.input"].read()))
        status = self.answers(nth)
        extra = [("Location", f"{self.url}/elsewhere")] if status == 302 else []
        start_response(f"{status} Status", [("Content-Length", "0"), *extra])
        return [b""]


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port, for the length of a `with`."""
    receiver = Receiver()
    server = HttpServer(receiver.wsgi)
    receiver.url = server.url
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.close()
        thread.join(timeout=5)
