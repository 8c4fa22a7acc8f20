"""One Valkey (or Redis) server, as a child of this process, on loopback, with a password."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

from syncconsole.embedded import processes
from syncconsole.embedded.errors import ServicesUnavailable
from syncconsole.embedded.postgres import PORT_ATTEMPTS, free_port
from syncconsole.embedded.programs import find_valkey

PATIENCE = 30.0  # seconds until a server that starts must answer; loading a long append-only file is the slow case
DATABASES = 64  # each parallel test process has one of its own


def start(
    directory: Path, log: Path, *, password: str, durable: bool, inherit: int
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server and wait until it answers. Returns it and its port.

    `inherit` is a file descriptor the server keeps open (its lock). Raises ServicesUnavailable with the log's last
    lines if it does not come up.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    for _ in range(PORT_ATTEMPTS):
        port = free_port()
        with log.open("wb") as output:
            server = subprocess.Popen(
                processes.tethered([find_valkey(), "-"], death_signal=signal.SIGTERM),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=directory,
                pass_fds=[inherit],
            )
        # The configuration goes through stdin: on the command line, everybody could read the password.
        if server.stdin is not None:
            server.stdin.write(configuration(port, password, durable=durable).encode())
            server.stdin.close()
        if wait_until_ready(server, port, password):
            return server, port
        stop(server)
        if "Address already in use" not in processes.tail(log):  # another program was quicker to take the port
            break
    raise ServicesUnavailable(
        f"Valkey did not start. The last lines of {log}:\n{processes.tail(log)}\n",
        "Mend the cause, or set DATABASE_URL and REDIS_URL to servers that run.",
    )


def configuration(port: int, password: str, *, durable: bool) -> str:
    """As a broker wants it: nothing is evicted, and what was accepted survives the process; `durable`: a power cut too."""
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"requirepass {password}",
        f"databases {DATABASES}",
        "appendonly yes",
        f"appendfsync {'everysec' if durable else 'no'}",
        'save ""',
        "maxmemory-policy noeviction",
        "daemonize no",
    ]
    return "\n".join(lines) + "\n"


def wait_until_ready(server: subprocess.Popen[bytes], port: int, password: str) -> bool:
    give_up = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < give_up:
        if answers(port, password):
            return True
        time.sleep(0.01)
    return False


def answers(port: int, password: str) -> bool:
    """Whether a server there accepts the password and is done loading its data."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            reply = b""
            while reply.count(b"\r\n") < 2:
                received = connection.recv(256)
                if not received:
                    return False
                reply += received
    except OSError:
        return False
    return reply == b"+OK\r\n+PONG\r\n"


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server, its data written. Returns when it is gone."""
    processes.end(server, signal.SIGTERM, patience=10)
