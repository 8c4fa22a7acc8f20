"""Where the time of a piece of work goes: database, our own Python, the sandbox, and waiting for answers or points."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from benchmarks.simulators import Simulators


@dataclass(slots=True)
class Times:
    """Seconds. `database`: statements of all connections together, as the worker waits for them. `worker`: the processor
    time of the worker besides. `sandbox`: the processor time of the sandbox. They overlap: calls run while the database is
    asked, and two connections may be asked at a time."""

    wall: float = 0.0
    database: float = 0.0
    database_client: float = 0.0
    worker: float = 0.0
    sandbox: float = 0.0
    statements: int = 0

    def shares(self) -> dict[str, float]:
        """What each used of the wall time, as a fraction."""
        used = {"database": self.database, "worker": self.worker, "sandbox": self.sandbox}
        return {name: seconds / self.wall for name, seconds in used.items()}


@contextmanager
def watching(simulators: Simulators) -> Iterator[Times]:
    """Fill in the times of what happens inside."""
    times = Times()

    def execute(call: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        began, began_cpu = time.perf_counter(), time.thread_time()
        try:
            return call(sql, parameters, many, context)
        finally:
            times.database += time.perf_counter() - began
            times.database_client += time.thread_time() - began_cpu
            times.statements += 1

    def watch_too(connection: BaseDatabaseWrapper, **_: Any) -> None:
        connection.execute_wrappers.append(execute)

    began, began_cpu, began_there = time.perf_counter(), time.process_time(), simulators.cpu_seconds()
    connection_created.connect(watch_too)  # of the threads that book answers
    try:
        with connection.execute_wrapper(execute):
            yield times
    finally:
        connection_created.disconnect(watch_too)
    times.wall = time.perf_counter() - began
    times.worker = time.process_time() - began_cpu - times.database_client
    times.sandbox = simulators.cpu_seconds() - began_there


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Memory:
    """Resident memory of this process above what it was when this was made, in MB."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
        self._idle = self._read("VmRSS")

    def peak(self) -> float:
        """The highest it has been since."""
        return self._read("VmHWM") - self._idle

    @staticmethod
    def _read(name: str) -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024
