"""A merchant whose shop is on the real sandbox: connected, mapped, loaded, linked and stocked through the real functions."""

from __future__ import annotations

import csv
import io
import itertools
from decimal import Decimal

from django.utils import timezone

from catalog.items import import_items
from catalog.models import Variant
from connectors import approval, connection, pausing, runs
from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus, Trigger
from inventory import audit, jobs, ledger
from inventory.jobs import Job
from inventory.knowledge import order_books
from inventory.ledger import Posting
from inventory.linking import link_store
from inventory.mapping import map_locations, propose_by_name
from inventory.models import LevelPublication, Location
from inventory.models.ledger import EntryKind
from orders import integration
from syncconsole.kernel.models import User
from tests.factories.kernel import UserFactory
from tests.journeys.shops import SandboxProcess, Shop

PER_PRODUCT = 10
FACTS = itertools.count(1)
SHOPS = itertools.count(1)


def sku(number: int) -> str:
    """The SKU of the shop's variant of this number, from 1."""
    return f"SYN-{number:07d}"


class Merchant:
    """A shop of `variants` variants, each showing `there`, and our ledger with `here` on hand of each."""

    def __init__(self, sandbox: SandboxProcess, *, variants: int, there: int = 10, here: int = 10, plan: str = "plus"):
        name = f"journey-{next(SHOPS)}"
        told = sandbox.post(
            "/shops",
            name=name,
            plan=plan,
            locations=["Depozit Cluj"],
            synthetic={"variants": variants, "per_product": PER_PRODUCT, "quantity": there},
        )
        self.shop = Shop(sandbox, told["shop"], told["token"])
        self.operator: User = UserFactory(is_superuser=True)
        self.store = self._connect(name)
        self.here = Location.objects.create(code="cluj", name="Depozit Cluj")
        map_locations(self.store, propose_by_name(self.store), None)
        report = import_items(items_file(variants), actor=None, origin="items.csv")
        assert report.created == variants, report.problems[:3]
        linked = link_store(self.store, actor=None)
        assert linked.links.linked == variants, linked.links
        self.post({sku(number): here for number in range(1, variants + 1)}, kind=EntryKind.OPENING)

    def _connect(self, name: str) -> Store:
        store = connection.add_store(
            Store(
                slug=name,
                name=f"Atelier {name}",
                shop_domain=self.shop.domain,
                access_token=self.shop.token,
                api_base_url=self.shop.base_url,
                limit_units=None,
                limit_to_zero=None,
                limit_share=None,
            ),
            by=None,
        )
        report = connection.test_connection(store)
        assert report.ok, report.cause
        integration.set_day(store, timezone.localdate(timezone=store.zone), by=self.operator)
        order_books().bring_in(store)
        return store

    def post(self, quantities: dict[str, int], *, kind: EntryKind = EntryKind.RECEIVED) -> None:
        """One ledger entry per SKU, of so many units."""
        ids = dict(Variant.objects.filter(sku__in=quantities).values_list("sku", "pk"))
        ledger.post(
            [
                Posting(
                    ids[code],
                    self.here.pk,
                    kind,
                    f"fact:{next(FACTS)}",
                    "journey",
                    timezone.now(),
                    on_hand_delta=Decimal(quantity),
                )
                for code, quantity in quantities.items()
                if quantity
            ]
        )

    def plan_full(self) -> SyncRun:
        """A full sync up to its plan."""
        self.store.refresh_from_db()
        run = jobs.start(
            self.store,
            Job.FULL,
            reason="go-live",
            trigger=Trigger.PERSON,
            requested_by=self.operator,
            confirmation=self.store.slug,
        )
        return self.advance(run)

    def full(self) -> SyncRun:
        """A full sync to its end, approved when it asks."""
        run = self.plan_full()
        return self.approve(run) if run.status == RunStatus.AWAITING_APPROVAL else run

    def approve(self, run: SyncRun) -> SyncRun:
        """Somebody approves the plan; it is carried out."""
        approval.approve(run, self.operator)
        return self.advance(run)

    def start_delta(self) -> SyncRun:
        """A queued delta; whoever works moves it."""
        return jobs.start(self.store, Job.DELTA, trigger=Trigger.PERSON, requested_by=self.operator)

    def delta(self) -> SyncRun:
        """A delta to its end, or to where it must wait."""
        return self.advance(self.start_delta())

    @staticmethod
    def advance(run: SyncRun) -> SyncRun:
        """Move a run forward in this process; waits for the service are skipped once, not slept through."""
        SyncRun.objects.filter(pk=run.pk).update(not_before=None)
        return runs.advance(run.pk)

    def heal(self) -> None:
        """The shop answers as it should again; a person has seen to the connection and lets writes go on."""
        self.shop.sandbox.delete("/faults")
        assert connection.test_connection(self.store).ok
        pausing.resume_store(self.store, by=self.operator)

    def publication(self, code: str) -> LevelPublication:
        """The publication of a SKU as stored."""
        return LevelPublication.objects.get(store=self.store, listed__variant__sku=code)

    def assert_agrees(self, *, held: int = 0) -> None:
        """Every live level shows in the shop, asked past our code, what we expect and what it should show."""
        shown = self.shop.levels()
        live = LevelPublication.objects.filter(store=self.store).live().with_target().select_related("store_location")
        wrong = [
            (row.item_ref, row.target, row.expected_quantity, quantity)
            for row in live
            if not row.target
            == row.expected_quantity
            == (quantity := shown[row.item_ref, row.store_location.ref]["quantities"]["available"])
        ]
        assert not wrong, wrong[:5]
        assert len(live) == len(shown) - held
        assert audit.audit_ledger().green


def items_file(variants: int) -> io.BytesIO:
    """Our item CSV for the sandbox's synthetic variants."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["item_number", "sku", "handle", "title", "option1_name", "option1_value"])
    for number in range(1, variants + 1):
        product = (number - 1) // PER_PRODUCT + 1
        writer.writerow([number, sku(number), f"synthetic-{product:07d}", f"Synthetic {product}", "Number", number])
    return io.BytesIO(text.getvalue().encode())
