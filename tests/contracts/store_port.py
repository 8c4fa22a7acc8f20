"""What every implementation of the store port promises. Each subclass provides `shop`; every case runs against it."""

from __future__ import annotations

import uuid
from uuid import UUID

import pytest

from connectors.ports.errors import (
    ConnectorUnavailable,
    CredentialsRejected,
    FeatureNotSupported,
    OutcomeUnknown,
    RequestRejected,
)
from connectors.ports.store import (
    MAX_CHANGES,
    Adjustment,
    Overwrite,
    PreparedWrite,
    RowProblemKind,
    WriteOutcome,
)
from tests.contracts.orders_port import OrdersPortContract
from tests.contracts.product_changes_port import ProductChangesContract
from tests.contracts.shipments_port import ShipmentsPortContract
from tests.contracts.shop_under_test import ShopUnderTest


class StorePortContract(OrdersPortContract, ShipmentsPortContract, ProductChangesContract):
    """Subclass as `Test…` and provide a fixture `shop: ShopUnderTest`."""

    UNKNOWN_ITEM = "gid://shopify/InventoryItem/999999999"
    UNKNOWN_LOCATION = "gid://shopify/Location/999999999"

    # --- listing

    def test_the_overview_says_who_answered(self, shop: ShopUnderTest) -> None:
        overview = shop.store.overview()

        assert overview.domain.endswith(".myshopify.com")
        assert len(overview.currency) == 3
        assert "/" in overview.time_zone
        assert {"read_inventory", "write_inventory", "read_products", "read_locations"} <= overview.scopes
        assert overview.name
        assert overview.plan
        assert overview.api_version

    def test_all_locations_are_listed_deactivated_ones_too(self, shop: ShopUnderTest) -> None:
        listed = {location.ref: location for location in shop.store.locations()}

        assert listed[shop.location].is_active
        assert listed[shop.elsewhere].is_active
        assert not listed[shop.closed_location].is_active
        assert all(location.name for location in listed.values())

    def test_every_variant_is_listed_with_its_product(self, shop: ShopUnderTest) -> None:
        coat_m = shop.item(3, handle="coat", option_values=("M",), sku="COAT-M", barcode="594", tags=("Winter", "sale"))
        coat_l = shop.item(2, handle="coat", option_values=("L",), tracked=False)

        listed = {variant.item_ref: variant for variant in shop.store.iter_variants()}

        medium, large = listed[coat_m], listed[coat_l]
        assert (medium.sku, medium.barcode, medium.option_values) == ("COAT-M", "594", ("M",))
        assert set(medium.product_tags) == {"Winter", "sale"}
        assert medium.tracked
        assert medium.product_status == "active"
        assert (large.sku, large.barcode, large.tracked) == ("", "", False)
        assert medium.product_ref == large.product_ref
        assert medium.product_handle == large.product_handle == "coat"
        assert medium.ref != large.ref

    def test_a_product_of_320_variants_is_listed_to_its_end(self, shop: ShopUnderTest) -> None:
        many = [shop.item(handle="wide", option_values=(f"V{number}",)) for number in range(320)]
        last = shop.item(handle="zebra")

        listed = [variant.item_ref for variant in shop.store.iter_variants()]

        assert set(many) | {last} <= set(listed)
        assert len(listed) == len(set(listed))

    # --- reading

    def test_levels_come_in_the_order_asked(self, shop: ShopUnderTest) -> None:
        first, second = shop.item(5), shop.item(7)

        read = shop.store.read_levels(shop.location, [second, first, second])

        assert [(level.item_ref, level.available) for level in read.levels] == [(second, 7), (first, 5), (second, 7)]
        assert {level.location_ref for level in read.levels} == {shop.location}
        assert all(level.known and level.tracked and level.exists and level.is_active for level in read.levels)

    def test_a_read_is_dated_by_the_stores_clock(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)
        before = shop.store.read_levels(shop.location, [item]).read_at
        shop.advance(hours=5)
        after = shop.store.read_levels(shop.location, [item]).read_at

        assert before.tzinfo is not None
        assert 5 * 3600 <= (after - before).total_seconds() < 5 * 3600 + 60

    def test_a_sale_moves_available_to_committed_and_says_when(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)
        shop.advance(hours=1)
        before = shop.store.read_levels(shop.location, [item])
        shop.sell(item, 2)
        after = shop.store.read_levels(shop.location, [item])

        level = after.levels[0]
        assert (level.available, level.committed, level.unavailable) == (3, 2, 0)
        assert before.levels[0].moved_at is None or before.levels[0].moved_at < before.read_at
        assert level.moved_at is not None
        assert before.read_at <= level.moved_at <= after.read_at

    def test_an_unknown_item_is_not_known(self, shop: ShopUnderTest) -> None:
        level = shop.store.read_levels(shop.location, [self.UNKNOWN_ITEM]).levels[0]

        assert (level.known, level.tracked, level.exists, level.is_active) == (False, False, False, False)
        assert (level.available, level.committed, level.unavailable, level.moved_at) == (0, 0, 0, None)

    def test_an_item_never_stocked_there_has_no_level(self, shop: ShopUnderTest) -> None:
        level = shop.store.read_levels(shop.elsewhere, [shop.item(5)]).levels[0]

        assert (level.known, level.tracked, level.exists, level.available) == (True, True, False, 0)

    def test_an_untracked_item_says_so(self, shop: ShopUnderTest) -> None:
        level = shop.store.read_levels(shop.location, [shop.item(5, tracked=False)]).levels[0]

        assert (level.known, level.tracked, level.exists, level.available) == (True, False, True, 5)

    @pytest.mark.parametrize("count", [0, MAX_CHANGES + 1])
    def test_a_read_of_none_or_too_many_is_refused_before_it_is_sent(self, count: int, shop: ShopUnderTest) -> None:
        with pytest.raises(FeatureNotSupported):
            shop.store.read_levels(shop.location, [self.UNKNOWN_ITEM] * count)

    # --- relative writes

    def test_an_adjustment_moves_the_quantity_whatever_it_is(self, shop: ShopUnderTest) -> None:
        item = shop.item(15)
        write = _adjust(shop, {item: -2})
        shop.sell(item, 4)

        reply = shop.store.send(write)

        assert reply.outcome == WriteOutcome.APPLIED
        assert reply.applied_at is not None
        assert reply.applied_at.tzinfo is not None
        assert shop.available(item) == 9

    def test_an_adjustment_may_go_below_zero(self, shop: ShopUnderTest) -> None:
        item = shop.item(1)

        assert shop.store.send(_adjust(shop, {item: -3})).outcome == WriteOutcome.APPLIED
        assert shop.available(item) == -2

    def test_an_untracked_item_keeps_quantities_all_the_same(self, shop: ShopUnderTest) -> None:
        item = shop.item(5, tracked=False)

        assert shop.store.send(_adjust(shop, {item: 1})).outcome == WriteOutcome.APPLIED
        assert shop.available(item) == 6

    def test_adjusting_by_nothing_is_accepted_and_changes_nothing(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)

        reply = shop.store.send(_adjust(shop, {item: 0}))

        assert (reply.outcome, reply.applied_at, reply.problems) == (WriteOutcome.UNCHANGED, None, [])
        assert shop.available(item) == 5

    def test_250_rows_go_in_one_write(self, shop: ShopUnderTest) -> None:
        items = [shop.item(number) for number in range(MAX_CHANGES)]

        reply = shop.store.send(_adjust(shop, dict.fromkeys(items, 3)))

        assert reply.outcome == WriteOutcome.APPLIED
        assert [shop.available(item) for item in items] == [number + 3 for number in range(MAX_CHANGES)]

    def test_a_compared_adjustment_moves_only_what_still_shows_the_quantity_read(self, shop: ShopUnderTest) -> None:
        item, other = shop.item(5), shop.item(7)
        fresh = [Adjustment(item, shop.location, 2, 5), Adjustment(other, shop.location, -1, 7)]
        stale = [Adjustment(item, shop.location, 2, 5), Adjustment(other, shop.location, -1, 6)]

        first = shop.store.send(shop.store.prepare_adjustment(fresh, key=uuid.uuid4(), document="run/1"))
        second = shop.store.send(shop.store.prepare_adjustment(stale, key=uuid.uuid4(), document="run/1"))

        assert first.outcome == WriteOutcome.APPLIED
        assert second.outcome == WriteOutcome.REFUSED_ROWS
        assert {problem.kind for problem in second.problems} == {RowProblemKind.STALE}
        assert (shop.available(item), shop.available(other)) == (7, 6)

    def test_a_write_of_251_rows_is_refused_before_it_is_sent(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)
        with pytest.raises(FeatureNotSupported) as refused:
            shop.store.prepare_adjustment(
                [Adjustment(item, shop.location, 1)] * (MAX_CHANGES + 1), key=uuid.uuid4(), document="run/1"
            )
        with pytest.raises(FeatureNotSupported):
            shop.store.prepare_overwrite(
                [Overwrite(item, shop.location, 1, 5)] * (MAX_CHANGES + 1), key=uuid.uuid4(), document="run/1"
            )

        assert "250" in refused.value.cause
        assert shop.available(item) == 5

    def test_a_write_of_no_rows_is_refused_before_it_is_sent(self, shop: ShopUnderTest) -> None:
        with pytest.raises(FeatureNotSupported):
            shop.store.prepare_adjustment([], key=uuid.uuid4(), document="run/1")
        with pytest.raises(FeatureNotSupported):
            shop.store.prepare_overwrite([], key=uuid.uuid4(), document="run/1")

    def test_one_refused_row_is_named_and_the_others_are_not_written(self, shop: ShopUnderTest) -> None:
        items = [shop.item(10) for _ in range(5)]
        shop.poison(items[3])

        reply = shop.store.send(_adjust(shop, dict.fromkeys(items, 1)))

        assert reply.outcome == WriteOutcome.REFUSED_ROWS
        assert [(problem.index, problem.kind) for problem in reply.problems] == [(3, RowProblemKind.NOT_WRITABLE)]
        assert reply.problems[0].cause
        assert reply.problems[0].remedy
        assert [shop.available(item) for item in items] == [10] * 5

    def test_every_refused_row_is_named_in_order_with_its_own_kind(self, shop: ShopUnderTest) -> None:
        good, bad = shop.item(10), shop.item(10)
        shop.poison(bad)
        rows = [
            Adjustment(good, shop.location, 1),
            Adjustment(self.UNKNOWN_ITEM, shop.location, 1),
            Adjustment(good, self.UNKNOWN_LOCATION, 1),
            Adjustment(bad, shop.location, 1),
        ]

        reply = shop.store.send(shop.store.prepare_adjustment(rows, key=uuid.uuid4(), document="run/1"))

        assert [(problem.index, problem.kind) for problem in reply.problems] == [
            (1, RowProblemKind.UNKNOWN_ITEM),
            (2, RowProblemKind.UNKNOWN_LOCATION),
            (3, RowProblemKind.NOT_WRITABLE),
        ]
        assert shop.available(good) == 10

    # --- compare-and-swap

    def test_an_overwrite_sets_the_quantity_where_it_still_is_the_expected_one(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)

        reply = shop.store.send(_overwrite(shop, {item: (5, 20)}))

        assert reply.outcome == WriteOutcome.APPLIED
        assert shop.available(item) == 20

    def test_an_overwrite_never_erases_a_sale(self, shop: ShopUnderTest) -> None:
        quiet, busy = shop.item(5), shop.item(5)
        write = _overwrite(shop, {quiet: (5, 20), busy: (5, 20)})
        shop.sell(busy, 1)

        reply = shop.store.send(write)

        assert reply.outcome == WriteOutcome.REFUSED_ROWS
        assert [(problem.index, problem.kind) for problem in reply.problems] == [(1, RowProblemKind.STALE)]
        assert (shop.available(quiet), shop.available(busy)) == (5, 4)

    def test_overwriting_with_the_same_quantity_changes_nothing(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)

        reply = shop.store.send(_overwrite(shop, {item: (5, 5)}))

        assert (reply.outcome, reply.applied_at) == (WriteOutcome.UNCHANGED, None)

    def test_an_overwrite_may_be_negative(self, shop: ShopUnderTest) -> None:
        item = shop.item(0)

        assert shop.store.send(_overwrite(shop, {item: (0, -4)})).outcome == WriteOutcome.APPLIED
        assert shop.available(item) == -4

    def test_a_level_named_twice_is_refused(self, shop: ShopUnderTest) -> None:
        item, other = shop.item(5), shop.item(5)
        rows = [
            Overwrite(item, shop.location, 6, 5),
            Overwrite(other, shop.location, 6, 5),
            Overwrite(item, shop.location, 7, 5),
        ]

        reply = shop.store.send(shop.store.prepare_overwrite(rows, key=uuid.uuid4(), document="run/1"))

        assert reply.outcome == WriteOutcome.REFUSED_ROWS
        assert [(problem.index, problem.kind) for problem in reply.problems] == [
            (0, RowProblemKind.DUPLICATE_ROW),
            (2, RowProblemKind.DUPLICATE_ROW),
        ]
        assert shop.available(other) == 5

    @pytest.mark.parametrize("quantity", [1_000_000_001, -1_000_000_001, 3_000_000_000])
    def test_a_quantity_out_of_range_names_its_row(self, quantity: int, shop: ShopUnderTest) -> None:
        good, bad = shop.item(5), shop.item(5)

        reply = shop.store.send(_overwrite(shop, {good: (5, 6), bad: (5, quantity)}))

        assert reply.outcome == WriteOutcome.REFUSED_ROWS
        assert [problem.index for problem in reply.problems] == [1]
        assert reply.problems[0].kind in {RowProblemKind.OUT_OF_RANGE, RowProblemKind.OTHER}
        assert shop.available(good) == 5

    # --- keys

    def test_the_same_bytes_sent_twice_have_one_effect(self, shop: ShopUnderTest) -> None:
        item = shop.item(15)
        write = _adjust(shop, {item: -2})

        replies = [shop.store.send(write), shop.store.send(write)]

        assert [reply.outcome for reply in replies] == [WriteOutcome.APPLIED] * 2
        assert replies[0].applied_at == replies[1].applied_at
        assert shop.available(item) == 13

    def test_after_a_lost_reply_the_same_bytes_settle_the_write(self, shop: ShopUnderTest) -> None:
        item = shop.item(15)
        write = _adjust(shop, {item: -2})
        shop.lose_next_reply()

        with pytest.raises(OutcomeUnknown) as unknown:
            shop.store.send(write)
        assert shop.available(item) == 13
        assert shop.store.send(write).outcome == WriteOutcome.APPLIED
        assert shop.available(item) == 13
        assert unknown.value.remedy

    def test_after_a_lost_request_the_same_bytes_are_carried_out(self, shop: ShopUnderTest) -> None:
        item = shop.item(15)
        write = _adjust(shop, {item: -2})
        shop.drop_next_request()

        with pytest.raises(OutcomeUnknown):
            shop.store.send(write)
        assert shop.available(item) == 15
        assert shop.store.send(write).outcome == WriteOutcome.APPLIED
        assert shop.available(item) == 13

    def test_a_key_with_other_bytes_is_refused(self, shop: ShopUnderTest) -> None:
        item, key = shop.item(15), uuid.uuid4()
        shop.store.send(_adjust(shop, {item: -2}, key=key))

        reply = shop.store.send(_adjust(shop, {item: -3}, key=key))

        assert reply.outcome == WriteOutcome.KEY_MISMATCH
        assert shop.available(item) == 13

    def test_a_key_that_was_refused_stays_refused(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)
        write = _overwrite(shop, {item: (4, 9)})
        assert shop.store.send(write).outcome == WriteOutcome.REFUSED_ROWS

        reply = shop.store.send(write)

        assert reply.outcome == WriteOutcome.REFUSED
        assert shop.available(item) == 5

    def test_a_key_is_forgotten_after_a_day_so_an_old_write_would_apply_twice(self, shop: ShopUnderTest) -> None:
        item = shop.item(15)
        write = _adjust(shop, {item: -2})
        shop.store.send(write)
        shop.advance(hours=25)

        shop.store.send(write)

        assert shop.available(item) == 11

    def test_the_same_rows_key_and_document_are_the_same_bytes(self, shop: ShopUnderTest) -> None:
        item, key = shop.item(15), uuid.uuid4()

        assert _adjust(shop, {item: -2}, key=key) == _adjust(shop, {item: -2}, key=key)
        assert _adjust(shop, {item: -2}, key=key).rows == 1
        assert _adjust(shop, {item: -2}, key=key).body != _adjust(shop, {item: -2}).body
        assert str(key).encode() in _overwrite(shop, {item: (15, 2)}, key=key).body

    # --- stocking and tracking

    def test_an_item_can_be_stocked_at_another_location(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)

        shop.store.activate(item, shop.elsewhere, key=uuid.uuid4())

        level = shop.store.read_levels(shop.elsewhere, [item]).levels[0]
        assert (level.exists, level.is_active, level.available) == (True, True, 0)

    def test_stocking_an_item_where_it_is_stocked_changes_nothing(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)

        shop.store.activate(item, shop.location, key=uuid.uuid4())

        assert shop.available(item) == 5

    def test_stocking_what_the_store_does_not_know_is_refused(self, shop: ShopUnderTest) -> None:
        with pytest.raises(RequestRejected) as refused:
            shop.store.activate(self.UNKNOWN_ITEM, shop.location, key=uuid.uuid4())
        with pytest.raises(RequestRejected):
            shop.store.activate(shop.item(1), shop.closed_location, key=uuid.uuid4())

        assert refused.value.cause
        assert refused.value.remedy

    def test_tracking_can_be_switched(self, shop: ShopUnderTest) -> None:
        item = shop.item(5, tracked=False)

        shop.store.set_tracked(item, tracked=True)

        assert shop.store.read_levels(shop.location, [item]).levels[0].tracked
        with pytest.raises(RequestRejected):
            shop.store.set_tracked(self.UNKNOWN_ITEM, tracked=True)

    # --- accounts and addresses

    def test_a_wrong_token_is_told_with_what_to_correct(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)
        write = _adjust(shop, {item: 1})
        refused_store = shop.with_wrong_token()

        for call in (refused_store.overview, refused_store.locations, lambda: refused_store.send(write)):
            with pytest.raises(CredentialsRejected) as refused:
                call()
            assert "token" in refused.value.cause
            assert refused.value.remedy
        assert shop.available(item) == 5

    def test_where_nothing_listens_nothing_happened(self, shop: ShopUnderTest) -> None:
        item = shop.item(5)
        write = _adjust(shop, {item: 1})
        unreachable = shop.unreachable()

        with pytest.raises(ConnectorUnavailable):
            unreachable.send(write)
        with pytest.raises(ConnectorUnavailable):
            unreachable.overview()
        assert shop.available(item) == 5


def _adjust(shop: ShopUnderTest, deltas: dict[str, int], *, key: UUID | None = None) -> PreparedWrite:
    rows = [Adjustment(item, shop.location, delta) for item, delta in deltas.items()]
    return shop.store.prepare_adjustment(rows, key=key or uuid.uuid4(), document="run/1")


def _overwrite(shop: ShopUnderTest, swaps: dict[str, tuple[int, int]], *, key: UUID | None = None) -> PreparedWrite:
    rows = [Overwrite(item, shop.location, after, before) for item, (before, after) in swaps.items()]
    return shop.store.prepare_overwrite(rows, key=key or uuid.uuid4(), document="run/1")
