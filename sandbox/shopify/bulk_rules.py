"""What a bulk operation's inner document may be (reference §5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    parse,
    validate,
)

MAX_CONNECTIONS = 5
MAX_NESTING = 2
MAX_MUTATION_BYTES = 65_535
STARTERS = frozenset({"bulkOperationRunQuery", "bulkOperationRunMutation"})

Fragments = dict[str, FragmentDefinitionNode]


class Unfit(Exception):
    """The document can't run in bulk; the message says why."""


def query_of(schema: GraphQLSchema, text: str) -> tuple[OperationDefinitionNode, Fragments]:
    """The operation of a bulk query. Raises `Unfit`."""
    operation, fragments = _only_operation(schema, text, "query")
    if operation.variable_definitions:
        raise Unfit("Bulk queries cannot contain variables.")
    root: Any = schema.query_type
    walk = _Walk(fragments)
    for node in walk.fields(operation.selection_set):
        if node.name.value in ("node", "nodes"):
            raise Unfit(f"Bulk queries cannot contain a top level `{node.name.value}` field.")
    walk.selection(root, operation.selection_set, 0, parent_is_root=True)
    if walk.connections == 0:
        raise Unfit("Bulk queries must contain at least one connection.")
    if walk.connections > MAX_CONNECTIONS:
        raise Unfit(f"Bulk queries cannot contain more than {MAX_CONNECTIONS} connections.")
    return operation, fragments


def mutation_of(schema: GraphQLSchema, text: str) -> str:
    """The name of the one root field of a bulk mutation. Raises `Unfit`."""
    size = len(text.encode())
    if size > MAX_MUTATION_BYTES:
        raise Unfit(f"The mutation has {size} bytes, more than the {MAX_MUTATION_BYTES} allowed.")
    operation, fragments = _only_operation(schema, text, "mutation")
    walk = _Walk(fragments)
    roots = list(walk.fields(operation.selection_set))
    if len(roots) != 1:
        raise Unfit("Bulk mutations must contain exactly one mutation field.")
    name = roots[0].name.value
    if name in STARTERS:
        raise Unfit(f"The mutation `{name}` is not allowed in a bulk mutation.")
    root: Any = schema.mutation_type
    walk.count(root, operation.selection_set)
    if walk.connections > 1:
        raise Unfit("Bulk mutations cannot contain more than 1 connection.")
    return name


def _only_operation(schema: GraphQLSchema, text: str, kind: str) -> tuple[OperationDefinitionNode, Fragments]:
    try:
        document: DocumentNode = parse(text)
    except GraphQLError as problem:
        raise Unfit(f"Parse error: {problem.message}") from None
    wrong = validate(schema, document)
    if wrong:
        raise Unfit("; ".join(problem.message for problem in wrong))
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation.value != kind:
        raise Unfit(f"The document must contain exactly one {kind} operation.")
    return operations[0], {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


class _Walk:
    """Through a document that is valid by the schema, counting connections."""

    def __init__(self, fragments: Fragments) -> None:
        self._fragments = fragments
        self.connections = 0

    def fields(self, selections: SelectionSetNode | None) -> Iterable[FieldNode]:
        """The fields of a selection, fragments opened."""
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, FragmentSpreadNode):
                yield from self.fields(self._fragments[node.name.value].selection_set)
            else:
                yield from self.fields(node.selection_set)  # type: ignore[attr-defined]

    def count(self, type_: Any, selections: SelectionSetNode | None) -> None:
        """Only count the connections below."""
        for node in self.fields(selections):
            definition = getattr(type_, "fields", {}).get(node.name.value)
            if definition is None:
                continue
            named: Any = get_named_type(definition.type)
            self.connections += is_connection(named)
            self.count(named, node.selection_set)

    def selection(
        self, type_: Any, selections: SelectionSetNode | None, depth: int, *, parent_is_root: bool = False
    ) -> None:
        """Check one object's selection; `depth` connections are around it. Raises `Unfit`."""
        nodes = list(self.fields(selections))
        names = {node.name.value for node in nodes if node.alias is None}
        for node in nodes:
            definition = getattr(type_, "fields", {}).get(node.name.value)
            if definition is None:  # __typename, or a field of one member of an interface
                continue
            named: Any = get_named_type(definition.type)
            if not is_connection(named):
                self._object(definition.type, named, node, depth)
                continue
            if not parent_is_root and "id" not in names:
                raise Unfit(f"The parent of the connection `{node.name.value}` must select `id`.")
            self.connections += 1
            if depth + 1 > MAX_NESTING:
                raise Unfit(f"Bulk queries cannot contain connections with a nesting depth greater than {MAX_NESTING}.")
            self._connection(named, node, depth + 1)

    def _object(self, type_: Any, named: Any, node: FieldNode, depth: int) -> None:
        before = self.connections
        self.selection(named, node.selection_set, depth)
        if isinstance(get_nullable_type(type_), GraphQLList) and self.connections > before:
            raise Unfit(f"Bulk queries cannot contain a connection within the list field `{node.name.value}`.")

    def _connection(self, named: Any, node: FieldNode, depth: int) -> None:
        inner = {each.name.value: each for each in self.fields(node.selection_set)}
        if "nodes" in inner:
            raise Unfit(f"Bulk queries use edges and node; `nodes` of `{node.name.value}` is not supported.")
        edges = inner.get("edges")
        found = [each for each in self.fields(edges.selection_set) if each.name.value == "node"] if edges else []
        if not found:
            raise Unfit(f"The connection `{node.name.value}` must select edges and node.")
        for each in found:
            self.selection(node_type(named), each.selection_set, depth)


def is_connection(type_: Any) -> bool:
    """True for the type of a connection field."""
    return str(type_.name).endswith("Connection")


def node_type(connection: Any) -> Any:
    """The type of a connection's nodes."""
    edge: Any = get_named_type(connection.fields["edges"].type)
    inner = edge.fields["node"].type
    return get_named_type(inner.of_type if isinstance(inner, GraphQLNonNull) else inner)
