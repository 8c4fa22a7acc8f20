"""Walking a selection: the closures that a compiled operation (`plan`) is made of, and what they need at run time.

graphql-core parses and validates; its general executor would take ten times as long for a read of 250 levels, and the simulator
must never be what limits a measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from dataclasses import field as made
from typing import Any

from graphql import FieldNode
from graphql.language import get_location

from .replies import FieldFault, Refused, error

Path = tuple[Any, Any] | None  # (parent path, key), so that a row costs one tuple and not one list
Getter = Callable[[Any], Any]
Walk = Callable[[Any, "Run", Path], Any]


@dataclass
class Vocabulary:
    """How fields get their values. Keys are (type name, field name)."""

    plain: dict[tuple[str, str], Getter] = made(default_factory=dict)  # from the row alone
    full: dict[tuple[str, str], Callable[[Any, Any, Run], Any]] = made(default_factory=dict)  # row, arguments, run
    prepare: dict[tuple[str, str], Callable[[dict[str, Any], Run], Any]] = made(default_factory=dict)
    access: dict[tuple[str, str], frozenset[str]] = made(default_factory=dict)  # any one of these scopes
    protected: dict[tuple[str, str], str] = made(default_factory=dict)  # fields that tell of buyers: their group
    mappings: frozenset[str] = frozenset()  # types whose rows are dicts
    type_name: Callable[[Any], str] = lambda row: type(row).__name__


@dataclass
class Run:
    """One execution: where it happens, with what rights, and the errors gathered on the way."""

    world: Any
    scopes: frozenset[str]
    variables: dict[str, Any]
    slots: list[Any] = made(default_factory=list)  # the prepared arguments of every field of the plan
    errors: list[dict[str, Any]] = made(default_factory=list)
    keys: dict[str, str] = made(default_factory=dict)  # response key of a mutation field -> its idempotency key
    field: str = ""  # response key of the mutation field that runs


class Bubble(Exception):
    """A field that may not be null has no value: its parent becomes null. The error is already recorded."""


@dataclass
class Step:
    """One field of a selection: taken from the row alone (`plain`), or walked."""

    key: str
    plain: Getter | None
    walk: Walk


@dataclass
class Descent:
    """How the value of a composite field is walked. `plain` is set when its whole selection needs nothing but the row."""

    walk: Walk
    plain: Getter | None = None


@dataclass
class Guard:
    """What a walked field needs to know of itself."""

    key: str
    name: str
    node: FieldNode
    slot: int
    required: bool
    listed: bool
    entry_required: bool
    needs: frozenset[str] | None
    resolve: Callable[[Any, Any, Run], Any]


def never(row: Any, run: Run, path: Path) -> Any:
    """The walk of a plain field, which is never walked."""
    raise AssertionError("a plain field is never walked")


def object_walk(steps: list[Step]) -> Descent:
    """The walk over one object's fields."""
    pairs = [(step.key, step.plain) for step in steps]
    parts = [(step.key, step.plain, step.walk) for step in steps]

    def walk_object(row: Any, run: Run, path: Path) -> dict[str, Any]:
        out = {}
        for key, plain, walk in parts:
            out[key] = plain(row) if plain is not None else walk(row, run, path)
        return out

    if any(plain is None for _, plain in pairs):
        return Descent(walk_object)
    return Descent(walk_object, _plain_object([(key, plain) for key, plain in pairs if plain is not None]))


def _plain_object(pairs: list[tuple[str, Getter]]) -> Getter:
    """A dict of plain fields; the usual small sizes without a loop."""
    if len(pairs) == 2:
        (a, f), (b, g) = pairs
        return lambda row: {a: f(row), b: g(row)}
    if len(pairs) == 3:
        (a, f), (b, g), (c, h) = pairs
        return lambda row: {a: f(row), b: g(row), c: h(row)}
    return lambda row: {key: plain(row) for key, plain in pairs}


