"""Workers that share an account share its bucket: together they never ask for more than it holds and restores."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from connectors.pacing import (
    FIRST_LEVEL,
    LEFT_TO_URGENT,
    MOST_PUT_OFF,
    STANDARD_RATE,
    Lane,
    RedisPacer,
    Reservation,
    ThrottleStatus,
)
from connectors.ports.errors import ConnectorUnavailable


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    yield client
    client.close()


@pytest.fixture
def account() -> str:
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def pacer(server: redis.Redis, account: str) -> RedisPacer:
    return RedisPacer(server, account, headroom=0.0)


def status(available: float, *, maximum: float = 2000.0, rate: float = 100.0) -> ThrottleStatus:
    return ThrottleStatus(maximum=maximum, available=available, restore_rate=rate)


def room(pacer: RedisPacer, *, rate: float, ask: float) -> float:
    """Points the pacer believes to be there, seen from how long a request of `ask` points would have to wait."""
    probe = pacer.reserve(ask)
    pacer.settle(probe, charged=0, status=None)
    return ask - probe.wait * rate


def test_a_request_goes_at_once_while_there_are_points(pacer: RedisPacer) -> None:
    assert pacer.reserve(10).wait == 0


def test_before_the_first_reply_no_more_than_half_a_standard_bucket_is_spent(pacer: RedisPacer) -> None:
    waits = [pacer.reserve(100).wait for _ in range(12)]

    assert waits[:10] == [0.0] * 10
    assert waits[10] == pytest.approx(1.0, abs=0.3)
    assert waits[11] == pytest.approx(2.0, abs=0.3)


def test_the_plan_is_learned_from_the_first_reply(pacer: RedisPacer) -> None:
    first = pacer.reserve(10)
    pacer.settle(first, charged=10, status=status(19_990, maximum=20_000, rate=1000))

    assert room(pacer, rate=1000, ask=25_000) == pytest.approx(19_990, abs=300)


def test_points_not_charged_come_back(pacer: RedisPacer) -> None:
    first = pacer.reserve(200)
    pacer.settle(first, charged=35, status=status(1965))

    assert room(pacer, rate=100, ask=2500) == pytest.approx(1965, abs=30)


def test_points_used_behind_our_back_are_noticed(pacer: RedisPacer) -> None:
    first = pacer.reserve(10)
    pacer.settle(first, charged=10, status=status(1990))
    second = pacer.reserve(10)
    pacer.settle(second, charged=10, status=status(50))

    assert pacer.reserve(150).wait == pytest.approx(1.0, abs=0.2)


def test_requests_on_their_way_are_not_given_away_twice(pacer: RedisPacer) -> None:
    pacer.settle(pacer.reserve(10), charged=10, status=status(1000))
    on_its_way = [pacer.reserve(200) for _ in range(4)]
    answered = pacer.reserve(10)
    pacer.settle(answered, charged=10, status=status(990))

    assert [reservation.wait for reservation in on_its_way] == [0.0] * 4
    assert room(pacer, rate=100, ask=2000) == pytest.approx(190, abs=60)


def test_a_reply_overtaken_by_another_does_not_give_its_points_back(pacer: RedisPacer) -> None:
    pacer.settle(pacer.reserve(10), charged=10, status=status(1000))
    slow, fast = pacer.reserve(10), pacer.reserve(900)
    pacer.settle(fast, charged=900, status=status(90))
    pacer.settle(slow, charged=10, status=status(990))

    assert room(pacer, rate=100, ask=2000) == pytest.approx(90, abs=60)


def test_waiting_requests_go_in_the_order_they_came(pacer: RedisPacer) -> None:
    pacer.settle(pacer.reserve(10), charged=10, status=status(0))
    large, small = pacer.reserve(500), pacer.reserve(1)

    assert large.wait == pytest.approx(5.0, abs=0.3)
    assert small.wait > large.wait


def test_a_request_given_up_leaves_its_points_to_the_next(pacer: RedisPacer) -> None:
    pacer.settle(pacer.reserve(10), charged=10, status=status(0))
    pacer.settle(pacer.reserve(500), charged=0, status=None)

    assert pacer.reserve(100).wait == pytest.approx(1.0, abs=0.3)


def test_the_headroom_is_left_alone(server: redis.Redis, account: str) -> None:
    careful = RedisPacer(server, account, headroom=0.05)
    careful.settle(careful.reserve(10), charged=10, status=status(100))

    assert careful.reserve(50).wait == pytest.approx(0.5, abs=0.2)


def test_a_request_as_large_as_the_bucket_still_goes(server: redis.Redis, account: str) -> None:
    careful = RedisPacer(server, account, headroom=0.05)
    careful.settle(careful.reserve(1), charged=0, status=status(2000))

    assert careful.reserve(2000).wait == 0


def test_reservations_of_a_dead_worker_are_forgotten(server: redis.Redis, account: str) -> None:
    brief = RedisPacer(server, account, headroom=0.0, ticket_lifetime=0.05)
    brief.settle(brief.reserve(10), charged=10, status=status(2000))
    for _ in range(8):
        brief.reserve(100)
    deadline = time.monotonic() + 5
    tickets = f"pacing:{{{account}}}:tickets"
    while server.hlen(tickets) and time.monotonic() < deadline:
        brief.settle(brief.reserve(0), charged=0, status=status(2000))

    assert server.hlen(tickets) == 0
    assert room(brief, rate=100, ask=3000) == pytest.approx(2000, abs=30)


def test_accounts_do_not_share_a_bucket(server: redis.Redis, account: str) -> None:
    ours, theirs = RedisPacer(server, account, headroom=0.0), RedisPacer(server, f"{account}-b", headroom=0.0)
    ours.settle(ours.reserve(10), charged=10, status=status(0))

    assert ours.reserve(100).wait > 0
    assert theirs.reserve(100).wait == 0


def test_without_redis_nothing_is_sent_and_the_cause_is_said() -> None:
    nobody = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    unreachable = RedisPacer(nobody, "any")

    with pytest.raises(ConnectorUnavailable) as problem:
        unreachable.reserve(10)

    assert "Redis" in problem.value.cause
    assert "REDIS_URL" in problem.value.remedy


def _reserve_many(url: str, account: str, times: int, cost: float) -> list[tuple[float, float]]:
    """What one worker process is allowed: pairs of the moment it may send, on Redis' clock, and points."""
    client = redis.Redis.from_url(url)
    pacer = RedisPacer(client, account)
    allowed = []
    for _ in range(times):
        reservation = pacer.reserve(cost)
        seconds, micros = client.time()
        allowed.append((seconds + micros / 1e6 + reservation.wait, cost))
    client.close()
    return allowed


