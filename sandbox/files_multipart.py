"""Reading a multipart form as it arrives, in pieces: an upload of 100 MB never lies in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

PIECE = 65_536
MAX_FIELD = 65_536  # bytes of a form field that is not the file

_NAME = re.compile(rb'\bname="([^"]*)"')
_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?')


class Readable(Protocol):
    """Where the bytes of a request come from."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


class Broken(ValueError):
    """The form is not one: cut short, without a boundary, or with a field that is too long."""


def boundary_of(content_type: str) -> bytes | None:
    """The boundary that a Content-Type names; None when it is no multipart form."""
    if not content_type.lower().startswith("multipart/form-data"):
        return None
    found = _BOUNDARY.search(content_type)
    return found[1].encode("latin-1") if found else None


class Multipart:
    """The parts of a form, one after the other; the content of each has to be read before the next is asked for."""

    def __init__(self, stream: Readable, boundary: bytes) -> None:
        self._stream = stream
        self._marker = b"\r\n--" + boundary
        self._kept = b"\r\n"  # so that the first marker looks like all others

    def parts(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Name and content of every part. Raises `Broken`."""
        for _ in self._until(self._marker):
            pass  # a preamble, usually empty
        while True:
            head = b"".join(self._until(b"\r\n", MAX_FIELD))
            if head == b"--":
                return
            headers = b"".join(self._until(b"\r\n\r\n", MAX_FIELD))
            name = _NAME.search(headers)
            if name is None:
                raise Broken("a part has no name")
            content = self._until(self._marker)
            yield name[1].decode(), content
            for _ in content:
                pass  # what the reader left

    def _until(self, marker: bytes, limit: int | None = None) -> Iterator[bytes]:
        """The bytes before the next `marker`, which is passed over."""
        overlap, given = len(marker) - 1, 0
        while True:
            place = self._kept.find(marker)
            piece = self._kept[: max(0, len(self._kept) - overlap)] if place < 0 else self._kept[:place]
            given += len(piece)
            if limit is not None and given > limit:
                raise Broken("a field is too long")
            self._kept = self._kept[len(piece) :]
            if piece:
                yield piece
            if place >= 0:
                self._kept = self._kept[len(marker) :]
                return
            more = self._stream.read(PIECE)
            if not more:
                raise Broken("the form is cut short")
            self._kept += more


def text_of(pieces: Iterator[bytes]) -> str:
    """A form field's value. Raises `Broken` when it is too long."""
    value = b""
    for piece in pieces:
        value += piece
        if len(value) > MAX_FIELD:
            raise Broken("a field is too long")
    return value.decode("utf-8", "replace")
