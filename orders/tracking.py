"""How a parcel is followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Tracking:
    """How a parcel can be followed, and whether the store writes to the customer. All may be empty."""

    company: str = ""
    number: str = ""
    url: str = ""
    notify: bool = False


UNTRACKED: Final = Tracking()
