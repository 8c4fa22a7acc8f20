"""Items from files: what a row means, what is kept, and what is said about the rest."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from catalog import items
from catalog.csv_rows import FileRefused
from catalog.item_rows import COLUMNS
from catalog.items import ImportReport, import_items, template
from catalog.models import Product, Variant
from syncconsole.kernel.models import AuditEntry
from tests.factories.catalog import ProductFactory, VariantFactory
from tests.factories.kernel import UserFactory

pytestmark = pytest.mark.django_db

SHARED = Path(__file__).parents[3] / "shared" / "data" / "shopify-csv"


def load(text: str, *, strict: bool = False) -> ImportReport:
    report = import_items(io.BytesIO(text.encode()), actor=None, strict=strict, origin="test")
    kept = report.created + report.updated + report.unchanged
    assert report.refused or report.rows == kept + report.problem_count
    return report


def causes(report: ImportReport) -> dict[int, str]:
    return {problem.line: problem.cause for problem in report.problems}


def everything() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    return list(Product.objects.order_by("pk").values()), list(Variant.objects.order_by("pk").values())


# Our own format


def test_the_template_is_a_file_that_can_be_loaded() -> None:
    report = load(template(), strict=True)

    assert (report.format, report.created, report.problems) == ("own", 2, [])
    variant = Variant.objects.get(item_number="AB-0001-S")
    assert variant.product.title == "Tricou negru"
    assert variant.product.option_names == ["Mărime"]
    assert (variant.sku, variant.option_values, variant.bin) == ("TS-BLK-S", ["S"], "A-03-2")
    assert (variant.price, variant.cost, variant.tracked) == (Decimal("89.90"), Decimal("31.50"), True)
    assert variant.tag_keys == ["femei", "outlet", "vara"]


def test_the_template_has_every_column_of_the_format() -> None:
    assert template().splitlines()[0].split(",") == list(COLUMNS)


def test_loading_a_file_twice_changes_nothing() -> None:
    load(template())
    before = everything()

    report = load(template())

    assert (report.created, report.updated, report.unchanged) == (0, 0, 2)
    assert everything() == before


def test_semicolons_and_decimal_commas_are_understood() -> None:
    load("\ufeffitem_number;title;price;cost\r\nA;Cană;12,50;3,1415\r\n")
    variant = Variant.objects.get()
    assert (variant.price, variant.cost) == (Decimal("12.50"), Decimal("3.1415"))


def test_an_absent_column_keeps_its_value_and_an_empty_cell_clears_it() -> None:
    load("item_number,title,bin,supplier,price\nA,Cană,A-1,Olar,10\n")

    report = load("item_number,bin,price\nA,,11\n")

    variant = Variant.objects.get()
    assert report.updated == 1
    assert (variant.bin, variant.supplier, variant.price) == ("", "Olar", Decimal(11))
    assert variant.product.title == "Cană"


def test_products_fields_come_from_the_row_with_the_title() -> None:
    load(
        "item_number,handle,title,vendor,tags,option1_name,option1_value\n"
        "A,cana,Cană,Olar,casă,Mărime,Mică\n"
        "B,cana,,,,,Mare\n"
    )
    product = Product.objects.get()
    assert (product.vendor, product.tags, product.variants.count()) == ("Olar", ["casă"], 2)

    load("item_number,handle,title,vendor,tags\nA,cana,Cană,,lut\nB,cana,,,\n")

    product.refresh_from_db()
    assert (product.vendor, product.tags) == ("", ["lut"])


def test_rows_of_one_product_that_contradict_each_other_are_named() -> None:
    report = load("item_number,handle,title,option1_name,option1_value\nA,cana,Cană,M,1\nB,cana,Ulcior,M,2\n")

    assert report.created == 1
    assert "title differs" in causes(report)[3]


def test_a_row_without_handle_gets_one_and_keeps_it() -> None:
    load("item_number,title\nA,Cană mică\nB,Cană mică\nC,\u4e2d\n")
    handles = dict(Variant.objects.values_list("item_number", "product__handle"))
    assert handles == {"A": "cana-mica", "B": "cana-mica-b", "C": "c"}

    report = load("item_number,title\nB,Cană mică\nA,Cană mare\nC,\u4e2d\n")

    assert (report.updated, report.unchanged) == (1, 2)
    assert dict(Variant.objects.values_list("item_number", "product__handle")) == handles


def test_without_a_column_sku_the_item_number_is_the_sku_and_an_empty_cell_is_none() -> None:
    load("item_number,title\nA,Cană\n")
    load("item_number,sku,title\nB,,Ulcior\n")
    assert dict(Variant.objects.values_list("item_number", "sku")) == {"A": "A", "B": ""}


def test_a_row_known_by_its_sku_alone_updates_that_item() -> None:
    VariantFactory(item_number="A", sku="SKU-A")
    VariantFactory(item_number="B", sku="DUP")
    VariantFactory(item_number="C", sku="DUP")

    report = load("sku,cost\nSKU-A,5\nDUP,6\n")

    assert Variant.objects.get(item_number="A").cost == 5
    assert "on 2 items" in causes(report)[3]


def test_an_item_does_not_move_to_another_product_by_accident() -> None:
    load("item_number,handle,title\nA,cana,Cană\nB,bol,Bol\n")

    report = load("item_number,handle,title\nA,bol,Bol\n")

    assert "belongs to the product cana" in causes(report)[2]
    assert Variant.objects.get(item_number="A").product.handle == "cana"


def test_two_items_of_one_product_need_options_that_differ() -> None:
    report = load("item_number,handle,title,option1_name,option1_value\nA,cana,Cană,M,1\nB,cana,,,1\n")
    assert causes(report) == {3: "The product cana has these option values already: item A."}


def test_what_is_wrong_with_a_row_is_said_with_its_line_and_the_others_are_kept() -> None:
    long = "x" * 256
    report = load(
        "item_number,title,price,cost,tracked,status,bin,handle,option1_name,option1_value\n"
        "A,Cană,10,,,,,,,\n"
        "A,Cană,10,,,,,,,\n"
        "B,Bol,-1,,,,,,,\n"
        "C,Bol,ten,,,,,,,\n"
        "D,Bol,1.234.5,,,,,,,\n"
        "E,Bol,,-0.01,,,,,,\n"
        "F,Bol,,,maybe,,,,,\n"
        "G,Bol,,,,sleeping,,,,\n"
        f"H,{long},,,,,,,,\n"
        f"{long},Bol,,,,,,,,\n"
        f"I,Bol,,,,,{long},,,\n"
        "J,,,,,,,,,\n"
        "K,Bol\n"
        ",Bol,,,,,,,,\n"
        "L,Bol,,,,,,bol,Mărime,\n"
        "M,Bol,,,,,,bol,,Mică\n"
        "N\0,Bol,,,,,,,,\n"
        "O,Bol,0.005,,,,,,,\n"
        "P,Ulcior,0,0,nu,draft,,,,\n"
    )

    assert sorted(Variant.objects.values_list("item_number", flat=True)) == ["A", "P"]
    assert list(causes(report)) == list(range(3, 20))
    assert all(problem.remedy for problem in report.problems)
    assert "on line 2 already" in causes(report)[3]
    assert "negative" in causes(report)[4]
    assert "256 characters" in causes(report)[10]
    assert "no title" in causes(report)[13]
    assert not Product.objects.filter(handle="bol").exists()


def test_strict_keeps_nothing_when_one_row_is_bad() -> None:
    report = load("item_number,title,price\nA,Cană,10\nB,Bol,-1\nC,Bol,x\n", strict=True)

    assert report.refused
    assert (report.created, report.problem_count) == (0, 2)
    assert not Variant.objects.exists()
    assert not Product.objects.exists()


def test_a_variant_refused_does_not_take_its_products_fields_with_it() -> None:
    report = load(
        "item_number,handle,title,vendor,option1_name,option1_value,price\n"
        "A,cana,Cană,Olar,Mărime,Mică,-1\n"
        "B,cana,,,,Mare,10\n"
    )
    assert list(causes(report)) == [2]
    assert Variant.objects.get().product.vendor == "Olar"


def test_folded_tags_follow_variant_and_product_for_all_variants() -> None:
    product = ProductFactory(handle="cana", title="Cană", tags=["Casă"], option_names=["M"])
    in_file = VariantFactory(product=product, item_number="A", option_values=["1"])
    not_in_file = VariantFactory(product=product, item_number="B", option_values=["2"], tags=["Unicat"])

    load('item_number,handle,title,tags,variant_tags\nA,cana,Cană,"Lut, CASĂ",Outlet\n')

    in_file.refresh_from_db()
    not_in_file.refresh_from_db()
    assert in_file.tag_keys == ["casă", "lut", "outlet"]
    assert not_in_file.tag_keys == ["casă", "lut", "unicat"]


def test_unknown_columns_are_named() -> None:
    assert "colour" in load("item_number,title,colour\nA,Cană,red\n").notes[0]


def test_a_file_that_is_no_item_file_is_refused() -> None:
    with pytest.raises(FileRefused):
        load("colour,shape\nred,round\n")
    with pytest.raises(FileRefused, match="item_number or sku or handle"):
        load("title,price\nCană,10\n")


# Shopify's format

CURRENT = "Title,URL handle,Description,Vendor,Type,Tags,Status,SKU,Option1 name,Option1 value,Price,Inventory tracker"
EARLIER = (
    "Title,Handle,Body (HTML),Vendor,Type,Tags,Status,Variant SKU,Option1 Name,Option1 Value,"
    "Variant Price,Variant Inventory Tracker"
)
SHIRT = (
    'Cămașă „Rarău”,camasa,"<p class=""lead"">Una,\ndouă\nlinii</p>",Atelier,Textile,"in, vară",active,'
    "CAM-S,Mărime,S,120.00,shopify\n"
    ",camasa,,,,,,,,M,120.00,shopify\n"
    ",camasa,,,,,,,,,,\n"
    "Card cadou,card,,,,,active,,Title,Default Title,50,\n"
)


@pytest.mark.parametrize("header", [CURRENT, EARLIER])
def test_both_sets_of_shopifys_headers_are_read(header: str) -> None:
    report = load(f"{header}\n{SHIRT}")

    assert (report.format, report.created, report.problems) == ("shopify", 3, [])
    small = Variant.objects.get(item_number="CAM-S")
    assert small.product.description == '<p class="lead">Una,\ndouă\nlinii</p>'
    assert small.product.tags == ["in", "vară"]
    assert small.tag_keys == ["in", "vară"]
    medium = Variant.objects.get(item_number="camasa/M")
    assert (medium.sku, medium.option_values, medium.tracked) == ("", ["M"], True)
    card = Variant.objects.get(item_number="card")
    assert (card.option_values, card.product.option_names, card.tracked) == ([], [], False)


@pytest.mark.parametrize("name", ["apparel.csv", "jewelry.csv"])
def test_real_exports_are_loaded_whole(name: str) -> None:
    file = SHARED / name
    if not file.exists():
        pytest.skip(f"{name} is not beside this checkout")

    report = load(file.read_text(encoding="utf-8-sig"), strict=True)

    assert report.created == report.rows > 20
    assert not Variant.objects.exclude(sku="").exists()
    assert load(file.read_text(encoding="utf-8-sig")).unchanged == report.rows


def test_an_sku_used_twice_stays_on_both_in_whatever_order_they_come_again() -> None:
    head = "Title,Handle,Variant SKU,Option1 Name,Option1 Value\n"
    shirt, dress = "Cămașă,camasa,DUP,Title,Default Title\n", "Rochie,rochie,DUP,Title,Default Title\n"
    load(head + shirt + dress)
    numbers = dict(Variant.objects.values_list("product__handle", "item_number"))
    assert numbers == {"camasa": "DUP", "rochie": "rochie"}

    report = load(head + dress + shirt)

    assert report.unchanged == 2
    assert dict(Variant.objects.values_list("product__handle", "item_number")) == numbers
    assert Variant.objects.filter(sku="DUP").count() == 2


def test_an_sku_used_twice_in_one_product_stays_on_both() -> None:
    head = "Title,Handle,Variant SKU,Option1 Name,Option1 Value\n"
    load(head + "Eșarfă,esarfa,DUP,Culoare,Gri\n,esarfa,DUP,,Bej\n")
    assert dict(Variant.objects.values_list("item_number", "sku")) == {"DUP": "DUP", "esarfa/Bej": "DUP"}

    assert load(head + "Eșarfă,esarfa,DUP,Culoare,Bej\n,esarfa,DUP,,Gri\n").unchanged == 2


def test_a_variant_keeps_its_item_number_when_its_sku_changes() -> None:
    head = "Title,Handle,Variant SKU,Option1 Name,Option1 Value\n"
    load(head + "Bol,bol,OLD,Mărime,Mic\n")

    load(head + "Bol,bol,NEW,Mărime,Mic\n")

    assert list(Variant.objects.values_list("item_number", "sku")) == [("OLD", "NEW")]


def test_a_renamed_option_value_is_recognised_by_its_sku() -> None:
    head = "Title,Handle,Variant SKU,Option1 Name,Option1 Value\n"
    load(head + "Bol,bol,B-1,Mărime,Mic\n,bol,B-2,,Mare\n")

    report = load(head + "Bol,bol,B-1,Mărime,Mică\n,bol,B-2,,Mare\n")

    assert (report.updated, report.created) == (1, 0)
    assert Variant.objects.get(item_number="B-1").option_values == ["Mică"]


def test_item_numbers_made_from_handles_do_not_collide() -> None:
    head = "Title,Handle,Variant SKU,Option1 Name,Option1 Value\n"
    text = head + "Unu,a,b/c,Mărime,x\nDoi,b,,Mărime,c\n" + f"Trei,{'h' * 250},,Mărime,foarte mare\n"

    load(text)

    numbers = dict(Variant.objects.values_list("product__title", "item_number"))
    assert numbers["Unu"] == "b/c"
    assert numbers["Doi"].startswith("b/c~")
    assert len(numbers["Trei"]) == 255
    assert load(text).unchanged == 3


def test_a_comma_is_no_decimal_mark_in_shopifys_format_when_unclear() -> None:
    report = load('Title,Handle,Variant Price\nBol,bol,"1,234"\n')
    assert "two ways" in causes(report)[2]


def test_a_second_row_without_options_is_a_repeat() -> None:
    report = load("Title,Handle,Variant SKU,Variant Price\nBol,bol,B-1,5\n,bol,B-2,6\n")
    assert "on line 2 already" in causes(report)[3]


def test_rows_below_a_broken_first_row_do_not_clear_their_product() -> None:
    head = "Title,Handle,Vendor,Option1 Name,Option1 Value,Variant Price\n"
    load(head + "Bol,bol,Olar,Mărime,Mic,5\n,bol,,,Mare,6\n")

    report = load(head + "Bol,bol,Olar,Mărime,Mic\n,bol,,,Mare,7\n,bol,,,,\n")

    assert list(causes(report)) == [2]
    assert Product.objects.get().vendor == "Olar"
    assert sorted(Variant.objects.values_list("price", flat=True)) == [5, 7]


def test_a_product_of_hundreds_of_variants_over_several_batches_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "BATCH_ROWS", 50)
    lines = [f"{'Inel' if n == 0 else ''},inel,,{'Mărime' if n == 0 else ''},{n},219" for n in range(180)]
    text = "Title,Handle,Variant SKU,Option1 Name,Option1 Value,Variant Price\n" + "\n".join(lines) + "\n"

    report = load(text)

    assert (report.created, report.problems) == (180, [])
    assert Product.objects.count() == 1
    assert load(text).unchanged == 180


def test_statements_grow_with_batches_not_with_rows(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    text = "item_number,handle,title,price\n" + "".join(f"N{n},h{n},Produs {n},10\n" for n in range(3000))
    with django_assert_max_num_queries(40):
        load(text)
    with django_assert_max_num_queries(30):
        assert load(text).unchanged == 3000


# Any file

CELLS = st.sampled_from(["", "A", "B", "camasa", "x/y", "1", "-1", "0,5", "S", "Mărime", "a, b", "\0", '"', "true"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(
        [
            "item_number;sku;handle;title;price;tags;option1_name;option1_value",
            "Variant SKU;Handle;Title;Variant Price;Tags;Option1 Name;Option1 Value;Variant Barcode",
        ]
    ),
    st.lists(st.lists(CELLS, min_size=7, max_size=8), max_size=15),
)
def test_any_rows_are_kept_or_named_and_a_second_load_keeps_the_same(header: str, rows: list[list[str]]) -> None:
    text = header + "\n" + "".join(";".join(row) + "\n" for row in rows)

    first = load(text)
    before = everything()
    second = load(text)

    assert second.created == 0
    assert second.unchanged == first.created + first.updated + first.unchanged
    assert everything() == before


# The command


def test_the_command_tells_counts_and_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "items.csv"
    file.write_text("item_number,title,price\nA,Cană,10\nB,Bol,-1\n", encoding="utf-8")

    with pytest.raises(SystemExit) as stopped:
        call_command("import_items", str(file), as_json=True)

    out = capsys.readouterr()
    data = json.loads(out.out)
    assert stopped.value.code == 1
    assert (data["created"], data["problems"], data["problem_rows"][0]["line"]) == (1, 1, 3)
    assert "Line 3" in out.err


def test_the_command_refuses_with_two_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "items.csv"
    file.write_text("item_number,title,price\nA,Cană,10\nB,Bol,-1\n", encoding="utf-8")
    for arguments in ([str(file), "--strict", "--json"], [str(tmp_path / "missing.csv"), "--json"], ["--json"]):
        with pytest.raises(SystemExit) as stopped:
            call_command("import_items", *arguments)
        data = json.loads(capsys.readouterr().out)
        assert stopped.value.code == 2
        assert data["outcome"] == "refused"
        assert data["cause"]
        assert data["remedy"]
    assert not Variant.objects.exists()


def test_the_command_acts_as_a_person_with_their_rights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "items.csv"
    file.write_text("item_number,title\nA,Cană\n", encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        call_command("import_items", str(file), as_email=UserFactory().email)
    assert stopped.value.code == 2
    administrator = UserFactory(is_superuser=True)

    call_command("import_items", str(file), as_email=administrator.email)

    assert "1 created" in capsys.readouterr().out
    assert AuditEntry.objects.get(action="import_items").actor == administrator


def test_the_template_comes_from_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_items", "--template")
    assert capsys.readouterr().out.startswith("item_number,sku,")
