"""What commands about stock share."""

from __future__ import annotations

from inventory.models import Location
from syncconsole.kernel.commands import Refused


def named_location(code: str) -> Location:
    """Our location with this code. Raises Refused naming those there are."""
    location = Location.objects.filter(code=code).first()
    if location is None:
        there = ", ".join(Location.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise Refused(f"There is no location {code}.", f"Use one of: {there}; or add it under Inventory › Locations.")
    return location
