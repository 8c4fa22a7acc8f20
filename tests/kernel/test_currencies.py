"""Amounts are rounded and written with as many decimals as their currency has."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncconsole.kernel.currencies import UnknownCurrency, decimals, rounded, written


@pytest.mark.parametrize(("currency", "places"), [("RON", 2), ("EUR", 2), ("JPY", 0), ("HUF", 2), ("KWD", 3)])
def test_each_currency_has_its_own_smallest_unit(currency: str, places: int) -> None:
    assert decimals(currency) == places


def test_halves_are_rounded_away_from_zero() -> None:
    assert rounded(Decimal("2.675"), "RON") == Decimal("2.68")
    assert rounded(Decimal("-2.675"), "RON") == Decimal("-2.68")
    assert rounded(Decimal("0.5"), "JPY") == 1


def test_an_amount_is_written_with_its_currency_after_it() -> None:
    assert written(Decimal("-1234.5"), "RON") == "−1,234.50 RON"
    assert written(Decimal(1500), "JPY") == "1,500 JPY"
    assert written(Decimal("1.0000"), "KWD") == "1.000 KWD"


def test_an_unknown_currency_is_not_guessed() -> None:
    with pytest.raises(UnknownCurrency):
        decimals("XYZ")
    assert written(Decimal("1.2345"), "XYZ") == "1.2345 XYZ"
