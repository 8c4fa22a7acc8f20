"""Tables of dotted names; the composition root's way of telling a lower app what a higher one offers."""

from __future__ import annotations

RUN_KINDS: dict[str, str] = {
    "inventory.full": "inventory.full.FullRun",
    "inventory.daily": "inventory.daily.DailyRun",
    "inventory.weekly": "inventory.weekly.WeeklyRun",
    "inventory.delta": "inventory.delta.DeltaRun",
    "inventory.recent": "inventory.recent.RecentRun",
    "inventory.manual": "inventory.manual.ManualRun",
    "inventory.observe": "inventory.observe.ObserveRun",
    "inventory.undo": "inventory.undo.UndoRun",
    "catalog.link": "inventory.linking.LinkRun",
    "catalog.track": "inventory.tracking.TrackRun",
}
"""Kind of a run → the class that preflights, plans, applies and verifies it (`connectors.runs.RunKind`)."""

CHANGE_READERS: dict[str, str] = {
    "order": "orders.intake.read_changes",
    "level": "inventory.level_changes.read_changes",
    "product": "inventory.product_changes.read_changes",
}
"""Kind of a changed object → the function that reads the waiting ones of a store (`connectors.changes.readers`)."""

ORDER_BOOKS = "orders.knowledge"
"""The module that tells how far the orders of a store are known (`inventory.knowledge.OrderBooks`)."""

ORDER_PULLS = "orders.pulls"
"""The module that takes rows of the stock feed that are an order's picking (`inventory.pulls.OrderPulls`)."""

SCOPE_FOLLOWER = "inventory.participation.follow_tags"
"""The function told of variants whose tags changed, in that transaction: stores' tag filters may take others in now."""

PERSONAL_DATA: dict[str, str] = {"orders": "orders.privacy"}
"""Where, beside the deliveries of webhooks, a person may be named → the module that counts and erases it: `held(store,
customer_ref, order_refs)`, `erase(store, customer_ref, order_refs)` and `erase_all(store)`, each returning a number of rows."""
