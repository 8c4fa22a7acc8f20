"""Custom fields (metafields) of orders and of their customers, as Shopify tells them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from connectors.ports.buyers import Attribute
from connectors.ports.errors import FeatureNotSupported
from connectors.ports.orders import MAX_FIELDS
from connectors.shopify import orders_buyers as buyers
from connectors.shopify.client import ShopifyClient
from connectors.shopify.replies import SERVICE


class _Field(msgspec.Struct):
    namespace: str
    key: str
    value: str

    @property
    def name(self) -> str:
        """Namespace and key. Asked for by such names, Shopify may give the whole name as the key."""
        return self.key if "." in self.key else f"{self.namespace}.{self.key}"


class _Fields(msgspec.Struct):
    nodes: list[_Field]


class _Customer(msgspec.Struct):
    metafields: _Fields | None = None


class _Order(msgspec.Struct):
    id: str
    metafields: _Fields | None = None
    customer: _Customer | None = None

    def values(self) -> dict[str, str]:
        """Name with its owner → value."""
        owners = {"order": self.metafields, "customer": self.customer.metafields if self.customer else None}
        return {
            f"{owner}.{field.name}": field.value
            for owner, fields in owners.items()
            for field in (fields.nodes if fields else ())
        }


class _Answer(msgspec.Struct):
    nodes: list[_Order | None]


def read_fields(client: ShopifyClient, refs: Sequence[str], names: Sequence[str]) -> dict[str, tuple[Attribute, ...]]:
    """As the port says, in one request."""
    if not 1 <= len(refs) <= MAX_FIELDS:
        raise FeatureNotSupported(
            service=SERVICE,
            operation="read custom fields of orders",
            cause=f"One request names 1 to {MAX_FIELDS} orders, not {len(refs)}.",
            remedy=f"Split them into requests of {MAX_FIELDS}.",
        )
    of_order, of_customer = (
        [name.removeprefix(f"{owner}.") for name in names if name.startswith(f"{owner}.")]
        for owner in ("order", "customer")
    )
    question = {
        "ids": list(refs),
        "ofOrder": of_order,
        "ofCustomer": of_customer,
        "orders": bool(of_order),
        "customers": bool(of_customer),
    }
    answer = client.execute("order_fields", question, withholds=buyers.withheld).read(_Answer)
    found = {node.id: node.values() for node in answer.nodes if node}
    return {
        ref: tuple(Attribute(name, values[name]) for name in names if values.get(name)) for ref, values in found.items()
    }