def field_walk(guard: Guard, child: Descent | None) -> Walk:
    """The closure of one field: rights, value, descent, and what an error does to it."""
    key, slot, needs, resolve = guard.key, guard.slot, guard.needs, guard.resolve
    listed, entry_required = guard.listed, guard.entry_required

    def walk(row: Any, run: Run, path: Path) -> Any:
        try:
            if needs is not None and needs.isdisjoint(run.scopes):
                raise denied(guard.name, needs)
            arguments = run.slots[slot]
            if arguments.__class__ is FieldFault:
                raise arguments
            value = resolve(row, arguments, run)
            if child is None or value is None:
                return value
            if not listed:
                return child.walk(value, run, (path, key))
            if child.plain is not None and None not in value:
                return list(map(child.plain, value))
            return _walk_list(value, child.walk, run, (path, key), entry_required)
        except FieldFault as fault:
            run.errors.append(_entry(fault, guard.node, (path, key)))
        except Bubble:
            pass
        if guard.required:
            raise Bubble
        return None

    return walk


def _walk_list(values: Iterable[Any], child: Walk, run: Run, here: Path, entry_required: bool) -> list[Any]:
    out: list[Any] = []
    for i, value in enumerate(values):
        if value is None:
            out.append(None)
            continue
        try:
            out.append(child(value, run, (here, i)))
        except Bubble:
            if entry_required:
                raise
            out.append(None)
    return out


def announced(key: str, resolve: Callable[[Any, Any, Run], Any]) -> Callable[[Any, Any, Run], Any]:
    """Tell the run which mutation field is at work, so that its resolver finds its own idempotency key."""

    def resolve_announced(row: Any, arguments: Any, run: Run) -> Any:
        run.field = key
        return resolve(row, arguments, run)

    return resolve_announced


def denied(name: str, needs: frozenset[str]) -> FieldFault:
    """A field whose scope the token lacks."""
    wanted = " or ".join(f"`{scope}` access scope" for scope in sorted(needs))
    return FieldFault(
        f"Access denied for {name} field. Required access: {wanted}.",
        "ACCESS_DENIED",
        documentation="https://shopify.dev/api/usage/access-scopes",
        requiredAccess=f"{wanted}.",
    )


def _entry(fault: FieldFault, node: FieldNode, path: Path) -> dict[str, Any]:
    keys: list[str | int] = []
    while path is not None:
        path, key = path
        keys.append(key)
    entry: dict[str, Any] = {"message": fault.message}
    if node.loc is not None:
        place = get_location(node.loc.source, node.loc.start)
        entry["locations"] = [{"line": place.line, "column": place.column}]
    entry["path"] = keys[::-1]
    entry["extensions"] = fault.extensions
    return entry


class PageRequest:
    """The page that a connection field asks for. `size` rows, forwards from `after` or backwards from `before`.

    Raises `Refused` for a page without size, or larger than allowed.
    """

    __slots__ = ("after", "before", "forward", "rest", "size")

    def __init__(self, values: dict[str, Any], limit: int, key: str) -> None:
        first, last = values.pop("first", None), values.pop("last", None)
        if first is None and last is None:
            raise Refused(error("you must provide one of first or last", "BAD_REQUEST", [key]))
        if first is not None and last is not None:
            raise Refused(error("providing both first and last is not supported", "BAD_REQUEST", [key]))
        self.forward = first is not None
        self.size: int = first if first is not None else last
        if self.size < 0:
            word = "first" if self.forward else "last"
            raise Refused(error(f"{word} cannot be negative", "BAD_REQUEST", [key]))
        if self.size > limit:
            word = "first" if self.forward else "last"
            raise Refused(error(f"{word} cannot exceed {limit}", "BAD_REQUEST", [key]))
        self.after: str | None = values.pop("after", None)
        self.before: str | None = values.pop("before", None)
        self.rest = values
