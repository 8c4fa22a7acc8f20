"""Numbers of documents: one series per kind, without gaps and without doubles."""

from __future__ import annotations

from django.db import connection

TAKE = """
INSERT INTO orders_documentseries AS s (code, last_number) VALUES (%(code)s, %(count)s)
    ON CONFLICT (code) DO UPDATE SET last_number = s.last_number + excluded.last_number
RETURNING last_number
"""


def take(code: str, count: int) -> range:
    """The next `count` numbers of the series `code`, from 1 on.

    To be called inside the transaction that posts the documents: the series stays locked until it ends, and what is
    rolled back gives its numbers back. Whoever takes from several series takes in the order of their codes.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"code": code, "count": count})
        (last,) = cursor.fetchone()
    return range(last - count + 1, last + 1)
