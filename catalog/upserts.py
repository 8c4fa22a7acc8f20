"""Writing many rows of a model with one statement and one parameter: insert, or update where the key is known.

Django's bulk_create passes every cell as a parameter of its own (array columns keep it from doing better), which made
up most of the time of an import of 100,000 rows. Here the rows travel as one JSON document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection, models
from django.utils import timezone


def upsert(rows: Sequence[models.Model], *, key: str) -> None:
    """Insert `rows` (all of one model), or update every column but key and `created_at` where `key` is known.

    Sets the primary keys of the given instances. Inside the caller's transaction.
    """
    if not rows:
        return
    meta = rows[0]._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    names = [connection.ops.quote_name(str(field.column)) for field in fields]
    types = [f"{name} {field.db_type(connection)}" for name, field in zip(names, fields, strict=True)]
    kept = {connection.ops.quote_name(name) for name in (key, "created_at")}
    changes = [f"{name} = EXCLUDED.{name}" for name in names if name not in kept]
    quoted_key = connection.ops.quote_name(key)
    statement = (
        f"INSERT INTO {connection.ops.quote_name(meta.db_table)} ({', '.join(names)}) "  # noqa: S608 - names of columns
        f"SELECT {', '.join(names)} FROM json_to_recordset(%s) AS given({', '.join(types)}) "
        f"ON CONFLICT ({quoted_key}) DO UPDATE SET {', '.join(changes)} RETURNING {quoted_key}, id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [msgspec.json.encode([_cells(row, fields) for row in rows]).decode()])
        ids = dict(cursor.fetchall())
    for row in rows:
        row.pk = ids[getattr(row, key)]
        row._state.adding = False
        row._state.db = connection.alias


def _cells(row: models.Model, fields: Sequence[models.Field[Any, Any]]) -> dict[str, Any]:
    now = timezone.now()
    moments = {"created_at": now, "updated_at": now}
    return {str(field.column): moments.get(field.name, _value(row, field)) for field in fields}


def _value(row: models.Model, field: models.Field[Any, Any]) -> Any:
    if isinstance(field, models.ForeignKey):
        related = getattr(row, field.name) if field.is_cached(row) else None
        return related.pk if related is not None else getattr(row, field.attname)
    return getattr(row, field.attname)
