"""Whatever a store lists and whatever is here: linking neither breaks, nor guesses, nor changes its mind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog import linking
from catalog.linking import LinkRefused, link
from catalog.models import CloneSuspect, LinkConflict, ListedVariant, Listing, Product, Variant
from connectors.ports.store import RemoteVariant
from tests.factories.connectors import StoreFactory

CODES = st.sampled_from(["", "A", "B", "C"])
OURS = st.lists(st.tuples(CODES, CODES, st.sampled_from("xyz"), st.sampled_from(["", "S", "M"])), max_size=6)
THEIRS = st.lists(
    st.tuples(
        st.integers(1, 5), st.integers(1, 5), CODES, CODES, st.sampled_from("xyz"), st.sampled_from(["", "S", "M"])
    ),
    max_size=7,
)


class Listed:
    def __init__(self, rows: list[tuple[int, int, str, str, str, str]]) -> None:
        self.rows = rows

    def iter_variants(self) -> Iterator[RemoteVariant]:
        for ref, item, sku, barcode, handle, option in self.rows:
            yield RemoteVariant(
                product_ref=f"product/{handle}",
                product_handle=handle,
                product_title=handle,
                product_status="active",
                product_tags=(),
                ref=f"variant/{ref}",
                item_ref=f"item/{item}",
                sku=sku,
                barcode=barcode,
                option_values=(option or "Default Title",),
                price=Decimal(1),
                tracked=bool(item % 2),
            )


def add_ours(rows: list[tuple[str, str, str, str]]) -> None:
    for number, (sku, barcode, handle, option) in enumerate(rows):
        product, _ = Product.objects.get_or_create(handle=handle, defaults={"title": handle})
        options = [option] if option else []
        Variant.objects.create(
            product=product, item_number=f"N{number}", sku=sku, barcode=barcode, option_values=options
        )


@pytest.mark.slow
@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@given(ours=OURS, listings=st.lists(THEIRS, min_size=1, max_size=3))
@example(  # a remembered variant leaves its item to two others: who they share it with is nobody, at once
    ours=[("", "", "x", ""), ("B", "", "x", ""), ("", "", "x", "")],
    listings=[
        [(5, 2, "B", "", "x", "")],
        [
            (1, 1, "", "", "x", ""),
            (1, 2, "", "", "x", ""),
            (3, 4, "", "", "x", ""),
            (5, 1, "", "", "x", ""),
            (2, 2, "", "", "x", ""),
        ],
    ],
)
@example(  # it leaves its item to one that is bound now
    ours=[("A", "", "x", ""), ("B", "", "y", "")],
    listings=[[(5, 2, "A", "", "x", "")], [(5, 1, "A", "", "x", ""), (2, 2, "B", "", "y", "")]],
)
@example(  # two swap their items
    ours=[("A", "", "x", ""), ("B", "", "y", "")],
    listings=[
        [(1, 1, "A", "", "x", ""), (2, 2, "B", "", "y", "")],
        [(1, 2, "A", "", "x", ""), (2, 1, "B", "", "y", "")],
    ],
)
@example(  # one cannot move, since its new item is held by one that is gone, so neither can the one behind it
    ours=[("A", "", "x", ""), ("B", "", "y", ""), ("C", "", "z", "")],
    listings=[
        [(1, 1, "A", "", "x", ""), (2, 2, "B", "", "y", ""), (3, 3, "C", "", "z", "")],
        [(1, 2, "A", "", "x", ""), (2, 3, "B", "", "y", "")],
    ],
)
def test_any_listing_is_linked_without_a_guess(
    ours: list[tuple[str, str, str, str]], listings: list[list[tuple[int, int, str, str, str, str]]]
) -> None:
    with transaction.atomic():
        store = StoreFactory()
        add_ours(ours)
        for rows in listings:
            with mock.patch.object(linking, "store_for", lambda _, rows=rows: Listed(rows)):
                check_one_linking(store, rows)
        transaction.set_rollback(True)


def check_one_linking(store: object, rows: list[tuple[int, int, str, str, str, str]]) -> None:
    remembered = set(ListedVariant.objects.values_list("remote_ref", "variant_id"))
    try:
        report = link(store)  # type: ignore[arg-type]
    except LinkRefused:
        assert not rows
        return
    last = {f"variant/{row[0]}": row for row in rows}
    alive = dict(ListedVariant.objects.filter(gone_at=None).values_list("remote_ref", "variant_id"))
    shown = set(LinkConflict.objects.values_list("remote_ref", flat=True))
    assert set(alive) | shown == set(last)
    assert not set(alive) & shown
    items = dict(ListedVariant.objects.filter(gone_at=None).values_list("remote_ref", "item_ref"))
    assert items == {ref: f"item/{last[ref][1]}" for ref in alive}
    assert report.linked + report.already == len(alive)
    assert report.conflicts + report.only_there == len(shown)
    check_nothing_was_guessed(alive, remembered, last)

    before = what_is_stored()
    again = link(store)  # type: ignore[arg-type]
    assert (again.linked, again.changed) == (0, 0)
    assert what_is_stored() == before


def what_is_stored() -> list[list[Any]]:
    """All that linking writes."""
    rows: list[list[Any]] = [
        list(model.objects.order_by("pk").values()) for model in (Listing, ListedVariant, LinkConflict, CloneSuspect)
    ]
    candidates = LinkConflict.candidates.through.objects.values_list("linkconflict_id", "variant_id")
    return [*rows, sorted(candidates)]


def check_nothing_was_guessed(
    alive: dict[str, int], remembered: set[tuple[str, int]], last: dict[str, tuple[int, int, str, str, str, str]]
) -> None:
    """A new link has one reason, and that reason fits one variant on each side."""
    skus_there = Counter(row[2] for row in last.values())
    for ref, variant_id in alive.items():
        if (ref, variant_id) in remembered:
            continue
        row, variant = last[ref], Variant.objects.select_related("product").get(pk=variant_id)
        if row[2] and Variant.objects.filter(sku=row[2]).exists():
            assert variant.sku == row[2]
            assert skus_there[row[2]] == Variant.objects.filter(sku=row[2]).count() == 1
        elif row[3] and Variant.objects.filter(barcode=row[3]).exists():
            assert variant.barcode == row[3]
            assert Variant.objects.filter(barcode=row[3]).count() == 1
        else:
            assert (variant.product.handle, variant.options_label) == (row[4], row[5])
            assert not (variant.sku and row[2])
