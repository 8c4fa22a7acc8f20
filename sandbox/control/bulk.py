"""Control of bulk operations: what runs, how fast, and what goes wrong."""

from __future__ import annotations

from typing import Any

from sandbox.shopify.bulk import ACTIVE, BulkOperation
from sandbox.shopify.bulk_work import TIME_LIMITS

from .asking import Ask, ControlError, whole

_REFUSALS = ("INTERNAL_FILE_SERVER_ERROR", "LIMIT_REACHED", "OPERATION_IN_PROGRESS")
_ERRORS = ("ACCESS_DENIED", "INTERNAL_SERVER_ERROR", "TIMEOUT")


def list_operations(ask: Ask) -> dict[str, Any]:
    """Bulk operations of a shop, oldest first, and how they behave."""
    manners = ask.sandbox.admin.bulk.manners
    rows = ask.sandbox.admin.bulk.all_of(ask.shop())
    return {
        "rows_per_second": manners.rows_per_second,
        "start_delay": manners.start_delay,
        "refuse": manners.refuse,
        "time_limits": TIME_LIMITS,
        "operations": [_told(row) for row in rows],
    }


def change_manners(ask: Ask) -> dict[str, Any]:
    """``rows_per_second`` (null: full speed), ``start_delay`` seconds, ``refuse``: codes that the next starts answer."""
    manners = ask.sandbox.admin.bulk.manners
    refuse = ask.body.get("refuse", manners.refuse)
    unknown = [code for code in refuse if code not in _REFUSALS]
    if unknown:
        raise ControlError(f"No start is refused with {unknown[0]!r}.", f"Use {', '.join(_REFUSALS)}.")
    if "rows_per_second" in ask.body:
        speed = ask.body["rows_per_second"]
        manners.rows_per_second = None if speed is None else float(speed)
    manners.start_delay = float(ask.body.get("start_delay", manners.start_delay))
    manners.refuse = list(refuse)
    return {
        "rows_per_second": manners.rows_per_second,
        "start_delay": manners.start_delay,
        "refuse": manners.refuse,
    }


def fail_operation(ask: Ask) -> dict[str, Any]:
    """A running operation fails with ``code`` (INTERNAL_SERVER_ERROR); what it has written is its partial result."""
    operation = _named(ask)
    code = str(ask.body.get("code", "INTERNAL_SERVER_ERROR"))
    if code not in _ERRORS:
        raise ControlError(f"No operation fails with {code!r}.", f"Use {', '.join(_ERRORS)}.")
    if operation.state not in ACTIVE:
        raise ControlError(
            f"The operation is {operation.status.lower()}.", "Slow it down by rows_per_second first.", 409
        )
    operation.fail_with = code
    operation.stop.set()
    return _told(operation)


def expire_result(ask: Ask) -> dict[str, Any]:
    """The result's seven days are over at once."""
    operation = _named(ask)
    if operation.file is None or operation.file.expires_at is None:
        raise ControlError("The operation has no result yet.", "Wait until it has ended with rows.", 409)
    operation.file.expires_at = ask.sandbox.clock.seconds()
    return _told(operation)


def break_download(ask: Ask) -> dict[str, Any]:
    """The next ``times`` (1) downloads of the result end after ``bytes`` (half of it): the connection closes."""
    operation = _named(ask)
    if operation.file is None:
        raise ControlError("The operation has no result yet.", "Wait until it has ended with rows.", 409)
    after = whole(ask.body.get("bytes", operation.file.size // 2), "bytes")
    operation.file.break_after.extend([after] * whole(ask.body.get("times", 1), "times"))
    return _told(operation)


def _named(ask: Ask) -> BulkOperation:
    number = int(ask.parts["number"])
    for name in ask.sandbox.shops.values():
        for row in ask.sandbox.admin.bulk.all_of(name):
            if row.number == number:
                return row
    raise ControlError(f"There is no bulk operation {number}.", "GET /_control/bulk lists them.", 404)


def _told(row: BulkOperation) -> dict[str, Any]:
    return {
        "number": row.number,
        "id": row.gid,
        "type": row.type,
        "status": row.status,
        "error_code": row.error_code,
        "app": row.app_number,
        "client_identifier": row.client_identifier,
        "objects": row.objects,
        "url": row.url,
        "partial_data_url": row.partial_data_url,
        "downloads": row.file.downloads if row.file else 0,
        "created_at": row.created_at,
        "completed_at": row.completed_at,
    }
