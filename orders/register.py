"""The accountant's register: posted documents of a period with their totals, and whether every series is whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from connectors.models import Store
from orders.models import Document, DocumentKind, DocumentLine

MISSING = """
SELECT s.code, s.last_number, (SELECT count(*) FROM orders_document d WHERE d.series = s.code AND d.number IS NOT NULL),
       (SELECT array_agg(n ORDER BY n) FROM (
            SELECT n FROM generate_series(1, s.last_number) n
             WHERE NOT EXISTS (SELECT FROM orders_document d WHERE d.series = s.code AND d.number = n) LIMIT 20) gap)
  FROM orders_documentseries s ORDER BY s.code
"""


@dataclass(frozen=True, slots=True)
class Total:
    """The documents of one kind, store and pair of currencies: how many, and what they come to."""

    kind: DocumentKind
    store: str
    currency: str
    shop_currency: str
    count: int
    total: Decimal
    total_shop: Decimal
    tax: Decimal


# The rate of a document's line is that of the order's line it is about; where that bears several taxes, its tax is theirs in
# the proportion of the order. Order change notes are not fiscal.
RATES = """
WITH line AS (
    SELECT d.store_id, d.currency, d.shop_currency, dl.amount - dl.tax AS net, dl.tax, dl.tax_shop,
           coalesce(sold.taxes, '[]'::jsonb) AS taxes,
           (SELECT sum((t ->> 'amount')::numeric) FROM jsonb_array_elements(sold.taxes) t) AS whole
      FROM orders_documentline dl
      JOIN orders_document d ON d.id = dl.document_id
      JOIN orders_refund f ON f.id = d.refund_id
      LEFT JOIN orders_salesorder o ON o.incoming_id = f.order_id
      LEFT JOIN LATERAL (
           SELECT l.taxes FROM orders_salesorderline l
            WHERE l.order_id = o.id
              AND (dl.line_ref <> '' AND l.ref = dl.line_ref
                   OR dl.kind = 'shipping' AND l.kind = 'shipping' AND l.title = dl.label)
            ORDER BY l.position LIMIT 1) sold ON true
     WHERE d.kind <> 'order_change' AND d.id IN ({documents}))
SELECT CASE WHEN part.name IS NOT NULL THEN coalesce(m.ours, nullif(r."default", ''), part.name)
            WHEN line.tax = 0 THEN 'No tax' ELSE 'Rate unknown' END AS rate,
       line.currency, line.shop_currency, sum(line.net), round(sum(line.tax * part.share), 4),
       round(sum(line.tax_shop * part.share), 4)
  FROM line
  CROSS JOIN LATERAL (
       SELECT t ->> 'name' AS name, CASE WHEN line.whole <> 0 THEN (t ->> 'amount')::numeric / line.whole
                                         ELSE 1.0 / jsonb_array_length(line.taxes) END AS share
         FROM jsonb_array_elements(line.taxes) t
       UNION ALL SELECT NULL, 1 WHERE line.taxes = '[]'::jsonb) part
  LEFT JOIN orders_valuemapping m ON m.store_id = line.store_id AND m.kind = 'tax' AND m.value = part.name
  LEFT JOIN orders_mappingrule r ON r.store_id = line.store_id AND r.kind = 'tax'
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """What documents hold of one tax in one pair of currencies. A net amount that bears several taxes stands under each."""

    rate: str
    currency: str
    shop_currency: str
    net: Decimal
    tax: Decimal
    tax_shop: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """A series up to its last number. `missing` (the first of them) is empty unless the database was tampered with."""

    code: str
    last_number: int
    count: int
    missing: tuple[int, ...]

    @property
    def gap(self) -> str:
        """The missing numbers as they would stand on documents."""
        return ", ".join(f"{self.code}-{number:04}" for number in self.missing)


@dataclass(frozen=True, slots=True)
class Period:
    """Posted from `since` on and before `until`; None: without an end on that side."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def documents(self) -> QuerySet[Document, Document]:
        """Everything posted in the period."""
        found = Q(number__isnull=False)
        if self.since:
            found &= Q(posted_at__gte=self.since)
        if self.until:
            found &= Q(posted_at__lt=self.until)
        return Document.objects.filter(found)


def totals(documents: QuerySet[Document, Document]) -> list[Total]:
    """What documents come to, by kind, store and currencies; currencies are never added together."""
    by = ("kind", "store", "currency", "shop_currency")
    found = documents.order_by(*by).values(*by).annotate(n=Count("pk"), sum=Sum("total"), sum_shop=Sum("total_shop"))
    taxes = _taxes(documents)
    names = dict(Store.objects.values_list("pk", "name"))
    return [
        Total(
            kind=DocumentKind(row["kind"]),
            store=names[row["store"]],
            currency=row["currency"],
            shop_currency=row["shop_currency"],
            count=row["n"],
            total=row["sum"],
            total_shop=row["sum_shop"],
            tax=taxes.get(tuple(row[name] for name in by), Decimal(0)),
        )
        for row in found
    ]


def sums(rows: list[Total]) -> dict[str, Decimal]:
    """What fiscal kinds come to in each buyer's currency; order change notes are none."""
    found: dict[str, Decimal] = {}
    for row in rows:
        if row.kind is not DocumentKind.ORDER_CHANGE:
            found[row.currency] = found.get(row.currency, Decimal(0)) + row.total
    return found


def rates(documents: QuerySet[Document, Document]) -> list[Rate]:
    """The taxes of fiscal documents by rate and currencies, called as the store's names have it."""
    documents_sql, params = documents.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(RATES.replace("{documents}", documents_sql), params)
        return [Rate(*row) for row in cursor.fetchall()]


def series() -> list[Series]:
    """Every series, with the numbers that are missing in it."""
    with connection.cursor() as cursor:
        cursor.execute(MISSING)
        return [Series(code, last, count, tuple(missing or ())) for code, last, count, missing in cursor.fetchall()]


def _taxes(documents: QuerySet[Document, Document]) -> Mapping[tuple[Any, ...], Decimal]:
    lines = DocumentLine.objects.filter(document__in=documents.order_by().values("pk"))
    by = ("document__kind", "document__store", "document__currency", "document__shop_currency")
    found = lines.order_by().values_list(*by).annotate(Sum("tax"))
    return {tuple(about): tax for *about, tax in found}
