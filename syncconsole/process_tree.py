"""The programs that make one installation on one machine: web, worker and beat, as children for a Supervisor; and the
sandbox, where simulated shops take part."""

from __future__ import annotations

import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from syncconsole.embedded.supervisor import Child

SANDBOX_PORT = 8800
CELERY = [sys.executable, "-m", "celery", "--app", "syncconsole.celery:app", "--quiet"]
# Tasks travel as JSON, so a worker started by root is no greater danger than the root that started it.
NO_WARNING_ABOUT_ROOT = {"PYTHONWARNINGS": "ignore:You're running the worker"}


def web(port: int) -> Child:
    """The console on 127.0.0.1, ready when it answers."""
    return Child(
        name="web",
        argv=[sys.executable, "-m", "gunicorn", "--config", "python:syncconsole.gunicorn_settings", "syncconsole.wsgi"],
        # Without SECURE, static files come from where they were written, not from the folder of collected ones.
        env={"WEB_BIND": f"127.0.0.1:{port}", "PYTHONWARNINGS": "ignore:No directory at"},
        ready=answers(f"http://127.0.0.1:{port}/livez"),
    )


def worker(concurrency: int = 2) -> Child:
    """Two processes suit two cores; tasks mostly wait for a store's answer."""
    # Mingle and gossip let workers know of each other, which nothing here uses; without them it starts a second sooner.
    options = ["--concurrency", str(concurrency), "--without-mingle", "--without-gossip", "--loglevel", "INFO"]
    argv = [*CELERY, "worker", *options]
    return Child(name="worker", argv=argv, env=NO_WARNING_ABOUT_ROOT, ready=" ready.")


def beat() -> Child:
    return Child(name="beat", argv=[*CELERY, "beat", "--loglevel", "INFO", "--pidfile", ""])


def sandbox(port: int, *, plan: str = "standard", shops: Sequence[str] = (), csv: Path | None = None) -> Child:
    """Simulated shops on 127.0.0.1, which say their address and tokens when they are ready."""
    argv = [sys.executable, "-m", "sandbox", "--port", str(port), "--plan", plan]
    argv += ["--shop", *shops] if shops else []
    argv += ["--csv", str(csv)] if csv is not None else []
    return Child(name="sandbox", argv=argv, ready='"url"')


def answers(url: str) -> Callable[[], bool]:
    """Whether a server answers at `url` with a success."""

    def asked() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 - our own http address
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return asked


def port_is_free(port: int) -> bool:
    """Whether nobody listens on the port of 127.0.0.1 yet."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port_from(preferred: int) -> int:
    """`preferred`, or the next port above it that is free."""
    return next(port for port in range(preferred, 65536) if port_is_free(port))
