"""A child that calls a shop through our client and pacer, in one lane, as fast as the pacer lets it or at a steady beat."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import redis

from benchmarks import children
from connectors.http import build_client
from connectors.pacing import Lane, RedisPacer, Reservation, ThrottleStatus
from connectors.shopify.client import ShopifyClient
from connectors.shopify.orders import OrderReader


class Noting:
    """The pacer, with notes of how long it had each request wait, and when how many points were charged."""

    def __init__(self, pacer: RedisPacer) -> None:
        self._pacer = pacer
        self.waits: list[float] = []
        self.charges: list[tuple[float, float]] = []

        self._waits: dict[str, float] = {}

    def reserve(self, cost: float, lane: Lane = Lane.BULK) -> Reservation:
        """As the pacer does; the wait is noted."""
        reservation = self._pacer.reserve(cost, lane)
        self._waits[reservation.ticket] = reservation.wait
        return reservation

    def still_to_wait(self, reservation: Reservation) -> float:
        """As the pacer does; it belongs to the wait."""
        more = self._pacer.still_to_wait(reservation)
        self._waits[reservation.ticket] += more
        return more

    def settle(self, reservation: Reservation, *, charged: float | None, status: ThrottleStatus | None) -> None:
        """As the pacer does; the points are noted."""
        self._pacer.settle(reservation, charged=charged, status=status)
        self.waits.append(self._waits.pop(reservation.ticket))
        self.charges.append((time.perf_counter(), charged or 0.0))


def main() -> None:
    """Asked: `base_url`, `token`, `redis_url`, `key`, `calls`, `threads`, `seconds`, and `every` (seconds from one call to
    the next; 0: as the pacer lets it). A call is a document with its variables, or "orders" with references.

    Told, all in seconds and in the order of the requests: `waits`, `took` (from when a call was due to its answer), and
    `charges`, pairs of a moment since the beginning and points.
    """
    asked = children.asked_of_me()
    pacer = Noting(RedisPacer(redis.Redis.from_url(asked["redis_url"]), asked["key"]))
    client = ShopifyClient(
        asked["base_url"], asked["token"], "2026-10", pacer=pacer, http=build_client(), patience=600.0
    )
    orders = OrderReader(client)
    calls = itertools.cycle(asked["calls"])
    took: list[float] = []
    children.say_ready_and_wait()
    began = time.perf_counter()
    beat = asked["every"] * asked["threads"]

    def call_from(due: float) -> None:
        while due < began + asked["seconds"]:
            time.sleep(max(0.0, due - time.perf_counter()))
            what, argument = next(calls)
            if what == "orders":
                orders.read_orders(argument)
            else:
                client.execute(what, argument)
            took.append(time.perf_counter() - due)
            due = due + beat if beat else time.perf_counter()

    with ThreadPoolExecutor(asked["threads"]) as threads:
        list(threads.map(call_from, [began + number * asked["every"] for number in range(asked["threads"])]))
    charges = [(moment - began, points) for moment, points in pacer.charges]
    children.answer({"waits": pacer.waits, "took": took, "charges": charges})


if __name__ == "__main__":
    main()
