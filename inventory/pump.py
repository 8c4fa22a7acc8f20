"""Several calls in flight, while the database works in two threads at most.

Calls run in worker threads and touch no database; what follows a call runs in the caller's thread, and what can be
booked by itself in one more, which has a connection of its own. No lock is ever held across a call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from django.db import connection, connections

T = TypeVar("T")

TICK_SECONDS = 5.0
PROMPT: Final = 0.0005
"""Seconds after which a busy thread makes way for one whose answer has come. The interpreter's five milliseconds are as long
as a statement takes, and a group of levels asks for a dozen of them."""
AT_THE_DESK = 2
"""Bookings that the second thread has, at most: one in hand, and the next. What comes meanwhile is booked here."""


class Pump:
    """Runs calls in threads and what follows them here. The first fault is raised after the calls in flight ended
    and what follows them was carried out, so that no answer of theirs is lost."""

    def __init__(self, width: int, tick: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(max_workers=width, thread_name_prefix="pump")
        self._desk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk")
        self._width = width
        self._tick = tick
        self._calls: dict[Future[Any], Callable[[Any], None]] = {}
        self._bookings: dict[Future[Any], tuple[Callable[[], Any], Callable[[Any], None]]] = {}
        self._fault: BaseException | None = None

    def __enter__(self) -> Self:
        self._usual = sys.getswitchinterval()
        sys.setswitchinterval(min(self._usual, PROMPT))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.drain()
        finally:
            self._pool.shutdown(wait=True)
            self._desk.submit(connections.close_all)
            self._desk.shutdown(wait=True)
            sys.setswitchinterval(self._usual)

    @property
    def failed(self) -> bool:
        """A call or what follows it went wrong; start nothing new."""
        return self._fault is not None

    def call(self, function: Callable[[], T], then: Callable[[T], None]) -> None:
        """Run `function` in a thread and `then` here with its result. Waits while all threads are busy."""
        while len(self._calls) >= self._width and not self._fault:
            self._take_some()
        if self._fault:
            self.drain()
        self._calls[self._pool.submit(function)] = then

    def book(self, function: Callable[[], T], then: Callable[[T], None] = lambda _: None) -> None:
        """Run `function`, which works in the database by itself, beside this thread and `then` here with its result.

        It runs here while the desk has enough to do, or once this thread has nothing else to do while the desk is busy;
        also inside a transaction of the caller: another connection would not see what that has written.
        """
        if connection.in_atomic_block or self._at_the_desk() >= AT_THE_DESK:
            then(function())
        else:
            self._bookings[self._desk.submit(function)] = function, then

    def _at_the_desk(self) -> int:
        return sum(not booking.done() for booking in self._bookings)

    def drain(self) -> None:
        """Wait for everything, then raise the first fault if there was one."""
        while self._calls or self._bookings:
            self._take_some()
        if self._fault:
            fault, self._fault = self._fault, None
            raise fault

    def _take_some(self) -> None:
        """Carry out what follows what is done; where nothing is, a booking that the desk has not begun; else wait."""
        done = [future for future in (*self._calls, *self._bookings) if future.done()]
        waits = None if done or connection.in_atomic_block else self._taken_from_the_desk()
        if not done and waits is None:
            wait([*self._calls, *self._bookings], timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
        self._carry_out(self._tick)
        if waits:
            self._carry_out(*waits)
        for future in done:
            follows = self._calls.pop(future, None) or self._bookings.pop(future, (None, None))[1]
            if follows:  # else what followed another one asked for more, and took this one meanwhile
                self._carry_out(future.result, follows)

    def _taken_from_the_desk(self) -> tuple[Callable[[], Any], Callable[[Any], None]] | None:
        """The last of them, where the desk has another one before it: what it has just got it begins in a moment."""
        waiting = [future for future in self._bookings if not future.done()]
        return self._bookings.pop(waiting[-1]) if len(waiting) > 1 and waiting[-1].cancel() else None

    def _carry_out(self, function: Callable[[], T], then: Callable[[T], object] = lambda _: None) -> None:
        """`then` with what `function` returns. The first fault is kept, and raised by `drain`."""
        try:
            then(function())
        except BaseException as error:  # noqa: BLE001 - kept and raised by drain
            self._fault = self._fault or error
