"""Currencies and their smallest units (ISO 4217), and how amounts of them are rounded and written."""

from __future__ import annotations

from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal
from typing import Final


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WITHOUT_DECIMALS: Final = _codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF")
_WITH_TWO: Final = _codes(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
    CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JEP JMD
    KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
    NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
    TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG
    """
)
_WITH_THREE: Final = _codes("BHD IQD JOD KWD LYD OMR TND")


class UnknownCurrency(ValueError):
    """A code that ISO 4217 does not have: its smallest unit is not known."""


def decimals(currency: str) -> int:
    """Decimal places of the smallest unit of `currency`. Raises `UnknownCurrency`."""
    if currency in _WITH_TWO:
        return 2
    if currency in _WITHOUT_DECIMALS:
        return 0
    if currency in _WITH_THREE:
        return 3
    raise UnknownCurrency(currency)


def smallest_unit(currency: str) -> Decimal:
    """0.01 for most currencies. Raises `UnknownCurrency`."""
    return Decimal(1).scaleb(-decimals(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` to the smallest unit of `currency`, halves away from zero. Raises `UnknownCurrency`."""
    return amount.quantize(smallest_unit(currency), rounding=ROUND_HALF_UP)


def written(amount: Decimal, currency: str) -> str:
    """The amount with its currency as people read it, e.g. 1,234.50 RON; of an unknown currency with all its digits."""
    with suppress(UnknownCurrency):
        amount = rounded(amount, currency)
    return f"{amount:,f} {currency}".replace("-", "\N{MINUS SIGN}")
