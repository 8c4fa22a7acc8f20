"""What a contract case can do to a shop besides asking it through the port."""

from __future__ import annotations

from typing import Any, Protocol

from connectors.ports.store import StorePort


class ShopUnderTest(Protocol):
    """A shop that the test can look into and disturb, with a port to it."""

    @property
    def store(self) -> StorePort: ...

    @property
    def location(self) -> str:
        """Where items are stocked."""
        ...

    @property
    def elsewhere(self) -> str:
        """A second open location; nothing is stocked there."""
        ...

    @property
    def closed_location(self) -> str:
        """A deactivated location."""
        ...

    def item(self, available: int = 0, **variant: Any) -> str:
        """A new item stocked at `location`. Keywords: sku, barcode, handle, option_values, tags, tracked."""
        ...

    def available(self, item_ref: str) -> int:
        """What the shop shows at `location`."""
        ...

    def sell(self, item_ref: str, quantity: int) -> None:
        """An order is placed at `location`."""
        ...

    def place(self, item_ref: str, quantity: int = 1) -> str:
        """A customer buys at `location`; the reference of the order."""
        ...

    def ship(self, order_ref: str) -> None:
        """All that the order still holds is sent."""
        ...

    def poison(self, item_ref: str) -> None:
        """The item is one that apps may not change."""
        ...

    def advance(self, hours: float) -> None:
        """The shop's clock moves on."""
        ...

    def lose_next_reply(self) -> None:
        """The next write is executed and its answer lost."""
        ...

    def drop_next_request(self) -> None:
        """The next write is lost before it is executed."""
        ...

    def unreachable(self) -> StorePort:
        """A port to an address where nothing listens."""
        ...

    def with_wrong_token(self) -> StorePort:
        """A port to the same shop with a token it does not accept."""
        ...
