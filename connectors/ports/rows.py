"""A row of a write that a store refused, in words of no vendor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RowProblemKind(StrEnum):
    """Why the store refused a row; each is a different decision."""

    STALE = "stale"
    """What the row expects is no longer so: read again and plan again."""
    UNKNOWN_ITEM = "unknown_item"
    UNKNOWN_LOCATION = "unknown_location"
    NOT_WRITABLE = "not_writable"
    """For example the parent of a bundle."""
    OUT_OF_RANGE = "out_of_range"
    DUPLICATE_ROW = "duplicate_row"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class RowProblem:
    """The store named row `index` (0-based, in the order of the write) as the reason for its refusal."""

    index: int
    kind: RowProblemKind
    code: str
    cause: str
    remedy: str
