"""Request texts: parsed, validated and compiled once, then kept by their text."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    build_schema,
    parse,
    type_from_ast,
    validate,
    visit,
)

from .execution import Vocabulary
from .inputs import MISSING, Unfit, coercer, literal, problems
from .plan import Plan
from .replies import Refused, error

_KEPT_TEXTS = 500


@cache
def load_schema() -> GraphQLSchema:
    """The schema subset: all files of `schema/`, which lies beside this module, together. Read once per process."""
    parts = sorted((Path(__file__).parent / "schema").glob("*.graphql"))
    return build_schema("\n".join(part.read_text(encoding="utf-8") for part in parts))


class Operation:
    """One operation of a document: its variables' types and a compiled plan per set of @skip / @include values."""

    def __init__(
        self,
        schema: GraphQLSchema,
        vocabulary: Vocabulary,
        node: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
    ) -> None:
        self.name = node.name.value if node.name else None
        self._schema = schema
        self._vocabulary = vocabulary
        self._node = node
        self._fragments = fragments
        self.deprecated = _deprecated(schema, node, fragments)
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._conditions = sorted(_condition_variables(node, fragments))
        self._variables = [
            (v.variable.name.value, type_from_ast(schema, v.type), v.default_value)
            for v in node.variable_definitions or ()
        ]

    def variables(self, given: dict[str, Any]) -> dict[str, Any]:
        """The request's variables by their declared types. Raises `Refused` with Shopify's INVALID_VARIABLE."""
        values: dict[str, Any] = {}
        for name, type_, default in self._variables:
            if name in given:
                raw = given[name]
            elif default is not None:
                raw = literal(default, {})
            else:
                raw = MISSING
            try:
                if raw is MISSING:
                    coercer(type_)(None)  # type: ignore[arg-type]
                else:
                    values[name] = coercer(type_)(raw)  # type: ignore[arg-type]
            except Unfit:
                raise _invalid_variable(name, type_, None if raw is MISSING else raw) from None
        return values

    def plan(self, variables: dict[str, Any]) -> Plan:
        """The compiled plan for these variables."""
        conditions = {name: variables.get(name) for name in self._conditions}
        key = tuple(conditions.values())
        plan = self._plans.get(key)
        if plan is None:
            plan = Plan(self._schema, self._vocabulary, self._node, self._fragments, conditions)  # type: ignore[arg-type]
            self._plans[key] = plan
        return plan


class Documents:
    """The texts seen so far. Safe for threads; beyond 500 the oldest is forgotten."""

    def __init__(self, schema: GraphQLSchema, vocabulary: Vocabulary) -> None:
        self.schema = schema
        self.vocabulary = vocabulary
        self._known: OrderedDict[str, dict[str | None, Operation]] = OrderedDict()
        self._lock = threading.Lock()

    def operation(self, text: str, name: str | None) -> Operation:
        """The operation to run. Raises `Refused` for a text that does not parse, fit the schema, or name one operation."""
        operations = self._known.get(text)
        if operations is None:
            operations = self._read(text)
            with self._lock:
                self._known[text] = operations
                while len(self._known) > _KEPT_TEXTS:
                    self._known.popitem(last=False)
        if name:
            if name not in operations:
                raise Refused(error(f'No operation named "{name}"', "unknownOperation"))
            return operations[name]
        if len(operations) != 1:
            raise Refused(error("An operation name is required", "missingOperationName"))
        return next(iter(operations.values()))

    def _read(self, text: str) -> dict[str | None, Operation]:
        try:
            document = parse(text)
        except GraphQLError as problem:
            raise Refused(_syntax_error(problem)) from None
        wrong = validate(self.schema, document)
        if wrong:
            raise Refused(*[validation_error(problem) for problem in wrong])
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        nodes = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        made = [Operation(self.schema, self.vocabulary, node, fragments) for node in nodes]
        return {operation.name: operation for operation in made}


