"""Turning variables and literals into Python values by the schema's input types.

The quick way is a closure per type, made once; it only says yes or no. What was wrong is found by a second, slow pass."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

MISSING: Any = object()
INT_MIN, INT_MAX = -(2**31), 2**31 - 1

Coercer = Callable[[Any], Any]


class Unfit(Exception):
    """The value does not fit its type; `problems` tells why."""


def _int(value: Any) -> int:
    if value.__class__ is int and INT_MIN <= value <= INT_MAX:
        return int(value)
    if value.__class__ is float and value.is_integer() and INT_MIN <= value <= INT_MAX:
        return int(value)
    raise Unfit


def _float(value: Any) -> float:
    if value.__class__ in (int, float):
        return float(value)
    raise Unfit


def _string(value: Any) -> str:
    if value.__class__ is str:
        return str(value)
    raise Unfit


def _boolean(value: Any) -> bool:
    if value.__class__ is bool:
        return bool(value)
    raise Unfit


def _id(value: Any) -> str:
    if value.__class__ is str:
        return str(value)
    if value.__class__ is int:
        return str(value)
    raise Unfit


def _decimal(value: Any) -> Decimal:
    if value.__class__ in (str, int, float):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise Unfit from None
        if number.is_finite():
            return number
    raise Unfit


_SCALARS: dict[str, Coercer] = {
    "Int": _int,
    "Float": _float,
    "String": _string,
    "Boolean": _boolean,
    "ID": _id,
    "Decimal": _decimal,
    "Money": _decimal,
}

_coercers: dict[str, Coercer] = {}


def coercer(type_: GraphQLInputType) -> Coercer:
    """The quick closure for a type. It returns the value as resolvers want it or raises `Unfit`."""
    known = _coercers.get(str(type_))
    if known is None:
        known = _coercers[str(type_)] = _make(type_)
    return known


def _make(type_: Any) -> Coercer:
    if isinstance(type_, GraphQLNonNull):
        return _make_required(coercer(type_.of_type))
    if isinstance(type_, GraphQLList):
        return _make_list(coercer(type_.of_type))
    if isinstance(type_, GraphQLInputObjectType):
        return _make_object(type_)
    if isinstance(type_, GraphQLEnumType):
        return _make_nullable(_chosen_from(frozenset(type_.values)))
    return _make_nullable(_SCALARS.get(type_.name, _string))


def _make_required(inner: Coercer) -> Coercer:
    def required(value: Any) -> Any:
        if value is None:
            raise Unfit
        return inner(value)

    return required


def _make_list(each: Coercer) -> Coercer:
    def listed(value: Any) -> Any:
        if value is None:
            return None
        if value.__class__ is list:
            return [each(entry) for entry in value]
        return [each(value)]

    return listed


def _make_nullable(plain: Coercer) -> Coercer:
    def nullable(value: Any) -> Any:
        return None if value is None else plain(value)

    return nullable


def _chosen_from(names: frozenset[str]) -> Coercer:
    def chosen(value: Any) -> Any:
        if value.__class__ is str and value in names:
            return value
        raise Unfit

    return chosen


def _make_object(type_: GraphQLInputObjectType) -> Coercer:
    fields = {name: coercer(field.type) for name, field in type_.fields.items()}
    defaults = {name: default for name, field in type_.fields.items() if (default := default_of(field)) is not MISSING}
    required = [name for name, field in type_.fields.items() if isinstance(field.type, GraphQLNonNull)]
    required = [name for name in required if name not in defaults]
    one_of = bool(type_.is_one_of)

    def shaped(value: Any) -> Any:
        if value is None:
            return None
        if value.__class__ is not dict:
            raise Unfit
        try:
            out = {name: fields[name](entry) for name, entry in value.items()}
            for name in required:
                out[name]
        except KeyError:  # a field that the type does not have, or has and needs
            raise Unfit from None
        for name, default in defaults.items():
            out.setdefault(name, default)
        if one_of and (len(out) != 1 or None in out.values()):
            raise Unfit
        return out

    return shaped


def default_of(definition: Any) -> Any:
    """The default value of an argument or input field of the schema, or `MISSING`."""
    node = definition.ast_node.default_value if definition.ast_node is not None else None
    return MISSING if node is None else literal(node, {})


def literal(node: ValueNode, variables: dict[str, Any]) -> Any:
    """The plain value of a literal, with variables filled in; `MISSING` for a variable without a value."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value, MISSING)
    if isinstance(node, IntValueNode):
        return int(node.value)
    if isinstance(node, FloatValueNode):
        return float(node.value)
    if isinstance(node, StringValueNode | BooleanValueNode | EnumValueNode):
        return node.value
    if isinstance(node, ListValueNode):
        return [None if (v := literal(entry, variables)) is MISSING else v for entry in node.values or ()]
    if isinstance(node, ObjectValueNode):
        pairs = ((field.name.value, literal(field.value, variables)) for field in node.fields or ())
        return {name: value for name, value in pairs if value is not MISSING}
    return None


def problems(type_: Any, value: Any, path: tuple[str | int, ...] = ()) -> list[dict[str, Any]]:
    """Everything that does not fit, as Shopify lists it: ``[{"path": [...], "explanation": "..."}]``."""
    if isinstance(type_, GraphQLNonNull):
        if value is None:
            return [_problem(path, "Expected value to not be null")]
        return problems(type_.of_type, value, path)
    if value is None:
        return []
    if isinstance(type_, GraphQLList):
        entries = value if isinstance(value, list) else [value]
        return [found for i, entry in enumerate(entries) for found in problems(type_.of_type, entry, (*path, i))]
    if isinstance(type_, GraphQLInputObjectType):
        return _object_problems(type_, value, path)
    try:
        coercer(type_)(value)
    except Unfit:
        if isinstance(type_, GraphQLEnumType):
            return [_problem(path, f"Expected {value!r} to be one of: {', '.join(type_.values)}")]
        return [_problem(path, f"Could not coerce value {_shown(value)} to {type_.name}")]
    return []


def _object_problems(type_: GraphQLInputObjectType, value: Any, path: tuple[str | int, ...]) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        return [_problem(path, f"Expected {_shown(value)} to be a key-value object.")]
    found: list[dict[str, Any]] = []
    for name, entry in value.items():
        if name in type_.fields:
            found.extend(problems(type_.fields[name].type, entry, (*path, name)))
        else:
            found.append(_problem((*path, name), f"Field is not defined on {type_.name}"))
    for name, field in type_.fields.items():
        if name not in value and isinstance(field.type, GraphQLNonNull) and default_of(field) is MISSING:
            found.append(_problem((*path, name), "Expected value to not be null"))
    if not found and type_.is_one_of and (len(value) != 1 or None in value.values()):
        found.append(_problem(path, f"'{type_.name}' requires exactly one argument, but {len(value)} were provided."))
    return found


def _problem(path: tuple[str | int, ...], explanation: str) -> dict[str, Any]:
    return {"path": list(path), "explanation": explanation}


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
