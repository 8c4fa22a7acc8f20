"""The one table of the control API, and its dispatch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.wire import Reply, Request, json_reply

from . import apps, bulk, levels, order_steps, orders, products, stage, webhooks
from .asking import Ask, ControlError

if TYPE_CHECKING:
    from sandbox.app import Sandbox

Handler = Callable[[Ask], dict[str, Any]]


def list_routes(ask: Ask) -> dict[str, Any]:
    """All control calls with what each does."""
    return {"calls": [{"call": f"{m} {p}", "does": (h.__doc__ or "").strip()} for m, p, h in ROUTES]}


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/_control/", list_routes),
    ("GET", "/_control/state", stage.show_state),
    ("GET", "/_control/levels", levels.list_levels),
    ("POST", "/_control/levels/edit", levels.edit_levels),
    ("GET", "/_control/orders", orders.list_orders),
    ("POST", "/_control/orders", orders.place_order),
    ("POST", "/_control/orders/batch", orders.place_batch),
    ("GET", "/_control/orders/{number}", orders.show_order),
    ("POST", "/_control/orders/{number}/fulfill", orders.fulfill_order),
    ("POST", "/_control/orders/{number}/cancel", orders.cancel_order),
    ("POST", "/_control/orders/{number}/restock", orders.restock_order),
    ("POST", "/_control/orders/{number}/refund", order_steps.refund_order),
    ("POST", "/_control/orders/{number}/return", order_steps.return_order),
    ("POST", "/_control/orders/{number}/edit", order_steps.edit_order),
    ("POST", "/_control/orders/{number}/move", order_steps.move_order),
    ("POST", "/_control/orders/{number}/hold", order_steps.hold_order),
    ("POST", "/_control/orders/{number}/unfulfill", order_steps.unfulfill_order),
    ("POST", "/_control/orders/{number}/settle", order_steps.settle_order),
    ("POST", "/_control/drafts", order_steps.place_draft),
    ("POST", "/_control/drafts/{number}/complete", order_steps.complete_draft),
    ("DELETE", "/_control/drafts/{number}", order_steps.delete_draft),
    ("GET", "/_control/apps", apps.list_apps),
    ("POST", "/_control/apps", apps.change_app),
    ("POST", "/_control/apps/uninstall", apps.uninstall_app),
    ("POST", "/_control/apps/scopes", apps.change_scopes),
    ("POST", "/_control/apps/privacy", apps.request_privacy),
    ("GET", "/_control/subscriptions", webhooks.list_subscriptions),
    ("DELETE", "/_control/subscriptions", webhooks.delete_subscription),
    ("GET", "/_control/deliveries", webhooks.list_deliveries),
    ("DELETE", "/_control/deliveries", webhooks.clear_deliveries),
    ("POST", "/_control/deliveries/{number}/resend", webhooks.resend_delivery),
    ("POST", "/_control/deliveries/hold", webhooks.hold_deliveries),
    ("POST", "/_control/deliveries/flush", webhooks.flush_deliveries),
    ("POST", "/_control/deliveries/settle", webhooks.settle_deliveries),
    ("GET", "/_control/bulk", bulk.list_operations),
    ("POST", "/_control/bulk", bulk.change_manners),
    ("POST", "/_control/bulk/{number}/fail", bulk.fail_operation),
    ("POST", "/_control/bulk/{number}/expire", bulk.expire_result),
    ("POST", "/_control/bulk/{number}/break_download", bulk.break_download),
    ("GET", "/_control/products", products.list_products),
    ("DELETE", "/_control/products", products.delete_product),
    ("POST", "/_control/products/edit", products.edit_product),
    ("POST", "/_control/products/duplicate", products.duplicate_product),
    ("POST", "/_control/products/publish", products.publish_product),
    ("POST", "/_control/products/tune", products.tune_products),
    ("POST", "/_control/variants/edit", products.edit_variant),
    ("POST", "/_control/variants/bundle", products.bundle_variant),
    ("DELETE", "/_control/variants", products.delete_variant),
    ("GET", "/_control/faults", stage.list_faults),
    ("POST", "/_control/faults", stage.add_faults),
    ("DELETE", "/_control/faults", stage.clear_faults),
    ("GET", "/_control/calls", stage.list_calls),
    ("DELETE", "/_control/calls", stage.clear_calls),
    ("POST", "/_control/clock", stage.move_clock),
    ("POST", "/_control/poison", stage.poison_items),
    ("POST", "/_control/tokens", stage.change_tokens),
    ("POST", "/_control/plan", stage.change_plan),
    ("POST", "/_control/shops", stage.add_shop),
    ("DELETE", "/_control/shops", stage.close_shop),
    ("POST", "/_control/reset", stage.reset),
]

_PATTERNS = [(m, re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>\\d+)", p) + "$"), h) for m, p, h in ROUTES]


def answer(sandbox: Sandbox, request: Request) -> Reply:
    """Carry out one control call; what can't be done is answered with cause and remedy."""
    headers = [("Date", sandbox.clock.http_date())]
    matched = [(m, handler, match) for m, pattern, handler in _PATTERNS if (match := pattern.match(request.path))]
    if not matched:
        return json_reply(
            404, {"error": f"There is no {request.path}.", "remedy": "GET /_control/ lists all calls."}, headers
        )
    for method, handler, match in matched:
        if method == request.method:
            try:
                ask = Ask(sandbox, match.groupdict(), request.query, _body(request.body))
                return json_reply(200, handler(ask), headers)
            except ControlError as problem:
                return json_reply(problem.status, {"error": problem.cause, "remedy": problem.remedy}, headers)
            except (ValueError, TypeError, KeyError) as problem:
                told = {
                    "error": f"The call's values can't be used: {problem!r}.",
                    "remedy": (handler.__doc__ or "").strip(),
                }
                return json_reply(400, told, headers)
    allowed = ", ".join(method for method, _, _ in matched)
    return json_reply(
        405, {"error": f"{request.path} does not take {request.method}.", "remedy": f"Use {allowed}."}, headers
    )


def _body(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        read = json.loads(body)
    except ValueError:
        raise ControlError("The body is not JSON.", "Send a JSON object.") from None
    if not isinstance(read, dict):
        raise ControlError("The body is not a JSON object.", "Send an object: {…}.")
    return read
