"""Tables of orders."""

from orders.models.incoming import IncomingOrder, IncomingState
from orders.models.stock import OrderStock

__all__ = ["IncomingOrder", "IncomingState", "OrderStock"]
