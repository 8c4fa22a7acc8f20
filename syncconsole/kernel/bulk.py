"""Many rows of one table, changed by one statement."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def save(rows: Collection[Model], fields: Sequence[str]) -> None:
    """Write these fields of rows that are kept already, all of one model, as `bulk_update` does: that spells out a case
    for every value, of which some hundreds take longer to put together than to write. No fields of arrays."""
    if not rows:
        return
    model = type(next(iter(rows)))
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
        for field in _fields(model, tuple(fields))
    ]
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, tuple(fields)), [[row.pk for row in rows], *values])


def _fields(model: type[Model], names: tuple[str, ...]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if field.name in names]


@functools.cache
def _statement(model: type[Model], names: tuple[str, ...]) -> str:
    fields = _fields(model, names)
    columns = [str(field.column) for field in fields]
    return (
        f"UPDATE {model._meta.db_table} r SET {', '.join(f'{column} = n.{column}' for column in columns)} "  # noqa: S608
        f"FROM unnest(%s::bigint[], {', '.join(f'%s::{_kind(field)}[]' for field in fields)}) "
        f"AS n(id, {', '.join(columns)}) WHERE r.id = n.id"
    )


def _kind(field: Field[Any, Any]) -> str:
    """Texts without their limit: a cast would cut off what the column refuses."""
    kind = str(field.db_type(connection))
    return "text" if kind.startswith("varchar") else kind
