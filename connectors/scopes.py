"""What a store's token opens, and what it lacks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from connectors import registry
from connectors.models import Store
from connectors.ports.access import INVENTORY, Capability
from syncconsole.kernel.status import Meaning


def missing(granted: Collection[str], key: str) -> list[str]:
    """The scopes that a capability needs and `granted` (`Store.scopes`) lacks. Raises KeyError for a key there is not."""
    return {each.key: each for each in registry.capabilities()}[key].missing(granted)


class Access(Enum):
    """Whether a token opens a capability. Without that for inventory nothing works; others can be done without."""

    OPEN = ("Granted", Meaning.OK)
    LACKING = ("Not granted", Meaning.OFF)
    REFUSED = ("Needed", Meaning.STOPPED)

    def __init__(self, label: str, meaning: Meaning) -> None:
        self.label = label
        self.meaning = meaning


@dataclass(frozen=True, slots=True)
class Opened:
    """A capability and what a store's token lacks of it."""

    capability: Capability
    missing: list[str]
    granted: list[str]

    @property
    def status(self) -> Access:
        """Whether all of it is granted."""
        if not self.missing:
            return Access.OPEN
        return Access.REFUSED if self.capability.key == INVENTORY else Access.LACKING


def capabilities(store: Store) -> list[Opened]:
    """Every capability, as far as the last test of the connection saw."""
    scopes = store.scopes
    return [
        Opened(each, each.missing(scopes), [scope for scope in (*each.scopes, *each.any_of) if scope in scopes])
        for each in registry.capabilities()
    ]


def beyond(store: Store) -> list[str]:
    """Scopes that were granted and that nothing here uses; reading what may be written is no extra."""
    used = {scope for each in registry.capabilities() for scope in (*each.scopes, *each.any_of)}
    used |= {scope.replace("write_", "read_", 1) for scope in used}
    return sorted(set(store.granted_scopes) - used)
