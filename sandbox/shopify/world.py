"""What one request runs in: the shop, the time, the app's key memory, and what the call log wants to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sandbox.clock import Clock

from .bucket import Plan
from .catalogue import Shop
from .idempotency import Memory

if TYPE_CHECKING:
    from .bulk import BulkDesk


@dataclass
class World:
    """The root row of every operation."""

    shop: Shop
    plan: Plan
    clock: Clock
    memory: Memory
    granted: tuple[str, ...]  # scopes of the token, as granted
    app_number: int
    bulk: BulkDesk
    base_url: str = ""  # where the sandbox was reached: addresses in its answers begin with it
    effective: frozenset[str] = frozenset()  # scopes with what they imply, for work that outlives the request
    withheld: frozenset[str] = frozenset()  # groups of protected customer data that the app is not approved for
    pause: Callable[[], None] = lambda: None  # a fault may hold a mutation here: key claimed, effect not made
    keys: list[str] = field(default_factory=list)  # idempotency keys of this request
    rows: int = 0  # rows that its mutations carry, or ids that it reads
    replayed: bool = False
    searches: list[dict[str, Any]] = field(default_factory=list)  # becomes extensions.search

    def lasting(self, effective: frozenset[str]) -> World:
        """The same world for work that goes on after the answer."""
        return replace(self, effective=effective, pause=lambda: None, keys=[], searches=[])
