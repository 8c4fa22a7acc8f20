"""A small world to tell stories in: one store, its fake, our levels, and the jobs between them."""

from __future__ import annotations

import itertools
from decimal import Decimal

from django.utils import timezone

from connectors import approval, feeds, runs
from connectors.models import FeedPosition, Store, StoreLocation, SyncRun
from connectors.models.runs import RunStatus, Trigger
from inventory import audit, jobs, ledger, participation
from inventory.jobs import Job
from inventory.ledger import Posting
from inventory.models import InventoryLevel, LevelPublication, Location, Validation
from inventory.models.ledger import EntryKind
from syncconsole.kernel.models import User
from tests.factories.catalog import ListedVariantFactory, VariantFactory
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.factories.kernel import UserFactory
from tests.fakes import FakeStore


class World:
    """`there` is the reference of the fake's location, `here` our location mapped to it."""

    def __init__(self, fake: FakeStore) -> None:
        self.fake = fake
        fake.now = timezone.now()
        self.store: Store = StoreFactory(
            limit_units=None, limit_value=None, limit_to_zero=None, limit_share=None, integration_date=fake.now.date()
        )
        FeedPosition.objects.create(
            store=self.store, kind=feeds.ORDER, watermark=fake.now, begun_at=fake.now, finished_at=fake.now
        )
        self.there = fake.add_location("Depozit Cluj")
        self.here: Location = LocationFactory(name="Depozit Cluj", code="cluj")
        self.store_location: StoreLocation = StoreLocationFactory(store=self.store, ref=self.there, name="Depozit Cluj")
        LocationMappingFactory(store_location=self.store_location, location=self.here)
        self.operator: User = UserFactory(is_superuser=True)
        self._facts = itertools.count(1)

    def item(self, sku: str, *, here: Decimal | int = 0, there: int | None = 0, **variant: object) -> LevelPublication:
        """A variant linked to the store: `here` on hand at our location, `there` available in the store (None: not
        stocked there)."""
        ours = VariantFactory(sku=sku, item_number=sku, **variant)
        item_ref = self.fake.add_variant(sku=sku, handle=ours.product.handle)
        if there is not None:
            self.fake.stock(item_ref, self.there, there)
        ListedVariantFactory(store=self.store, variant=ours, item_ref=item_ref)
        if here:
            self.post(sku, here, kind=EntryKind.OPENING)
        participation.refresh(self.store)
        return self.publication(sku)

    def post(
        self,
        sku: str,
        quantity: Decimal | int,
        *,
        kind: EntryKind = EntryKind.RECEIVED,
        released: int = 0,
        key: str = "",
        at: Location | None = None,
    ) -> None:
        """One ledger entry for the variant at our location, or `at` another of ours."""
        variant = VariantFactory._meta.model.objects.get(sku=sku)
        ledger.post(
            [
                Posting(
                    variant.pk,
                    (at or self.here).pk,
                    kind,
                    key or f"fact:{next(self._facts)}",
                    "test",
                    timezone.now(),
                    on_hand_delta=Decimal(quantity),
                    released_delta=released,
                )
            ]
        )

    def allocate(self, sku: str, units: int, *, document: str) -> None:
        """Units of the variant released to a document, or given back by it (below zero)."""
        kind = EntryKind.ALLOCATED if units > 0 else EntryKind.RELEASED
        variant, now, key = VariantFactory._meta.model.objects.get(sku=sku), timezone.now(), f"fact:{next(self._facts)}"
        ledger.post(
            [Posting(variant.pk, self.here.pk, kind, key, "test", now, released_delta=units, document=document)]
        )

    def publication(self, sku: str) -> LevelPublication:
        """The publication as stored, with its target."""
        found: LevelPublication = LevelPublication.objects.with_target().get(listed__variant__sku=sku, store=self.store)
        return found

    def level(self, sku: str) -> InventoryLevel:
        """Our level as stored."""
        return InventoryLevel.objects.get(variant__sku=sku, location=self.here)

    def shown(self, sku: str) -> int:
        """What the store shows."""
        return self.fake.available(self.publication(sku).item_ref, self.there)

    def sell(self, sku: str, quantity: int) -> None:
        """An order is placed in the store; nothing tells us."""
        self.fake.sell(self.publication(sku).item_ref, self.there, quantity)

    def edit(self, sku: str, by: int) -> None:
        """Somebody changes the quantity in the store's admin."""
        self.fake.edit(self.publication(sku).item_ref, self.there, by)

    def reserve(self, sku: str, quantity: int) -> None:
        """A draft order of the store reserves units of it."""
        publication = self.publication(sku)
        self.fake.reserve(publication.item_ref, publication.store_location.ref, quantity)

    def rest(self, seconds: float = 3600) -> None:
        """The store's time passes, so that what moved there is settled."""
        self.fake.advance(seconds)

    def sign(self) -> None:
        """Somebody has checked the quantities and signed for them."""
        signed = {"drawn_at": timezone.now(), "signed_at": timezone.now(), "signed_by": self.operator}
        Validation.objects.get_or_create(store=self.store, withdrawn_at=None, defaults=signed)

    def ask_for_orders(self) -> None:
        """The schedule asked for orders a moment ago, as it does every few minutes."""
        FeedPosition.objects.filter(store=self.store).update(finished_at=timezone.now())

    def plan_full(self, reason: str = "go-live") -> SyncRun:
        """A full sync up to its plan."""
        self.store.refresh_from_db()
        self.ask_for_orders()
        run = jobs.start(
            self.store,
            Job.FULL,
            reason=reason,
            trigger=Trigger.PERSON,
            requested_by=self.operator,
            confirmation=self.store.slug,
        )
        return runs.advance(run.pk)

    def full(self, reason: str = "major discrepancy") -> SyncRun:
        """A full sync from plan to end; approved when it asks."""
        run = self.plan_full(reason)
        if run.status == RunStatus.AWAITING_APPROVAL:
            approval.approve(run, self.operator)
            run = runs.advance(run.pk)
        return run

    def delta(self) -> SyncRun:
        """A delta from plan to end; over a limit it waits."""
        run = jobs.start(self.store, Job.DELTA, trigger=Trigger.PERSON, requested_by=self.operator)
        return runs.advance(run.pk)

    def run(self, job: Job) -> SyncRun:
        """A run of `job` from plan to end; approved when it asks."""
        self.store.refresh_from_db()
        self.ask_for_orders()
        if job in (Job.DAILY, Job.WEEKLY):
            self.sign()
        run = jobs.start(self.store, job, trigger=Trigger.PERSON, requested_by=self.operator)
        run = runs.advance(run.pk)
        if run.status == RunStatus.AWAITING_APPROVAL:
            approval.approve(run, self.operator)
            run = runs.advance(run.pk)
        return run

    def assert_sound(self) -> None:
        """Every number is the sum of its entries."""
        result = audit.audit_ledger()
        assert result.green, result.differences
