"""What the quarantine page says of pairs: one by itself, and the pairs of the same two products as one."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from catalog.clone_decisions import recommended, why_not
from catalog.models import CloneDecision, CloneKind, CloneSuspect
from inventory.knowledge import Sold
from syncconsole.kernel.templatetags.console import n, plural

LISTED: Final = 20
"""Pairs of a group that its card names."""


@dataclass(frozen=True)
class Field:
    """One fact of both sides."""

    name: str
    left: str
    right: str

    @property
    def same(self) -> bool:
        return self.left == self.right


@dataclass(frozen=True)
class Choice:
    """A decision as the page offers it: its effect, why it is recommended, why it is not open."""

    decision: CloneDecision
    effect: str
    why: str = ""
    why_not: str = ""


@dataclass(frozen=True)
class Pair:
    """A suspect with everything that its part of the page says."""

    suspect: CloneSuspect
    sentence: str
    left: str
    right: str
    fields: list[Field]
    choices: list[Choice]


@dataclass(frozen=True)
class Row:
    """A pair of a group in one line. `differ`: what is not the same on both sides besides."""

    suspect: CloneSuspect
    options: str
    shown: str
    sold: str
    differ: str


@dataclass(frozen=True)
class Group:
    """Several pairs of the same two products, to be decided at once. `more`: pairs that are not listed."""

    suspect: CloneSuspect
    count: int
    sentence: str
    left: str
    right: str
    fields: list[Field]
    choices: list[Choice]
    rows: list[Row]
    more: int


def pair_of(suspect: CloneSuspect, held: int, sold: Mapping[tuple[int, str], Sold]) -> Pair:
    """The pair as the page shows it. `held`: its levels that are held now; `sold` as `clones.sold`."""
    left, right = _named(suspect.original), _named(suspect.copy)
    zone = suspect.store.zone
    sides = ((suspect.original, suspect.original_item), (suspect.copy, suspect.copy_item))
    facts = zip(
        *(
            (*_facts(side, item, zone), _sold(sold.get((suspect.store_id, item)), shared=suspect.shared))
            for side, item in sides
        ),
        strict=True,
    )
    fields = [Field(name, *values) for name, values in zip(NAMES, facts, strict=True)]
    return Pair(suspect, _sentence(suspect, held, left, right), left, right, fields, _choices(suspect, left, right))


def _named(side: dict[str, Any]) -> str:
    return (
        " / ".join(filter(None, [str(side.get("title", "")), *side.get("options", [])])) or "a variant without a name"
    )


def _facts(side: dict[str, Any], item: str, zone: ZoneInfo) -> tuple[str, ...]:
    available = side.get("available")
    return (
        str(side.get("title", "")),
        str(side.get("handle", "")),
        " / ".join(side.get("options", [])),
        str(side.get("sku", "")),
        str(side.get("barcode", "")),
        item.rpartition("/")[2],
        _made(side, zone),
        "" if available is None else n(available),
    )


def _made(side: Mapping[str, Any], zone: ZoneInfo) -> str:
    made = side.get("created", "")
    return f"{dt.datetime.fromisoformat(made).astimezone(zone):%-d %b %Y %H:%M}" if made else ""


NAMES: Final = (
    *("Product", "Handle", "Options", "SKU", "Barcode", "Inventory item", "Made", "Available there"),
    "Sold in the last 30 days",
)


def _sold(found: Sold | None, *, shared: bool) -> str:
    told = f"{plural(found.units, 'unit')} in {plural(found.orders, 'order')}" if found else "nothing"
    return f"{told}, both together" if shared else told


def _sentence(suspect: CloneSuspect, held: int, left: str, right: str) -> str:
    if suspect.kind == CloneKind.SHARED_ITEM:
        what = f"{right} and {left} share one inventory item in the store, and are two items here."
    elif left == right:
        what = f"{left} is there twice, with one SKU: {suspect.sku}."
    else:
        what = f"{right} has the SKU of {left}: {suspect.sku}."
    if not suspect.holds:
        return what
    if not held:
        return f"{what} Neither is linked, so nothing is pushed for them."
    return f"{what} {plural(held, 'level')} {'is' if held == 1 else 'are'} held; nothing is pushed for them."


def _choices(suspect: CloneSuspect, left: str, right: str) -> list[Choice]:
    ours = str(suspect.variant) if suspect.variant else "our item"
    effects = {
        CloneDecision.ORIGINAL: f"{ours} belongs to {left}, whose levels are pushed again. "
        f"Nothing is pushed for {right} as long as it has that SKU.",
        CloneDecision.COPY: f"{ours} is linked to {right} instead, and published there from its next full or manual run on. "
        f"What {left} shows stays as it is.",
        CloneDecision.SAME: f"Their one inventory item stays with {ours}. Orders of both count there.",
        CloneDecision.WAIT: "Both stay held. They are let go by themselves when the store shows another SKU on one of them.",
    }
    return _ordered(effects, [suspect])


def _ordered(effects: Mapping[CloneDecision, str], suspects: Sequence[CloneSuspect]) -> list[Choice]:
    """The recommended one first; each says for how many of the pairs it is not open, and is not offered where for none."""
    best, why = Counter(map(recommended, suspects)).most_common(1)[0][0]
    choices = []
    for decision in sorted(effects, key=lambda decision: decision != best):
        not_open = [cause for cause in (why_not(suspect, decision) for suspect in suspects) if cause]
        if len(not_open) == len(suspects):
            choices.append(Choice(decision, effects[decision], why_not=not_open[0]))
            continue
        left = f" {plural(len(not_open), 'pair is,pairs are')} left: {not_open[0]}" if not_open else ""
        choices.append(Choice(decision, effects[decision] + left, why if decision == best else ""))
    return choices


OF_PRODUCTS: Final = ("Product", "Handle", "Made", "Available there", "Sold in the last 30 days")
TOLD_ABOVE: Final = (
    "Product",
    "Handle",
    "SKU",
    "Inventory item",
    "Made",
    "Available there",
    "Sold in the last 30 days",
)
"""Fields of a pair that its line in a group has no need to compare: they are of the products, or have a column."""


def group_of(suspects: Sequence[CloneSuspect], held: Mapping[int, int], sold: Mapping[tuple[int, str], Sold]) -> Group:
    """Several pairs of the same two products as the page shows them. `held` and `sold` as `clones.held_levels` and
    `clones.sold` tell of them."""
    lead = suspects[0]
    left, right = _products(lead)
    sides = (
        ([one.original for one in suspects], {one.original_item for one in suspects}),
        ([one.copy for one in suspects], {one.copy_item for one in suspects}),
    )
    facts = zip(*(_of_product(lead, several, items, sold) for several, items in sides), strict=True)
    return Group(
        suspect=lead,
        count=len(suspects),
        sentence=_group_sentence(suspects, sum(held[one.pk] for one in suspects), left, right),
        left=left,
        right=right,
        fields=[Field(name, *values) for name, values in zip(OF_PRODUCTS, facts, strict=True)],
        choices=_group_choices(suspects, left, right),
        rows=[_row(pair_of(one, held[one.pk], sold)) for one in suspects[:LISTED]],
        more=max(0, len(suspects) - LISTED),
    )


def _products(suspect: CloneSuspect) -> tuple[str, str]:
    """What the two products are called; by their handles where they have one title."""
    titles = [str(side.get("title", "")) or "a product without a name" for side in (suspect.original, suspect.copy)]
    if titles[0] == titles[1]:
        titles = [
            f"{suspect.original.get('title', '')} ({side.get('handle', '')})"
            for side in (suspect.original, suspect.copy)
        ]
    return titles[0], titles[1]


def _of_product(
    lead: CloneSuspect, sides: Sequence[Mapping[str, Any]], items: Collection[str], sold: Mapping[tuple[int, str], Sold]
) -> tuple[str, ...]:
    first = sides[0]
    known = [side["available"] for side in sides if side.get("available") is not None]
    units = sum(found.units for item in items if (found := sold.get((lead.store_id, item))))
    told = plural(units, "unit") if units else "nothing"
    return (
        str(first.get("title", "")),
        str(first.get("handle", "")),
        _made(first, lead.store.zone),
        n(sum(known)) if len(known) == len(sides) else "",
        f"{told}, both together" if lead.shared else told,
    )


def _row(pair: Pair) -> Row:
    facts = {field.name: field for field in pair.fields}
    available, sold = facts["Available there"], facts["Sold in the last 30 days"]
    return Row(
        suspect=pair.suspect,
        options=facts["Options"].left,
        shown=f"{available.left or '–'} and {available.right or '–'}",
        sold=sold.left if sold.same else f"{sold.left}; {sold.right}",
        differ=", ".join(field.name for field in pair.fields if not field.same and field.name not in TOLD_ABOVE),
    )


def _group_sentence(suspects: Sequence[CloneSuspect], held: int, left: str, right: str) -> str:
    if suspects[0].kind == CloneKind.SHARED_ITEM:
        what = f"{len(suspects):,} variants of {right} share their inventory items with {left}, and are items of their own here."
    else:
        what = f"{right} has {len(suspects):,} SKUs of {left}."
    if not suspects[0].holds:
        return what
    if not held:
        return f"{what} None is linked, so nothing is pushed for them."
    return f"{what} {plural(held, 'level')} {'is' if held == 1 else 'are'} held; nothing is pushed for them."


def _group_choices(suspects: Sequence[CloneSuspect], left: str, right: str) -> list[Choice]:
    effects = {
        CloneDecision.ORIGINAL: f"Our items belong to {left}, whose levels are pushed again. "
        f"Nothing is pushed for {right} as long as it has these SKUs.",
        CloneDecision.COPY: f"Our items are linked to {right} instead, and published there from its next full or manual run "
        f"on. What {left} shows stays as it is.",
        CloneDecision.SAME: "Each inventory item stays with our item that it is linked to. Orders of both count there.",
        CloneDecision.WAIT: "All stay held. Each pair is let go by itself when the store shows another SKU on one of its sides.",
    }
    return _ordered(effects, suspects)
