"""Where a client gets the token it sends from, and whom it tells how the account stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

from connectors.ports.errors import AccountResting

INVENTORY: Final = "inventory"
ORDERS: Final = "orders"
SHIPPING: Final = "shipping"
"""Capabilities that the console asks for by their keys."""


@dataclass(frozen=True, slots=True)
class Capability:
    """Something we may do with an account once it granted all of `scopes` and, where there are any, one of `any_of`.
    `without` says what cannot be done, or happens otherwise, as long as it has not."""

    key: str
    label: str
    scopes: tuple[str, ...]
    any_of: tuple[str, ...] = ()
    without: str = ""

    def missing(self, granted: Collection[str]) -> list[str]:
        """The scopes to ask for; of alternatives the usual one."""
        missing = [scope for scope in self.scopes if scope not in granted]
        return [*missing, self.any_of[0]] if self.any_of and not set(self.any_of) & set(granted) else missing


class TokenSource(Protocol):
    """The access token of one account, as it is now. Safe to share between threads.

    Both methods may take as long as a request, so they are never called inside a transaction. They raise
    `ConnectorError`s: `CredentialsRejected` where the service gives no token, `ConnectorUnavailable` where it cannot
    be asked now.
    """

    def current(self) -> str:
        """The token to send."""
        ...

    def renew(self, refused: str) -> str:
        """Another token than `refused`, which the service does not accept any more; empty where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A token that never expires: what was entered is all there is."""

    token: str

    def current(self) -> str:
        """The token that was entered."""
        return self.token

    def renew(self, refused: str) -> str:
        """None: a person has to enter another one."""
        return ""


class Standing(Protocol):
    """Told how an account stands. Safe to share between threads."""

    def rests(self, error: AccountResting) -> None:
        """The service has closed the account for a while."""
        ...

    def answered(self) -> None:
        """The service gave a good answer. Told at every one, so it has to be cheap."""
        ...
