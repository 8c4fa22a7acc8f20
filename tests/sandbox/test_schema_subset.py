"""Every type, field, argument, input field and enum value of the simulator exists in Shopify's schema, with the same type."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    is_specified_directive,
    is_specified_scalar_type,
    parse,
    print_ast,
    validate,
    validate_schema,
)

from sandbox.shopify.documents import load_schema
from sandbox.shopify.resolvers import vocabulary
from tests.sandbox.client import DOCUMENTS, SHARED

REAL = SHARED / "schemas" / "shopify-admin-2026-10.json.gz"


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    """Shopify's types by name, as introspection gives them."""
    if not REAL.exists():
        pytest.skip("Shopify's schema (../shared/schemas/shopify-admin-2026-10.json.gz) is not here")
    read = json.loads(gzip.decompress(REAL.read_bytes()))
    schema = read.get("data", read)["__schema"]
    return {**schema, "types": {t["name"]: t for t in schema["types"]}}


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return load_schema()


def test_the_subset_is_a_sound_schema(ours: GraphQLSchema) -> None:
    assert validate_schema(ours) == []


def test_the_roots_have_the_real_names(ours: GraphQLSchema, real: dict[str, Any]) -> None:
    assert ours.query_type is not None
    assert ours.mutation_type is not None
    assert ours.query_type.name == real["queryType"]["name"]
    assert ours.mutation_type.name == real["mutationType"]["name"]


def test_everything_is_in_the_real_schema(ours: GraphQLSchema, real: dict[str, Any]) -> None:
    differences = list(_differences(ours, real))
    assert differences == []


@pytest.mark.skipif(not DOCUMENTS.exists(), reason="the reference documents in ../shared are not here")
def test_every_example_of_the_reference_is_understood(ours: GraphQLSchema) -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(DOCUMENTS.glob("*.graphql"))}
    assert len(texts) >= 55
    assert {
        name: [e.message for e in found] for name, text in texts.items() if (found := validate(ours, parse(text)))
    } == {}


def test_directives_are_the_real_ones(ours: GraphQLSchema, real: dict[str, Any]) -> None:
    theirs = {d["name"]: d for d in real["directives"]}
    for directive in ours.directives:
        if is_specified_directive(directive):
            continue
        assert directive.name in theirs
        arguments = {a["name"]: _written(a["type"]) for a in theirs[directive.name]["args"]}
        assert {name: str(a.type) for name, a in directive.args.items()} == arguments
        assert {place.name for place in directive.locations} <= set(theirs[directive.name]["locations"])


def test_no_resolver_is_for_a_field_that_does_not_exist(ours: GraphQLSchema) -> None:
    words = vocabulary()
    for table in (words.plain, words.full, words.prepare, words.access):
        for type_name, field in table:
            type_ = ours.type_map[type_name]
            assert isinstance(type_, GraphQLObjectType)
            assert field in type_.fields, f"{type_name}.{field}"


def _differences(ours: GraphQLSchema, real: dict[str, Any]) -> Iterator[str]:
    for name, type_ in ours.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(type_):
            continue
        theirs = real["types"].get(name)
        if theirs is None:
            yield f"type {name} does not exist"
        elif isinstance(type_, GraphQLEnumType):
            missing = set(type_.values) - {v["name"] for v in theirs["enumValues"]}
            yield from (f"enum value {name}.{value} does not exist" for value in sorted(missing))
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            yield from _object_differences(name, type_, theirs)
        elif isinstance(type_, GraphQLInputObjectType):
            yield from _input_differences(name, type_, theirs)
        elif isinstance(type_, GraphQLUnionType):
            missing = {member.name for member in type_.types} - {t["name"] for t in theirs["possibleTypes"]}
            yield from (f"{name} is never a {member}" for member in sorted(missing))


def _object_differences(name: str, type_: Any, theirs: dict[str, Any]) -> Iterator[str]:
    fields = {f["name"]: f for f in theirs["fields"]}
    interfaces = {i["name"] for i in theirs["interfaces"] or ()}
    yield from (f"{name} is no {i.name}" for i in type_.interfaces if i.name not in interfaces)
    for field_name, field in type_.fields.items():
        if field_name not in fields:
            yield f"field {name}.{field_name} does not exist"
            continue
        real_field = fields[field_name]
        if str(field.type) != _written(real_field["type"]):
            yield f"{name}.{field_name} is {_written(real_field['type'])}, not {field.type}"
        arguments = {a["name"]: a for a in real_field["args"]}
        for argument_name, argument in field.args.items():
            yield from _value_differences(
                f"{name}.{field_name}({argument_name})", argument, arguments.get(argument_name)
            )


def _input_differences(name: str, type_: GraphQLInputObjectType, theirs: dict[str, Any]) -> Iterator[str]:
    fields = {f["name"]: f for f in theirs["inputFields"]}
    for field_name, field in type_.fields.items():
        yield from _value_differences(f"{name}.{field_name}", field, fields.get(field_name))
    if type_.is_one_of != bool(theirs.get("isOneOf", type_.is_one_of)):
        yield f"{name} differs in @oneOf"
    required = {n for n, f in fields.items() if f["type"]["kind"] == "NON_NULL" and f["defaultValue"] is None}
    yield from (f"{name}.{missing} is required by Shopify and absent here" for missing in required - set(type_.fields))


def _value_differences(place: str, value: Any, theirs: dict[str, Any] | None) -> Iterator[str]:
    if theirs is None:
        yield f"{place} does not exist"
        return
    if str(value.type) != _written(theirs["type"]):
        yield f"{place} is {_written(theirs['type'])}, not {value.type}"
    default = value.ast_node.default_value
    written = print_ast(default) if default is not None else None
    if written != theirs["defaultValue"]:
        yield f"{place} is by default {theirs['defaultValue']}, not {written}"


def _written(type_: dict[str, Any]) -> str:
    if type_["kind"] == "NON_NULL":
        return f"{_written(type_['ofType'])}!"
    if type_["kind"] == "LIST":
        return f"[{_written(type_['ofType'])}]"
    return str(type_["name"])
