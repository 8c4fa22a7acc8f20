"""Tables of orders."""

from orders.models.incoming import IncomingOrder, IncomingState

__all__ = ["IncomingOrder", "IncomingState"]
