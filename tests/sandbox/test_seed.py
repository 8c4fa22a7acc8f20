"""Product CSVs as shops export them: two dialects, and the oddities of real files."""

from __future__ import annotations

import csv

import pytest

from sandbox.app import Sandbox
from sandbox.shopify.catalogue import Shop
from sandbox.shopify.handles import normalised
from sandbox.shopify.seed import seed_synthetic
from tests.sandbox.client import SHARED


def seeded(text: str, **options: object) -> tuple[Shop, list[str]]:
    """A shop made from a CSV, and what was skipped."""
    shop, told = Sandbox().add_shop("a", text, **options)  # type: ignore[arg-type]
    return shop, told.skipped


def stock(shop: Shop) -> list[tuple[str | None, int]]:
    """(SKU, available at the first location) of every variant."""
    return [(item.sku, level.quantities[0]) for item in shop.items if (level := item.level_at(shop.locations[0]))]


OLD = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n"
NEW = "Title,URL handle,SKU,Option1 name,Option1 value,Price,Inventory tracker,Inventory quantity\n"


def test_both_dialects_give_the_same_shop() -> None:
    old, _ = seeded(OLD + "apa,Apă,Title,Default Title,APA,shopify,10,5.50\n")
    new, _ = seeded(NEW + "Apă,apa,APA,Title,Default Title,5.50,shopify,10\n")
    assert stock(old) == stock(new) == [("APA", 10)]
    assert old.products[0].handle == new.products[0].handle == "apa"
    assert old.variants[0].price == new.variants[0].price == "5.50"


def test_headers_are_read_in_any_case_after_a_byte_order_mark() -> None:
    shop, skipped = seeded("\ufeff" + OLD.upper() + "apa,Apă,Title,Default Title,APA,shopify,10,5.50\n")
    assert (stock(shop), skipped) == ([("APA", 10)], [])


def test_rows_of_one_handle_are_one_product_and_image_rows_are_no_variant() -> None:
    rows = [
        "bere,Bere,Size,Mic,B-S,shopify,1,7",
        "bere,,,Mare,B-L,shopify,2,9",
        "bere,,,,,,,",
        "apa,Apă,Title,Default Title,APA,shopify,3,5",
    ]
    shop, skipped = seeded(OLD + "\n".join(rows))
    assert [len(product.variants) for product in shop.products] == [2, 1]
    assert shop.products[0].option_names == ["Size"]
    assert skipped == []


def test_a_missing_sku_stays_missing_and_a_negative_quantity_negative() -> None:
    shop, _ = seeded(OLD + "ceai,Ceai,Title,Default Title,,shopify,-3,12\n")
    assert stock(shop) == [(None, -3)]


def test_without_a_tracker_the_item_is_untracked_and_keeps_its_quantity() -> None:
    shop, _ = seeded(OLD + "dar,Card,Title,Default Title,DAR,,100,50\n")
    assert shop.items[0].tracked is False
    assert stock(shop) == [("DAR", 100)]


def test_a_description_over_several_lines_stays_one_cell() -> None:
    shop, _ = seeded('Handle,Title,Body (HTML),Variant SKU\napa,Apă,"<p>una\n\ndoua</p>",APA\nbere,Bere,,B\n')
    assert shop.products[0].description_html == "<p>una\n\ndoua</p>"
    assert [product.handle for product in shop.products] == ["apa", "bere"]


def test_the_quantity_goes_to_the_first_location_and_every_other_is_stocked_with_zero() -> None:
    shop, _ = seeded(OLD + "apa,Apă,Title,Default Title,APA,shopify,10,5\n", locations=["A", "B", "C"])
    levels = shop.items[0].levels
    assert [(level.location.name, level.quantities[0], level.active) for level in levels if level] == [
        ("A", 10, True),
        ("B", 0, True),
        ("C", 0, True),
    ]


