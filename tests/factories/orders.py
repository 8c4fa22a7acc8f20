"""Orders as a store tells them, made for tests: every field that a test does not name is empty."""

from __future__ import annotations

import datetime as dt
import types
import typing
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from connectors.ports.money import Money, TwoPrices

Told = TypeVar("Told")

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


def blank(kind: type[Told], /, **parts: Any) -> Told:
    """A value of a port's dataclass with `parts` and nothing else: no text, no lines, zero amounts, none where it may."""
    return kind(**{name: _empty(hint) for name, hint in _hints(kind) if name not in parts}, **parts)


def price(amount: str, currency: str = "RON", *, shop: str = "", shop_currency: str = "RON") -> TwoPrices:
    """An amount in the buyer's currency; the same in the shop's unless `shop` says another."""
    return TwoPrices(Money(Decimal(shop or amount), shop_currency), Money(Decimal(amount), currency))


@cache
def _hints(kind: type[Any]) -> list[tuple[str, Any]]:
    return list(typing.get_type_hints(kind).items())


def _empty(hint: Any) -> Any:
    if typing.get_origin(hint) is types.UnionType:
        return None
    if typing.get_origin(hint) is tuple:
        return ()
    if hint is TwoPrices:
        return price("0.00")
    if hint is dt.datetime:
        return NOON
    return hint()
