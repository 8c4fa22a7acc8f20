"""Tables of orders."""

from orders.models.documents import (
    Document,
    DocumentKind,
    DocumentLine,
    DocumentSeries,
    DocumentState,
    Refund,
    RefundState,
)
from orders.models.incoming import IncomingOrder, IncomingState
from orders.models.mappings import MappedKind, MappingRule, Unmapped, ValueMapping
from orders.models.outgoing import OutgoingFulfilment, OutgoingLine, OutgoingState
from orders.models.pulls import OrderPull, PullState
from orders.models.reviews import RegisterReview
from orders.models.sales import (
    Buyer,
    EditedField,
    LineKind,
    LocalEdit,
    OrderStatus,
    SalesOrder,
    SalesOrderLine,
    SalesOrderPayment,
)
from orders.models.stock import OrderStock
from orders.models.waves import Wave, WaveLine, WaveLineState, WaveState

__all__ = [
    "Buyer",
    "Document",
    "DocumentKind",
    "DocumentLine",
    "DocumentSeries",
    "DocumentState",
    "EditedField",
    "IncomingOrder",
    "IncomingState",
    "LineKind",
    "LocalEdit",
    "MappedKind",
    "MappingRule",
    "OrderPull",
    "OrderStatus",
    "OrderStock",
    "OutgoingFulfilment",
    "OutgoingLine",
    "OutgoingState",
    "PullState",
    "Refund",
    "RefundState",
    "RegisterReview",
    "SalesOrder",
    "SalesOrderLine",
    "SalesOrderPayment",
    "Unmapped",
    "ValueMapping",
    "Wave",
    "WaveLine",
    "WaveLineState",
    "WaveState",
]
