"""The tag filter: counted before it is saved."""

from __future__ import annotations

import pytest

from catalog.scope import ScopeCount, TagFilter, count
from tests.factories.catalog import ProductFactory, VariantFactory
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def assortment() -> None:
    shirts, vase = ProductFactory(tags=["Online", "toamna"]), ProductFactory(tags=["magazin"])
    VariantFactory(product=shirts)
    VariantFactory(product=shirts, tags=["lichidare"])
    VariantFactory(product=vase)
    VariantFactory(product=vase, tags=["ONLINE "])


@pytest.mark.parametrize(
    ("proposed", "variants", "products"),
    [
        (TagFilter(), 4, 2),
        (TagFilter(any_of=["online"]), 3, 2),
        (TagFilter(any_of=["online", "magazin"]), 4, 2),
        (TagFilter(all_of=["online", "TOAMNA"]), 2, 1),
        (TagFilter(any_of=["online"], none_of=["lichidare"]), 2, 2),
        (TagFilter(any_of=["online"], all_of=["magazin"], none_of=["lichidare"]), 1, 1),
        (TagFilter(any_of=["nimic"]), 0, 0),
    ],
)
def test_tags_of_variant_and_product_count_without_case(proposed: TagFilter, variants: int, products: int) -> None:
    found = count(StoreFactory(), proposed)
    assert (found.variants, found.products) == (variants, products)


def test_what_would_enter_and_leave_is_told_against_the_saved_filter() -> None:
    store = StoreFactory(tags_any=["magazin"])

    assert count(store, TagFilter(any_of=["toamna"])) == ScopeCount(
        variants=2, products=1, would_enter=2, would_leave=2
    )
    assert count(store, TagFilter(any_of=["magazin"])) == ScopeCount(2, 1, 0, 0)


def test_counting_takes_few_queries(django_assert_max_num_queries: object) -> None:
    store = StoreFactory(tags_any=["online"])
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        count(store, TagFilter(any_of=["magazin"]))
