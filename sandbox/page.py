"""The page at ``/`` for people: what the sandbox holds, what was asked of it last, and forms to act. No scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from .page_forms import Outcome, drawn, submit
from .shopify.catalogue import Shop
from .shopify.orders_totals import financial_status, fulfillment_status, order_total
from .webhooks.delivery import Attempt
from .wire import Reply, Request

if TYPE_CHECKING:
    from .app import Sandbox

_ROWS = 25
_STYLE = """
:root{color-scheme:light dark;--line:#8885;--soft:#8881;--accent:#0b6b4f}
@media(prefers-color-scheme:dark){:root{--accent:#5fcfa8}}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:1.5rem;max-width:76rem}
h1{margin:0}h2{margin:2rem 0 .5rem;font-size:1.2rem}h3{margin:0 0 .25rem;font-size:1rem}
nav a{margin-right:1rem}a{color:var(--accent)}nav a[aria-current]{font-weight:600;text-decoration:none}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
td,th{padding:.3rem 1rem .3rem 0;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.n+td:not(.n),th.n+th:not(.n){padding-left:1rem}
.forms{columns:15rem;column-gap:1rem}.forms form{break-inside:avoid;margin-bottom:1rem}
form{display:flex;flex-direction:column;gap:.2rem;border:1px solid var(--line);border-radius:.5rem;padding:.8rem}
form.search{flex-direction:row;gap:.6rem;align-items:center;border:0;padding:0 0 .5rem}
label{font-size:.85rem}input,select,button{font:inherit;padding:.3rem .5rem;border:1px solid var(--line);border-radius:.3rem}
input,select{width:100%;box-sizing:border-box}form.search input{width:14rem}form.search button{margin:0}
button{margin-top:.5rem;background:var(--accent);color:Canvas;border:0;cursor:pointer}
.told{border-left:.3rem solid var(--accent);background:var(--soft);padding:.6rem 1rem;margin:1rem 0}
.told.wrong{border-color:#c0392b}code{font-size:.9em}
"""


def answer(sandbox: Sandbox, request: Request) -> Reply:
    """The page, or what a form asks for: done → back to the page, not done → the page with cause and remedy."""
    if not request.path.startswith("/page/"):
        done = request.query.get("done")
        return home(sandbox, request.query, Outcome(200, done) if done else None)
    if request.method != "POST":
        return Reply(303, b"", "text/plain", [("Location", "/")])
    values = {name: value.strip() for name, value in parse_qsl(request.body.decode("utf-8", "replace"))}
    outcome = submit(sandbox, request.path.removeprefix("/page/"), values)
    if outcome.status != 200:
        return home(sandbox, values, outcome, request.path.removeprefix("/page/"))
    back = urlencode({"shop": values.get("shop", ""), "done": outcome.told})
    return Reply(303, b"", "text/plain", [("Location", f"/?{back}")])


def home(sandbox: Sandbox, query: dict[str, str], outcome: Outcome | None = None, refused: str = "") -> Reply:
    """Everything of one shop (``?shop=``, the first otherwise), its levels searched by ``?q=``.

    The form named `refused` keeps what was typed into it: the query's values.
    """
    shop = sandbox.shops.get(query.get("shop", "")) or next(iter(sandbox.shops.values()), None)
    body = _shop(sandbox, shop, query, refused) if shop is not None else "<p>No shop yet.</p>"
    html = (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Sandbox</title><style>{_STYLE}</style><h1>Sandbox</h1>"
        f"<p>Simulated shops. The sandbox's clock says {_time(sandbox.clock.stamp())} UTC. "
        "Everything here can also be done under <a href='/_control/'><code>/_control/</code></a>.</p>"
        f"{_told(outcome)}{_shops(sandbox, shop)}{body}{_faults(sandbox)}{_calls(sandbox)}"
    )
    status = outcome.status if outcome is not None else 200
    return Reply(status, html.encode(), "text/html; charset=utf-8", [("Date", sandbox.clock.http_date())])


def _told(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    if outcome.status == 200:
        return f"<p class=told role=status>{escape(outcome.told)}</p>"
    return f"<p class='told wrong' role=alert><strong>{escape(outcome.told)}</strong><br>{escape(outcome.remedy)}</p>"


def _shop(sandbox: Sandbox, shop: Shop, query: dict[str, str], refused: str) -> str:
    forms = drawn(shop.domain, tuple(place.name for place in shop.locations), {refused: query})
    return (
        f"<h2>Act in {escape(shop.domain)}</h2>{forms}{_levels(shop, query.get('q', ''))}{_orders(shop)}"
        f"{_products(shop)}{_subscriptions(shop)}{_deliveries(sandbox, shop)}"
    )


def _time(stamp: str) -> str:
    """A stamp as people read it: ``2026-11-21 16:29:36`` UTC."""
    return stamp[:19].replace("T", " ")


def _words(state: str) -> str:
    return state.replace("_", " ").lower()


def _shops(sandbox: Sandbox, chosen: Shop | None) -> str:
    links = "".join(
        f"<a href='/?{urlencode({'shop': domain})}'{' aria-current=page' if shop is chosen else ''}>{escape(domain)}</a>"
        for domain, shop in sandbox.shops.items()
    )
    rows = [
        (
            shop.domain,
            shop.plan,
            len(shop.products),
            len(shop.variants),
            shop.level_count(),
            round(sandbox.admin.bucket(shop, 1).status()["currentlyAvailable"]),
            ", ".join(place.name for place in shop.locations),
        )
        for shop in sandbox.shops.values()
    ]
    names = ("Shop", "Plan", "Products", "Variants", "Levels", "Points available", "Locations")
    return f"<nav>{links}</nav>{_table('Shops', names, rows, 'No shop yet.')}"


def _levels(shop: Shop, wanted: str) -> str:
    sought = wanted.casefold()
    with shop.lock:
        found = (
            level
            for item in shop.items
            if sought in (item.sku or "").casefold() or sought in item.variant.product.handle
            for level in item.levels
            if level is not None
        )
        rows = [
            (
                level.item.sku,
                level.item.variant.product.handle,
                level.location.name,
                *level.quantities[:2],
                level.on_hand(),
                "yes" if level.active else "no",
            )
            for level, _ in zip(found, range(_ROWS), strict=False)
        ]
    search = (
        f"<form class=search action='/'><input type=hidden name=shop value='{escape(shop.domain)}'>"
        f"<label for=q>SKU or handle</label><input id=q name=q value='{escape(wanted)}'><button>Search</button></form>"
    )
    names = ("SKU", "Handle", "Location", "Available", "Committed", "On hand", "Stocked")
    return _table(f"Levels (first {_ROWS})", names, rows, "No level fits.", before=search)


def _orders(shop: Shop) -> str:
    rows = []
    with shop.lock:
        for order in shop.orders.rows[: -_ROWS - 1 : -1]:
            lines = ", ".join(f"{line.quantity} × {line.item.sku if line.item else line.title}" for line in order.lines)
            shipped, paid = _words(fulfillment_status(order)), _words(financial_status(order))
            state = f"{'cancelled, ' if order.cancelled_at else ''}{shipped}, {paid}"
            total = f"{order_total(order).shop} {shop.currency}"
            rows.append((order.number, _time(order.created_at), lines, total, state))
    return _table("Recent orders", ("Order", "Placed (UTC)", "Lines", "Total", "State"), rows, "No order yet.")


def _products(shop: Shop) -> str:
    with shop.lock:
        rows = [
            (product.handle, product.title, product.status, len(product.variants))
            for product in sorted(shop.products[-500:], key=lambda row: row.updated_at, reverse=True)[:_ROWS]
        ]
    return _table("Products last changed", ("Handle", "Title", "Status", "Variants"), rows, "No product yet.")


def _subscriptions(shop: Shop) -> str:
    with shop.lock:
        managed = [row for app in shop.apps.values() for row in app.managed]
        rows = [
            (row.topic, row.uri, row.filter, "configuration" if row.managed else "API", row.number)
            for row in (*shop.subscriptions.values(), *managed)
        ]
    return _table("Webhook subscriptions", ("Topic", "Address", "Filter", "Made by", "Number"), rows, "None.")


def _deliveries(sandbox: Sandbox, shop: Shop) -> str:
    webhooks = sandbox.webhooks
    newest = [row for row in webhooks.all() if row.shop is shop][: -_ROWS - 1 : -1]
    rows = [
        (row.number, _time(row.triggered_at), row.subscription.topic, row.state, len(row.attempts), _last(row.attempts))
        for row in newest
    ]
    title = "Webhook deliveries" + (" (paused)" if webhooks.holding else "")
    return _table(title, ("Delivery", "Triggered (UTC)", "Topic", "State", "Tries", "Last answer"), rows, "None.")


def _last(attempts: list[Attempt]) -> object:
    return (attempts[-1].status or attempts[-1].problem) if attempts else None


def _faults(sandbox: Sandbox) -> str:
    rows = [
        (
            r.id,
            r.kind,
            r.shop or "any",
            r.operation or r.topic or "any",
            "no end" if r.times is None else r.times,
            r.fired,
        )
        for r in sandbox.faults.all()
    ]
    return _table("Faults", ("Rule", "Kind", "Shop", "Operation or topic", "Times", "Fired"), rows, "None.")


def _calls(sandbox: Sandbox) -> str:
    rows = [
        (
            c.seq,
            _time(c.time),
            c.shop,
            c.operation,
            c.status or "closed",
            c.requested,
            c.actual,
            c.rows,
            ", ".join(c.codes),
            c.fault,
        )
        for c in sandbox.calls.last(_ROWS)
    ]
    names = ("Call", "Time (UTC)", "Shop", "Operation", "Status", "Requested", "Actual", "Rows", "Codes", "Fault")
    return _table(f"Last calls ({len(sandbox.calls):,} kept)", names, rows, "None.")


def _table(title: str, names: tuple[str, ...], rows: Sequence[tuple[object, ...]], empty: str, before: str = "") -> str:
    if not rows:
        return f"<h2>{escape(title)}</h2>{before}<p>{escape(empty)}</p>"
    numeric = [_is_numeric(i, [row[i] for row in rows]) for i in range(len(names))]
    head = "".join(f"<th{' class=n' if n else ''}>{escape(name)}</th>" for name, n in zip(names, numeric, strict=True))
    lines = "".join(_row(row, numeric) for row in rows)
    return f"<h2>{escape(title)}</h2>{before}<div class=wide><table><tr>{head}</tr>{lines}</table></div>"


def _is_numeric(place: int, cells: list[object]) -> bool:
    """A column of counts; the first one names the row, whatever it holds."""
    kinds = {type(cell) for cell in cells if cell is not None}
    return place > 0 and kinds == {int}


def _row(row: tuple[object, ...], numeric: list[bool]) -> str:
    cells = (
        f"<td{' class=n' if n else ''}>{escape('' if value is None else str(value))}</td>"
        for value, n in zip(row, numeric, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"
