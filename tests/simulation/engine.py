"""Our side of a history: the whole engine with two stores behind the real adapter, its workers, and their ends."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import httpx
from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from connectors import approval, changes, feeds, runs
from connectors.approval import DecisionRefused
from connectors.models import Store, SyncRun
from connectors.models.runs import OPEN, WORKING, RunStatus, Trigger
from connectors.ports.errors import ConnectorError
from connectors.ports.webhooks import level_ref
from connectors.runs import RunRefused
from inventory import jobs, level_changes, participation, validation
from inventory.deciding import Decision
from inventory.jobs import Job
from inventory.models import Drift, LevelPublication, PublicationEntry
from inventory.models.ledger import EntryKind
from inventory.models.publications import PublicationKind, PublicationState
from orders import imports, intake, integration, knowledge
from orders.models import IncomingOrder, OrderPull, PullState
from tests.deaths import Death, Killed
from tests.factories.catalog import ListedVariantFactory, VariantFactory
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.factories.kernel import UserFactory
from tests.pacers import OpenPacer
from tests.simulation import people, warehouse
from tests.simulation.books import Books, Ours, Rules, Shelf
from tests.simulation.histories import LOCATIONS, Act, Step
from tests.simulation.shops import PLACES, Shops, sku
from tests.simulation.wire import TrailingStore, Wire

JOB_OF = {
    Act.DELTA: Job.DELTA,
    Act.FULL: Job.FULL,
    Act.DAILY: Job.DAILY,
    Act.WEEKLY: Job.WEEKLY,
    Act.RECENT: Job.RECENT,
    Act.MANUAL: Job.MANUAL,
    Act.OBSERVE: Job.OBSERVE,
}
OVERWRITES = re.compile(rb'inventorySetQuantities|"changeFromQuantity":-?\d')
"""A write that rests on what was read: it wipes what the store booked since."""
SLOW = 100
"""Seconds: an order feed that is later than this is slower than its margin."""
REST = 6 * 3600
"""Seconds after which every level rests, however late its store's orders have been."""
FAULTS = ("lost_reply", "drop_before", "internal_error", "503", "429", "throttle")