class _Deprecations(Visitor):
    """Gathers the reasons of deprecated fields and arguments that a request uses."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.reasons: list[str] = []

    def enter_field(self, node: Any, *_: Any) -> None:
        field = self._types.get_field_def()
        if field is not None and field.deprecation_reason:
            self.reasons.append(field.deprecation_reason)

    def enter_argument(self, node: Any, *_: Any) -> None:
        argument = self._types.get_argument()
        if argument is not None and argument.deprecation_reason:
            self.reasons.append(argument.deprecation_reason)


def _deprecated(
    schema: GraphQLSchema, node: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]
) -> str:
    """Why what the operation uses is deprecated, in one line; empty when nothing is."""
    types = TypeInfo(schema)
    seen = _Deprecations(types)
    for tree in (node, *fragments.values()):
        visit(tree, TypeInfoVisitor(types, seen))
    return " ".join(dict.fromkeys(" ".join(reason.split()) for reason in seen.reasons))


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: Any, *_: Any) -> None:
        if node.name.value in ("skip", "include"):
            self.names.update(a.value.name.value for a in node.arguments or () if isinstance(a.value, VariableNode))


def _condition_variables(node: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]) -> set[str]:
    seen = _Conditions()
    for tree in (node, *fragments.values()):
        visit(tree, seen)
    return seen.names


def _invalid_variable(name: str, type_: Any, value: Any) -> Refused:
    found = problems(type_, value)
    told = ", ".join(f"{'.'.join(map(str, p['path']))} ({p['explanation']})" if p["path"] else "" for p in found)
    where = f" for {told}" if told.strip(", ") else ""
    return Refused(
        error(
            f"Variable ${name} of type {type_} was provided invalid value{where}",
            "INVALID_VARIABLE",
            None,
            value=value,
            problems=found,
        )
    )


# graphql-core's words → the code and the words of Shopify's server. First match wins.
_RULES: list[tuple[re.Pattern[str], str, str]] = [
    (
        re.compile(r"Cannot query field '(\w+)' on type '(\w+)'"),
        "undefinedField",
        "Field '{0}' doesn't exist on type '{1}'",
    ),
    (
        re.compile(r"Unknown argument '(\w+)' on field '(\w+)\.(\w+)'"),
        "argumentNotAccepted",
        "Field '{2}' doesn't accept argument '{0}'",
    ),
    (
        re.compile(r"Unknown argument '(\w+)' on directive '@?(\w+)'"),
        "argumentNotAccepted",
        "Directive '{1}' doesn't accept argument '{0}'",
    ),
    (
        re.compile(
            r"(?:Field|Argument) '(\w+)(?:\.\w+)*' argument '(\w+)' of type '.+' is required|Argument '(\w+)\.(\w+)\((\w+):\)'"
        ),
        "missingRequiredArguments",
        "{message}",
    ),
    (re.compile(r"is required, but it was not provided"), "missingRequiredArguments", "{message}"),
    (
        re.compile(r"Field '(\w+)' of type '(.+)' must have a selection of subfields"),
        "selectionMismatch",
        "Field must have selections (field '{0}' returns {1} but has no selections. Did you mean '{0} {{ ... }}'?)",
    ),
    (re.compile(r"must not have a selection since type"), "selectionMismatch", "{message}"),
    (re.compile(r"Unknown type '(\w+)'"), "undefinedType", "No such type {0}, so it can't be a fragment condition"),
    (re.compile(r"Unknown directive '@?(\w+)'"), "undefinedDirective", "Directive @{0} is not defined"),
    (re.compile(r"used in position expecting type|Variable .+ of type .+ used"), "variableMismatch", "{message}"),
    (
        re.compile(r"Variable '\$(\w+)' is not defined"),
        "variableNotDefined",
        "Variable ${0} is used but isn't declared",
    ),
    (re.compile(r"Variable '\$(\w+)' is never used"), "variableNotUsed", "Variable ${0} is declared but not used"),
    (
        re.compile(r"Field '(\w+)' is not defined by type '(\w+)'"),
        "argumentNotAccepted",
        "InputObject '{1}' doesn't accept argument '{0}'",
    ),
    (re.compile(r"Field '[\w.]+' of required type"), "missingRequiredInputObjectAttribute", "{message}"),
    (re.compile(r"Unknown fragment '(\w+)'"), "useAndDefineFragment", "Fragment {0} was used, but not defined"),
    (re.compile(r"Fragment '(\w+)' is never used"), "useAndDefineFragment", "Fragment {0} was defined, but not used"),
    (re.compile(r"conflict because"), "fieldConflict", "{message}"),
    (re.compile(r"Expected|cannot represent|does not exist in"), "argumentLiteralsIncompatible", "{message}"),
]


def validation_error(problem: GraphQLError) -> dict[str, Any]:
    """One of graphql-core's validation errors in the shape of Shopify's server."""
    message, code = problem.message, "invalidDocument"
    for pattern, its_code, words in _RULES:
        match = pattern.search(message)
        if match:
            code = its_code
            message = message if words == "{message}" else words.format(*match.groups())
            break
    entry = error(message, code)
    if problem.locations:
        entry["locations"] = [{"line": at.line, "column": at.column} for at in problem.locations]
    return entry


def _syntax_error(problem: GraphQLError) -> dict[str, Any]:
    entry: dict[str, Any] = {"message": f"Parse error: {problem.message}"}
    if problem.locations:
        entry["locations"] = [{"line": at.line, "column": at.column} for at in problem.locations]
    return entry
