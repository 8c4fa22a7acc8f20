"""Running an operation. A document is compiled once into a tree of closures that walks its selection; each later request with the
same text only fills in variables. graphql-core parses and validates; its general executor would take ten times as long for a
read of 250 levels, and the simulator must never be what limits a measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from dataclasses import field as made
from operator import attrgetter, itemgetter
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)
from graphql.language import get_location

from .cost import FREE_TYPES, MUTATION_BASE, ROOT_COUNT, ConnectionPrice, DearestPrice, Price
from .inputs import MISSING, Unfit, coercer, default_of, literal
from .replies import FieldFault, Refused, error

Path = tuple[Any, Any] | None  # (parent path, key), so that a row costs one tuple and not one list
Walk = Callable[[Any, "Run", Path], Any]


@dataclass
class Vocabulary:
    """How fields get their values. Keys are (type name, field name)."""

    plain: dict[tuple[str, str], Callable[[Any], Any]] = made(default_factory=dict)
    full: dict[tuple[str, str], Callable[[Any, Any, Run], Any]] = made(default_factory=dict)
    prepare: dict[tuple[str, str], Callable[[dict[str, Any], Run], Any]] = made(default_factory=dict)
    access: dict[tuple[str, str], frozenset[str]] = made(default_factory=dict)
    mappings: frozenset[str] = frozenset()  # types whose rows are dicts
    type_name: Callable[[Any], str] = lambda row: type(row).__name__


@dataclass
class Run:
    """One execution: where it happens, with what rights, and the errors gathered on the way."""

    world: Any
    scopes: frozenset[str]
    variables: dict[str, Any]
    slots: list[Any] = made(default_factory=list)
    errors: list[dict[str, Any]] = made(default_factory=list)
    keys: dict[str, str] = made(default_factory=dict)  # response key of a mutation field -> its idempotency key
    field: str = ""  # response key of the mutation field that runs


class _Bubble(Exception):
    """A field that may not be null has no value: its parent becomes null. The error is already recorded."""


@dataclass
class _Field:
    key: str
    name: str
    nodes: list[FieldNode]


class Plan:
    """One compiled operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        vocabulary: Vocabulary,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        conditions: dict[str, bool],
    ) -> None:
        self._schema = schema
        self._vocabulary = vocabulary
        self._fragments = fragments
        self._conditions = conditions
        self._arguments: list[Callable[[Run], Any]] = []
        self.is_mutation = operation.operation.value == "mutation"
        root = schema.mutation_type if self.is_mutation else schema.query_type
        assert root is not None
        fields = self._collect(root, [operation.selection_set])
        self._alone = len(fields) == 1
        self.root_fields = [(each.key, each.name) for each in fields]
        self._keyed: list[tuple[_Field, FieldNode]] = [(each, each.nodes[0]) for each in fields]
        self._walk, self.price = self._object(root, fields)

    def fill(self, run: Run) -> None:
        """Evaluate all arguments once for this request.

        Raises `Refused` for what Shopify refuses before it executes: oversized arrays and pages.
        """
        run.slots = [argument(run) for argument in self._arguments]
        if self.is_mutation:
            self._fill_keys(run)

    def requested(self, run: Run) -> int:
        """Points before execution."""
        return round(self.price.requested(run.slots))

    def execute(self, run: Run) -> dict[str, Any] | None:
        """The data; errors are in `run.errors`."""
        try:
            data: dict[str, Any] = self._walk(run.world, run, None)
        except _Bubble:
            return None
        return data

    def actual(self, data: dict[str, Any] | None, run: Run) -> int:
        """Points of what came back, never more than requested."""
        if data is None:
            return self.price.own
        return min(round(self.price.actual(data, run.slots)), self.requested(run))

    # ── compiling ──

    def _collect(self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> list[_Field]:
        """The fields selected on one concrete type, fragments opened and equal response keys merged."""
        found: dict[str, _Field] = {}
        for selection_set in sets:
            self._gather(type_, selection_set, found)
        return list(found.values())

    def _gather(self, type_: GraphQLObjectType, selection_set: SelectionSetNode, found: dict[str, _Field]) -> None:
        for node in selection_set.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                found.setdefault(key, _Field(key, node.name.value, [])).nodes.append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._applies(type_, node.type_condition.name.value):
                    self._gather(type_, node.selection_set, found)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                if self._applies(type_, fragment.type_condition.name.value):
                    self._gather(type_, fragment.selection_set, found)

    def _included(self, node: Any) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name in ("skip", "include"):
                wanted = literal(directive.arguments[0].value, self._conditions)
                if wanted is (name == "skip"):
                    return False
        return True

    def _applies(self, type_: GraphQLObjectType, condition: str) -> bool:
        return condition == type_.name or any(interface.name == condition for interface in type_.interfaces)

    def _object(self, type_: GraphQLObjectType, fields: list[_Field]) -> tuple[Walk, Price]:
        price = Price(0)
        steps: list[tuple[str, Callable[[Any], Any] | None, Walk]] = []
        for each in fields:
            plain, walk = self._field(type_, each, price)
            steps.append((each.key, plain, walk))

        def walk_object(row: Any, run: Run, path: Path) -> dict[str, Any]:
            out = {}
            for key, plain, walk in steps:
                out[key] = plain(row) if plain is not None else walk(row, run, path)
            return out

        return walk_object, price

    def _field(
        self, type_: GraphQLObjectType, each: _Field, parent_price: Price
    ) -> tuple[Callable[[Any], Any] | None, Walk]:
        if each.name == "__typename":
            return (lambda row, name=type_.name: name), _never  # type: ignore[misc]
        at = (type_.name, each.name)
        if each.name not in type_.fields:  # __schema and __type pass validation; the simulator has no introspection
            raise Refused(error(f"Field '{each.name}' isn't available in the sandbox.", "undefinedField", [each.key]))
        definition = type_.fields[each.name]
        named: Any = get_named_type(definition.type)
        vocabulary = self._vocabulary
        resolve = vocabulary.full.get(at)
        getter = vocabulary.plain.get(at) or self._default_getter(type_, each.name)
        needs = vocabulary.access.get(at)
        leaf = is_leaf_type(named)
        if leaf and resolve is None and needs is None:
            return getter, _never
        slot = self._slot(at, each, definition, named)
        if type_ is self._schema.mutation_type and resolve is not None:
            resolve = _announced(each.key, resolve)
        child: Walk | None = None
        if not leaf:
            child, price = self._child(type_, each, named, slot)
            if price is not None:
                parent_price.add(each.key, price)
        return None, self._guarded(each, definition.type, slot, resolve, getter, child, needs)

    def _child(self, type_: GraphQLObjectType, each: _Field, named: Any, slot: int) -> tuple[Walk, Price | None]:
        """The walk into a composite value and its price (None: free)."""
        sets = [node.selection_set for node in each.nodes if node.selection_set is not None]
        if isinstance(named, GraphQLInterfaceType):
            return self._abstract(named, sets)
        walk, price = self._object(named, self._collect(named, sets))
        if type_ is self._schema.mutation_type:
            payload = Price(MUTATION_BASE)
            for key, part in price.parts:
                part.own -= 1 if not isinstance(part, ConnectionPrice) else 0  # the payload's own objects are free
                payload.add(key, part)
            return walk, payload
        if type_ is self._schema.query_type and named.name == "Count":
            return walk, Price(ROOT_COUNT)
        if named.name in FREE_TYPES:
            return walk, None
        if named.name.endswith("Connection"):
            return walk, self._connection_price(named, sets, slot)
        if named.name.endswith("Edge"):
            return walk, price
        price.own += 1
        return walk, price

    def _abstract(self, named: GraphQLInterfaceType, sets: list[SelectionSetNode]) -> tuple[Walk, Price]:
        walks: dict[str, Walk] = {}
        prices: list[Price] = []
        for possible in self._schema.get_possible_types(named):
            walk, price = self._object(possible, self._collect(possible, sets))
            price.own += 1
            walks[possible.name] = walk
            prices.append(price)
        name_of = self._vocabulary.type_name

        def walk_any(row: Any, run: Run, path: Path) -> Any:
            return walks[name_of(row)](row, run, path)

        return walk_any, DearestPrice(prices)

    def _connection_price(self, named: GraphQLObjectType, sets: list[SelectionSetNode], slot: int) -> Price:
        node_type: Any = get_named_type(named.fields["nodes"].type)
        edge_type: Any = get_named_type(named.fields["edges"].type)
        fields = self._collect(named, sets)
        node_sets: list[SelectionSetNode] = []
        nodes_key = edges_key = node_key = None
        for each in fields:
            inner = [node.selection_set for node in each.nodes if node.selection_set is not None]
            if each.name == "nodes":
                nodes_key = each.key
                node_sets.extend(inner)
            elif each.name == "edges":
                edges_key = each.key
                for of_edge in self._collect(edge_type, inner):
                    if of_edge.name == "node":
                        node_key = of_edge.key
                        node_sets.extend(n.selection_set for n in of_edge.nodes if n.selection_set is not None)
        # Compiled apart from the walk: only its price is used, its arguments fall into slots of their own.
        _, price = self._object(node_type, self._collect(node_type, node_sets))
        price.own += 1

        def rows_of(value: dict[str, Any]) -> list[Any] | None:
            if nodes_key is not None:
                return value[nodes_key]  # type: ignore[no-any-return]
            if edges_key is not None:
                return [edge.get(node_key) for edge in value[edges_key]]
            return None

        return ConnectionPrice(slot, price, rows_of)

    def _default_getter(self, type_: GraphQLObjectType, name: str) -> Callable[[Any], Any]:
        return itemgetter(name) if type_.name in self._vocabulary.mappings else attrgetter(_snake(name))

    def _slot(self, at: tuple[str, str], each: _Field, definition: Any, named: Any) -> int:
        """Reserve the place of a field's arguments and say how they are evaluated."""
        node = each.nodes[0]
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        prepare = self._vocabulary.prepare.get(at)
        makers: list[tuple[str, Callable[[Run], Any]]] = []
        for name, argument in definition.args.items():
            maker = _argument(given.get(name), argument)
            if maker is not None:
                makers.append((name, maker))
        paged = named.name.endswith("Connection")
        long_page = at == ("Product", "variants")

        def evaluate(run: Run) -> Any:
            values = {name: value for name, maker in makers if (value := maker(run)) is not MISSING}
            if paged:
                values = PageRequest(values, 2000 if long_page and self._alone else 250, each.key)  # type: ignore[assignment]
            if prepare is None:
                return values
            try:
                return prepare(values, run)
            except FieldFault as fault:
                return fault

        self._arguments.append(evaluate)
        return len(self._arguments) - 1

    def _guarded(
        self,
        each: _Field,
        type_: Any,
        slot: int,
        resolve: Callable[[Any, Any, Run], Any] | None,
        getter: Callable[[Any], Any],
        child: Walk | None,
        needs: frozenset[str] | None,
    ) -> Walk:
        """The closure of one field: rights, value, descent, and what an error does to it."""
        required = isinstance(type_, GraphQLNonNull)
        inner = type_.of_type if required else type_
        listed = isinstance(inner, GraphQLList)
        entry_required = listed and isinstance(inner.of_type, GraphQLNonNull)
        key, name = each.key, each.name

        def value_of(row: Any, run: Run) -> Any:
            if needs is not None and needs.isdisjoint(run.scopes):
                raise _denied(name, needs)
            arguments = run.slots[slot]
            if arguments.__class__ is FieldFault:
                raise arguments
            return resolve(row, arguments, run) if resolve is not None else getter(row)

        def walk(row: Any, run: Run, path: Path) -> Any:
            try:
                value = value_of(row, run)
                if child is None or value is None:
                    return value
                here = (path, key)
                if not listed:
                    return child(value, run, here)
                return _walk_list(value, child, run, here, entry_required)
            except FieldFault as fault:
                run.errors.append(_entry(fault, each.nodes[0], (path, key)))
            except _Bubble:
                pass
            if required:
                raise _Bubble
            return None

        return walk

    def _fill_keys(self, run: Run) -> None:
        for each, node in self._keyed:
            for directive in node.directives or ():
                if directive.name.value == "idempotent":
                    run.keys[each.key] = literal(directive.arguments[0].value, run.variables)


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


def _walk_list(values: Iterable[Any], child: Walk, run: Run, here: Path, entry_required: bool) -> list[Any]:
    out: list[Any] = []
    for i, value in enumerate(values):
        if value is None:
            out.append(None)
            continue
        try:
            out.append(child(value, run, (here, i)))
        except _Bubble:
            if entry_required:
                raise
            out.append(None)
    return out


def _argument(node: Any, definition: Any) -> Callable[[Run], Any] | None:
    """How one argument is evaluated; None when it is absent and has no default."""
    default = default_of(definition)
    if node is None:
        return None if default is MISSING else lambda run: default
    if isinstance(node, VariableNode):
        name = node.name.value
        return lambda run: run.variables.get(name, default)
    fit = coercer(definition.type)

    def evaluate(run: Run) -> Any:
        try:
            return fit(literal(node, run.variables))
        except Unfit:  # a variable inside the literal is null where the schema wants a value
            message = f"Argument '{definition.ast_node.name.value}' has a value that does not fit {definition.type}."
            raise Refused(error(message, "argumentLiteralsIncompatible")) from None

    return evaluate


def _announced(key: str, resolve: Callable[[Any, Any, Run], Any]) -> Callable[[Any, Any, Run], Any]:
    """Tell the run which mutation field is at work, so that its resolver finds its own idempotency key."""

    def announced(row: Any, arguments: Any, run: Run) -> Any:
        run.field = key
        return resolve(row, arguments, run)

    return announced


def _denied(name: str, needs: frozenset[str]) -> FieldFault:
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


def _never(row: Any, run: Run, path: Path) -> Any:
    raise AssertionError("a plain field is never walked")


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
