"""The merchant's further steps on an order: refunds, returns, edits, moves, holds, payments, drafts."""

from __future__ import annotations

from typing import Any

from sandbox.shopify.bundles import with_components
from sandbox.shopify.orders import OrderRefused
from sandbox.shopify.orders_drafts import Draft, complete, drop, open_draft
from sandbox.shopify.orders_editing import add_line, describe, set_quantity
from sandbox.shopify.orders_refunding import RefundedUnits, WantedRefund, capture, refund, settle_transaction
from sandbox.shopify.orders_returning import close, decide, open_return, process
from sandbox.shopify.orders_shipping import cancel_fulfillment, hold, move, release_hold

from .asking import Ask, ControlError, location_of, rows_of, whole
from .order_words import line_of, money_back, optional, order_of, quantities_of, row_of, step, told, wanted_of


def refund_order(ask: Ask) -> dict[str, Any]:
    """``{"lines": [{"line", "quantity", "restock_type", "location"?}], "money"?, "shipping"?, …}``."""
    order, body = order_of(ask), ask.body

    def act() -> None:
        units = [
            RefundedUnits(
                order.line(whole(row.get("line", 1), "line")),
                whole(row.get("quantity", 1), "quantity"),
                _restock_type(row),
                location_of(order.shop, row["location"]) if row.get("location") else None,
            )
            for row in rows_of(body, "lines")
        ]
        full = body.get("shipping") == "full"
        wanted = WantedRefund(units, money_back(body), None if full else optional(body, "shipping"), full)
        wanted.adjustment, wanted.rate = optional(body, "adjustment"), optional(body, "rate")
        wanted.note, wanted.processed_at = body.get("note"), body.get("processed_at")
        wanted.over = bool(body.get("allow_over_refunding"))
        wanted.reason = str(body.get("adjustment_reason", "REFUND_DISCREPANCY")).upper()
        if body.get("duties"):
            wanted.duties = [duty for unit in units for duty in unit.line.duties]
        refund(order, wanted, ask.sandbox.clock.stamp())

    return step(order, act)


def _restock_type(row: dict[str, Any]) -> str:
    kind = str(row.get("restock_type", "NO_RESTOCK")).upper()
    known = ("CANCEL", "RETURN", "NO_RESTOCK", "LEGACY_RESTOCK")
    if kind not in known:
        raise ControlError(f"There is no restock type {kind!r}.", f"Use one of: {', '.join(known)}.")
    return kind


def return_order(ask: Ask) -> dict[str, Any]:
    """``{"do": "open", "lines"?, "exchange"?, …}``; then request, approve, decline, process, close, cancel."""
    order, stamp, what = order_of(ask), ask.sandbox.clock.stamp(), str(ask.body.get("do", "open"))

    def act() -> None:
        if what in ("open", "request"):
            exchange = [line_of(order.shop, row) for row in rows_of(ask.body, "exchange")]
            note = str(ask.body.get("note", ""))
            open_return(order, quantities_of(ask) or {}, exchange, stamp, requested=what == "request", note=note)
            return
        made = row_of(order, order.returns, ask.body.get("return"), "return")
        if what in ("approve", "decline"):
            decide(made, stamp, approve=what == "approve", note=str(ask.body.get("note", "")))
        elif what == "process":
            place = location_of(order.shop, ask.body["location"]) if ask.body.get("location") else None
            process(made, stamp, restock=bool(ask.body.get("restock", True)), place=place, money=money_back(ask.body))
        elif what in ("close", "cancel"):
            close(made, stamp, status="CLOSED" if what == "close" else "CANCELED")
        else:
            known = "open, request, approve, decline, process, close, cancel"
            raise ControlError(f"A return can't be {what!r}.", f"Use one of: {known}.")

    return step(order, act)


def edit_order(ask: Ask) -> dict[str, Any]:
    """``{"add": [line…], "set": [{"line", "quantity", "restock"?}], "remove": [{"line"}], "words": {"tags": […]}}``."""
    order, stamp = order_of(ask), ask.sandbox.clock.stamp()

    def act() -> None:
        for row in rows_of(ask.body, "add"):
            for line in with_components(order.shop, [line_of(order.shop, row, ask.body.get("location"))]):
                add_line(order, line, stamp)
        for row in rows_of(ask.body, "set") + [{**row, "quantity": 0} for row in rows_of(ask.body, "remove")]:
            changed_line = order.line(whole(row["line"], "line"))
            quantity = whole(row["quantity"], "quantity")
            if row["quantity"] == 0:
                shipped = changed_line.current_quantity - order.unfulfilled(changed_line)
                quantity = shipped if row.get("unshipped") else 0
            set_quantity(order, changed_line, quantity, stamp, restock=bool(row.get("restock", True)))
        if ask.body.get("words"):
            describe(order, dict(ask.body["words"]), stamp)

    return step(order, act)


