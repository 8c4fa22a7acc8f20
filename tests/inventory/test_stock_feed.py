"""Stock files: every fact once, every bad row named."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from catalog.csv_rows import FileRefused
from catalog.models import Variant
from inventory.models import InventoryLevel, LedgerEntry, Location
from inventory.models.ledger import EntryKind
from inventory.models.locations import StockMaster
from inventory.stock_feed import COLUMNS, StockReport, record_stock, template
from tests.factories.catalog import VariantFactory
from tests.factories.inventory import LocationFactory
from tests.factories.kernel import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluj() -> Location:
    return LocationFactory(code="cluj", name="Depozit Cluj")


def load(text: str, origin: str = "test") -> StockReport:
    return record_stock(io.BytesIO(text.encode()), actor=None, origin=origin)


def on_hand(item_number: str, location: str = "cluj") -> Decimal:
    level = InventoryLevel.objects.get(variant__item_number=item_number, location__code=location)
    assert level.on_hand == sum(entry.on_hand_delta for entry in level.entries.all())
    return level.on_hand


def causes(report: StockReport) -> dict[int, str]:
    return {problem.line: problem.cause for problem in report.problems}


@pytest.mark.parametrize(
    ("reason", "quantity", "after"),
    [
        ("opening", "4", 14),
        ("opening", "-3", 7),
        ("received", "2", 12),
        ("issued", "2", 8),
        ("pos_sale", "2", 8),
        ("damaged", "1", 9),
        ("lost", "1", 9),
        ("found", "1", 11),
        ("return_restock", "1", 11),
        ("count", "8", 8),
        ("count", "0", 0),
        ("correction", "-4", 6),
        ("correction", "4", 14),
    ],
)
def test_each_reason_moves_stock_its_own_way(cluj: Location, reason: str, quantity: str, after: int) -> None:
    VariantFactory(item_number="A")
    load("item_number,location,reason,quantity\nA,cluj,correction,10\n")

    report = load(f"item_number,location,reason,quantity,document\nA,cluj,{reason},{quantity},D-1\n")

    assert report.recorded == 1
    assert on_hand("A") == after


def test_loading_a_file_twice_changes_nothing(cluj: Location) -> None:
    VariantFactory(item_number="A")
    VariantFactory(item_number="B")
    LocationFactory(code="buc")
    text = (
        "item_number,location,reason,quantity,document,ref,to_location\n"
        "A,cluj,opening,10,,,\n"
        "A,cluj,received,2,NIR-1,1,\n"
        "A,cluj,count,8,,,\n"
        "A,cluj,transfer,3,AVZ-1,1,buc\n"
        "B,cluj,issued,1,,,\n"
    )
    first = load(text)
    entries = list(LedgerEntry.objects.order_by("pk").values())

    second = load(text, origin="another name")

    assert (first.recorded, first.repeated, first.problem_count) == (5, 0, 0)
    assert (second.recorded, second.repeated, second.problem_count) == (0, 5, 0)
    assert list(LedgerEntry.objects.order_by("pk").values()) == entries
    assert (on_hand("A"), on_hand("A", "buc"), on_hand("B")) == (5, 3, -1)
    assert "2 of the repeated rows" in second.notes[0]


def test_a_count_records_the_difference_to_what_the_ledger_says(cluj: Location) -> None:
    VariantFactory(item_number="A")
    load("item_number,location,reason,quantity\nA,cluj,opening,10\n")

    load("item_number,location,reason,quantity,document\nA,cluj,count,8,INV-1\n")

    entry = LedgerEntry.objects.get(kind=EntryKind.COUNT)
    assert entry.on_hand_delta == -2
    assert on_hand("A") == 8


def test_an_old_count_loaded_again_does_not_undo_what_happened_since(cluj: Location) -> None:
    VariantFactory(item_number="A")
    count = "item_number,location,reason,quantity,document\nA,cluj,count,8,INV-1\n"
    load(count)
    load("item_number,location,reason,quantity,document\nA,cluj,issued,3,A-1\n")

    load(count)

    assert on_hand("A") == 5


def test_a_transfer_is_two_entries_of_one_fact(cluj: Location) -> None:
    VariantFactory(item_number="A")
    LocationFactory(code="buc", name="Magazin București")
    load("item_number,location,reason,quantity\nA,cluj,opening,10\n")

    load("item_number;location;to_location;reason;quantity\nA;Depozit Cluj;magazin bucurești;transfer;4\n")

    out, into = LedgerEntry.objects.filter(posting__startswith="feed:").order_by("pk")
    assert (out.kind, out.on_hand_delta) == (EntryKind.TRANSFER_OUT, -4)
    assert (into.kind, into.on_hand_delta) == (EntryKind.TRANSFER_IN, 4)
    assert out.posting == into.posting
    assert (on_hand("A"), on_hand("A", "buc")) == (6, 4)


def test_two_equal_rows_are_one_fact_unless_their_ref_differs(cluj: Location) -> None:
    VariantFactory(item_number="A")
    report = load(
        "item_number,location,reason,quantity,document,ref\n"
        "A,cluj,received,5,NIR-1,\n"
        "A,cluj,received,5,NIR-1,\n"
        "A,cluj,received,5,NIR-2,1\n"
        "A,cluj,received,5,NIR-2,2\n"
        "A,cluj,received,3,NIR-1,\n"
    )

    assert report.recorded == 4
    assert causes(report) == {3: "The row says the same as line 2 and was counted once."}
    assert on_hand("A") == 18


def test_a_document_line_recorded_with_another_quantity_is_not_recorded_again(cluj: Location) -> None:
    VariantFactory(item_number="A")
    head = "item_number,location,reason,quantity,document,ref\n"
    load(head + "A,cluj,received,5,NIR-1,1\n")

    report = load(head + "A,cluj,received,6,NIR-1,1\nA,cluj,received,7,NIR-1,1\n")

    assert report.recorded == report.repeated == 0
    assert "with 5 units; this row says 6" in causes(report)[2]
    assert "Line 2 names the same fact" in causes(report)[3]
    assert on_hand("A") == 5


def test_an_opening_happens_once(cluj: Location) -> None:
    VariantFactory(item_number="A")
    load("item_number,location,reason,quantity\nA,cluj,opening,10\n")

    report = load("item_number,location,reason,quantity,document\nA,cluj,opening,12,second\n")

    assert "was recorded on" in causes(report)[2]
    assert on_hand("A") == 10


def test_colons_in_numbers_do_not_make_two_facts_one(cluj: Location) -> None:
    VariantFactory(item_number="A:x")
    VariantFactory(item_number="A")
    report = load(
        "item_number,location,reason,quantity,document,ref\nA:x,cluj,received,5,y,1\nA,cluj,received,5,x:y,1\n"
    )
    assert report.recorded == 2


def test_names_as_long_as_their_columns_allow_are_recorded_once(cluj: Location) -> None:
    VariantFactory(item_number="A" * 255)
    LocationFactory(code="b" * 60)
    text = "item_number,location,to_location,reason,quantity,document,ref\n" + "".join(
        f"{'A' * 255},cluj,{'b' * 60},transfer,1,{'D' * 200},{'r' * 99}{n}\n" for n in (1, 2)
    )
    assert load(text).recorded == 2
    assert load(text).repeated == 2


def test_what_is_wrong_with_a_row_is_said_with_its_line_and_the_others_are_kept(cluj: Location) -> None:
    VariantFactory(item_number="A", sku="SKU-A")
    VariantFactory(item_number="B", sku="DUP")
    VariantFactory(item_number="C", sku="DUP")
    LocationFactory(code="service", stock_master=StockMaster.BILLING, billing_warehouse="SmartBill/Central")
    rows = [
        "A,,cluj,received,5,,,,",
        "XG-9,,cluj,received,5,,,,",
        ",DUP,cluj,received,5,,,,",
        ",NOPE,cluj,received,5,,,,",
        ",,cluj,received,5,,,,",
        "A,,nowhere,received,5,,,,",
        "A,,,received,5,,,,",
        "A,,service,received,5,,,,",
        "A,,cluj,stolen,5,,,,",
        "A,,cluj,,5,,,,",
        "A,,cluj,issued,-5,,,,",
        "A,,cluj,count,-5,,,,",
        "A,,cluj,received,0,,,,",
        "A,,cluj,received,,,,,",
        "A,,cluj,received,five,,,,",
        "A,,cluj,received,1.2345,,,,",
        "A,,cluj,received,99999999999,,,,",
        "A,,cluj,received,1,yesterday,,,",
        "A,,cluj,received,1,2126-01-01,,,",
        "A,,cluj,transfer,1,,,,",
        "A,,cluj,transfer,1,,,,cluj",
        "A,,cluj,received,1,,,,cluj",
        "A,,cluj,received,1,,",
        ",SKU-A,CLUJ,Received,2,,,7,",
    ]

    report = load(",".join(COLUMNS[: COLUMNS.index("order")]) + "\n" + "\n".join(rows) + "\n")

    assert report.rows == len(rows)
    assert report.recorded == 2
    assert list(causes(report)) == list(range(3, 25))
    assert all(problem.remedy for problem in report.problems)
    assert "XG-9 is not in the catalogue" in causes(report)[3]
    assert "on several items: B, C" in causes(report)[4]
    assert "billing warehouse" in causes(report)[9]
    assert "already which way" in causes(report)[12]
    assert on_hand("A") == 7


def test_a_fraction_may_be_written_with_a_comma_or_a_point(cluj: Location) -> None:
    VariantFactory(item_number="A")
    load("item_number;location;reason;quantity;ref\nA;cluj;received;0,5;1\nA;cluj;received;0.5;2\n")
    load('item_number,location,reason,quantity,ref\nA,cluj,received,"1,25",3\n')
    assert on_hand("A") == Decimal("2.25")


def test_a_number_that_can_be_read_in_two_ways_is_not_read(cluj: Location) -> None:
    VariantFactory(item_number="A")
    report = load("item_number;location;reason;quantity\nA;cluj;received;1.500\nA;cluj;issued;1.500,5\n")
    assert "two ways" in causes(report)[2]
    assert on_hand("A") == Decimal("-1500.5")


def test_a_time_without_zone_is_that_of_the_installation(cluj: Location) -> None:
    VariantFactory(item_number="A")
    load(
        "item_number,location,reason,quantity,happened_at\n"
        "A,cluj,received,1,2026-07-01T12:00\n"
        "A,cluj,received,2,2026-07-01\n"
        "A,cluj,received,3,2026-07-01T12:00:00+00:00\n"
    )
    times = list(LedgerEntry.objects.order_by("on_hand_delta").values_list("effective_at", flat=True))
    assert times == [
        dt.datetime(2026, 7, 1, 9, 0, tzinfo=dt.UTC),
        dt.datetime(2026, 6, 30, 21, 0, tzinfo=dt.UTC),
        dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC),
    ]


def test_a_time_written_in_another_zone_is_the_same_fact(cluj: Location) -> None:
    VariantFactory(item_number="A")
    head = "item_number,location,reason,quantity,happened_at\n"
    load(head + "A,cluj,received,1,2026-07-01T12:00:00+00:00\n")
    assert load(head + "A,cluj,received,1,2026-07-01T15:00:00\n").repeated == 1


def test_who_and_where_from_stand_in_the_entry(cluj: Location) -> None:
    VariantFactory(item_number="A")
    ana = UserFactory()
    text = b"item_number,location,reason,quantity,document,line\nA,cluj,received,1,NIR-7,3\n"

    record_stock(io.BytesIO(text), actor=ana, origin="file nir.csv")

    entry = LedgerEntry.objects.get()
    assert (entry.actor, entry.origin, entry.document, entry.reason) == (ana, "file nir.csv", "NIR-7", "ref 3")
    assert entry.effective_at <= timezone.now()


def test_thousands_of_rows_take_few_statements(
    cluj: Location, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    VariantFactory(item_number="A")
    rows = "".join(f"A,cluj,received,1,NIR-1,{n}\n" for n in range(3000))
    with django_assert_max_num_queries(40):
        report = load("item_number,location,reason,quantity,document,ref\n" + rows)
    assert report.recorded == 3000
    assert on_hand("A") == 3000


def test_a_file_that_is_no_csv_is_refused_whole(cluj: Location) -> None:
    with pytest.raises(FileRefused) as refusal:
        record_stock(io.BytesIO(b"PK\x03\x04 whatever"), actor=None, origin="x")
    assert "CSV UTF-8" in refusal.value.remedy
    with pytest.raises(FileRefused):
        load("colour,shape\nred,round\n")
    with pytest.raises(FileRefused, match="no column location, reason"):
        load("sku,quantity\nA,1\n")


def test_the_template_can_be_loaded(cluj: Location) -> None:
    VariantFactory(item_number="AB-0001-S")
    VariantFactory(sku="TS-BLK-M")
    LocationFactory(code="bucuresti")
    report = load(template())
    assert (report.recorded, report.problems) == (3, [])


FACTS = st.tuples(
    st.sampled_from(["A", "B", "", "?"]),
    st.sampled_from(["cluj", "buc", "", "?"]),
    st.sampled_from(["opening", "received", "issued", "count", "transfer", "correction", "", "?"]),
    st.sampled_from(["1", "2", "-1", "0", "0,5", "x", ""]),
    st.sampled_from(["", "D-1", "D:1"]),
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "buc"]),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(FACTS, max_size=30))
def test_any_file_loaded_twice_leaves_the_ledger_as_after_the_first_time(rows: list[tuple[str, ...]]) -> None:
    # Every example runs in the one transaction of this test; what earlier ones recorded only makes it harder.
    for number in ("A", "B"):
        Variant.objects.filter(item_number=number).exists() or VariantFactory(item_number=number)
    for code in ("cluj", "buc"):
        Location.objects.filter(code=code).exists() or LocationFactory(code=code)
    text = "item_number;location;reason;quantity;document;ref;to_location\n"
    text += "".join(";".join(row) + "\n" for row in rows)

    first = load(text)
    levels = list(InventoryLevel.objects.order_by("pk").values())
    second = load(text)

    not_blank = sum(1 for row in rows if any(row))
    assert first.rows == first.recorded + first.repeated + first.problem_count == not_blank
    assert second.recorded == 0
    assert list(InventoryLevel.objects.order_by("pk").values()) == levels


def test_the_command_prints_one_json_object(cluj: Location, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    VariantFactory(item_number="A")
    file = tmp_path / "stock.csv"
    file.write_text("item_number,location,reason,quantity\nA,cluj,received,2\nX,cluj,received,2\n", encoding="utf-8")

    with pytest.raises(SystemExit) as stopped:
        call_command("record_stock", str(file), as_json=True)

    out = capsys.readouterr()
    assert stopped.value.code == 1
    data = json.loads(out.out)
    assert (data["recorded"], data["problems"], data["problem_rows"][0]["line"]) == (1, 1, 3)
    assert "Line 3" in out.err


def test_a_person_without_the_right_records_nothing(cluj: Location, tmp_path: Path) -> None:
    VariantFactory(item_number="A")
    person = UserFactory()
    file = tmp_path / "stock.csv"
    file.write_text("item_number,location,reason,quantity\nA,cluj,received,2\n", encoding="utf-8")

    with pytest.raises(SystemExit) as stopped:
        call_command("record_stock", str(file), as_json=True, as_email=person.email)

    assert stopped.value.code == 2
    assert not LedgerEntry.objects.exists()
