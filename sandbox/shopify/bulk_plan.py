"""A bulk query compiled: rows walked as everywhere else, their connections put off and followed to the end, page by page."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import FieldNode, GraphQLInterfaceType, GraphQLObjectType, SelectionSetNode, get_named_type

from .bulk_rules import is_connection, node_type
from .cost import Price
from .execution import Bubble, Descent, PageRequest, Path, Run, denied, object_walk
from .plan import Plan
from .replies import FieldFault

SLICE = 250  # rows read under the shop's lock at a time


@dataclass
class Link:
    """One connection field of the query."""

    name: str
    slot: int
    needs: frozenset[str] | None
    resolve: Callable[[Any, Any, Run], Any]
    child: Descent

    def page(self, row: Any, run: Run, after: str | None) -> Any:
        """The next page of the connection. Raises `FieldFault`."""
        if self.needs is not None and self.needs.isdisjoint(run.scopes):
            raise denied(self.name, self.needs)
        request = run.slots[self.slot]
        if isinstance(request, FieldFault):
            raise request
        if after is not None:
            request = copy.copy(request)
            request.after = after
        return self.resolve(row, request, run)


class Due(NamedTuple):
    """A connection still to be followed, from where it stands."""

    row: Any
    parent: str | None  # id of the row that holds it; None at the root
    link: Link
    after: str | None = None


@dataclass
class BulkRun(Run):
    """One bulk execution: the connections met on the way."""

    due: list[Due] = field(default_factory=list)


class BulkPlan(Plan):
    """A compiled bulk query."""

    def _object(self, type_: GraphQLObjectType, fields: list[Any]) -> tuple[Descent, Price]:
        price = Price(0)
        steps, links = [], []
        for each in fields:
            definition = type_.fields.get(each.name)
            if definition is not None and is_connection(get_named_type(definition.type)):
                links.append(self._link(type_, each))
            else:
                steps.append(self._step(type_, each, price))
        base = object_walk(steps)
        if not links:
            return base, price
        id_of: Callable[[Any], Any] = lambda row: None  # noqa: E731 - the root has no id
        if "id" in type_.fields:
            id_of = self._vocabulary.plain.get((type_.name, "id")) or self._default_getter(type_, "id")

        def walk(row: Any, run: Run, path: Path) -> dict[str, Any]:
            parent = id_of(row)
            run.due.extend(Due(row, parent, link) for link in links)  # type: ignore[attr-defined]
            return base.walk(row, run, path)  # type: ignore[no-any-return]

        return Descent(walk), price

    def _link(self, type_: GraphQLObjectType, each: Any) -> Link:
        definition = type_.fields[each.name]
        named: Any = get_named_type(definition.type)
        at = (type_.name, each.name)
        edge_type: Any = get_named_type(named.fields["edges"].type)
        sets: list[SelectionSetNode] = []
        for edges in self._collect(named, _sets(each.nodes)):
            if edges.name == "edges":
                for inner in self._collect(edge_type, _sets(edges.nodes)):
                    sets.extend(_sets(inner.nodes) if inner.name == "node" else ())
        row_type = node_type(named)
        if isinstance(row_type, GraphQLInterfaceType):
            child, _ = self._abstract(row_type, sets)
        else:
            child, _ = self._object(row_type, self._collect(row_type, sets))
        words = self._vocabulary
        getter = words.plain.get(at) or self._default_getter(type_, each.name)
        resolve = words.full.get(at) or (lambda row, arguments, run: getter(row))
        return Link(each.name, self._slot(at, each, definition, named), words.access.get(at), resolve, child)

    def _page(self, values: dict[str, Any], long_page: bool, key: str) -> PageRequest:
        """Every connection is read to its end, whatever page the document asks for."""
        wanted = {name: value for name, value in values.items() if name not in ("first", "last", "after", "before")}
        return PageRequest({**wanted, "first": SLICE}, SLICE, key)


def _sets(nodes: list[FieldNode]) -> list[SelectionSetNode]:
    return [node.selection_set for node in nodes if node.selection_set is not None]


class Reading:
    """The rows of one bulk query, a slice at a time; `lock` is held for a slice only, so that others are served in between."""

    def __init__(self, plan: BulkPlan, run: BulkRun, lock: Any, *, grouped: bool) -> None:
        self._plan = plan
        self._run = run
        self._lock = lock
        self._grouped = grouped
        self.roots = 0  # rows of the root connections so far

    def slices(self) -> Iterator[list[dict[str, Any]]]:
        """Lines of the result. Ungrouped, children come a slice later than their parents, in no useful order."""
        with self._lock:
            data = self._plan.execute(self._run) or {}
        yield [row for row in data.values() if isinstance(row, dict) and "id" in row]
        waiting = self._taken()
        if self._grouped:
            yield from self._in_groups(waiting)
        else:
            yield from self._apart(waiting)

    def _apart(self, roots: deque[Due]) -> Iterator[list[dict[str, Any]]]:
        held: deque[Due] = deque()
        while roots:
            rows = self._read(roots)
            now, held = held, self._taken()
            yield rows
            yield from self._below(now)
        yield from self._below(held)

    def _below(self, waiting: deque[Due]) -> Iterator[list[dict[str, Any]]]:
        """Children first of all parents, then theirs; from the last parent to the first."""
        while waiting:
            rows = self._read(waiting)
            waiting.extendleft(self._taken())
            yield rows[::-1]

    def _in_groups(self, waiting: deque[Due]) -> Iterator[list[dict[str, Any]]]:
        """Every row directly followed by its children."""
        stack: list[Due | tuple[dict[str, Any], deque[Due]]] = [*reversed(waiting)]
        rows: list[dict[str, Any]] = []
        while stack:
            top = stack.pop()
            if isinstance(top, Due):
                more: deque[Due] = deque()
                page: list[tuple[dict[str, Any], deque[Due]]] = []
                with self._lock:
                    self._one(top, more, lambda line, due: page.append((line, due)))  # noqa: B023 - called at once
                stack.extend(more)
                stack.extend(page[::-1])
                continue
            rows.append(top[0])
            stack.extend(list(top[1])[::-1])
            if len(rows) >= SLICE:
                yield rows
                rows = []
        yield rows

    def _read(self, waiting: deque[Due]) -> list[dict[str, Any]]:
        """About a slice of rows from the end of `waiting`."""
        rows: list[dict[str, Any]] = []
        kept: list[Due] = []

        def keep(line: dict[str, Any], due: deque[Due]) -> None:
            rows.append(line)
            kept.extend(due)

        with self._lock:
            while waiting and len(rows) < SLICE:
                self._one(waiting.pop(), waiting, keep)
        self._run.due.extend(kept)
        return rows

    def _one(self, due: Due, waiting: deque[Due], keep: Callable[[dict[str, Any], deque[Due]], None]) -> None:
        """One page of one connection; the rest of it goes back to `waiting`."""
        run = self._run
        try:
            page = due.link.page(due.row, run, due.after)
        except FieldFault as fault:
            run.errors.append({"message": fault.message, "extensions": fault.extensions})
            return
        for node in page.nodes:
            try:
                line = due.link.child.walk(node, run, None)
            except Bubble:
                self._taken()
                continue
            if due.parent is None:
                self.roots += 1
            else:
                line["__parentId"] = due.parent
            keep(line, self._taken())
        if page.has_next:
            waiting.append(due._replace(after=page.page_info.end_cursor))

    def _taken(self) -> deque[Due]:
        taken = deque(self._run.due)
        self._run.due.clear()
        return taken
