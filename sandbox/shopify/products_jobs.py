"""Operations on products that are polled. The effect is made at once; it is told when its time has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .rows import Product
from .world import World

Payload = dict[str, Any]


@dataclass(slots=True)
class Operation:
    """An operation to poll. `ready` is in seconds of the sandbox's clock."""

    gid: str
    type_name: str
    source: Product | None
    made: Product | None
    wrong: list[Payload]
    ready: float
    deleted_product_id: str | None = None
    started: bool = False  # the view of the very moment of its creation

    def as_started(self) -> Operation:
        """The operation as the mutation's own answer shows it."""
        return replace(self, started=True)

    def done(self, now: float) -> bool:
        """True once its result can be read."""
        return not self.started and now >= self.ready

    def status(self, now: float) -> str:
        """CREATED, then ACTIVE, then COMPLETE."""
        if self.done(now):
            return "COMPLETE"
        return "CREATED" if self.started else "ACTIVE"


class SetOperation(Operation):
    """Of `productSet`."""


class DuplicateOperation(Operation):
    """Of `productDuplicate`."""


class DeleteOperation(Operation):
    """Of `productDelete`."""


_CLASSES = {
    "ProductSetOperation": SetOperation,
    "ProductDuplicateOperation": DuplicateOperation,
    "ProductDeleteOperation": DeleteOperation,
}


def new_operation(
    world: World,
    type_name: str,
    source: Product | None,
    made: Product | None,
    wrong: list[Payload],
    deleted_product_id: str | None = None,
) -> Operation:
    """An operation that completes after the shop's processing time."""
    gid, _ = world.shop.new_gid(type_name)
    ready = world.clock.seconds() + world.shop.processing_seconds
    row = _CLASSES[type_name](gid, type_name, source, made, wrong, ready, deleted_product_id)
    world.shop.by_gid[gid] = row
    return row
