"""Many rows of one table, written by one statement.

As Django's `bulk_create` and `bulk_update` do, but values go to the database column by column, as they are: the preparing
of each by itself takes most of the time of writing some hundreds of rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import CharField, DecimalField, Field, JSONField, Model, TextField
from psycopg.types.json import Jsonb

TYPES: Final[Mapping[type[Field[Any, Any]], Callable[[Any], Any]]] = {
    CharField: str,
    TextField: str,
    DecimalField: Decimal,
    ArrayField: Jsonb,
    JSONField: Jsonb,
}
"""What values of these fields travel as."""


def insert(rows: Iterable[Model], *, unique: tuple[str, ...] = ()) -> None:
    """Insert rows of one model, in their order, and give them their ids. With `unique`, fields of a constraint: a row that
    is there already gets the values of the new one, under its own id. Every value has to be of its field's own type, and
    what a row belongs to is kept before it."""
    new = list(rows)
    if not new:
        return
    model = type(new[0])
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    with connection.cursor() as cursor:
        cursor.execute(_insert(model, unique), [_values(field, new) for field in fields])
        for row, (pk,) in zip(new, cursor.fetchall(), strict=True):
            row.pk, row._state.adding, row._state.db = pk, False, connection.alias


def ids(values: Iterable[int]) -> str:
    """Ids as one value, for `= ANY(%s)`: a list of them would be prepared member by member."""
    return "{" + ",".join(map(str, values)) + "}"


def rows_of(values: Sequence[Any]) -> str:
    """Rows as one value, for `jsonb_to_recordset(%s)`: dataclasses or mappings, with decimals, dates and enumerations."""
    return msgspec.json.encode(values).decode()


def save(rows: Iterable[Model], names: tuple[str, ...]) -> None:
    """Write these fields of rows of one model that are kept already."""
    kept = list(rows)
    if not kept:
        return
    model = type(kept[0])
    with connection.cursor() as cursor:
        columns = [_values(field, kept) for field in _fields(model, names)]
        cursor.execute(_update(model, names), [[row.pk for row in kept], *columns])


def _fields(model: type[Model], names: Sequence[str]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if field.name in names]


def _values(field: Field[Any, Any], rows: Sequence[Model]) -> list[Any]:
    """Of one type, as the members of an array have to be."""
    kind = next((kind for some, kind in TYPES.items() if isinstance(field, some)), None)
    values = [getattr(row, field.attname) for row in rows]
    if kind is None:
        return values
    return [value if value is None or type(value) is kind else kind(value) for value in values]


@functools.cache
def _insert(model: type[Model], unique: tuple[str, ...]) -> str:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    known = ", ".join(_columns(_fields(model, unique)))
    others = [column for column in _columns(fields) if column not in known.split(", ")]
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(_columns(fields))}) "  # noqa: S608
        f"SELECT {', '.join(map(_read, fields))} FROM {_told(fields)} "
        + (f"ON CONFLICT ({known}) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in others)} " if known else "")
        + f"RETURNING {model._meta.db_table}.id"
    )


@functools.cache
def _update(model: type[Model], names: tuple[str, ...]) -> str:
    fields = _fields(model, names)
    news = ", ".join(f"{field.column} = {_read(field)}" for field in fields)
    pk = model._meta.concrete_fields[0]
    return f"UPDATE {model._meta.db_table} r SET {news} FROM {_told([pk, *fields])} WHERE r.id = n.id"  # noqa: S608


def _told(fields: Sequence[Field[Any, Any]]) -> str:
    """The values, as a table `n`."""
    arrays = ", ".join(f"%s::{_kind(field)}[]" for field in fields)
    return f"unnest({arrays}) AS n({', '.join(_columns(fields))})"


def _columns(fields: Iterable[Field[Any, Any]]) -> list[str]:
    return [f'"{field.column}"' for field in fields]


def _kind(field: Field[Any, Any]) -> str:
    """Its type without limits: a cast would cut off what the column refuses. Arrays travel as JSON, since an array of
    arrays is taken apart to its elements."""
    if isinstance(field, ArrayField):
        return "jsonb"
    kind = str(field.db_type(connection)).partition("(")[0]
    return "text" if kind == "varchar" else kind


def _read(field: Field[Any, Any]) -> str:
    column = f'n."{field.column}"'
    return f"ARRAY(SELECT jsonb_array_elements_text({column}))" if isinstance(field, ArrayField) else column
