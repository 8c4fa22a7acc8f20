"""The demo's product files: odd in every way that real ones are, and still loaded and linked whole."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from catalog import linking
from catalog.items import import_items
from catalog.linking import link
from catalog.models import ConflictKind, LinkConflict, Variant
from syncconsole.demo import sample_csv
from tests.catalog.listings import ListedFile
from tests.factories.connectors import StoreFactory


@pytest.fixture
def main_file(tmp_path: Path) -> Path:
    sample_csv.write(tmp_path / "main.csv")
    return tmp_path / "main.csv"


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    counts = [sample_csv.write(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    contents = [(tmp_path / name).read_bytes() for name in "abc"]
    assert contents[0] == contents[1] != contents[2]
    assert min(counts) >= 500


def test_it_has_the_oddities_of_real_exports(main_file: Path) -> None:
    every = rows(main_file)
    variants = [row for row in every if row["Option1 value"]]
    skus = Counter(row["SKU"] for row in variants)
    assert len(variants) >= 500
    assert skus.pop("") >= 20
    assert sum(1 for count in skus.values() if count > 1) == 2
    assert any(int(row["Inventory quantity"]) < 0 for row in variants)
    assert any(row["Price"] == "0.00" for row in variants)
    assert any(not row["Inventory tracker"] for row in variants)
    assert max(Counter(row["URL handle"] for row in variants).values()) == 64
    assert any(len(row["Title"]) == 90 for row in every)
    assert any("\n" in row["Description"] and '"' in row["Description"] for row in every)
    assert any(not row["Option1 value"] and row["Product image URL"] for row in every)
    assert {row["Status"] for row in every if row["Title"]} == {"active", "draft", "archived"}
    assert set("ăîșțâ„”") <= set(main_file.read_text(encoding="utf-8"))


def test_the_outlet_sells_some_of_the_same_variants_in_the_earlier_format(tmp_path: Path, main_file: Path) -> None:
    count = sample_csv.write_outlet(tmp_path / "outlet.csv")
    outlet = [row for row in rows(tmp_path / "outlet.csv") if row["Option1 Value"]]
    assert 80 <= count == len(outlet) <= 130
    main = {(row["URL handle"], row["Option1 value"], row["Option2 value"], row["SKU"]) for row in rows(main_file)}
    assert {(row["Handle"], row["Option1 Value"], row["Option2 Value"], row["Variant SKU"]) for row in outlet} <= main


@pytest.mark.django_db
def test_everything_links_but_what_shares_an_sku(main_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with main_file.open("rb") as stream:
        report = import_items(stream, actor=None, strict=True)
    assert report.created == Variant.objects.count() >= 500
    store = StoreFactory()
    monkeypatch.setattr(linking, "store_for", lambda store: ListedFile(main_file))

    linked = link(store)

    assert (linked.linked, linked.conflicts, linked.only_there) == (report.created - 4, 4, 0)
    assert set(LinkConflict.objects.values_list("kind", flat=True)) == {ConflictKind.DUPLICATE_SKU_THERE}