def test_everything_seeded_is_a_day_old() -> None:
    sandbox = Sandbox()
    sandbox.clock.set(sandbox.clock.now().replace(year=2026, month=12, day=2, hour=10, minute=0))
    shop, _ = sandbox.add_shop("a", OLD + "apa,Apă,Title,Default Title,APA,shopify,10,5\n")
    level = shop.items[0].level_at(shop.locations[0])
    assert level is not None
    assert level.updated_at.startswith("2026-12-01T10:00")
    assert set(level.stamps) == {level.updated_at}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (",,Title,Default Title,X,shopify,1,1\n", "neither handle nor title"),
        ("apa,Apă,Size,S,A,,1,1\napa,,,S,B,,1,1\n", "has the option values S twice"),
        ("apa,Apă,Size,S,A,,1,1\napa,,,,B,,1,1\n", "a further variant of apa without option values"),
        ("apa,Apă,,,A,,1,1\nbere,B,,,B,,1,1\napa,Apă nouă,,,C,,1,1\n", "handle apa is already taken"),
    ],
)
def test_rows_that_cannot_be_used_are_told_and_the_rest_is_loaded(rows: str, reason: str) -> None:
    shop, skipped = seeded(OLD + rows + "ceai,Ceai,Title,Default Title,CEAI,shopify,2,1\n")
    assert len(skipped) == 1
    assert skipped[0].startswith("line ")
    assert reason in skipped[0]
    assert ("CEAI", 2) in stock(shop)


@pytest.mark.parametrize("text", ["", "\n", "a,b\n1,2\n", "Handle\n", "Title\n\n\n", OLD])
def test_a_file_with_nothing_in_it_makes_an_empty_shop(text: str) -> None:
    shop, _ = seeded(text)
    assert shop.variants == []


def test_numbers_that_are_none_count_as_zero() -> None:
    shop, _ = seeded(OLD + "apa,Apă,Title,Default Title,APA,shopify,many,free\n")
    assert stock(shop) == [("APA", 0)]
    assert shop.variants[0].price == "0.00"


def test_short_and_long_rows_are_read_as_far_as_they_go() -> None:
    shop, _ = seeded(OLD + "apa,Apă\nbere,Bere,Title,Default Title,B,shopify,2,7,and,more\n")
    assert [variant.product.handle for variant in shop.variants] == ["bere", "apa"]
    assert stock(shop)[0] == ("B", 2)


def test_a_description_of_200_kilobytes_is_read() -> None:
    body = "<p>" + "x" * 200_000 + "</p>"
    shop, skipped = seeded(f"Handle,Title,Body (HTML),Variant SKU\napa,Apă,{body},APA\n")
    assert (shop.products[0].description_html, skipped) == (body, [])


def test_a_title_without_handle_gets_one() -> None:
    shop, _ = seeded("Title,SKU\n  Brânză de Burduf (250 g)!,B\n")
    assert shop.products[0].handle == "brânză-de-burduf-250-g"
    assert normalised("!!!") == "product"


def test_sixty_variants_in_one_product() -> None:
    rows = "".join(f"tricou,{'Tricou' if n == 0 else ''},Mărime,{n},T-{n},shopify,{n},9\n" for n in range(60))
    shop, _ = seeded(OLD + rows)
    assert len(shop.products[0].variants) == 60
    assert [variant.position for variant in shop.variants] == list(range(1, 61))


@pytest.mark.parametrize("name", ["apparel", "jewelry"])
def test_real_exports_are_loaded_whole(name: str) -> None:
    path = SHARED / "data" / "shopify-csv" / f"{name}.csv"
    if not path.exists():
        pytest.skip("the real exports in ../shared are not here")
    text = path.read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    shop, skipped = seeded(text)
    assert skipped == []
    assert {product.handle for product in shop.products} == {row["Handle"] for row in rows}
    expected = sum(1 for row in rows if row["Option1 Value"])
    assert len(shop.variants) == expected
    assert sum(q for _, q in stock(shop)) == sum(
        int(r["Variant Inventory Qty"] or 0) for r in rows if r["Option1 Value"]
    )


def test_a_synthetic_shop_of_any_size() -> None:
    sandbox = Sandbox()
    shop, _ = sandbox.add_shop("mare")
    seed_synthetic(shop, 1234, 100, 7, sandbox.seed_stamp())
    assert (len(shop.variants), len(shop.products), shop.level_count()) == (1234, 13, 2468)
    assert len({item.sku for item in shop.items}) == 1234
