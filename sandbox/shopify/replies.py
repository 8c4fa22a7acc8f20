"""Errors in the shapes in which Shopify's GraphQL endpoint reports them (reference §2.3)."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """The whole request is answered with top-level errors and no data (HTTP 200, as Shopify does)."""

    def __init__(self, *errors: dict[str, Any]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = list(errors)


class FieldFault(Exception):
    """One field has no value; the rest of the answer stands. Path and place are added by the executor."""

    def __init__(self, message: str, code: str, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = {"code": code, **extensions}


def error(message: str, code: str, path: list[str | int] | None = None, **extensions: Any) -> dict[str, Any]:
    """One entry of the top-level ``errors`` list."""
    entry: dict[str, Any] = {"message": message}
    if path is not None:
        entry["path"] = path
    entry["extensions"] = {"code": code, **extensions}
    return entry


def too_long(size: int, path: list[str | int]) -> Refused:
    """An input array of more than 250 entries."""
    message = f"The input array size of {size} is greater than the maximum allowed of 250."
    return Refused(error(message, "MAX_INPUT_SIZE_EXCEEDED", path))


def too_expensive(cost: int, limit: int) -> Refused:
    """More than 1,000 requested points: permanent, on every plan."""
    message = (
        f"Query cost is {cost}, which exceeds the single query max cost limit ({limit}). "
        "See https://shopify.dev/concepts/about-apis/rate-limits for more information on how the cost of a query is calculated. "
        "To query larger amounts of data with fewer limits, bulk operations should be used instead."
    )
    return Refused(error(message, "MAX_COST_EXCEEDED", None, cost=cost, maxCost=limit))
