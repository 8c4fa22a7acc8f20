"""Writes of quantities: the variables sent, and what a refusal says about which row of any write."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from connectors.ports.store import Adjustment, Overwrite, RowProblem, RowProblemKind
from connectors.shopify.mutations import SimpleWrite, UserError
from connectors.shopify.replies import GraphQLError

REASON: Final = "correction"
"""The reason shown in the merchant's inventory history (reference 3.3, list of accepted reasons)."""


def adjustment_variables(rows: Sequence[Adjustment], key: UUID, document: str) -> dict[str, Any]:
    """Variables of a relative write. `changeFromQuantity` has to be there even when null (reference 3.3)."""
    changes = [
        {
            "inventoryItemId": row.item_ref,
            "locationId": row.location_ref,
            "delta": row.delta,
            "changeFromQuantity": row.change_from,
        }
        for row in rows
    ]
    return _write_variables("changes", changes, key, document)


def overwrite_variables(rows: Sequence[Overwrite], key: UUID, document: str) -> dict[str, Any]:
    """Variables of a compare-and-swap; every row carries the quantity it expects."""
    quantities = [
        {
            "inventoryItemId": row.item_ref,
            "locationId": row.location_ref,
            "quantity": row.quantity,
            "changeFromQuantity": row.change_from,
        }
        for row in rows
    ]
    return _write_variables("quantities", quantities, key, document)


def _write_variables(name: str, rows: list[dict[str, Any]], key: UUID, document: str) -> dict[str, Any]:
    return {
        "input": {
            "name": "available",
            "reason": REASON,
            "referenceDocumentUri": f"gid://sync-console/{document}",
            name: rows,
        },
        "idempotencyKey": str(key),
    }


class _Group(msgspec.Struct, rename="camel"):
    created_at: dt.datetime


class InventoryWrite(SimpleWrite, rename="camel"):
    """Payload of both inventory mutations."""

    inventory_adjustment_group: _Group | None = None


_ROW_LISTS: Final = frozenset({"quantities", "changes", "variants", "metafields"})
"""Lists of the input whose entries are our rows."""

RowCodes = Mapping[str, tuple[RowProblemKind, str, str]]
"""Code → kind, cause, remedy."""

_ROW_CODES: Final[dict[str, tuple[RowProblemKind, str, str]]] = {  # reference 3.2 and 3.3
    "CHANGE_FROM_QUANTITY_STALE": (
        RowProblemKind.STALE,
        "The quantity in the store is no longer the one the plan was made from.",
        "Nothing to do: the level is read and planned again.",
    ),
    "INVALID_INVENTORY_ITEM": (
        RowProblemKind.UNKNOWN_ITEM,
        "Shopify does not know this inventory item any more.",
        "Link the store's products again; the variant was probably deleted or recreated in Shopify.",
    ),
    "INVALID_LOCATION": (
        RowProblemKind.UNKNOWN_LOCATION,
        "Shopify does not know this location, or the app may not use it.",
        "Load the store's locations again and correct the location mapping.",
    ),
    "NON_MUTABLE_INVENTORY_ITEM": (
        RowProblemKind.NOT_WRITABLE,
        "Shopify does not let apps change this item, for example because it is the parent of a bundle.",
        "Take the variant out of the store's tag filter; its quantity follows from its parts.",
    ),
    "INVALID_QUANTITY_TOO_HIGH": (
        RowProblemKind.OUT_OF_RANGE,
        "The quantity is higher than Shopify can hold.",
        "Correct the quantity in the ledger.",
    ),
    "INVALID_QUANTITY_TOO_LOW": (
        RowProblemKind.OUT_OF_RANGE,
        "The quantity is lower than Shopify can hold.",
        "Correct the quantity in the ledger.",
    ),
    "INVALID_QUANTITY_NEGATIVE": (
        RowProblemKind.OUT_OF_RANGE,
        "Shopify does not take a negative quantity here.",
        "Correct the quantity in the ledger, or turn on Never below zero in the store's settings.",
    ),
    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR": (
        RowProblemKind.DUPLICATE_ROW,
        "The same item and location is in the request twice.",
        "Check whether two variants are linked to one inventory item, and unlink one.",
    ),
}
_ROW_CODES["COMPARE_QUANTITY_STALE"] = _ROW_CODES["CHANGE_FROM_QUANTITY_STALE"]


def row_problems(errors: Sequence[UserError], rows: int, codes: RowCodes = _ROW_CODES) -> list[RowProblem]:
    """The rows that `field` names (`["input", "quantities", "3", "quantity"]`), first problem of each, in order."""
    found: dict[int, RowProblem] = {}
    for error in errors:
        index = _row_index(error.field or [], rows)
        if index is not None:
            found.setdefault(index, _row_problem(index, error.code or "", error.message, codes))
    return [found[index] for index in sorted(found)]


def variable_problems(errors: Sequence[GraphQLError], rows: int) -> list[RowProblem]:
    """The rows that an INVALID_VARIABLE error names in its `problems`, as happens for an id or a number that cannot
    be one."""
    found: dict[int, RowProblem] = {}
    for error in errors:
        for problem in error.extensions.get("problems") or []:
            index = _row_index([str(part) for part in problem.get("path") or []], rows)
            if index is not None:
                said = str(problem.get("explanation") or problem.get("message") or error.message)
                found.setdefault(index, _row_problem(index, error.code, said, _ROW_CODES))
    return [found[index] for index in sorted(found)]


def _row_problem(index: int, code: str, message: str, codes: RowCodes) -> RowProblem:
    kind, cause, remedy = codes.get(
        code,
        (
            RowProblemKind.OTHER,
            f"Shopify refused the row: {message}",
            "Correct what the message names, then plan again.",
        ),
    )
    return RowProblem(index=index, kind=kind, code=code, cause=cause, remedy=remedy)


def _row_index(path: Sequence[str], rows: int) -> int | None:
    for name, index in itertools.pairwise(path):
        if name in _ROW_LISTS and index.isdecimal() and int(index) < rows:
            return int(index)
    return None
