"""Programs that do one part of a measurement beside it, so that their work is not counted as ours.

A child is a module of this package. It reads what it has to do as one line of JSON, makes ready, says so, begins when it
is told to, and answers with one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from signal import SIGTERM
from types import TracebackType
from typing import Any

from benchmarks.simulators import CHECKOUT
from syncconsole.embedded.processes import end, tethered


class Child:
    """`python -m benchmarks.<module>` with `asked`, made ready when this returns. Use it in the main thread, by `with`:
    it is gone afterwards, whatever happens."""

    def __init__(self, module: str, asked: dict[str, Any]) -> None:
        command = tethered([sys.executable, "-m", f"benchmarks.{module}"], death_signal=SIGTERM)
        self._process = subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._say(asked)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._process, SIGTERM, patience=5)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def ready(self) -> None:
        """Wait until it is."""
        self._hear()

    def begin(self) -> None:
        """Let it begin."""
        self._say({"begin": True})

    def stop(self) -> None:
        """Let it end sooner than it was asked."""
        self._say({"stop": True})

    def answer(self) -> dict[str, Any]:
        """Wait for what it has to tell."""
        return self._hear()

    def _say(self, told: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("A child of the measurement ended without an answer; its traceback is above.")
        told: dict[str, Any] = json.loads(line)
        return told


def together(
    wanted: Iterable[tuple[str, dict[str, Any]]], *, before: Callable[[], object] | None = None
) -> list[dict[str, Any]]:
    """Run children (module, what it is asked) that begin at the same moment; their answers. `before` is called once
    all of them are ready."""
    with ExitStack() as stack:
        children = [stack.enter_context(Child(module, asked)) for module, asked in wanted]
        for child in children:
            child.ready()
        if before is not None:
            before()
        for child in children:
            child.begin()
        return [child.answer() for child in children]


ANSWERS = sys.stdout


def asked_of_me() -> dict[str, Any]:
    """In a child: what it is asked. From here on what libraries print goes elsewhere than the answer."""
    sys.stdout = sys.stderr
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    return told


def say_ready_and_wait() -> None:
    """In a child: it is ready; returns when it may begin."""
    print(json.dumps({"ready": True}), file=ANSWERS, flush=True)
    sys.stdin.readline()


def answer(told: dict[str, Any]) -> None:
    """In a child: what it has to tell."""
    print(json.dumps(told), file=ANSWERS, flush=True)
