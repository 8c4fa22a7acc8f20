"""Several calls in flight, all database work in one thread.

Calls run in worker threads and touch no database; what follows a call runs in the caller's thread, so there is one
connection, one transaction at a time, and no lock is ever held across a call.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

TICK_SECONDS = 5.0


class Pump:
    """Runs calls in threads and what follows them here. The first fault is raised after the calls in flight ended
    and what follows them was carried out, so that no answer of theirs is lost."""

    def __init__(self, width: int, tick: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(max_workers=width, thread_name_prefix="pump")
        self._width = width
        self._tick = tick
        self._waiting: dict[Future[Any], Callable[[Any], None]] = {}
        self._fault: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.drain()
        finally:
            self._pool.shutdown(wait=True)

    @property
    def failed(self) -> bool:
        """A call or what follows it went wrong; start nothing new."""
        return self._fault is not None

    def call(self, function: Callable[[], T], then: Callable[[T], None]) -> None:
        """Run `function` in a thread and `then` here with its result. Waits while all threads are busy."""
        while len(self._waiting) >= self._width and not self._fault:
            self._take_some()
        if self._fault:
            self.drain()
        self._waiting[self._pool.submit(function)] = then

    def drain(self) -> None:
        """Wait for everything, then raise the first fault if there was one."""
        while self._waiting:
            self._take_some()
        if self._fault:
            fault, self._fault = self._fault, None
            raise fault

    def _take_some(self) -> None:
        done, _ = wait(self._waiting, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
        try:
            self._tick()
        except BaseException as error:  # noqa: BLE001 - kept and raised by drain
            self._fault = self._fault or error
        for future in done:
            then = self._waiting.pop(future)
            try:
                then(future.result())
            except BaseException as error:  # noqa: BLE001 - kept and raised by drain
                self._fault = self._fault or error
