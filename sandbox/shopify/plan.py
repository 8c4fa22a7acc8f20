"""Compiling an operation once into a tree of closures that walks its selection; later requests with the same text only fill in
their variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from .cost import (
    DEARER_MUTATIONS,
    FREE_TYPES,
    MUTATION_BASE,
    ROOT_COUNT,
    ConnectionPrice,
    DearestPrice,
    InputPrice,
    Price,
)
from .execution import (
    Bubble,
    Descent,
    Getter,
    Guard,
    PageRequest,
    Path,
    Run,
    Step,
    Vocabulary,
    announced,
    field_walk,
    never,
    object_walk,
)
from .inputs import MISSING, Unfit, coercer, default_of, literal
from .introspection import FIELDS as INTROSPECTION
from .introspection import introspection_step
from .products_cost import INPUT_POINTS
from .protected import unless_withheld
from .replies import FieldFault, Refused, error

LONG_PAGE = 2000  # variants of a product that is the only root selection (reference §2.4)
PAGE = 250


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
        self._operation = operation
        self._fragments = fragments
        self._conditions = conditions
        self._arguments: list[Callable[[Run], Any]] = []
        self.is_mutation = operation.operation.value == "mutation"
        root: Any = schema.mutation_type if self.is_mutation else schema.query_type
        fields = self._collect(root, [operation.selection_set])
        self._alone = len(fields) == 1
        self.root_fields = [(each.key, each.name) for each in fields]
        self._keyed: list[tuple[_Field, FieldNode]] = [(each, each.nodes[0]) for each in fields]
        descent, self.price = self._object(root, fields)
        self._walk = descent.walk

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
        except Bubble:
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

    def _object(self, type_: GraphQLObjectType, fields: list[_Field]) -> tuple[Descent, Price]:
        price = Price(0)
        steps = [self._step(type_, each, price) for each in fields]
        return object_walk(steps), price

    def _step(self, type_: GraphQLObjectType, each: _Field, parent_price: Price) -> Step:
        if each.name == "__typename":
            name = type_.name
            return Step(each.key, lambda row: name, never)
        at = (type_.name, each.name)
        if each.name in INTROSPECTION:
            return introspection_step(self._schema, self._operation, self._fragments.values(), each.key, each.nodes)
        definition = type_.fields[each.name]
        named: Any = get_named_type(definition.type)
        vocabulary = self._vocabulary
        resolve = vocabulary.full.get(at)
        getter = vocabulary.plain.get(at) or self._default_getter(type_, each.name)
        needs = vocabulary.access.get(at)
        group = vocabulary.protected.get(at)
        leaf = is_leaf_type(named)
        if leaf and resolve is None and needs is None and group is None:
            return Step(each.key, getter, never)
        slot = self._slot(at, each, definition, named)
        child: Descent | None = None
        if not leaf:
            child, price = self._child(type_, each, named, slot)
            if price is not None:
                parent_price.add(each.key, price)
        if resolve is None:
            resolve = _from_row(getter)
        elif type_ is self._schema.mutation_type:
            resolve = announced(each.key, resolve)
        if group is not None:
            resolve = unless_withheld(each.name, group, resolve)
        inner = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
        listed = isinstance(inner, GraphQLList)
        guard = Guard(
            key=each.key,
            name=each.name,
            node=each.nodes[0],
            slot=slot,
            required=inner is not definition.type,
            listed=listed,
            entry_required=listed and isinstance(inner.of_type, GraphQLNonNull),
            needs=needs,
            resolve=resolve,
        )
        return Step(each.key, None, field_walk(guard, child))

    def _child(self, type_: GraphQLObjectType, each: _Field, named: Any, slot: int) -> tuple[Descent, Price | None]:
        """The walk into a composite value and its price (None: free)."""
        sets = [node.selection_set for node in each.nodes if node.selection_set is not None]
        if is_abstract_type(named):
            return self._abstract(named, sets)
        walk, price = self._object(named, self._collect(named, sets))
        if type_ is self._schema.mutation_type:
            payload = Price(DEARER_MUTATIONS.get(each.name, MUTATION_BASE))
            for key, part in price.parts:
                part.own -= 1 if not isinstance(part, ConnectionPrice) else 0  # the payload's own objects are free
                payload.add(key, part)
            if each.name in INPUT_POINTS:
                payload.add("", InputPrice(slot, INPUT_POINTS[each.name]))
            return walk, payload
        if type_ is self._schema.query_type and named.name == "Count":
            return walk, Price(ROOT_COUNT)
        if named.name in FREE_TYPES or named.name.endswith("UserError"):
            return walk, None
        if named.name.endswith("Connection"):
            return walk, self._connection_price(named, sets, slot)
        if named.name.endswith("Edge"):
            return walk, price
        price.own += 1
        return walk, price

    def _abstract(self, named: GraphQLAbstractType, sets: list[SelectionSetNode]) -> tuple[Descent, Price]:
        walks = {}
        prices: list[Price] = []
        for possible in self._schema.get_possible_types(named):
            walk, price = self._object(possible, self._collect(possible, sets))
            price.own += 1
            walks[possible.name] = walk.walk
            prices.append(price)
        name_of = self._vocabulary.type_name

        def walk_any(row: Any, run: Run, path: Path) -> Any:
            return walks[name_of(row)](row, run, path)

        return Descent(walk_any), DearestPrice(prices)

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
        if is_abstract_type(node_type):
            _, price = self._abstract(node_type, node_sets)
        else:
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
                values = self._page(values, long_page, each.key)  # type: ignore[assignment]
            if prepare is None:
                return values
            try:
                return prepare(values, run)
            except FieldFault as fault:
                return fault

        self._arguments.append(evaluate)
        return len(self._arguments) - 1

    def _page(self, values: dict[str, Any], long_page: bool, key: str) -> PageRequest:
        return PageRequest(values, LONG_PAGE if long_page and self._alone else PAGE, key)

    def _fill_keys(self, run: Run) -> None:
        for each, node in self._keyed:
            for directive in node.directives or ():
                if directive.name.value == "idempotent":
                    run.keys[each.key] = literal((directive.arguments or ())[0].value, run.variables)


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


def _from_row(getter: Getter) -> Callable[[Any, Any, Run], Any]:
    return lambda row, arguments, run: getter(row)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
