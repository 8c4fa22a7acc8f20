"""Pages of a long list by key instead of by offset: the millionth row costs what the first one does."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db import connection, models
from django.http import HttpRequest, QueryDict

PAGE_ROWS = 50
COUNTED_EXACTLY = 10_000
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class KeysetPage(Generic[Row]):
    """Up to 50 rows, and the addresses of the pages before and after (empty where there is none)."""

    rows: list[Row]
    newer: str = ""
    older: str = ""
    shown: int = field(default=0)


def page_of(
    request: HttpRequest, rows: models.QuerySet[Row, Row], *keys: str, size: int = PAGE_ROWS
) -> KeysetPage[Row]:
    """The page that `after=` or `before=` in the address asks for, ordered by `keys` ("-risk", "id").

    `keys` are fields of whole numbers or times, unique together, the row's own id last. A cursor that cannot be read
    shows the first page.
    """
    asked = request.GET
    backwards = "before" in asked
    cursor = _cursor(asked.get("before" if backwards else "after", ""), rows.model, keys)
    order = [_turned(key) for key in keys] if backwards else list(keys)
    if cursor:
        rows = rows.filter(_beyond(order, cursor))
    found = list(rows.order_by(*order)[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_newer = more if backwards else bool(cursor)
    has_older = (bool(cursor) if backwards else more) and bool(found)
    return KeysetPage(
        rows=found,
        newer=_address(asked, "before", _key_of(found[0], keys)) if has_newer and found else "",
        older=_address(asked, "after", _key_of(found[-1], keys)) if has_older else "",
        shown=len(found),
    )


def _turned(key: str) -> str:
    return key[1:] if key.startswith("-") else f"-{key}"


def _cursor(text: str, model: type[models.Model], keys: tuple[str, ...]) -> list[int | dt.datetime]:
    parts = text.split(",")
    if len(parts) != len(keys) or not all(part.lstrip("-").isdigit() for part in parts):
        return []
    try:
        return [_value(int(part), model, key) for part, key in zip(parts, keys, strict=True)]
    except OverflowError:
        return []


def _value(number: int, model: type[models.Model], key: str) -> int | dt.datetime:
    """What a number in an address stands for: times are written as microseconds since 1970."""
    is_time = isinstance(model._meta.get_field(key.lstrip("-")), models.DateTimeField)
    return EPOCH + number * MICROSECOND if is_time else number


def _beyond(order: list[str], cursor: list[int | dt.datetime]) -> models.Q:
    """Rows after the cursor: (a > x) or (a = x and b > y) …, each key in its own direction."""
    beyond = models.Q()
    for depth, key in enumerate(order):
        name = key.lstrip("-")
        step = models.Q(**{f"{name}__{'lt' if key.startswith('-') else 'gt'}": cursor[depth]})
        for earlier in range(depth):
            step &= models.Q(**{order[earlier].lstrip("-"): cursor[earlier]})
        beyond |= step
    return beyond


def _key_of(row: models.Model, keys: tuple[str, ...]) -> str:
    return ",".join(str(_number(getattr(row, key.lstrip("-")))) for key in keys)


def _number(value: int | dt.datetime) -> int:
    return (value - EPOCH) // MICROSECOND if isinstance(value, dt.datetime) else value


def _address(asked: QueryDict, name: str, key: str) -> str:
    kept: list[tuple[str, Any]] = [
        (parameter, value)
        for parameter, values in asked.lists()
        for value in values
        if parameter not in ("after", "before")
    ]
    return "?" + urlencode([*kept, (name, key)])


def about(model: type[models.Model]) -> str:
    """How many rows a table has: exact up to 10,000, then the database's estimate, said so ("about 1.2 million")."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        (estimate,) = cursor.fetchone()
    if estimate < COUNTED_EXACTLY:
        exact = model._default_manager.all()[: COUNTED_EXACTLY + 1].count()
        if exact <= COUNTED_EXACTLY:
            return f"{exact:,}"
        estimate = max(estimate, exact)
    if estimate >= 1_000_000:
        return f"about {estimate / 1_000_000:.1f} million"
    return f"about {round(estimate, -2):,}"
