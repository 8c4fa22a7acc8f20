"""Ends what is left of a process tree whose supervisor was killed.

    python -m syncconsole.embedded.guard

The supervisor names the session of each child, one number a line, on our standard input; when it has stopped the tree
itself it says so. Input that ends without that word means it can no longer do anything: then every process of those
sessions is asked to end (SIGTERM), and after a second made to (SIGKILL). Children of children are in the same session,
which is how they are found when their parents are gone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

from syncconsole.embedded.processes import process_table

STOPPED = "stopped"
GRACE = 1.0  # seconds between the request and the end
PATIENCE = 5.0  # seconds for the kernel to take everything away


def main(orders: Iterable[str]) -> int:
    sessions: set[int] = set()
    for order in orders:
        if order.strip() == STOPPED:
            return 0
        sessions.add(int(order))
    end_sessions(sessions)
    return 0


def end_sessions(sessions: set[int], grace: float = GRACE) -> None:
    """End every process of the sessions: politely for `grace` seconds, then not. Returns when they are gone."""
    started = time.monotonic()
    send(signal.SIGTERM, sessions)
    while members(sessions) and time.monotonic() < started + grace + PATIENCE:
        if time.monotonic() > started + grace:
            send(signal.SIGKILL, sessions)
        time.sleep(0.05)


def send(number: signal.Signals, sessions: set[int]) -> None:
    for pid in members(sessions):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def members(sessions: set[int]) -> list[int]:
    """The processes of the sessions that still run; one that has ended and waits to be collected (Z) does not."""
    return [entry.pid for entry in process_table() if entry.session in sessions and entry.state not in "ZX"]


if __name__ == "__main__":
    sys.exit(main(sys.stdin))
