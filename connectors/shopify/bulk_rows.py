"""The rows of a bulk query, joined with their children, in flat memory.

A result is one JSON object per node. Children name their parent (`__parentId`), stand anywhere in the file and may
come before it (reference 5). The lines are therefore kept in a private SQLite file that its last close removes, also
when this process dies, and read back root by root.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

import msgspec

from connectors.ports.errors import ConnectorUnavailable
from connectors.shopify import decoding
from connectors.shopify.replies import SERVICE

Shape = TypeVar("Shape")
_OPERATION: Final = "read a bulk result"
_AT_ONCE: Final = 1000

_OPEN: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -8000;
PRAGMA temp_store = FILE;
CREATE TABLE node (seq INTEGER PRIMARY KEY, parent TEXT NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL,
                   body BLOB NOT NULL);
"""
_ADD: Final = "INSERT INTO node (parent, number, id, body) VALUES (?, ?, ?, ?)"
_BY_PARENT: Final = "CREATE INDEX by_parent ON node (parent, number, seq)"
_ROOTS: Final = "SELECT id, body FROM node WHERE parent = '' ORDER BY number, seq"
_CHILDREN: Final = "SELECT id, body FROM node WHERE parent = ? ORDER BY number, seq"


class _Head(msgspec.Struct):
    id: str = ""
    parent: str = msgspec.field(name="__parentId", default="")


@dataclass(frozen=True, slots=True)
class Node:
    """One object of a result with the objects below it. `body` is its line, undecoded."""

    id: str
    body: bytes
    children: list[Node] = field(default_factory=list)

    def read(self, shape: type[Shape]) -> Shape:
        """`body` as `shape`. Raises `ConnectorUnavailable` when it has another shape."""
        return decode(self.body, shape)


def decode(line: bytes, shape: type[Shape]) -> Shape:
    """One line as `shape`. Raises `ConnectorUnavailable` when it cannot be read so."""
    try:
        return decoding.decode(line, shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise _unavailable(f"A line of the result has another shape than expected ({exc}).") from exc


def joined(lines: Iterable[bytes]) -> Iterator[Node]:
    """The roots in the order of their ids, each with its children in the order of theirs, whatever order `lines` have.

    `lines` is read to its end first. Memory holds one root with what is below it. Raises `ConnectorUnavailable` when
    a line cannot be read, when a child names a parent that is not there, or when the disk is full.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as spool:
        try:
            spool.executescript(_OPEN)
            total, parents = _keep(spool, lines)
            given = 0
            for node_id, body in spool.execute(_ROOTS):
                node = Node(node_id, body, _below(spool, node_id, parents))
                given += _count(node)
                yield node
        except sqlite3.Error as exc:
            raise _unavailable(f"The result could not be kept on this machine's disk ({exc}).") from exc
    if given != total:
        raise _unavailable(f"{total - given} of {total} rows belong to a parent that is not in the result.")


def _keep(spool: sqlite3.Connection, lines: Iterable[bytes]) -> tuple[int, set[str]]:
    """Number of lines, and the kinds of object that have children (so that nothing is looked up below the others)."""
    parents: set[str] = set()
    total = 0
    stream = iter(lines)
    spool.execute("BEGIN")
    while chunk := list(islice(stream, _AT_ONCE)):
        heads = [(decode(line, _Head), line) for line in chunk]
        parents.update(_kind(head.parent) for head, _ in heads if head.parent)
        spool.executemany(_ADD, [(head.parent, id_number(head.id), head.id, line) for head, line in heads])
        total += len(chunk)
    spool.execute("COMMIT")
    spool.execute(_BY_PARENT)
    return total, parents


def _below(spool: sqlite3.Connection, node_id: str, parents: set[str]) -> list[Node]:
    if not node_id or _kind(node_id) not in parents:
        return []
    rows = spool.execute(_CHILDREN, (node_id,)).fetchall()
    return [Node(child_id, body, _below(spool, child_id, parents)) for child_id, body in rows]


def _count(node: Node) -> int:
    return 1 + sum(_count(child) for child in node.children)


def _kind(gid: str) -> str:
    return gid.rpartition("/")[0]


def id_number(gid: str) -> int:
    """The number at the end of a global id (`gid://shopify/Product/42`), 0 where there is none."""
    digits = gid.rpartition("/")[2].partition("?")[0]
    # SQLite holds 64 bits; Shopify's own ids are unsigned but stay below.
    return int(digits) if digits.isdecimal() and len(digits) <= 18 else 0


def _unavailable(cause: str) -> ConnectorUnavailable:
    return ConnectorUnavailable(
        service=SERVICE,
        operation=_OPERATION,
        cause=cause,
        remedy="It is read again at the next run. If it happens again, check the free space of the temporary "
        "directory, then report it.",
    )
