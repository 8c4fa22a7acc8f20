"""JSON into shapes, from several threads at once.

msgspec finds out what a shape is made of when it is first used, and two threads that use it first at the same moment end
the process (a fault in its C code, seen in 0.22). Here each shape is prepared once, by one thread.
"""

from __future__ import annotations

import threading
from typing import Any, Final, TypeVar

import msgspec

Shape = TypeVar("Shape")

_decoders: Final[dict[Any, msgspec.json.Decoder[Any]]] = {}
_preparing: Final = threading.Lock()


def decode(content: bytes | msgspec.Raw, shape: type[Shape]) -> Shape:
    """`content` as `shape`. Raises `msgspec.DecodeError` or `UnicodeDecodeError` when it cannot be read so."""
    decoded: Shape = _decoder(shape).decode(content)
    return decoded


def convert(value: object, shape: type[Shape]) -> Shape:
    """Plain values as `shape`, numbers in text accepted. Raises `msgspec.ValidationError` when they do not fit."""
    _decoder(shape)
    return msgspec.convert(value, shape, strict=False)


def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return _decoders.get(shape) or _prepared(shape)


def _prepared(shape: Any) -> msgspec.json.Decoder[Any]:
    # One lock for all: shapes are made of each other.
    with _preparing:
        return _decoders.setdefault(shape, msgspec.json.Decoder(shape))
