"""Numbers of documents: one series per kind, without gaps and without doubles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from orders.models import Document

POST = """
WITH taken AS (
    INSERT INTO orders_documentseries AS s (code, last_number) VALUES (%(code)s, %(count)s)
        ON CONFLICT (code) DO UPDATE SET last_number = s.last_number + excluded.last_number
    RETURNING last_number - %(count)s AS before)
UPDATE orders_document d SET number = taken.before + wanted.position, posted_at = %(now)s, state = 'posted'
  FROM taken, unnest(%(ids)s::bigint[]) WITH ORDINALITY AS wanted(id, position)
 WHERE d.id = wanted.id
RETURNING d.number
"""


def post(code: str, documents: Sequence[Document], now: dt.datetime) -> list[int]:
    """Post these documents, in their order, with the next numbers of the series `code`, from 1 on; returns the numbers.

    Inside the caller's transaction: the series stays locked until it ends, and what is rolled back gives its numbers
    back. Whoever takes from several series takes in the order of their codes.
    """
    with connection.cursor() as cursor:
        ids = [document.pk for document in documents]
        cursor.execute(POST, {"code": code, "count": len(ids), "ids": ids, "now": now})
        return sorted(number for (number,) in cursor.fetchall())
