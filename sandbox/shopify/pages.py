"""Connections: one page of ordered rows, with cursors that stay right while rows come and go."""

from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from .execution import PageRequest
from .replies import Refused, error

Key = tuple[Any, int]  # (sort value, number): unique, and what a cursor remembers


class Edge(NamedTuple):
    """A row with its cursor."""

    cursor: str
    node: Any


class PageInfo(NamedTuple):
    """Whether there is more, and from where."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


class Page:
    """What a connection field resolves to."""

    __slots__ = ("_key_of", "has_next", "has_previous", "nodes")

    def __init__(self, nodes: list[Any], key_of: Callable[[Any], Key], has_next: bool, has_previous: bool) -> None:
        self.nodes = nodes
        self._key_of = key_of
        self.has_next = has_next
        self.has_previous = has_previous

    @property
    def edges(self) -> list[Edge]:
        """The rows with their cursors."""
        return [Edge(cursor(self._key_of(node)), node) for node in self.nodes]

    @property
    def page_info(self) -> PageInfo:
        """`pageInfo` of the connection."""
        first = cursor(self._key_of(self.nodes[0])) if self.nodes else None
        last = cursor(self._key_of(self.nodes[-1])) if self.nodes else None
        return PageInfo(self.has_next, self.has_previous, first, last)


def cursor(key: Key) -> str:
    """An opaque cursor for a row's key."""
    return base64.b64encode(json.dumps({"last_id": key[1], "last_value": key[0]}).encode()).decode()


def take_page(
    rows: Sequence[Any],
    request: PageRequest,
    key_of: Callable[[Any], Key],
    turn: Callable[[Any], Any | None] = lambda row: row,
) -> Page:
    """The page of `rows` (ascending by key) that a request asks for.

    `turn` gives the node of a row, or None for a row that does not belong to the answer. It keeps the row's key: a node must have
    the same key as its row.
    """
    ascending = bool(request.rest.get("reverse")) is not request.forward
    limit = request.after if request.forward else request.before
    place = (len(rows) if not ascending else 0) if limit is None else _place(rows, limit, key_of, ascending)
    order: Iterator[int] = iter(range(place, len(rows))) if ascending else iter(range(place - 1, -1, -1))
    nodes: list[Any] = []
    more = False
    for index in order:
        node = turn(rows[index])
        if node is None:
            continue
        if len(nodes) == request.size:
            more = True
            break
        nodes.append(node)
    passed = limit is not None and (place > 0 if ascending else place < len(rows))
    if request.forward:
        return Page(nodes, key_of, has_next=more, has_previous=passed)
    nodes.reverse()
    return Page(nodes, key_of, has_next=passed, has_previous=more)


def _place(rows: Sequence[Any], text: str, key_of: Callable[[Any], Key], ascending: bool) -> int:
    try:
        read = json.loads(base64.b64decode(text, validate=True))
        key = (read["last_value"], int(read["last_id"]))
        return bisect_right(rows, key, key=key_of) if ascending else bisect_left(rows, key, key=key_of)
    except (ValueError, TypeError, KeyError):
        raise Refused(error(f"`{text}` is not a valid cursor", "BAD_REQUEST")) from None
