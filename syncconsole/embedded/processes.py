"""Starting programs on a tether, and looking at the processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

TETHER = Path(__file__).with_name("tether.py")


def tethered(program: Sequence[str | Path], *, death_signal: signal.Signals, run_as: Sequence[str] = ()) -> list[str]:
    """The command line that runs `program` so that it ends when this process does. See tether.py for `run_as`.

    The signal follows the thread that starts the program, not only the process: start it from the main thread.
    """
    tether = [sys.executable, "-I", "-S", str(TETHER), "--parent", str(os.getpid()), "--signal", death_signal.name]
    return [*tether, *run_as, "--", *map(str, program)]


def end(process: subprocess.Popen[Any], first: signal.Signals, patience: float) -> None:
    """Ask the process to end with the signal `first`; after `patience` seconds, SIGKILL it. Returns when it is gone."""
    if process.poll() is None:
        process.send_signal(first)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class ProcessEntry:
    """One line of the process table."""

    pid: int
    parent: int
    session: int
    state: str


def process_table() -> Iterator[ProcessEntry]:
    """Every process, from /proc; nothing on systems without it."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            stat = entry.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we were reading
        # The second field is the program's name in brackets, which may itself contain spaces and brackets.
        state, parent, _, session = stat.rpartition(")")[2].split()[:4]
        yield ProcessEntry(pid=int(entry.parent.name), parent=int(parent), session=int(session), state=state)


def tail(log: Path | IO[bytes], lines: int = 8) -> str:
    """The last lines of a log file, for an error message; empty if there is none."""
    try:
        content = log.read_bytes() if isinstance(log, Path) else log.read()
    except OSError:
        return ""
    return "\n".join(content.decode(errors="replace").splitlines()[-lines:])
