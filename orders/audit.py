"""What orders hold, checked against what the stores were said to have open (algorithms.md §2, invariants I5 and I6)."""

from __future__ import annotations

from django.db import connection

from inventory.audit import Difference

# Both sides in one pass each; of the orders only what is open.
OPEN = """
SELECT p.id, p.open_remote, coalesce(s.units, 0)
  FROM inventory_levelpublication p
  LEFT JOIN (SELECT store_location_id, item_ref, sum(open_quantity) AS units
               FROM orders_orderstock WHERE open_quantity > 0 GROUP BY store_location_id, item_ref) s
    ON s.store_location_id = p.store_location_id AND s.item_ref = p.item_ref
 WHERE p.state <> 'closed' AND p.open_remote <> coalesce(s.units, 0)
 ORDER BY p.id
"""

# Of an older order only what was still open was ever counted. Where nothing says why units went, they are posted nowhere.
LINES = """
SELECT min(s.id), o.name, sum(s.ordered), sum(s.open_quantity), sum(s.fulfilled), sum(t.off)
  FROM orders_orderstock s
  JOIN orders_incomingorder o ON o.id = s.order_id
 CROSS JOIN LATERAL (SELECT coalesce((s.totals ->> 'cancelled')::int, 0) + coalesce((s.totals ->> 'lost')::int, 0)) t(off)
 WHERE o.books_from IS NULL
 GROUP BY s.order_id, o.name, s.line_ref
HAVING sum(s.ordered) <> sum(s.open_quantity) + sum(s.fulfilled) + sum(t.off) AND NOT bool_or(s.totals ? 'unexplained')
 ORDER BY 1
"""


def differences() -> list[Difference]:
    """Publications whose open units are not those of their order lines, and lines whose units are not all somewhere."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN)
        found = [
            Difference(
                "I5 open = what order lines wait for", "publication", pk, f"{kept} open", f"lines wait for {units}"
            )
            for pk, kept, units in cursor.fetchall()
        ]
        cursor.execute(LINES)
        for pk, name, ordered, waits, sent, off in cursor.fetchall():
            kept, summed = f"{ordered} ordered in {name}", f"{waits} open, {sent} sent, {off} taken off"
            found.append(Difference("I6 ordered = open + sent + taken off", "order line", pk, kept, summed))
    return found
