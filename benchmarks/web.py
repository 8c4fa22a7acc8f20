"""The console's web server as the demo and production start it: gunicorn with one process and threads."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGTERM

from django.db import connection

from benchmarks.simulators import CHECKOUT, cpu_seconds
from syncconsole import process_tree
from syncconsole.embedded.processes import end, process_table, tethered

PATIENCE = 60.0


class Server:
    """A running web server at `url`."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._pid = pid

    def cpu_seconds(self) -> float:
        """Processor time that its processes have used so far."""
        pids = [self._pid, *(entry.pid for entry in process_table() if entry.parent == self._pid)]
        return sum(cpu_seconds(pid) for pid in pids)


@contextmanager
def serving() -> Iterator[Server]:
    """On a free port; gone afterwards, whatever happens. The bare view is at /bare/."""
    port = process_tree.free_port_from(8_300)
    web = process_tree.web(port)
    process = subprocess.Popen(
        tethered(web.argv, death_signal=SIGTERM),
        cwd=CHECKOUT,
        env={
            **os.environ,
            **web.env,
            "GUNICORN_CMD_ARGS": "--log-level warning",
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "benchmarks.bare_settings",
        },
    )
    url = f"http://127.0.0.1:{port}"
    try:
        answers, give_up = process_tree.answers(f"{url}/livez"), time.monotonic() + PATIENCE
        while not answers():
            if process.poll() is not None or time.monotonic() > give_up:
                raise AssertionError("The web server did not start; what it said is above.")
            time.sleep(0.05)
        yield Server(url, process.pid)
    finally:
        end(process, SIGTERM, patience=10)


def database_url() -> str:
    """The measured database, which is not the one that DATABASE_URL names."""
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{server}/{connection.settings_dict['NAME']}"
