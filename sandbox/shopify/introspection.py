"""`__schema` and `__type`: graphql-core answers for the subset that the sandbox has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import DocumentNode, FieldNode, GraphQLSchema, OperationDefinitionNode, SelectionSetNode, execute_sync

from .execution import Run, Step

FIELDS = frozenset({"__schema", "__type"})


def introspection_step(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Iterable[Any],
    key: str,
    nodes: list[FieldNode],
) -> Step:
    """The step of one introspection field. It is free; rows of a shop are not touched."""
    only = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=tuple(nodes)),
    )
    document = DocumentNode(definitions=(only, *fragments))

    def walk(row: Any, run: Run, path: Any) -> Any:
        return (execute_sync(schema, document, variable_values=run.variables).data or {}).get(key)

    return Step(key, None, walk)
