"""What commands about stock share."""

from __future__ import annotations

from inventory.models import Location
from syncconsole.kernel.commands import Refused


def named_location(code: str) -> Location:
    """Our location with this code. Raises Refused."""
    location = Location.objects.filter(code=code).first()
    if location is None:
        raise Refused(f"There is no location {code}.", "Write a code from Inventory › Locations.")
    return location
