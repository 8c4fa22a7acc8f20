"""Lines of documents as values: what a plan wants, what stands, and the difference between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from orders.models import DocumentLine
from orders.refund_money import Part
from orders.verdict import Planned

AMOUNTS = ("quantity", "amount", "amount_shop", "tax", "tax_shop")


@dataclass(frozen=True, slots=True)
class LineValues:
    """Everything a line of a document says, except where it stands."""

    kind: str
    label: str
    sku: str
    line_ref: str
    refund_line_ref: str
    fate: str
    location_ref: str
    quantity: int
    amount: Decimal
    amount_shop: Decimal
    tax: Decimal
    tax_shop: Decimal

    @property
    def about(self) -> tuple[str, ...]:
        """What the line is about; lines about the same sum up."""
        return self.kind, self.label, self.sku, self.line_ref, self.refund_line_ref, self.fate, self.location_ref

    @property
    def says_nothing(self) -> bool:
        return not any(getattr(self, name) for name in AMOUNTS)

    def plus(self, other: LineValues, sign: int = 1) -> LineValues:
        """With the other's quantity and amounts added, or with `sign` -1 taken off."""
        return replace(self, **{name: getattr(self, name) + sign * getattr(other, name) for name in AMOUNTS})


def wanted(planned: Planned) -> list[LineValues]:
    """The lines of a planned document."""
    return [_of_part(part) for part in planned.parts]


def standing(lines: Iterable[DocumentLine]) -> list[LineValues]:
    """The lines of documents that are kept."""
    names = [each.name for each in fields(LineValues)]
    return [LineValues(**{name: getattr(line, name) for name in names}) for line in lines]


def difference(lines: Iterable[LineValues], posted: Iterable[LineValues]) -> list[LineValues]:
    """What must be added to the lines posted so that they say what `lines` say; empty when they do."""
    found: dict[tuple[str, ...], LineValues] = {}
    for line in lines:
        found[line.about] = found[line.about].plus(line) if line.about in found else line
    for line in posted:
        nothing = line.plus(line, -1)
        found[line.about] = found.get(line.about, nothing).plus(line, -1)
    return [line for line in found.values() if not line.says_nothing]


def _of_part(part: Part) -> LineValues:
    goods = part.goods
    return LineValues(
        kind=part.kind.value,
        label=part.label[:300],
        sku=goods.line.sku if goods else "",
        line_ref=goods.line.ref if goods else "",
        refund_line_ref=goods.refund_line_ref if goods else "",
        fate=goods.fate.value if goods else "",
        location_ref=goods.location_ref if goods else "",
        quantity=goods.quantity if goods else 0,
        amount=part.amount.presentment.amount,
        amount_shop=part.amount.shop.amount,
        tax=part.tax.presentment.amount,
        tax_shop=part.tax.shop.amount,
    )
