"""Numbers that pages show are kept for a while, the longer the dearer they are to count, and renewed behind the page."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from syncconsole.kernel import counting
from syncconsole.kernel.counting import kept
from syncconsole.kernel.tasks import recount


class Shop:
    """A shop whose stock takes `takes` seconds to count, by a clock of its own. `asked` of workers: name and arguments."""

    def open(self) -> None:
        self.now, self.takes, self.stock, self.counts = timezone.now(), 0.0, 1, 0
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def monotonic(self) -> float:
        return self.now.timestamp()

    def later(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def count(self) -> int:
        self.counts += 1
        self.later(self.takes)
        return self.stock

    def carry_out(self) -> None:
        """What a worker does with what it is asked, as it arrives there."""
        for name, given in self.asked:
            recount(name, json.loads(json.dumps(given)))
        self.asked.clear()


shop = Shop()


@kept
def stock(store_id: int, place: str | None) -> int:
    return shop.count()


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    shop.open()
    monkeypatch.setattr(counting, "now", lambda: shop.now)
    monkeypatch.setattr(counting, "monotonic", shop.monotonic)
    monkeypatch.setattr(recount, "send", lambda *told: shop.asked.append(told))


def test_a_young_count_is_shown_as_it_is() -> None:
    assert stock(1, "Cluj") == 1
    shop.stock = 2
    shop.later(9)
    assert stock(1, "Cluj") == 1
    assert shop.asked == []


def test_each_store_and_place_has_a_count_of_its_own() -> None:
    assert stock(1, "Cluj") == 1
    shop.stock = 2
    assert [stock(2, "Cluj"), stock(1, None), stock(1, "Cluj")] == [2, 2, 1]


def test_an_older_one_is_shown_while_one_worker_counts_again() -> None:
    stock(1, None)
    shop.stock = 2
    shop.later(11)
    assert [stock(1, None), stock(1, None)] == [1, 1]
    assert shop.asked == [("tests.kernel.test_counting.stock", (1, None))]
    shop.carry_out()
    assert stock(1, None) == 2
    shop.later(11)
    stock(1, None)
    assert len(shop.asked) == 1, "what was carried out may be asked again"


def test_a_message_that_comes_twice_counts_once() -> None:
    stock(1, None)
    shop.later(11)
    stock(1, None)
    shop.asked *= 2
    shop.carry_out()
    assert shop.counts == 2


@pytest.mark.parametrize(("took", "shown"), [(0.001, 60), (2.0, 600)])
def test_a_count_is_shown_so_long_as_it_was_dear(monkeypatch: pytest.MonkeyPatch, took: float, shown: int) -> None:
    monkeypatch.setattr(counting, "cache", memory := mock.Mock())
    shop.takes = took
    memory.get.return_value = None  # nothing is kept, or no longer
    assert stock(1, None) == 1
    (_, found, timeout), _ = memory.set.call_args
    assert (found.value, timeout) == (1, shown)


def test_what_is_dear_to_count_stays_young_for_longer() -> None:
    shop.takes = 3.0
    stock(1, None)
    shop.later(26)
    stock(1, None)
    assert shop.asked == []
    shop.later(2)
    stock(1, None)
    assert len(shop.asked) == 1


def test_what_a_person_changed_is_counted_after_it() -> None:
    stock(1, None)
    shop.later(1)
    changed = shop.now
    shop.stock = 2
    assert stock(1, None) == 1
    assert stock.counted(1, None, since=changed).value == 2
    assert stock(1, None) == 2, "for everybody"
    stock.counted(1, None, since=changed)
    assert shop.counts == 2


def test_a_count_that_began_before_the_change_does_not_know_it() -> None:
    shop.takes = 2.0
    stock(1, None)
    changed = shop.now - dt.timedelta(seconds=1)
    assert stock.counted(1, None, since=changed).at > changed
    assert shop.counts == 2


def test_a_decision_takes_what_is_counted_for_it() -> None:
    stock(1, None)
    shop.stock = 2
    assert stock.anew(1, None).value == 2
    assert stock(1, None) == 2


def test_a_page_says_when_it_was_counted_where_that_is_over_a_minute_ago() -> None:
    counted = stock.anew(1, None)
    shop.later(60)
    assert counted.shown_at is None
    shop.later(1)
    assert counted.shown_at == counted.at


@pytest.mark.django_db
def test_a_page_shows_what_it_has_where_no_worker_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(counting, "now", lambda: shop.now)
    monkeypatch.setattr(recount, "apply_async", mock.Mock(side_effect=OperationalError))
    stock(1, None)
    shop.stock = 2
    shop.later(11)
    with django_capture_on_commit_callbacks(execute=True) as told:
        assert stock(1, None) == 1
    assert len(told) == 1


@pytest.mark.parametrize("name", ["os.getcwd", "tests.kernel.test_counting.uncounted"])
def test_a_message_calls_nothing_but_what_is_kept(name: str) -> None:
    recount(name, [])


def uncounted() -> None:
    raise AssertionError


def test_nothing_kept_outlives_a_release(settings: Any) -> None:
    stock(1, None)
    settings.VERSION = "another"
    assert stock.known(1, None) is None
