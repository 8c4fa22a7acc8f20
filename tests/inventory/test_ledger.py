"""The ledger: one writer, each fact once, levels that are sums, entries that nobody changes."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from inventory import audit, ledger
from inventory.ledger import Posting
from inventory.models import InventoryLevel, LedgerEntry
from inventory.models.ledger import EntryKind
from tests.factories.catalog import VariantFactory
from tests.factories.inventory import LocationFactory


def receipt(variant_id: int, location_id: int, key: str, quantity: str = "1") -> Posting:
    return Posting(
        variant_id, location_id, EntryKind.RECEIVED, key, "test", timezone.now(), on_hand_delta=Decimal(quantity)
    )


@pytest.fixture
def place(db: None) -> tuple[int, int]:
    return VariantFactory().pk, LocationFactory().pk


def test_a_level_is_the_sum_of_its_entries(place: tuple[int, int]) -> None:
    ledger.post([receipt(*place, "a", "10"), receipt(*place, "b", "-2.5"), receipt(*place, "c", "0.5")])

    level = InventoryLevel.objects.get()
    assert (level.on_hand, level.version) == (Decimal(8), 3)
    assert [entry.seq for entry in level.entries.order_by("seq")] == [1, 2, 3]
    assert audit.audit_ledger().green


def test_the_same_fact_is_recorded_once(place: tuple[int, int]) -> None:
    ledger.post([receipt(*place, "a", "10")])

    result = ledger.post([receipt(*place, "a", "10"), receipt(*place, "b", "1"), receipt(*place, "b", "1")])

    assert [entry.key for entry in result.recorded] == ["b"]
    assert [posting.key for posting in result.repeated] == ["a", "b"]
    assert InventoryLevel.objects.get().on_hand == 11


def test_a_count_records_the_difference_and_may_be_zero(place: tuple[int, int]) -> None:
    ledger.post([receipt(*place, "a", "10")])
    for key, counted in (("c1", 8), ("c2", 8)):
        ledger.post([Posting(*place, EntryKind.COUNT, key, "test", timezone.now(), count_to=Decimal(counted))])

    assert list(
        LedgerEntry.objects.filter(kind=EntryKind.COUNT).order_by("seq").values_list("on_hand_delta", flat=True)
    ) == [-2, 0]


def test_a_movement_from_before_the_count_is_already_in_it(place: tuple[int, int]) -> None:
    counted_at = timezone.now()
    ledger.post([receipt(*place, "a", "10")])
    ledger.post([Posting(*place, EntryKind.COUNT, "c", "test", counted_at, count_to=Decimal(7))])

    late = receipt(*place, "late", "-3")
    ledger.post(
        [Posting(*place, EntryKind.SHIPPED, "late", "test", counted_at - dt.timedelta(hours=1), late.on_hand_delta)]
    )
    ledger.post([receipt(*place, "after", "1")])

    assert InventoryLevel.objects.get().on_hand == 8
    assert LedgerEntry.objects.get(key="late:already-counted").on_hand_delta == 3


@pytest.mark.parametrize(
    "sql", ["UPDATE inventory_ledgerentry SET on_hand_delta = 2", "DELETE FROM inventory_ledgerentry"]
)
def test_the_database_refuses_to_change_an_entry(place: tuple[int, int], sql: str) -> None:
    ledger.post([receipt(*place, "a")])

    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="append-only"):
        cursor.execute(sql)


def test_the_check_names_a_level_that_somebody_changed_by_hand(place: tuple[int, int]) -> None:
    ledger.post([receipt(*place, "a")])
    InventoryLevel.objects.update(on_hand=5)

    result = audit.audit_ledger()

    assert result.found == 1
    assert result.differences[0].kept.startswith("on hand 5")
    assert audit.latest() == result


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_lose_nothing_and_record_each_fact_once() -> None:
    variant, location = VariantFactory().pk, LocationFactory().pk
    shared = [receipt(variant, location, f"fact-{n}") for n in range(20)]
    start = threading.Barrier(4)
    faults: list[BaseException] = []

    def write(own: int) -> None:
        try:
            start.wait()
            for posting in shared:
                ledger.post([posting, receipt(variant, location, f"{own}:{posting.key}")])
        except BaseException as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(own,)) for own in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    level = InventoryLevel.objects.get()
    assert (level.on_hand, level.version) == (100, 100)
    assert audit.audit_ledger().green


def test_posting_costs_the_same_statements_for_one_and_for_five_hundred(
    place: tuple[int, int], django_assert_num_queries
) -> None:  # type: ignore[no-untyped-def]
    ledger.post([receipt(*place, "first")])
    with django_assert_num_queries(5):
        ledger.post([receipt(*place, "one")])
    with django_assert_num_queries(5):
        ledger.post([receipt(*place, f"many-{n}") for n in range(500)])
