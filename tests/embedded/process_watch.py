"""Looking at real processes from tests: which run, and waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from syncconsole.embedded.processes import process_table


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Return as soon as the condition holds; fail the test if it does not within `seconds`."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "the condition did not come true in time"
        time.sleep(0.02)


def running_with(text: str) -> list[int]:
    """The processes, not counting ended ones, whose command line or environment contains the text."""
    found = []
    for entry in process_table():
        folder = Path("/proc") / str(entry.pid)
        try:
            known = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if text.encode() in known and entry.state not in "ZX":
            found.append(entry.pid)
    return found


def command_lines() -> list[str]:
    """The command line of every process that can be read."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_text(errors="replace"))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found
