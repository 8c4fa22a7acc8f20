"""Handles (reference §4.5): how a text becomes one, how a taken one is counted up, and the redirects that a change leaves."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

LONGEST = 255
_RUN = re.compile(r"[\W_]+", re.UNICODE)
_NUMBERED = re.compile(r"^(.*)-(\d+)$")
NAMELESS = "product"


@dataclass(slots=True)
class UrlRedirect:
    """An old path of the shop that leads to a new one."""

    gid: str
    number: int
    path: str
    target: str


def normalised(text: str) -> str:
    """A text as a handle: trimmed, lower case, every run of punctuation one hyphen; letters of any script stay.

    A text of nothing but punctuation becomes ``product``.
    """
    return _RUN.sub("-", text.strip().lower()).strip("-") or NAMELESS


def generated(title: str, taken: Container[str]) -> str:
    """The handle that a title gets by itself: never one that is `taken`; ``x`` → ``x-1``, ``x-41`` → ``x-42``."""
    return free(normalised(title)[:LONGEST].rstrip("-"), taken)


def free(handle: str, taken: Container[str]) -> str:
    """The handle itself, or the next number that is not `taken`."""
    while handle in taken:
        numbered = _NUMBERED.match(handle)
        stem, number = (numbered[1], int(numbered[2]) + 1) if numbered else (handle, 1)
        tail = f"-{number}"
        handle = stem[: LONGEST - len(tail)] + tail
    return handle
