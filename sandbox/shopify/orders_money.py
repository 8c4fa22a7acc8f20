"""Money of an order: every amount in the shop's currency and in the buyer's, to the cent of each (reference §6.2)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from .fields import PriceOf, decimal_text

_NO_CENTS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())  # noqa: SIM905
_MILS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount to the smallest unit of its currency: yen have none, dinars of Kuwait have a thousand."""
    unit = "1" if currency in _NO_CENTS else "0.001" if currency in _MILS else "0.01"
    return amount.quantize(Decimal(unit), ROUND_HALF_UP)


class Tender(NamedTuple):
    """The two currencies of an order. `rate` = units of the buyer's currency for one of the shop's."""

    shop: str
    buyer: str
    rate: Decimal = Decimal(1)

    def bag(self, amount: Decimal) -> Bag:
        """An amount said in the shop's currency."""
        return Bag(rounded(amount, self.shop), rounded(amount * self.rate, self.buyer), self)

    def paid(self, amount: Decimal) -> Bag:
        """An amount said in the buyer's currency, as payments and refunds are."""
        return Bag(rounded(amount / self.rate, self.shop), rounded(amount, self.buyer), self)

    def nothing(self) -> Bag:
        """Zero."""
        return Bag(rounded(Decimal(0), self.shop), rounded(Decimal(0), self.buyer), self)


class Bag(NamedTuple):
    """One amount in both currencies. Sums of bags are exact in each."""

    shop: Decimal
    buyer: Decimal
    tender: Tender

    def plus(self, other: Bag) -> Bag:
        """The sum."""
        return Bag(self.shop + other.shop, self.buyer + other.buyer, self.tender)

    def minus(self, other: Bag) -> Bag:
        """The difference."""
        return Bag(self.shop - other.shop, self.buyer - other.buyer, self.tender)

    def times(self, number: int) -> Bag:
        """So many of it."""
        return Bag(self.shop * number, self.buyer * number, self.tender)

    def share(self, part: int, whole: int) -> Bag:
        """`part` of `whole` equal parts, rounded. Taken cumulatively (share(k) − share(k − 1)), all parts sum to the bag."""
        if not whole:
            return self.tender.nothing()
        return Bag(
            rounded(self.shop * part / whole, self.tender.shop),
            rounded(self.buyer * part / whole, self.tender.buyer),
            self.tender,
        )

    def tax(self, rate: Decimal, included: bool) -> Bag:
        """The tax on this amount, or the tax inside it."""
        factor = rate / (1 + rate) if included else rate
        return Bag(
            rounded(self.shop * factor, self.tender.shop), rounded(self.buyer * factor, self.tender.buyer), self.tender
        )

    def shop_money(self) -> PriceOf:
        """The `MoneyV2` in the shop's currency."""
        return PriceOf(decimal_text(str(self.shop)), self.tender.shop)

    def buyer_money(self) -> PriceOf:
        """The `MoneyV2` in the buyer's currency."""
        return PriceOf(decimal_text(str(self.buyer)), self.tender.buyer)


def total(bags: list[Bag], tender: Tender) -> Bag:
    """The sum of a list, zero when it is empty."""
    found = tender.nothing()
    for bag in bags:
        found = found.plus(bag)
    return found