def test_four_processes_together_are_never_allowed_more_than_the_bucket_restores(account: str) -> None:
    url = os.environ["REDIS_URL"]
    began = time.time()
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        work = [(url, account, 50, cost) for cost in (3.0, 10.0, 13.0, 36.0)]
        allowed = sorted(pair for pairs in pool.starmap(_reserve_many, work) for pair in pairs)

    spent = 0.0
    first = min(moment for moment, _ in allowed)
    for moment, cost in allowed:
        spent += cost
        # the clock is read after the reservation, so a little late; 0.05 s of restoring covers it
        assert spent <= FIRST_LEVEL + STANDARD_RATE * (moment - first + 0.05), (spent, moment - first)
    assert spent == 50 * (3 + 10 + 13 + 36)
    assert allowed[-1][0] - began > (spent - FIRST_LEVEL) / STANDARD_RATE - 1


class Bucket:
    """A service's own bucket, by the rules of reference 2.1: admitted on requested points, charged the actual ones."""

    def __init__(self, maximum: float, rate: float, *, latency: Callable[[int], float]) -> None:
        self.maximum, self.rate, self.latency = maximum, rate, latency
        self.level, self.at = maximum, time.monotonic()
        self.lock = threading.Lock()
        self.throttled = self.calls = 0

    def _restore(self) -> None:
        now = time.monotonic()
        self.level = min(self.maximum, self.level + (now - self.at) * self.rate)
        self.at = now

    def answer(self, requested: float, actual: float) -> tuple[float | None, ThrottleStatus]:
        with self.lock:
            self.calls += 1
            delay = self.latency(self.calls)
        time.sleep(delay / 2)
        with self.lock:
            self._restore()
            if self.level < requested:
                self.throttled += 1
                return None, ThrottleStatus(self.maximum, int(self.level), self.rate)
            self.level -= requested
        time.sleep(delay / 2)
        with self.lock:
            self._restore()
            self.level = min(self.maximum, self.level + requested - actual)
            return actual, ThrottleStatus(self.maximum, int(self.level), self.rate)


