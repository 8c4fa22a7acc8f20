"""PostgreSQL and Valkey for whoever needs them now: found if they run on the data directory, else started.

    services = launcher.ensure(Path(".data"))
    services.database_url, services.redis_url

The services run until the last process that called `ensure` for the directory has ended, in whatever way it ended.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from syncconsole.embedded.data_directory import PATIENCE, DataDirectory, Lock, Running, Secrets
from syncconsole.embedded.errors import ServicesUnavailable
from syncconsole.embedded.processes import tail

CHECKOUT = Path(__file__).resolve().parents[2]
LOCALHOST = "127.0.0.1"


@dataclass
class Services:
    """The services of one data directory, kept running while this object is not released and its process lives."""

    database_url: str
    redis_url: str
    secrets: Secrets
    _running: Running
    _use: Lock

    def problem(self) -> str | None:
        """Which of the services no longer answers, in words; None while both do."""
        silent = silent_services(self._running)
        return f"{' and '.join(silent)} ended; the log is beside the data." if silent else None

    def release(self) -> None:
        """Stop using the services. If nobody else uses them, they end within a second."""
        self._use.release()


def ensure(directory: Path, *, durable: bool = True, ephemeral: bool = False) -> Services:
    """The services that run on `directory`, started if they do not, and kept running until this process ends.

    `durable=False` trades safety against power cuts for speed; `ephemeral` removes the directory when they end. Both
    matter only to the call that starts the services. Raises ServicesUnavailable.
    """
    data = DataDirectory(directory)
    data.create()
    with data.lock("start"):
        secrets = data.secrets()
        use = data.lock("users")
        use.acquire(shared=True)  # waits for a holder that is stopping its servers
        try:
            running = find_or_start(data, durable=durable, ephemeral=ephemeral)
        except BaseException:
            use.release()
            raise
    return Services(running.database_url, running.redis_url, secrets, running, use)


def ensure_temporary() -> Services:
    """Fast services on empty data in a new temporary directory, which is removed when they end."""
    return ensure(Path(tempfile.mkdtemp(prefix="sync-console-")), durable=False, ephemeral=True)


def find_or_start(data: DataDirectory, *, durable: bool, ephemeral: bool) -> Running:
    """The services once they answer, started if there is no holder. Call it with the start lock and a use."""
    servers = data.lock("servers")
    try:
        give_up = time.monotonic() + PATIENCE
        while not servers.try_acquire():  # a holder runs, or is about to, or has not quite ended
            running = data.running()
            if running is not None and holder_lives(running) and not silent_services(running):
                return running
            if time.monotonic() > give_up:
                raise ServicesUnavailable(
                    f"The services on {data.path} neither answer nor end.",
                    "Look into the logs there; if nothing of this project runs any more, run the command again.",
                )
            time.sleep(0.02)
        start_holder(data, servers, durable=durable, ephemeral=ephemeral)
    finally:
        servers.release()
    running = data.running()
    if running is None:
        raise ServicesUnavailable("The services ended as soon as they had started.", "Run the command again.")
    return running


def holder_lives(running: Running) -> bool:
    """False when it was killed: its servers may answer for a moment more, and are about to end."""
    try:
        os.kill(running.holder, 0)
    except ProcessLookupError:
        return False
    return True


def silent_services(running: Running) -> list[str]:
    ports = {"PostgreSQL": running.postgres_port, "Valkey": running.valkey_port}
    return [name for name, port in ports.items() if not accepts_connections(port)]


def accepts_connections(port: int) -> bool:
    try:
        socket.create_connection((LOCALHOST, port), timeout=2).close()
    except OSError:
        return False
    return True


def start_holder(data: DataDirectory, servers: Lock, *, durable: bool, ephemeral: bool) -> None:
    """Start the process that holds the servers and, from now on, their lock; wait until they answer.

    Raises ServicesUnavailable.
    """
    read_end, write_end = os.pipe()
    command = [sys.executable, "-m", "syncconsole.embedded.holder", str(data.path), "--ready", str(write_end)]
    command += ["--lock", str(servers.descriptor)]
    command += [] if durable else ["--fast"]
    command += ["--ephemeral"] if ephemeral else []
    with data.log("holder").open("wb") as log:
        first = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C at the terminal is for the user of the services, not for them
            pass_fds=[write_end, servers.descriptor],
        )
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        reply = json.loads(answer.read() or "{}")
    first.wait()
    if "cause" in reply:
        raise ServicesUnavailable(reply["cause"], reply["remedy"])
    if not reply.get("ready"):
        raise ServicesUnavailable(
            f"The services could not be started. The last lines of {data.log('holder')}:\n{tail(data.log('holder'))}\n",
            "Mend the cause, or set DATABASE_URL and REDIS_URL to servers that run.",
        )
