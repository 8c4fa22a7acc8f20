"""Money of an order: every amount in the shop's currency and in the buyer's, to the cent of each (reference §6.2)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from .fields import PriceOf, decimal_text

_NO_CENTS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())  # noqa: SIM905
_MILS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_CENT = Decimal("0.01")
_UNITS = {**dict.fromkeys(_NO_CENTS, Decimal(1)), **dict.fromkeys(_MILS, Decimal("0.001"))}


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount to the smallest unit of its currency: yen have none, dinars of Kuwait have a thousand."""
    return amount.quantize(_UNITS.get(currency, _CENT), ROUND_HALF_UP)


class Tender(NamedTuple):
    """The two currencies of an order. `rate` = units of the buyer's currency for one of the shop's."""

    shop: str
    buyer: str
    rate: Decimal = Decimal(1)

    @property
    def single(self) -> bool:
        """True where shop and buyer mean the same: their amounts are then one object, which halves memory and sums."""
        return self.shop == self.buyer and self.rate == 1

    def bag(self, amount: Decimal) -> Bag:
        """An amount said in the shop's currency."""
        if self.single:
            return _once(rounded(amount, self.shop), self)
        return Bag(rounded(amount, self.shop), rounded(amount * self.rate, self.buyer), self)

    def paid(self, amount: Decimal) -> Bag:
        """An amount said in the buyer's currency, as payments and refunds are."""
        if self.single:
            return _once(rounded(amount, self.buyer), self)
        return Bag(rounded(amount / self.rate, self.shop), rounded(amount, self.buyer), self)

    def nothing(self) -> Bag:
        """Zero."""
        return _nothing(self)


class Bag(NamedTuple):
    """One amount in both currencies. Sums of bags are exact in each."""

    shop: Decimal
    buyer: Decimal
    tender: Tender

    def plus(self, other: Bag) -> Bag:
        """The sum."""
        if self.shop is self.buyer and other.shop is other.buyer:
            return _once(self.shop + other.shop, self.tender)
        return Bag(self.shop + other.shop, self.buyer + other.buyer, self.tender)

    def minus(self, other: Bag) -> Bag:
        """The difference."""
        if self.shop is self.buyer and other.shop is other.buyer:
            return _once(self.shop - other.shop, self.tender)
        return Bag(self.shop - other.shop, self.buyer - other.buyer, self.tender)

    def times(self, number: int) -> Bag:
        """So many of it."""
        if self.shop is self.buyer:
            return _once(self.shop * number, self.tender)
        return Bag(self.shop * number, self.buyer * number, self.tender)

    def share(self, part: int, whole: int) -> Bag:
        """`part` of `whole` equal parts, rounded. Taken cumulatively (share(k) − share(k − 1)), all parts sum to the bag."""
        if not whole:
            return self.tender.nothing()
        if self.shop is self.buyer:
            return _once(rounded(self.shop * part / whole, self.tender.shop), self.tender)
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


def _once(amount: Decimal, tender: Tender) -> Bag:
    """A bag of one currency."""
    return Bag(amount, amount, tender)


@lru_cache(maxsize=1024)
def _nothing(tender: Tender) -> Bag:
    zero = Bag(rounded(Decimal(0), tender.shop), rounded(Decimal(0), tender.buyer), tender)
    return _once(zero.shop, tender) if tender.single else zero


def total(bags: list[Bag], tender: Tender) -> Bag:
    """The sum of a list, zero when it is empty."""
    found = tender.nothing()
    for bag in bags:
        found = found.plus(bag)
    return found