@pytest.mark.parametrize("workers", [1, 12])
def test_a_long_job_runs_at_the_restore_rate_without_one_throttled_reply(
    server: redis.Redis, account: str, workers: int
) -> None:
    service = Bucket(400, 400, latency=lambda call: 0.002 if call % 3 else 0.03)
    pacer = RedisPacer(server, account)
    pacer.settle(pacer.reserve(0), charged=0, status=ThrottleStatus(400, 400, 400))
    calls = [(13.0, 13.0), (36.0, 9.0)] * 50

    def work(call: tuple[float, float]) -> None:
        requested, actual = call
        reservation: Reservation = pacer.reserve(requested)
        time.sleep(reservation.wait)
        charged, bucket = service.answer(requested, actual)
        pacer.settle(reservation, charged=charged or 0, status=bucket)

    began = time.monotonic()
    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(work, calls))
    took = time.monotonic() - began

    points = sum(actual for _, actual in calls)
    assert service.throttled == 0
    assert took <= 1.05 * (points - service.maximum) / service.rate + 2


def full(pacer: RedisPacer) -> None:
    """The pacer has heard of a full Standard bucket."""
    pacer.settle(pacer.reserve(1), charged=0, status=status(2000))


def test_without_urgent_requests_bulk_has_the_whole_bucket(pacer: RedisPacer) -> None:
    full(pacer)

    assert [pacer.reserve(500).wait for _ in range(4)] == [0.0] * 4


def test_bulk_leaves_a_share_of_the_bucket_while_there_are_urgent_requests(pacer: RedisPacer) -> None:
    full(pacer)
    pacer.settle(pacer.reserve(1, Lane.URGENT), charged=0, status=None)

    waits = [pacer.reserve(500).wait for _ in range(4)]

    assert waits[:3] == [0.0] * 3
    assert waits[3] == pytest.approx(2000 * LEFT_TO_URGENT / STANDARD_RATE, abs=0.3)


def test_an_urgent_request_passes_the_bulk_that_waits(pacer: RedisPacer) -> None:
    full(pacer)
    pacer.settle(pacer.reserve(1, Lane.URGENT), charged=0, status=None)
    bulk = [pacer.reserve(250).wait for _ in range(12)]
    assert bulk[-1] == pytest.approx((12 * 250 - 1600) / STANDARD_RATE, abs=0.3)

    assert [pacer.reserve(95, Lane.URGENT).wait for _ in range(4)] == [0.0] * 4


def goes(pacer: RedisPacer, reservation: Reservation) -> float:
    """Seconds until it may be sent, as its sender finds out when its wait is over."""
    return max(reservation.wait, pacer.still_to_wait(reservation))


def test_past_the_share_an_urgent_request_still_passes_and_bulk_goes_later(pacer: RedisPacer) -> None:
    full(pacer)
    bulk = [pacer.reserve(250) for _ in range(12)]
    assert bulk[-1].wait == pytest.approx((12 * 250 - 2000) / STANDARD_RATE, abs=0.3)

    urgent = pacer.reserve(400, Lane.URGENT)

    assert urgent.wait == pytest.approx(400 / STANDARD_RATE, abs=0.3), "the bucket was empty"
    assert [goes(pacer, each) for each in bulk[:8]] == [0.0] * 8
    later = [goes(pacer, each) - each.wait for each in bulk[8:]]
    assert later == [pytest.approx(400 / STANDARD_RATE, abs=0.3)] * 4


def test_urgent_requests_put_bulk_off_for_a_bounded_time_and_then_wait_behind_it(pacer: RedisPacer) -> None:
    full(pacer)
    bulk = [pacer.reserve(250) for _ in range(12)]

    urgent = [pacer.reserve(200, Lane.URGENT) for _ in range(20)]

    put_off = [goes(pacer, each) - each.wait for each in bulk]
    assert 25 < max(put_off) <= MOST_PUT_OFF + 0.3
    assert urgent[-1].wait > goes(pacer, bulk[-1])


def test_all_that_is_let_through_is_never_more_than_bucket_and_restoring_give(pacer: RedisPacer) -> None:
    full(pacer)
    early = [pacer.reserve(250) for _ in range(10)]
    pacer.settle(pacer.reserve(1, Lane.URGENT), charged=0, status=None)
    reserved = early + [pacer.reserve(250) for _ in range(4)]
    reserved += [pacer.reserve(100, Lane.URGENT) for _ in range(12)] + [pacer.reserve(90) for _ in range(4)]

    spent = 0.0
    for wait, points in sorted((goes(pacer, each), each.cost) for each in reserved):
        spent += points
        assert spent <= 2000 + STANDARD_RATE * (wait + 0.5)


def test_bulk_that_comes_later_pays_for_what_was_urgent_so_nobody_starves(pacer: RedisPacer) -> None:
    full(pacer)
    first = [pacer.reserve(500).wait for _ in range(4)][-1]
    for _ in range(5):
        pacer.reserve(20, Lane.URGENT)

    later = pacer.reserve(100).wait

    assert first == 0.0
    assert later == pytest.approx((100 + 100 + 400) / STANDARD_RATE, abs=0.3)