class Engine:
    """Two connected stores, our locations and items. `pass_time` moves the one clock of the history."""

    def __init__(self, shops: Shops, books: Books, pass_time: Callable[[float], None]) -> None:
        self.shops, self.books, self.pass_time = shops, books, pass_time
        self.seen: Counter[Shelf] = Counter()
        """e as far as it was recorded when work on the store began: what an overwrite now on its way knows."""
        self.doubled = self.raised = 0
        self.problems: list[str] = []
        self.refused: Counter[str] = Counter()
        """Gates that did not let a job through."""
        self.played: Counter[str] = Counter()
        """What people did, and how often."""
        self.decision: tuple[Drift, Decision, Ours] | None = None
        """What a person is deciding about a drift, with the location of ours that takes it; until it is noted."""
        self.mapping: tuple[int, dict[int, int], list[Shelf]] | None = None
        """What is being mapped anew: a store, our locations by number to its places, shelves with a push on its way."""
        self.facts = itertools.count(1)
        self._meanwhile: list[Step] = []
        self._calls_until = 0
        self._carried_out: Counter[bytes] = Counter()
        self.wires: dict[int, Wire] = {}
        self._set_up()

    # --- the start

    def _set_up(self) -> None:
        setup = self.shops.setup
        self.person = UserFactory(is_superuser=True)
        self.locations = [LocationFactory(name=name, code=f"here-{n}") for n, name in enumerate(PLACES)]
        self.variants = [VariantFactory(sku=sku(item)) for item in range(setup.items)]
        self.stores = [self._connect(store) for store in range(2)]
        for item in range(setup.items):
            for location in range(LOCATIONS):
                warehouse.post(self, (item, location), EntryKind.OPENING, Decimal(setup.ours[item][location]))
        for store in self.stores:
            participation.refresh(store)
        self.know_shelves()

    def know_shelves(self) -> None:
        """Every level that we publish, and the shelf that it is."""
        rows = LevelPublication.objects.filter(store__in=self.stores).select_related("store_location", "listed")
        self.shelves = {row.pk: self._shelf(row) for row in rows}

    def _connect(self, number: int) -> Store:
        shop = self.shops.shops[number]
        yesterday = timezone.localdate() - dt.timedelta(days=1)
        store: Store = StoreFactory(
            slug=shop.domain.partition(".")[0],
            shop_domain=shop.domain,
            access_token=self.shops.sandbox.token_of(shop.domain),
            api_base_url=f"http://127.0.0.1/shops/{shop.domain}",
            limit_units=None,
            limit_value=None,
            limit_to_zero=None,
            limit_share=None,
            plan="plus",
        )
        integration.set_day(store, yesterday, by=self.person)
        store.refresh_from_db()
        places = [StoreLocationFactory(store=store, ref=place.gid, name=place.name) for place in shop.locations]
        for location, place in enumerate(self.shops.setup.mappings[number]):
            if place is not None:
                LocationMappingFactory(store_location=places[place], location=self.locations[location])
        for item, variant in enumerate(self.variants):
            there = shop.items_by_sku[sku(item).casefold()][0]
            ListedVariantFactory(store=store, variant=variant, item_ref=there.gid, remote_ref=there.variant.gid)
        return store

    def port(self, store: Store) -> TrailingStore:
        """The real adapter, on a wire of its own."""
        number = next(n for n, known in enumerate(self.stores_by_domain()) if known == store.shop_domain)
        wire = self.wires[number] = Wire(
            self.shops.sandbox, self._something_happens, lambda body, act: self._watched(number, body, act)
        )
        port = TrailingStore(
            base_url=store.base_url,
            token=str(store.access_token),
            api_version=store.api_version,
            pacer=OpenPacer(),
            allowed_hosts=["127.0.0.1"],
            http=httpx.Client(transport=wire),
        )
        port.lag = dt.timedelta(seconds=self.shops.setup.lags[number])
        port.changes = self.changes_of
        port._client._pause = self.pass_time
        self.ports[number] = port
        return port

    ports: dict[int, TrailingStore]

    def stores_by_domain(self) -> list[str]:
        return [shop.domain for shop in self.shops.shops]

    def changes_of(self, ref: str) -> list[dt.datetime]:
        work = next(work for work in self.shops.works if work.order.gid == ref)
        return [dt.datetime.fromtimestamp(second, dt.UTC) for second in work.changed]

    def _shelf(self, row: LevelPublication) -> Shelf:
        store = next(n for n, store in enumerate(self.stores) if store.pk == row.store_id)
        item = next(n for n, variant in enumerate(self.variants) if variant.pk == row.listed.variant_id)
        place = PLACES.index(row.store_location.name)
        return Shelf(store, item, place)

    # --- what the stores go through while we ask them

    def _something_happens(self) -> None:
        self.pass_time(0.3)
        while self._meanwhile and self._calls_until <= 0:
            self._calls_until = self._chance.choice((0, 0, 1, 2))
            step = self._meanwhile.pop(0)
            self.pass_time(step.wait)
            self.shops.happen(step)
        self._calls_until -= 1

    def _watched(self, store: int, body: bytes, act: Callable[[], Any]) -> Any:
        """Note what a write of ours moves in the shop."""
        if b"inventorySetQuantities" not in body and b"inventoryAdjustQuantities" not in body:
            return act()
        ours = [shelf for shelf in self.shelves.values() if shelf.store == store]
        before = {shelf: self.shops.shown(shelf).available for shelf in ours}
        try:
            return act()
        finally:
            moved = {at: now for at in ours if (now := self.shops.shown(at).available - before[at])}
            if moved:
                self._carried_out[body] += 1
                self.doubled += sum(map(abs, moved.values())) if self._carried_out[body] > 1 else 0
            for shelf, quantity in moved.items():
                if OVERWRITES.search(body):
                    unseen = self.books.told[shelf] - self.seen[shelf]
                    self.raised += self.books.overwritten(shelf, unseen)
                else:
                    self.books.adjusted(shelf, quantity)

    # --- steps

    def happen(self, step: Step) -> None:
        """Carry out a step of ours; workers may die on the way, and calls go wrong."""
        chance = random.Random(step.seed)
        if step.act in OURS:
            OURS[step.act](self, step.store, chance)
            return
        self._meanwhile, self._calls_until = list(step.meanwhile), chance.choice((0, 1, 2, 3, 5))
        self._chance = random.Random(step.seed + 1)
        if chance.random() < 0.25:
            self._go_wrong(step.store, chance)
        death = Death(at=int(10 ** chance.uniform(0, 2.3))) if chance.random() < 0.25 else None
        self.work(step.store, lambda: self._do(step, chance), death)
        self._meanwhile = []

    def _do(self, step: Step, chance: random.Random) -> None:
        if job := JOB_OF.get(step.act):
            self.run(step.store, job)
        else:
            WORK[step.act](self, step.store, chance)

    def work(self, store: int, act: Callable[[], None], death: Death | None = None) -> None:
        """One worker does something; a store that does not answer, or death, may end it."""
        self._look_what_is_known()
        for wire in self.wires.values():
            wire.death = death
        try:
            if death:
                with connection.execute_wrapper(death.statement):
                    act()
            else:
                act()
        except RunRefused as refused:
            self.refused.update(gate.name for gate in refused.gates)
        except (ConnectorError, Killed):
            pass
        finally:
            for wire in self.wires.values():
                wire.death = None
        people.note_decision(self)
        people.note_mapping(self)
        self._look_what_was_adopted()

    def _go_wrong(self, store: int, chance: random.Random) -> None:
        rule: dict[str, Any] = {"kind": chance.choice(FAULTS), "shop": self.shops.shops[store].domain}
        rule |= {"times": chance.choice((1, 1, 2, 5)), "after_calls": chance.choice((0, 1, 2, 4))}
        if rule["kind"] == "503":
            rule["when"] = chance.choice(("before", "after"))
        self.shops.ask("faults", **rule)

    def run(self, store: int, job: Job) -> None:
        run = self.stores[store].runs.filter(kind=job.value, status__in=OPEN).first()
        if run is None:
            if job not in (Job.DELTA, Job.RECENT):
                knowledge.bring_in(self.stores[store])  # as whoever starts it is asked to
            self.stores[store].refresh_from_db()
            self._pass_gates(store, job)
            reason = "major discrepancy"
            more = {"reason": reason, "confirmation": self.stores[store].slug} if job is Job.FULL else {}
            run = jobs.start(self.stores[store], job, trigger=Trigger.PERSON, requested_by=self.person, **more)
        self.advance(run)

    def _pass_gates(self, store: int, job: Job) -> None:
        """What the schedule does every few minutes, orders being asked for, and what a person does who is sent by a gate."""
        if job in (Job.FULL, Job.DAILY, Job.WEEKLY):
            knowledge.bring_in(self.stores[store])
        if job in (Job.DAILY, Job.WEEKLY):
            people.sign(self, self.stores[store])

    def advance(self, run: SyncRun) -> None:
        run = runs.advance(run.pk)
        if run.status == RunStatus.AWAITING_APPROVAL:
            try:
                approval.approve(run, self.person)
            except DecisionRefused:  # another run of the store is writing, or the plan is too old
                approval.expire_plans()
                return
            runs.advance(run.pk)

    def bring_in(self, store: int, chance: random.Random) -> None:
        knowledge.bring_in(self.stores[store])

    def hear(self, store: int, chance: random.Random) -> None:
        """Some of what webhooks have to tell arrives, in any order, some of it twice; some never does."""
        told = [work for work in self.shops.untold if work.store == store]
        self.shops.untold = [work for work in self.shops.untold if work.store != store]
        chance.shuffle(told)
        for work in told:
            for _ in range(chance.choice((0, 1, 1, 1, 2))):
                second = chance.choice(work.changed)
                moment = dt.datetime.fromtimestamp(second, dt.UTC)
                changes.notice(self.stores[store], "order", {work.order.gid: moment}, by="webhook")
        while intake.read_changes(self.stores[store]):
            pass
        imports.import_waiting(self.stores[store])
        self.hear_of_levels(store, chance)

    def hear_of_levels(self, store: int, chance: random.Random) -> None:
        """Some of what webhooks have to tell of levels arrives, and these are read."""
        told = {shelf for shelf in self.shops.untold_levels if shelf.store == store and chance.random() < 0.7}
        self.shops.untold_levels = [shelf for shelf in self.shops.untold_levels if shelf.store != store]
        rows = LevelPublication.objects.select_related("store_location").filter(pk__in=self.shelves)
        refs = {level_ref(row.item_ref, row.store_location.ref): None for row in rows if self.shelves[row.pk] in told}
        changes.notice(self.stores[store], level_changes.KIND, refs, by="webhook")
        while level_changes.read_changes(self.stores[store]):
            pass

    def take_what_waits(self, store: int, chance: random.Random) -> None:
        for run in SyncRun.objects.filter(store__in=self.stores, status__in=(*WORKING, RunStatus.AWAITING_APPROVAL)):
            self.advance(run)

    # --- what the engine knows

    def brings_in(self, bring_in: Callable[[Store], None]) -> Callable[[Store], None]:
        """`bring_in`, and afterwards it is noted what is known: an overwrite rests on it."""

        def and_notes(store: Store) -> None:
            bring_in(store)
            self._look_what_is_known()

        return and_notes

    def _look_what_is_known(self) -> None:
        rows = PublicationEntry.objects.filter(kind=PublicationKind.STORE_BOOKED, publication__in=self.shelves)
        summed = rows.order_by().values_list("publication").annotate(total=Sum("quantity"))
        self.seen = Counter({self.shelves[pk]: total for pk, total in summed})
        unread = {work.order.gid: work for work in self.shops.works if work.unread}
        booked = IncomingOrder.objects.filter(store__in=self.stores, ref__in=unread, applied_revision=F("revision"))
        waiting = OrderPull.objects.filter(state=PullState.WAITING).values_list("order_name", flat=True)
        for ref, version in booked.values_list("ref", "remote_updated_at"):
            work = unread[ref]
            if version >= self.changes_of(ref)[-1]:
                pulled = Act.PULL in work.unread and work.order.name.removeprefix("#") in waiting
                work.unread = {Act.PULL} if pulled else set()

    def _look_what_was_adopted(self) -> None:
        """What people changed before a reading that was believed is decided by that, as by an overwrite."""
        kinds = (PublicationKind.ADOPTED, PublicationKind.BASELINE)
        believed = PublicationEntry.objects.filter(kind__in=kinds, publication__in=self.shelves, push=None)
        for publication_id, moved_at in believed.values_list("publication", "effective_at"):
            shelf, second = self.shelves[publication_id], moved_at.timestamp() if moved_at else 0
            self.books.believed(shelf, second, ago=timezone.now().timestamp() - second)

    def look_at_drift(self, shelf: Shelf, until: float, quantity: int) -> None:
        """Drift that a person is asked about is what people edited, as of that moment; of a feed that is slower than its
        margin it may be more."""
        edited = self.books.edited_by(shelf, until)
        if edited != quantity and not self.is_slow:
            self.problems.append(f"drift of {quantity:+d} at {shelf}, where people edited {edited:+d}")

    @property
    def is_slow(self) -> bool:
        """A feed of the play is slower than its margin."""
        return max(self.shops.setup.lags) >= SLOW

    # --- the end

    def end(self) -> None:
        """Every feed is drained, every run goes to its end; nothing goes wrong any more."""
        self.shops.ask("faults", "DELETE")
        for port in self.ports.values():
            port.lag = dt.timedelta(0)
        self.pass_time(1000)
        self._finish_runs()
        for number, store in enumerate(self.stores):
            self.work(number, lambda store=store: self._read_all(store))
        warehouse.answer_for_the_cancelled(self)
        self.pass_time(700)

    def _read_all(self, store: Store) -> None:
        """The nightly re-read: a feed that trails far behind has left orders out."""
        feeds.poll(store, feeds.ORDER, begin="shown")
        while intake.read_changes(store):
            pass
        imports.import_waiting(store)

    def deltas(self) -> None:
        """A delta of each store that is owed something, to its end."""
        for number, store in enumerate(self.stores):
            if LevelPublication.objects.filter(store=store).live().eligible().owed().exists():
                self.work(number, lambda number=number: self.run(number, Job.DELTA))
        self._finish_runs()

    def settle(self) -> None:
        """Where something waits for a settled read to be decided, every level is read; what was set aside is let go."""
        people.let_all_go(self)
        rows = LevelPublication.objects.filter(pk__in=self.shelves)
        waiting = sorted({self.shelves[row.pk].store for row in rows if self._waits(row)})
        if waiting:
            self.observe(waiting)

    def _waits(self, row: LevelPublication) -> bool:
        """A settled read has something to decide about it, or to tell: units that the store withholds."""
        shelf = self.shelves[row.pk]
        told = row.withheld == self.shops.shown(shelf).unavailable or self.books.rules[shelf.store] == Rules()
        return row.verify or row.state == PublicationState.UNSURE or not told

    def observe(self, stores: Iterable[int]) -> None:
        """Every level of these stores is read, once it rests, and what that set aside is looked into and let go."""
        self.pass_time(REST)
        for number in stores:
            self.work(number, lambda number=number: self.run(number, Job.OBSERVE))
        self._finish_runs()
        people.let_all_go(self)

    def edited(self) -> list[LevelPublication]:
        """Levels that show what people put there and nobody decided, and that nothing holds, of stores that were read."""
        read = [store for store in self.stores if validation.last_read(store)]
        rows = LevelPublication.objects.filter(store__in=read, hold_test="").live().eligible()
        return [row for row in rows if self.books.undecided(self.shelves[row.pk])]

    def decisions(self) -> None:
        """Every level is read, people decide, and deltas carry out what they decided."""
        self.observe(range(2))
        people.decide_the_rest(self)
        self.deltas()

    def weeklies(self) -> None:
        """Two weekly jobs of each store, as far apart as a difference must stand, to their ends."""
        for wait in (REST, 49 * 3600):
            self.pass_time(wait)
            for number in range(2):
                self.work(number, lambda number=number: self.run(number, Job.WEEKLY))
            self._finish_runs()

    def absolute(self) -> None:
        """A full sync of each store, to its end; once more where it paused a level for two writers, and somebody let it go."""
        for _ in range(2):
            self.pass_time(REST)
            for number in range(2):
                self.work(number, lambda number=number: self.run(number, Job.FULL))
            self._finish_runs()
            if not people.let_all_go(self):
                break

    def _finish_runs(self) -> None:
        for _ in range(30):
            waiting = SyncRun.objects.filter(store__in=self.stores, status__in=OPEN)
            if not waiting.exists():
                return
            self.pass_time(95)
            self.work(0, lambda: self.take_what_waits(0, random.Random(0)))
        self.problems.append(f"runs do not end: {list(waiting.values_list('kind', 'status', 'cause'))}")


OURS = {**warehouse.STEPS, **people.STEPS}
WORK: dict[Act, Callable[[Engine, int, random.Random], None]] = {
    Act.IMPORT: Engine.bring_in,
    Act.WEBHOOKS: Engine.hear,
    Act.WORK: Engine.take_what_waits,
    **people.WORK,
}
