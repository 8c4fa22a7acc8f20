"""When goods left of which two sides tell: by the earlier word. A count between the two has seen them gone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from inventory.ledger import Posting
from inventory.models.ledger import EntryKind
from syncconsole.kernel.models import User


class Word(NamedTuple):
    """Who told that goods left, and since when they are gone by that."""

    origin: str
    at: dt.datetime


class Left(NamedTuple):
    """Units of a level that left for the order of `document`."""

    variant_id: int
    location_id: int
    document: str
    units: int


def dated_back(left: Left, key: str, *, booked: Word, earlier: Word, actor: User | None = None) -> list[Posting]:
    """Postings that have these units, booked as of the later word, leave by the earlier one. They cancel out, but where a
    count lies between the two: the ledger counters what is older than a count."""
    words = (("told", booked, left.units), ("left", earlier, -left.units))
    return [
        Posting(
            variant_id=left.variant_id,
            location_id=left.location_id,
            kind=EntryKind.SHIPPED,
            key=f"{key}:{step}",
            origin=word.origin,
            effective_at=word.at,
            on_hand_delta=Decimal(units),
            document=left.document,
            reason="Left before a count, and told after it",
            actor=actor,
        )
        for step, word, units in words
    ]
