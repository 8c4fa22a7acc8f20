"""What the children of a supervisor print, line by line, each line with its child's name before it."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)  # ANSI foreground colours, readable on light and dark
LONGEST_LINE = 64 * 1024  # bytes; a longer one is printed in pieces


@dataclass
class Followed:
    name: str
    descriptor: int
    announcement: bytes | None
    announced: threading.Event = field(default_factory=threading.Event)
    pending: bytes = b""


class Printer:
    """Prints the children's lines to `output`, in colour where that is a terminal and NO_COLOR is not set."""

    def __init__(self, output: TextIO, names: Sequence[str]) -> None:
        self.output: TextIO | None = output
        width = max(map(len, names), default=0)
        in_colour = output.isatty() and not os.environ.get("NO_COLOR")
        self.prefixes = {
            name: f"\x1b[{COLOURS[place % len(COLOURS)]}m{name:<{width}} |\x1b[0m "
            if in_colour
            else f"{name:<{width}} | "
            for place, name in enumerate(names)
        }
        self.selector = selectors.DefaultSelector()
        self.followed: dict[str, Followed] = {}

    def follow(self, name: str, process: subprocess.Popen[bytes], announcement: str | None) -> None:
        """Print what the process says from now on; `announcement` is a text to look for in its lines."""
        if process.stdout is None:
            raise ValueError(f"{name} was started without a pipe for its output.")
        descriptor = os.dup(process.stdout.fileno())
        process.stdout.close()
        os.set_blocking(descriptor, False)
        child = Followed(name, descriptor, announcement.encode() if announcement else None)
        self.followed[name] = child
        self.selector.register(descriptor, selectors.EVENT_READ, child)

    def has_announced(self, name: str) -> bool:
        return self.followed[name].announced.is_set()

    def has_nothing_to_follow(self) -> bool:
        return not self.selector.get_map()

    def pump(self, wait: float, *, drain: bool) -> bool:
        """Print what there is, waiting up to `wait` seconds for more. False once nobody reads our output.

        `drain` says that every writer has ended, so a pipe with nothing in it is done with.
        """
        ready = self.selector.select(0 if drain else wait)
        for key, _ in ready:
            self.read(key.data)
        if drain and not ready:
            for key in list(self.selector.get_map().values()):
                self.close(key.data)
        return self.output is not None

    def read(self, child: Followed) -> None:
        try:
            received = os.read(child.descriptor, LONGEST_LINE)
        except BlockingIOError:
            return
        if not received:
            self.close(child)
            return
        *lines, child.pending = (child.pending + received).split(b"\n")
        if len(child.pending) >= LONGEST_LINE:
            lines.append(child.pending)
            child.pending = b""
        for line in lines:
            self.print_line(child, line)

    def close(self, child: Followed) -> None:
        if child.pending:
            self.print_line(child, child.pending)
        self.selector.unregister(child.descriptor)
        os.close(child.descriptor)

    def print_line(self, child: Followed, line: bytes) -> None:
        if child.announcement is not None and child.announcement in line:
            child.announced.set()
        self.say(f"{self.prefixes[child.name]}{line.decode(errors='replace').rstrip()}")

    def say(self, text: str) -> None:
        if self.output is None:
            return
        try:
            self.output.write(f"{text}\n")
            self.output.flush()
        except (BrokenPipeError, ValueError):  # closed at the other end, or here
            self.output = None