def move_order(ask: Ask) -> dict[str, Any]:
    """``{"to": location, "fulfillment_order"?: gid, "lines"?: {gid: quantity}}``: committed stock moves along."""
    order, stamp = order_of(ask), ask.sandbox.clock.stamp()
    place = location_of(order.shop, ask.need("to"))
    open_work = [fo for fo in order.fulfillment_orders if fo.remaining and fo.location is not place]
    fo = row_of(order, open_work, ask.body.get("fulfillment_order"), "open fulfilment order")
    return step(order, lambda: move(fo, place, ask.body.get("lines"), stamp))


def hold_order(ask: Ask) -> dict[str, Any]:
    """Put waiting work on hold (``reason``, ``notes``), or let it go on with ``{"release": true}``."""
    order, stamp = order_of(ask), ask.sandbox.clock.stamp()
    release = bool(ask.body.get("release"))
    waiting = [fo for fo in order.fulfillment_orders if fo.remaining and (fo.status == "ON_HOLD") is release]
    fo = row_of(order, waiting, ask.body.get("fulfillment_order"), "fulfilment order to hold or release")
    if release:
        return step(order, lambda: release_hold(fo, stamp))
    reason = str(ask.body.get("reason", "OTHER")).upper()
    return step(order, lambda: hold(fo, reason, ask.body.get("notes"), stamp))


def unfulfill_order(ask: Ask) -> dict[str, Any]:
    """Cancel a fulfilment (``fulfillment``: gid, default the newest): committed +q, on_hand +q."""
    order, stamp = order_of(ask), ask.sandbox.clock.stamp()
    parcels = [each for each in order.fulfillments if each.status == "SUCCESS"]
    parcel = row_of(order, parcels, ask.body.get("fulfillment"), "fulfilment")
    return step(order, lambda: cancel_fulfillment(parcel, stamp))


def settle_order(ask: Ask) -> dict[str, Any]:
    """A pending transaction ends (``transaction``, default the newest; ``status``), or ``{"capture": amount or true}``."""
    order, stamp = order_of(ask), ask.sandbox.clock.stamp()
    if ask.body.get("capture"):
        amount = None if ask.body["capture"] is True else optional(ask.body, "capture")
        return step(order, lambda: capture(order, amount, stamp))
    status = str(ask.body.get("status", "SUCCESS")).upper()
    if status not in ("SUCCESS", "FAILURE", "ERROR"):
        raise ControlError(f"A transaction can't end as {status}.", "Use SUCCESS, FAILURE or ERROR.")
    pending = [t for t in order.transactions if t.status == "PENDING"]
    found = row_of(order, pending, ask.body.get("transaction"), "pending transaction")
    return step(order, lambda: settle_transaction(found, status, stamp))


# ── drafts ──


def place_draft(ask: Ask) -> dict[str, Any]:
    """A draft with the words of an order, and ``reserve`` (true): reserved +q, available −q."""
    shop = ask.shop()
    wanted = wanted_of(shop, ask.body)
    try:
        made = open_draft(shop, wanted, ask.sandbox.clock.stamp(), reserve=bool(ask.body.get("reserve", True)))
    except OrderRefused as refused:
        raise ControlError(str(refused), "docs/adapters/sandbox.md describes an order.", 409) from None
    return made.as_json()


def _draft(ask: Ask) -> Draft:
    shop, number = ask.shop(), int(ask.parts["number"])
    row = shop.by_gid.get(f"gid://shopify/DraftOrder/{shop.id_base + number}")
    if isinstance(row, Draft):
        return row
    raise ControlError(f"{shop.domain} has no draft {number}.", "POST /_control/drafts makes one.", 404)


def complete_draft(ask: Ask) -> dict[str, Any]:
    """The draft becomes an order: reserved −q, committed +q."""
    draft = _draft(ask)
    try:
        return told(complete(ask.sandbox.orders, draft, ask.sandbox.clock.stamp()))
    except OrderRefused as refused:
        raise ControlError(str(refused), "Only an open draft is completed.", 409) from None


def delete_draft(ask: Ask) -> dict[str, Any]:
    """Delete a draft: reserved −q, available +q."""
    draft = _draft(ask)
    try:
        drop(draft, ask.sandbox.clock.stamp())
    except OrderRefused as refused:
        raise ControlError(str(refused), "Only an open draft is deleted.", 409) from None
    return draft.as_json()
