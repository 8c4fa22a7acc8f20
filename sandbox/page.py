"""The page at ``/`` for people: what the sandbox holds and what was asked of it last. No scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .wire import Reply

if TYPE_CHECKING:
    from .app import Sandbox

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:72rem;color-scheme:light dark}"
    "table{border-collapse:collapse;margin:.5rem 0 2rem}td,th{padding:.25rem .8rem;text-align:left;border-bottom:1px solid #8884}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}code{font-size:.9em}"
)


def home(sandbox: Sandbox) -> Reply:
    """Shops, faults and the last 25 calls as plain HTML."""
    html = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Sandbox</title><style>{_STYLE}</style>"
        f"<h1>Sandbox</h1><p>Simulated shops. The sandbox's clock says {escape(sandbox.clock.stamp())}. "
        "Control it under <code>/_control/</code>; <code>GET /_control/state</code> gives all this as JSON.</p>"
        f"{_shops(sandbox)}{_faults(sandbox)}{_calls(sandbox)}"
    )
    return Reply(200, html.encode(), "text/html; charset=utf-8", [("Date", sandbox.clock.http_date())])


def _shops(sandbox: Sandbox) -> str:
    rows = [
        _row(
            shop.domain,
            shop.plan,
            len(shop.products),
            len(shop.variants),
            shop.level_count(),
            f"{sandbox.admin.bucket(shop, 1).status()['currentlyAvailable']:,}",
            ", ".join(place.name for place in shop.locations),
        )
        for shop in sandbox.shops.values()
    ]
    head = _head("Shop", "Plan", "Products", "Variants", "Levels", "Points available", "Locations")
    return f"<h2>Shops</h2><table>{head}{''.join(rows)}</table>" if rows else "<h2>Shops</h2><p>No shop yet.</p>"


def _faults(sandbox: Sandbox) -> str:
    rules = sandbox.faults.all()
    if not rules:
        return "<h2>Faults</h2><p>None.</p>"
    rows = [
        _row(r.id, r.kind, r.shop or "any", r.operation or "any", "no end" if r.times is None else r.times, r.fired)
        for r in rules
    ]
    return (
        f"<h2>Faults</h2><table>{_head('Rule', 'Kind', 'Shop', 'Operation', 'Times', 'Fired')}{''.join(rows)}</table>"
    )


def _calls(sandbox: Sandbox) -> str:
    rows = [
        _row(
            c.seq,
            c.time,
            c.shop,
            c.operation or "",
            c.status or "closed",
            c.requested,
            c.actual,
            c.rows,
            ", ".join(c.codes),
            c.fault,
        )
        for c in sandbox.calls.last(25)
    ]
    head = _head("Call", "Time", "Shop", "Operation", "Status", "Requested", "Actual", "Rows", "Codes", "Fault")
    return f"<h2>Last calls ({len(sandbox.calls):,} kept)</h2><table>{head}{''.join(rows)}</table>"


def _head(*names: str) -> str:
    return "<tr>" + "".join(f"<th>{escape(name)}</th>" for name in names) + "</tr>"


def _row(*values: object) -> str:
    cells = (
        f"<td{' class=n' if isinstance(value, int) else ''}>{escape('' if value is None else str(value))}</td>"
        for value in values
    )
    return "<tr>" + "".join(cells) + "</tr>"
