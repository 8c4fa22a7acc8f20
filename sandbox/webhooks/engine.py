"""Hears what happens in the shops, makes deliveries of it, and sends them from worker threads; retries by the sandbox's clock."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import queue
import random
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.shopify.apps import app_of
from sandbox.shopify.catalogue import Shop
from sandbox.shopify.protected import without
from sandbox.shopify.resolvers import payload_builders
from sandbox.shopify.subscriptions import Subscription

from .delivery import RETRIES, Attempt, Delivery, only, passes
from .sender import Sender, Undelivered

KEPT = 50_000
WORKERS = 8
_IDLE_SECONDS = 2.0  # a worker without work ends after so long
_REORDER_SECONDS = 2.0  # a delivery put behind others waits for them at most so long


class Webhooks:
    """Deliveries of one sandbox. Threads start with the first delivery and end when there is nothing to do."""

    def __init__(self, clock: Clock, faults: Faults, workers: int = WORKERS, sender: Sender | None = None) -> None:
        self._clock = clock
        self._faults = faults
        self._workers = workers
        self._sender = sender or Sender()
        self._here = threading.local()
        self._wanted: dict[str, dict[str, list[Subscription]]] = {}
        self._log: OrderedDict[int, Delivery] = OrderedDict()
        self._numbers = itertools.count(1)
        self._ready: queue.SimpleQueue[tuple[Delivery, bool]] = queue.SimpleQueue()  # delivery, first copy?
        self._due: list[tuple[float, int, Delivery]] = []
        self._ties = itertools.count()
        self._behind: list[tuple[float, Delivery]] = []
        self._held: list[Delivery] = []
        self.holding = False
        self._generation = 0
        self._busy = 0
        self._alive = 0
        self._timer: threading.Thread | None = None
        self._state = threading.Condition(threading.RLock())
        clock.watchers.append(self._clock_moved)

    # ── hearing ──

    def attach(self, shop: Shop) -> None:
        """Follow a shop: it is listened to only while somebody wants to know."""
        shop.wanted_changed = lambda: self._listen(shop)
        self._listen(shop)

    def _listen(self, shop: Shop) -> None:
        wanted: dict[str, list[Subscription]] = {}
        managed = [row for app in shop.apps.values() for row in app.managed]
        for row in (*shop.subscriptions.values(), *managed):
            wanted.setdefault(row.topic, []).append(row)
        self._wanted[shop.domain] = wanted
        if wanted and self.heard not in shop.listeners:
            shop.listeners.append(self.heard)
        elif not wanted and self.heard in shop.listeners:
            shop.listeners.remove(self.heard)

    @contextlib.contextmanager
    def action(self) -> Iterator[None]:
        """Everything that happens inside, in this thread, is one action: its deliveries share an Event-Id."""
        self._here.event_id = None
        try:
            yield
        finally:
            del self._here.event_id

    def heard(self, shop: Shop, topic: str, row: Any) -> None:
        """Something happened: make its deliveries. The shop's lock is held, so the payload is of this very moment."""
        subscriptions = self._wanted.get(shop.domain, {}).get(topic)
        build = payload_builders().get(topic) if subscriptions else None
        if not subscriptions or build is None:
            return
        told = build(shop, row)
        wholes: dict[frozenset[str], bytes] = {}  # by what is withheld
        event_id = self._event_id()
        for subscription in subscriptions:
            app = app_of(shop, subscription.app_number)
            payload = without(told, app.withheld)
            if not app.installed or not passes(subscription, payload):
                continue
            if subscription.include_fields:
                body = _bytes(only(payload, subscription.include_fields))
            else:
                body = wholes[app.withheld] = wholes.get(app.withheld) or _bytes(payload)
            number = next(self._numbers)
            stamp = self._clock.now().isoformat(timespec="microseconds").replace("+00:00", "000Z")
            self._enter(Delivery(number, shop, app, subscription, str(uuid.uuid4()), event_id, stamp, body))

    def _event_id(self) -> str:
        known: str | None = getattr(self._here, "event_id", "")
        if known == "":  # outside of any action every event stands alone
            return str(uuid.uuid4())
        if known is None:
            known = self._here.event_id = str(uuid.uuid4())
        return known

    # ── queueing ──

    def _enter(self, delivery: Delivery) -> None:
        with self._state:
            delivery.generation = self._generation
            self._log[delivery.number] = delivery
            while len(self._log) > KEPT:
                self._log.popitem(last=False)
            if self.holding:
                delivery.state = "held"
                self._held.append(delivery)
                return
            self._release(delivery)

    def _release(self, delivery: Delivery) -> None:
        """Send it, or do with it what the faults in force want."""
        now = self._clock.seconds()
        kinds = {
            rule.kind: rule for rule in self._faults.strike_delivery(delivery.shop.domain, delivery.subscription.topic)
        }
        if "webhook_lost" in kinds:
            delivery.state = "lost"
            return
        if "webhook_duplicated" in kinds:
            self._put(delivery, first=False)
        if "webhook_delayed" in kinds:
            delivery.state = "delayed"
            self._later(now + kinds["webhook_delayed"].delay_ms / 1000, delivery)
        elif "webhook_reordered" in kinds:
            delivery.state = "delayed"
            self._behind.append((now + _REORDER_SECONDS, delivery))
            self._wake_timer()
        else:
            self._put(delivery)
            self._put_those_behind()

    def _put_those_behind(self) -> None:
        overtaken, self._behind = self._behind, []
        for _, delivery in overtaken:
            self._put(delivery)

    def _put(self, delivery: Delivery, *, first: bool = True) -> None:
        if delivery.first_due is None:
            delivery.first_due = self._clock.seconds()
        if delivery.state in ("held", "delayed"):
            delivery.state = "waiting"
        self._busy += 1
        self._ready.put((delivery, first))
        if self._alive < min(self._workers, self._busy):
            self._alive += 1
            threading.Thread(target=self._work, name="webhooks", daemon=True).start()

    def _later(self, due: float, delivery: Delivery) -> None:
        heapq.heappush(self._due, (due, next(self._ties), delivery))
        self._wake_timer()

    # ── time ──

    def _clock_moved(self) -> None:
        with self._state:
            self._put_what_is_due()
            self._state.notify_all()

    def _put_what_is_due(self) -> None:
        now = self._clock.seconds()
        while self._due and self._due[0][0] <= now:
            delivery = heapq.heappop(self._due)[2]
            if delivery.generation == self._generation and delivery.state != "delivered":
                self._put(delivery)
        waiting, self._behind = self._behind, []
        for due, delivery in waiting:
            if due <= now:
                self._put(delivery)
            else:
                self._behind.append((due, delivery))

    def _wake_timer(self) -> None:
        if self._timer is None:
            self._timer = threading.Thread(target=self._keep_time, name="webhook-clock", daemon=True)
            self._timer.start()
        self._state.notify_all()

    def _keep_time(self) -> None:
        with self._state:
            while self._due or self._behind:
                self._put_what_is_due()
                moments = [due for due, *_ in self._due[:1]] + [due for due, _ in self._behind]
                if moments:
                    self._state.wait(max(min(moments) - self._clock.seconds(), 0.01))
            self._timer = None

    # ── sending ──

    def _work(self) -> None:
        while True:
            try:
                delivery, first = self._ready.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._state:
                    if self._ready.empty():
                        self._alive -= 1
                        break
                continue
            try:
                if delivery.generation == self._generation and self._still_wanted(delivery):
                    self._try(delivery, first)
            finally:
                with self._state:
                    self._busy -= 1
                    if not self._busy:
                        self._state.notify_all()
        self._sender.forget()

    def _still_wanted(self, delivery: Delivery) -> bool:
        row = delivery.subscription
        if row.managed or row.gid in delivery.shop.subscriptions or row.topic == "app/uninstalled":
            return True
        delivery.state = "dropped"
        return False

    def _try(self, delivery: Delivery, first: bool) -> None:
        headers, signed_with = delivery.headers(self._clock.seconds())
        started = time.perf_counter()
        status, problem = None, None
        try:
            status = self._sender.post(delivery.subscription.uri, headers, delivery.body)
        except Undelivered as why:
            problem = str(why)
        took = round((time.perf_counter() - started) * 1000, 3)
        attempt = Attempt(self._clock.stamp(), status, problem, took, signed_with)
        with self._state:
            delivery.attempts.append(attempt)
            if attempt.succeeded:
                delivery.state = "delivered"
            elif first and delivery.state != "delivered":
                self._failed(delivery)
            gave_up = delivery.state == "failed"
        if gave_up:
            self._unsubscribe(delivery)

    def _failed(self, delivery: Delivery) -> None:
        delivery.failures += 1
        if delivery.failures > RETRIES:
            delivery.state = "failed"
            return
        delivery.state = "retrying"
        self._later(delivery.retry_due(), delivery)

    def _unsubscribe(self, delivery: Delivery) -> None:
        """All retries failed: a subscription made over the API is deleted, one of the app's configuration stays."""
        shop, row = delivery.shop, delivery.subscription
        with shop.lock:
            if not row.managed and shop.subscriptions.pop(row.gid, None) is not None:
                shop.wanted_changed()

    # ── control ──

    def limit_workers(self, workers: int) -> None:
        """Send from so many threads: with one, deliveries arrive in the order in which they are sent."""
        with self._state:
            self._workers = workers

    def hold(self) -> None:
        """Collect deliveries from now on instead of sending them."""
        with self._state:
            self.holding = True

    def flush(
        self, *, shuffle: bool = False, duplicate: float = 0.0, lose: float = 0.0, seed: int = 1
    ) -> dict[str, int]:
        """Send what was held and hold no more: in another order, a share sent twice, a share never. Counts of each."""
        chance = random.Random(seed)  # noqa: S311 - not for secrets: a run can be repeated
        with self._state:
            self.holding = False
            held, self._held = self._held, []
            lost = {delivery.number for delivery in held if chance.random() < lose}
            kept = [delivery for delivery in held if delivery.number not in lost]
            twice = [delivery for delivery in kept if chance.random() < duplicate]
            for delivery in held:
                if delivery.number in lost:
                    delivery.state = "lost"
            copies = [(delivery, True) for delivery in kept] + [(delivery, False) for delivery in twice]
            if shuffle:
                chance.shuffle(copies)
            for delivery, first in copies:
                if first:
                    self._release(delivery)
                else:
                    self._put(delivery, first=False)
        return {"held": len(held), "sent": len(copies), "duplicated": len(twice), "lost": len(lost)}

    def resend(self, delivery: Delivery) -> None:
        """Send one again as it was: same payload, same ids. A failure of it is not tried again."""
        with self._state:
            self._put(delivery, first=False)

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until everything due by the sandbox's clock was tried. False when that takes longer, in real seconds."""
        until = time.monotonic() + timeout
        with self._state:
            while self._busy or (self._due and self._due[0][0] <= self._clock.seconds()):
                self._put_what_is_due()
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._state.wait(min(left, 0.2))
        return True

    def find(self, number: int) -> Delivery | None:
        """One delivery by its number."""
        return self._log.get(number)

    def all(self) -> list[Delivery]:
        """The deliveries kept (the last 50,000), oldest first."""
        with self._state:
            return list(self._log.values())

    def counts(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        found: dict[str, int] = {}
        for delivery in self.all():
            found[delivery.state] = found.get(delivery.state, 0) + 1
        return found

    def clear(self) -> None:
        """Forget all deliveries; those on their way are sent no more."""
        with self._state:
            self._generation += 1
            self._log.clear()
            self._due.clear()
            self._behind.clear()
            self._held.clear()
            self.holding = False
            self._state.notify_all()


def _bytes(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
