"""Real Celery workers, as programs of their own, on the test's database and broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import connection

from syncconsole.celery import app
from syncconsole.embedded.processes import tethered
from tests.embedded.process_watch import wait_until
from tests.journeys.shops import CHECKOUT


class Worker:
    """One worker with two processes."""

    def __init__(self, log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "celery", "--app", "syncconsole.celery:app", "worker"]
        command += ["--concurrency", "2", "--without-mingle", "--without-gossip", "--loglevel", "INFO"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                tethered(command, death_signal=signal.SIGTERM),
                cwd=CHECKOUT,
                env={**os.environ, "DATABASE_URL": own_database_url(), "ALLOWED_API_HOSTS": "127.0.0.1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(lambda: " ready." in self.said(), seconds=60)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """The machine is gone: no goodbye, neither of the worker nor of its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """An orderly end, or the other one when that takes too long."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(8)
        self.kill()


@contextmanager
def worker_process(log: Path) -> Iterator[Worker]:
    """A worker that is ready; gone afterwards."""
    app.control.purge()  # messages of earlier tests, whose rows are gone
    worker = Worker(log)
    try:
        yield worker
    finally:
        worker.stop()


def own_database_url() -> str:
    """Where this test process's database is, as a worker reads it."""
    parts = connection.settings_dict
    return f"postgres://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"
