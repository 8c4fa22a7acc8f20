"""Whatever versions of an order were seen, its stock ends where the store's own stock ended."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from connectors.ports.orders import LineEdit
from orders.effects import PUT_BACK, Holding, StockRule, Terms, effects_of
from orders.facts import Fact, FactKind, Spot, Standing, cancelled_key, news, returned_key
from tests.orders.shelves import NINE, Shelves

HERE, THERE, ELSEWHERE = "L1", "L2", "L3"


@dataclass
class Books:
    """What is booked of the order: the sums that `orders.stock` keeps in the database."""

    rule: StockRule = StockRule.ORDER
    keep_goods: bool = False
    with_edits: bool = False
    since: object = None
    on_hand: Counter[str] = field(default_factory=Counter)
    released: Counter[str] = field(default_factory=Counter)
    shown: Counter[str] = field(default_factory=Counter)
    looks: list[str] = field(default_factory=list)
    known: dict[Spot, Standing] = field(default_factory=dict)
    holdings: dict[Spot, Holding] = field(default_factory=dict)

    def read(self, shop: Shelves) -> list[FactKind]:
        """Book the order as the shop tells it now. Returns what happened."""
        told = news(shop.told(with_edits=self.with_edits), self.known, since=self.since)  # type: ignore[arg-type]
        totals = {spot: Counter(standing.totals) for spot, standing in self.known.items()}
        for fact in told.facts:
            self._book(fact)
            counted = totals.setdefault(fact.spot, Counter())
            counted[fact.kind] += abs(fact.quantity)
            counted[cancelled_key(fact.source_ref)] += fact.quantity * (fact.kind is FactKind.CANCELLED)
            back = fact.kind in (FactKind.RETURNED, FactKind.WRITTEN_OFF)
            counted[returned_key(fact.source_ref)] += fact.quantity * back
        self.known = {
            spot: replace(standing, totals={**totals.get(spot, {}), **standing.totals})
            for spot, standing in told.now.items()
            if self.since is None or standing.ordered or spot in totals
        }
        return [fact.kind for fact in told.facts]

    def _book(self, fact: Fact) -> None:
        here = self.holdings.setdefault(fact.spot, Holding())
        there = self.holdings.setdefault(Spot(fact.spot.line_ref, fact.to_ref or fact.spot.location_ref), Holding())
        for effect in effects_of(fact, Terms(self.rule, self.keep_goods), here, there):
            self.on_hand[effect.location_ref] += effect.on_hand
            self.released[effect.location_ref] += effect.released
            self.shown[effect.location_ref] += effect.store
            self.looks += [effect.look] if effect.look else []

    def ats(self, at: str) -> int:
        return self.on_hand[at] - self.released[at]

    def open(self, at: str) -> int:
        return sum(standing.open for spot, standing in self.known.items() if spot.location_ref == at)


def assert_right(books: Books, shop: Shelves) -> None:
    """What the store shows is what we believe, and what we hold is what it holds: nothing is owed to it."""
    for at in (HERE, THERE, ELSEWHERE):
        assert books.shown[at] == shop.available[at], f"shown at {at}"
        assert books.released[at] == shop.committed[at], f"released at {at}"
        assert books.on_hand[at] == shop.on_hand[at], f"on hand at {at}"
        assert books.open(at) == shop.committed[at], f"open at {at}"
    assert [look for look in books.looks if look not in said_of(shop)] == []


def said_of(shop: Shelves) -> list[str]:
    """Of an order cancelled without a refund nobody can know whether its goods were put back."""
    return [PUT_BACK.of(n) for n in range(1, 50) if shop.cancelled_at]


def happen(shop: Shelves, chance: random.Random) -> None:
    """One thing that a shop can do to an order."""
    places = [HERE, THERE, ELSEWHERE]
    waits = [at for at in places if shop.waiting[at] > 0]
    at = chance.choice(waits) if waits else HERE
    units = chance.randint(1, max(1, shop.waiting[at]))
    kept = shop.sent - shop.returned
    match chance.randrange(9):
        case 0 | 1:
            shop.place(chance.randint(1, 5), chance.choice(places))
        case 2 | 3 if waits:
            shop.fulfil(units, at)
        case 4 if waits:
            shop.move(units, at, chance.choice([other for other in places if other != at]))
        case 5 if waits:
            shop.take_off(units, at, chance.choice(places))
        case 6 if kept:
            shop.come_back(chance.randint(1, kept), chance.choice([*places, None]))
        case 7 if waits:
            shop.money_only(0)
        case 8 if shop.parcels and not shop.returned and shop.parcels[-1].status == "success":
            shop.cancel_parcel(len(shop.parcels) - 1)


@pytest.mark.parametrize("seed", range(120))
def test_every_version_seen_ends_where_the_store_ended(seed: int) -> None:
    chance = random.Random(seed)
    shop, books = Shelves(), Books()
    shop.place(chance.randint(1, 8), HERE)
    for _ in range(chance.randint(1, 12)):
        happen(shop, chance)
        books.read(shop)
        assert_right(books, shop)
    if chance.random() < 0.3:
        shop.cancel()
        books.read(shop)
        assert_right(books, shop)
    assert books.read(shop) == [], "the same version again tells nothing new"


@pytest.mark.parametrize("with_edits", [False, True])
@pytest.mark.parametrize("seed", range(120))
def test_versions_that_were_missed_change_nothing_at_the_end(seed: int, with_edits: bool) -> None:
    """Between two versions that are seen, several things happen at one place of the line."""
    chance = random.Random(seed)
    shop, books = Shelves(), Books(with_edits=with_edits)
    shop.place(6, HERE)
    for _ in range(chance.randint(1, 10)):
        units = chance.randint(1, max(1, shop.waiting[HERE]))
        match chance.randrange(6):
            case 0:
                shop.place(chance.randint(1, 4), HERE)
            case 5 if shop.parcels and not shop.returned and shop.parcels[-1].status == "success":
                shop.cancel_parcel(len(shop.parcels) - 1)
            case 1 if shop.waiting[HERE]:
                shop.fulfil(units, HERE)
            case 2 if shop.waiting[HERE]:
                shop.take_off(units, HERE, chance.choice([HERE, THERE, None]))
            case 3 if shop.sent - shop.returned:
                shop.come_back(1, chance.choice([HERE, THERE, None]))
            case 4:
                books.read(shop)
    books.read(shop)
    assert_right(books, shop)
    assert books.read(shop) == []


def test_an_order_placed_fulfilled_and_returned_before_it_was_ever_read() -> None:
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    shop.fulfil(3, HERE)
    shop.take_off(2, HERE, HERE)
    shop.come_back(1, THERE)

    assert books.read(shop) == [
        FactKind.GROWN,
        FactKind.GROWN,
        FactKind.FULFILLED,
        FactKind.CANCELLED,
        FactKind.RETURNED,
    ]
    assert_right(books, shop)


def test_units_cancelled_without_restock_are_released_then_written_off() -> None:
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    books.read(shop)
    shop.cancel()

    assert books.read(shop) == [FactKind.LOST]
    assert books.looks == ["5 units were cancelled and no refund says whether they were put back."]
    assert (books.on_hand[HERE], books.released[HERE], books.shown[HERE]) == (-5, 0, -5)


def test_a_refund_of_goods_that_had_left_is_no_word_about_those_that_waited() -> None:
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    shop.fulfil(2, HERE)
    shop.come_back(2, None)
    books.read(shop)
    shop.cancel()

    assert books.read(shop) == [FactKind.LOST]
    assert books.looks == ["3 units were cancelled and no refund says whether they were put back."]


def test_goods_that_are_kept_are_owed_to_every_store() -> None:
    shop, books = Shelves(), Books(keep_goods=True)
    shop.place(5, HERE)
    books.read(shop)
    shop.cancel()
    books.read(shop)

    assert books.ats(HERE) - books.shown[HERE] == 5


def test_refunded_money_for_units_that_still_wait_moves_no_stock() -> None:
    """Scenario 4: 2 of 5 had left; 4 are refunded without restock."""
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    shop.fulfil(2, HERE)
    books.read(shop)
    shop.money_only(4)

    assert books.read(shop) == [FactKind.WRITTEN_OFF]
    assert (books.on_hand[HERE], books.released[HERE], books.open(HERE)) == (-2, 3, 3)


def test_a_second_refund_sees_what_the_first_consumed() -> None:
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    shop.fulfil(2, HERE)
    shop.come_back(2, HERE)
    shop.money_only(2)

    assert books.read(shop).count(FactKind.WRITTEN_OFF) == 0


def test_units_go_back_where_they_were_held_as_far_as_the_store_says() -> None:
    shop = Shelves()
    shop.place(1, HERE)
    shop.place(1, THERE)
    before = news(shop.told(), {}).now
    shop.take_off(1, THERE, THERE)
    shop.take_off(1, HERE, HERE)

    told = news(shop.told(), before).facts
    assert [(fact.kind, fact.spot.location_ref, fact.to_ref) for fact in told] == [
        (FactKind.CANCELLED, THERE, THERE),
        (FactKind.CANCELLED, HERE, HERE),
    ]


def test_what_left_here_first_is_not_sent_twice() -> None:
    """Rows 5 and 6, then a cancelled parcel: our own shipment stands."""
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    books.read(shop)
    ship_here(books, 3)
    shop.fulfil(5, HERE)
    books.read(shop)

    assert (books.on_hand[HERE], books.released[HERE], books.shown[HERE]) == (-5, 0, -5)

    shop.cancel_parcel(0)
    books.read(shop)
    assert (books.on_hand[HERE], books.released[HERE], books.holdings[Spot(shop.line, HERE)].ahead) == (-3, 2, 3)


def test_a_parcel_taken_back_and_sent_from_elsewhere_while_nobody_read_leaves_nothing_held() -> None:
    shop, books = Shelves(), Books()
    shop.place(2, HERE)
    shop.fulfil(2, HERE)
    books.read(shop)

    shop.cancel_parcel(0)
    shop.move(2, HERE, THERE)
    shop.fulfil(2, THERE)
    books.read(shop)

    assert_right(books, shop)
    assert (books.on_hand[HERE], books.on_hand[THERE], books.looks) == (0, -2, [])


@pytest.mark.parametrize("moved", [False, True])
def test_units_added_and_taken_off_unread_went_where_the_newest_work_is(moved: bool) -> None:
    shop, books = Shelves(), Books()
    shop.place(4, HERE)
    shop.move(4, HERE, THERE)
    if moved:
        shop.place(1, THERE)
        shop.place(1, HERE)
        shop.take_off(1, THERE, THERE)
    books.read(shop)

    shop.place(1, HERE)
    shop.cancel()
    books.read(shop)

    assert_right(books, shop)


@pytest.mark.parametrize(("first", "then"), [(HERE, THERE), (THERE, HERE)])
def test_units_added_and_taken_off_unread_went_where_the_rest_waits(first: str, then: str) -> None:
    """Goods were moved, and added, to work that is as old as theirs."""
    shop, books = Shelves(), Books()
    shop.place(3, first)
    shop.move(3, first, then)
    books.read(shop)

    shop.place(2, then)
    shop.cancel()
    shop.assigned = dict.fromkeys(shop.assigned, NINE)
    books.read(shop)

    assert_right(books, shop)


def test_goods_shipped_here_and_cancelled_in_the_store_are_for_a_person() -> None:
    """Row 14: the store shows them again, and nobody has said that they came back."""
    shop, books = Shelves(), Books()
    shop.place(2, HERE)
    books.read(shop)
    ship_here(books, 2)
    shop.take_off(2, HERE, HERE)
    books.read(shop)

    assert books.ats(HERE) - books.shown[HERE] == -2
    assert books.looks == ["2 units shipped here were cancelled in the store: did they come back?"]


def test_units_are_taken_off_before_a_later_parcel_comes_back() -> None:
    """The unit cancelled is the one that waited, shipped here already; not one of the parcel that came back afterwards."""
    shop, books = Shelves(), Books()
    shop.place(3, HERE)
    shop.fulfil(2, HERE)
    books.read(shop)
    ship_here(books, 1)

    shop.take_off(1, HERE, HERE)
    shop.cancel_parcel(0)

    assert books.read(shop) == [FactKind.CANCELLED, FactKind.REOPENED]
    holding = books.holdings[Spot("gid://shopify/LineItem/1", HERE)]
    assert (holding.held, holding.ahead, holding.in_doubt) == (2, 0, 1)
    assert (books.released[HERE], books.open(HERE)) == (2, 2)


def test_what_was_let_go_without_being_sent_is_owed_until_the_store_lets_go_too() -> None:
    """Row 13 and 13b, scenario K7."""
    shop, books = Shelves(), Books()
    shop.place(2, HERE)
    books.read(shop)
    dispatch(books, 2)
    assert books.ats(HERE) - books.shown[HERE] == 2

    shop.take_off(2, HERE, HERE)
    books.read(shop)
    assert books.ats(HERE) - books.shown[HERE] == 0
    assert books.looks == []


def test_what_was_let_go_and_is_sent_after_all_leaves_the_shelf() -> None:
    """Row 13c."""
    shop, books = Shelves(), Books()
    shop.place(2, HERE)
    books.read(shop)
    dispatch(books, 2)
    shop.fulfil(2, HERE)
    books.read(shop)

    assert (books.on_hand[HERE], books.ats(HERE) - books.shown[HERE]) == (-2, 0)


def test_units_added_while_nobody_read_are_held_beside_those_that_were_let_go() -> None:
    shop, books = Shelves(), Books()
    shop.place(2, HERE)
    books.read(shop)
    dispatch(books, 2)
    shop.fulfil(2, HERE)
    shop.place(3, HERE)
    books.read(shop)

    assert (books.on_hand[HERE], books.released[HERE]) == (-2, 3)
    assert books.ats(HERE) - books.shown[HERE] == 0


def test_a_test_order_holds_its_goods_and_gives_them_back_when_it_is_fulfilled() -> None:
    shop, books = Shelves(), Books(StockRule.TEST)
    shop.place(3, HERE)
    books.read(shop)
    assert books.ats(HERE) == books.shown[HERE] == -3

    shop.fulfil(3, HERE)
    books.read(shop)
    assert (books.on_hand[HERE], books.ats(HERE), books.shown[HERE]) == (0, 0, -3)


def test_an_older_order_counts_only_with_what_is_still_open() -> None:
    shop = Shelves()
    shop.place(5, HERE)
    shop.fulfil(2, HERE)
    shop.come_back(1, HERE)
    books = Books(since=shop.now)

    assert books.read(shop) == [FactKind.GROWN]
    assert (books.on_hand[HERE], books.released[HERE], books.open(HERE)) == (0, 3, 3)

    shop.fulfil(3, HERE)
    shop.come_back(1, THERE)
    assert books.read(shop) == [FactKind.FULFILLED, FactKind.RETURNED]
    assert (books.on_hand[HERE], books.on_hand[THERE], books.released[HERE]) == (-3, 1, 0)
    assert books.read(shop) == []


def test_an_older_order_that_our_stock_leaves_out_counts_when_its_goods_come_back() -> None:
    shop = Shelves()
    shop.place(5, HERE)
    books = Books(StockRule.LEFT_OUT, since=shop.now)
    books.read(shop)
    assert (books.ats(HERE), books.shown[HERE], books.open(HERE)) == (0, 0, 5)

    shop.fulfil(3, HERE)
    shop.take_off(2, HERE, HERE)
    books.read(shop)
    assert (books.on_hand[HERE], books.released[HERE], books.shown[HERE], books.open(HERE)) == (2, 0, 2, 0)


def test_units_that_vanish_without_a_word_are_posted_nowhere() -> None:
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    books.read(shop)
    shop.waiting[HERE] -= 2

    assert books.read(shop) == [FactKind.UNEXPLAINED]
    assert (books.on_hand[HERE], books.released[HERE], books.open(HERE)) == (0, 5, 3)
    assert books.looks == ["The store shows 2 fewer units waiting, and nothing says why."]


def test_the_time_of_a_fact_is_the_stores() -> None:
    shop = Shelves()
    shop.place(1, HERE)
    placed = news(shop.told(), {}).facts[0]
    assert placed.at == NINE
    assert placed.within == (NINE, shop.now), "its work was assigned, or assigned anew, since"


def test_a_parcel_is_back_since_it_was_cancelled_however_the_order_changed_afterwards() -> None:
    shop, books = Shelves(), Books()
    shop.place(2, HERE)
    shop.fulfil(2, HERE)
    books.read(shop)

    shop.cancel_parcel(0)
    taken_back = shop.now
    shop.place(1, HERE)
    back, grown = news(shop.told(), books.known).facts
    assert (back.kind, back.at, grown.kind, grown.at) == (FactKind.REOPENED, taken_back, FactKind.GROWN, shop.now)
    assert taken_back < shop.now


def times(shop: Shelves, books: Books, kind: FactKind) -> list[tuple[int, dt.datetime]]:
    """Units of that kind that are new, each with its time."""
    facts = news(shop.told(with_edits=True), books.known).facts
    return [(fact.quantity, fact.at) for fact in facts if fact.kind is kind]


def test_units_that_edits_added_are_there_since_their_edit() -> None:
    shop, books = Shelves(), Books(with_edits=True)
    shop.place(4, HERE)
    books.read(shop)
    shop.place(2, HERE)
    first = shop.now
    shop.place(1, HERE)
    second = shop.now
    shop.fulfil(1, HERE)

    assert times(shop, books, FactKind.GROWN) == [(2, first), (1, second)]


def test_each_parcel_left_at_its_own_time() -> None:
    """A count between two parcels is without the goods of the first alone."""
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    shop.fulfil(1, HERE)
    books.read(shop)
    shop.fulfil(2, HERE)
    first = shop.now
    shop.fulfil(1, HERE)

    assert times(shop, books, FactKind.FULFILLED) == [(2, first), (1, shop.now)]


def test_a_parcel_that_does_not_say_where_it_left_from_left_where_the_line_waits() -> None:
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    shop.fulfil(1, HERE)
    shop.parcels[0] = replace(shop.parcels[0], location_ref="")
    first = shop.now
    shop.fulfil(2, HERE)

    assert times(shop, books, FactKind.FULFILLED) == [(1, first), (2, shop.now)]


def test_a_parcel_that_came_back_before_anybody_read_of_it_was_gone_in_between() -> None:
    shop, books = Shelves(), Books()
    shop.place(3, HERE)
    books.read(shop)
    shop.fulfil(2, HERE)
    sent = shop.now
    shop.cancel_parcel(0)
    back = shop.now

    facts = news(shop.told(), books.known).facts

    assert [(fact.kind, fact.quantity, fact.at) for fact in facts] == [
        (FactKind.FULFILLED, 2, sent),
        (FactKind.REOPENED, 2, back),
    ]
    books.read(shop)
    assert_right(books, shop)
    assert books.read(shop) == [], "the same parcel is not told of twice"


def test_goods_sent_in_the_second_of_their_order_and_taken_back_were_gone_in_between() -> None:
    shop, books = Shelves(), Books()
    shop.place(2, HERE)
    shop.fulfil(2, HERE)
    shop.parcels[0] = replace(shop.parcels[0], created_at=NINE)
    shop.cancel_parcel(0)

    assert books.read(shop) == [FactKind.GROWN, FactKind.FULFILLED, FactKind.REOPENED]
    assert_right(books, shop)


def test_goods_that_came_back_and_were_sent_again_unread_were_there_in_between() -> None:
    shop, books = Shelves(), Books()
    shop.place(3, HERE)
    shop.fulfil(2, HERE)
    books.read(shop)
    shop.cancel_parcel(0)
    back = shop.now
    shop.fulfil(2, HERE)

    facts = news(shop.told(), books.known).facts

    assert [(fact.kind, fact.at) for fact in facts] == [(FactKind.REOPENED, back), (FactKind.FULFILLED, shop.now)]
    books.read(shop)
    assert_right(books, shop)


def test_a_parcel_that_failed_never_left() -> None:
    shop, books = Shelves(), Books()
    shop.place(3, HERE)
    books.read(shop)
    shop.fulfil(2, HERE)
    shop.cancel_parcel(0)
    shop.parcels[0] = replace(shop.parcels[0], status="failure")

    assert books.read(shop) == []


def test_what_was_kept_of_an_order_before_its_parcels_were_is_brought_along_on_the_whole() -> None:
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    shop.fulfil(2, HERE)
    books.read(shop)
    books.known = {spot: replace(standing, totals={}) for spot, standing in books.known.items()}
    shop.fulfil(1, HERE)

    assert times(shop, books, FactKind.FULFILLED) == [(1, shop.now)]
    books.read(shop)
    assert_right(books, shop)
    shop.cancel_parcel(0)
    assert books.read(shop) == [FactKind.REOPENED]
    assert_right(books, shop)


def test_each_parcel_came_back_at_its_own_time() -> None:
    shop, books = Shelves(), Books()
    shop.place(5, HERE)
    shop.fulfil(1, HERE)
    shop.fulfil(2, HERE)
    books.read(shop)
    shop.cancel_parcel(1)
    first = shop.now
    shop.cancel_parcel(0)

    assert times(shop, books, FactKind.REOPENED) == [(2, first), (1, shop.now)]


def test_of_an_order_nobody_had_read_each_unit_has_its_own_time() -> None:
    shop, books = Shelves(), Books(with_edits=True)
    shop.place(4, HERE)
    shop.place(2, THERE)
    edited = shop.now

    grown = news(shop.told(with_edits=True), books.known).facts

    assert [(fact.spot.location_ref, fact.quantity, fact.at) for fact in grown] == [(HERE, 4, NINE), (THERE, 2, edited)]
    assert grown[1].within is None, "nothing was moved there since"


def test_units_that_an_edit_added_and_another_took_off_have_both_times() -> None:
    shop, books = Shelves(), Books(with_edits=True)
    shop.place(4, HERE)
    books.read(shop)
    shop.place(2, HERE)
    added = shop.now
    shop.leave_out(2, HERE)
    taken_off = shop.now

    assert times(shop, books, FactKind.GROWN) == [(2, added)]
    assert times(shop, books, FactKind.LOST) == [(2, taken_off)]


def test_units_taken_off_without_a_word_went_with_their_edit_and_the_rest_with_the_order() -> None:
    shop, books = Shelves(), Books(with_edits=True)
    shop.place(6, HERE)
    shop.leave_out(1, HERE)
    books.read(shop)
    shop.leave_out(2, HERE)
    edited = shop.now
    shop.cancel()

    assert times(shop, books, FactKind.LOST) == [(2, edited), (3, shop.now)]


def test_an_edit_whose_units_a_refund_put_back_left_nothing_out() -> None:
    shop, books = Shelves(), Books(with_edits=True)
    shop.place(6, HERE)
    shop.take_off(2, HERE, HERE)
    shop.edits.append(LineEdit(shop.line, -2, shop.now))  # the store tells of it twice
    shop.leave_out(1, HERE)
    edited = shop.now

    assert times(shop, books, FactKind.LOST) == [(1, edited)]


def test_edits_that_say_more_than_the_line_has_date_nothing() -> None:
    shop, books = Shelves(), Books(with_edits=True)
    shop.place(2, HERE)
    shop.edits.append(LineEdit(shop.line, 3, shop.now))
    told = shop.told(with_edits=True)

    (grown,) = news(told, books.known).facts

    assert (grown.quantity, grown.within) == (2, (told.created_at, told.updated_at))


def test_of_an_order_whose_edits_are_not_told_nothing_says_which_units_were_there_at_first() -> None:
    shop = Shelves()
    shop.place(1, HERE)
    told = replace(shop.told(), edited=True)
    assert news(told, {}).facts[0].within == (told.created_at, told.updated_at)


def test_goods_that_were_moved_before_anybody_read_of_them_are_there_since_any_time_between() -> None:
    shop = Shelves()
    shop.place(2, HERE)
    shop.now += dt.timedelta(minutes=5)
    shop.move(2, HERE, THERE)
    told = shop.told()
    (grown,) = news(told, {}).facts
    assert (grown.spot.location_ref, grown.at) == (THERE, NINE)
    assert grown.within == (NINE, told.fulfilment_orders[-1].updated_at)


def ship_here(books: Books, units: int) -> None:
    """Row 5: the goods leave here before the store knows."""
    holding = books.holdings[Spot("gid://shopify/LineItem/1", HERE)]
    holding.held, holding.ahead = holding.held - units, holding.ahead + units
    books.on_hand[HERE] -= units
    books.released[HERE] -= units


def dispatch(books: Books, units: int) -> None:
    """Row 13: let go here; the goods stayed."""
    holding = books.holdings[Spot("gid://shopify/LineItem/1", HERE)]
    holding.held, holding.dispatched = holding.held - units, holding.dispatched + units
    books.released[HERE] -= units
