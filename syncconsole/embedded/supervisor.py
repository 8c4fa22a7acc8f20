"""Several programs as one: started in order, stopped in reverse, and none of them alone.

    Supervisor([Child("web", [...]), Child("worker", [...])]).run()

Ctrl-C or SIGTERM stops the tree and is a success. A child that ends by itself stops the tree and is a failure, with its
reason as the last line. Nothing stays behind in any case: children of children are collected, and when the supervisor
itself is killed, the kernel (tether.py) and the guard (guard.py) end what is left within about two seconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import TextIO

from syncconsole.embedded import guard, processes
from syncconsole.embedded.child_output import Printer
from syncconsole.embedded.launcher import CHECKOUT

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
LOOK_EVERY = 0.1  # seconds between two looks at the children
WATCH_EVERY = 1.0  # seconds between two calls of a watch
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WAKE = signal.SIGUSR1  # how the thread that looks after the children interrupts the main thread


@dataclass(frozen=True)
class Child:
    """One program of the tree."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to this process's environment."""
    ready: Callable[[], bool] | str | None = None
    """The next child is started when this answers True, or when the program has printed a line with this text."""
    ready_within: float = 60.0


class StopRequested(BaseException):
    """Somebody asked the tree to stop. Like KeyboardInterrupt it passes through code that catches Exception."""


class TreeFailed(BaseException):
    """A child ended by itself, or something the tree needs did. Says which, and why."""


class Supervisor:
    """`watches` are asked every second and answer what is wrong, or None; an answer stops the tree as a dead child does.

    `patience` is the time in seconds that all children together have to end before they are made to.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        watches: Sequence[Callable[[], str | None]] = (),
        output: TextIO | None = None,
        patience: float = 10.0,
    ) -> None:
        self.children = children
        self.watches = watches
        self.patience = patience
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.printer = Printer(output or sys.stdout, [child.name for child in children])
        self.failure = ""
        self.stopping = threading.Event()
        self.stopped = threading.Event()
        self.hurry = threading.Event()
        self.others_children: set[int] = set()

    def run(self, work: Callable[[], object] | None = None, *, stay: bool = True) -> int:
        """Start the tree, do `work`, stay until somebody asks to stop. Call it from the main thread.

        Returns the exit code: 0 when asked to stop, or when `work` is done and the tree should not `stay`; 1 when a
        child ended by itself. What `work` raises is raised again once everything is stopped.
        """
        self.others_children = {entry.pid for entry in own_children()}
        try:
            with orphans_adopted(), self.signals_handled(), self.guarded() as watchman:
                self.run_tree(watchman, work, stay=stay)
        except StopRequested:
            return 0
        except TreeFailed as failed:
            self.printer.say(str(failed))
            return 1
        return 0

    def run_tree(self, watchman: subprocess.Popen[bytes], work: Callable[[], object] | None, *, stay: bool) -> None:
        caretaker = threading.Thread(target=self.look_after_children, daemon=True)
        caretaker.start()
        try:
            for child in self.children:
                self.start(child, watchman)
            if work is not None:
                work()
            if stay:
                threading.Event().wait()
        finally:
            self.stop()
            self.stopped.set()
            caretaker.join()

    # Starting

    def start(self, child: Child, watchman: subprocess.Popen[bytes]) -> None:
        process = subprocess.Popen(
            processes.tethered(child.argv, death_signal=signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **child.env},
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the children in order
        )
        self.running[child.name] = process
        if watchman.stdin is not None:
            with suppress(BrokenPipeError):  # without the guard, the tether remains
                watchman.stdin.write(f"{process.pid}\n".encode())
                watchman.stdin.flush()
        self.printer.follow(child.name, process, child.ready if isinstance(child.ready, str) else None)
        self.wait_until_ready(child)

    def wait_until_ready(self, child: Child) -> None:
        give_up = time.monotonic() + child.ready_within
        while not self.is_ready(child):
            if time.monotonic() > give_up:
                raise TreeFailed(f"{child.name} was not ready after {child.ready_within:.0f} seconds.")
            time.sleep(0.05)

    def is_ready(self, child: Child) -> bool:
        if callable(child.ready):
            return child.ready()
        return child.ready is None or self.printer.has_announced(child.name)

    # Staying

    def look_after_children(self) -> None:
        """In a thread of its own: print what the children say, notice the ones that end, ask the watches."""
        next_watch = time.monotonic() + WATCH_EVERY
        while not (self.stopped.is_set() and self.printer.has_nothing_to_follow()):
            if not self.printer.pump(LOOK_EVERY, drain=self.stopped.is_set()):
                self.wake_main_thread("")  # nobody reads our output any more
            if self.stopping.is_set() or self.failure:
                continue
            problem = self.ended_child()
            if not problem and time.monotonic() > next_watch:
                problem = next(filter(None, (watch() for watch in self.watches)), "")
                next_watch = time.monotonic() + WATCH_EVERY
            if problem:
                self.wake_main_thread(problem)

    def ended_child(self) -> str:
        for name, process in list(self.running.items()):
            code = process.poll()
            if code is not None:
                how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
                return f"{name} {how}; everything else is stopped."
        return ""

    def wake_main_thread(self, problem: str) -> None:
        self.failure = problem
        main_thread = threading.main_thread().ident
        if main_thread is not None:
            signal.pthread_kill(main_thread, WAKE)

    @contextmanager
    def signals_handled(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.on_signal) for number in (*STOP_SIGNALS, WAKE)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.stopping.is_set():
            if number != WAKE:
                self.hurry.set()  # a second Ctrl-C
            return
        self.stopping.set()  # from here on no signal raises, so nothing interrupts the stopping
        if number == WAKE and self.failure:
            raise TreeFailed(self.failure)
        raise StopRequested

    # Stopping

    def stop(self) -> None:
        self.stopping.set()
        give_up = time.monotonic() + self.patience
        for process in reversed(list(self.running.values())):
            if process.poll() is None:
                process.terminate()
            while process.poll() is None and time.monotonic() < give_up and not self.hurry.is_set():
                time.sleep(0.02)
            # Whoever of its family is still there: it did not end in time, or its own children outlived it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            guard.end_sessions({process.pid}, grace=0)
            process.wait()
        collect_orphans(self.others_children)

    @contextmanager
    def guarded(self) -> Iterator[subprocess.Popen[bytes]]:
        watchman = subprocess.Popen(
            [sys.executable, "-m", "syncconsole.embedded.guard"],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.others_children.add(watchman.pid)
        try:
            yield watchman
        finally:
            with suppress(BrokenPipeError):
                watchman.communicate(guard.STOPPED.encode())


@contextmanager
def orphans_adopted() -> Iterator[None]:
    """Children of children that lose their parent become ours, so that they can be found and ended."""
    if sys.platform != "linux":
        yield
        return
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)


def own_children() -> list[processes.ProcessEntry]:
    return [entry for entry in processes.process_table() if entry.parent == os.getpid()]


def collect_orphans(others: set[int]) -> None:
    """End the processes that became our children when their parents ended; `others` are not ours to end."""
    while orphans := [entry.pid for entry in own_children() if entry.pid not in others]:
        for pid in orphans:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
