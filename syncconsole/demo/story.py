"""The story: two shops connected, a baseline planned, approved, applied and read back, stock moved, only differences sent.

Every step is the function that the console, the schedule and the commands call, done by a person with the rights for it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone

from catalog.items import import_items
from connectors import approval, connection, feeds
from connectors.following import follow
from connectors.models import Store, SyncRun
from connectors.models.runs import Outcome, RunStatus, Trigger
from connectors.progress import progress
from inventory import audit, explanation, jobs, schedules
from inventory.jobs import Job
from inventory.linking import link_store
from inventory.mapping import location_for, map_locations, propose_by_name, usable
from inventory.models import LevelPublication
from inventory.stock_feed import record_stock
from orders import integration, knowledge
from orders.models import Document, IncomingOrder, IncomingState
from syncconsole.demo import files, people
from syncconsole.demo.files import MAIN, SHOP_FLOOR, Article, Shops
from syncconsole.demo.stage import Stage
from syncconsole.kernel.commands import Refused
from syncconsole.kernel.models import User

SHOPS = (("bucovina-ro", "Atelier Bucovina RO"), ("bucovina-outlet", "Atelier Outlet"))
ENOUGH = 5
"""Units that an item shows which moves in the story, so that no number goes below zero."""
SHOWN_PROBLEMS = 3
PATIENCE = 30.0
"""Seconds in which an order that has just changed is known with all that became of it."""
SOLD, RETURNED = 3, 1
"""Units of the sale in the story."""


class Story:
    """Tells itself while it happens: `say` gets the lines, `told` becomes the JSON object."""

    def __init__(self, stage: Stage, shops: Shops, folder: Path, say: Callable[[str], None], *, own_file: bool) -> None:
        self.stage = stage
        self.shops = shops
        self.folder = folder
        self.say = say
        self.own_file = own_file
        self.told: dict[str, Any] = {}
        self.began = time.monotonic()
        self.cast = people.invite()

    def tell(self) -> dict[str, Any]:
        """The whole story, in order. Returns it as plain values. Raises Refused where a step did not go as it should."""
        self.say("")
        self._items()
        self.ro, self.outlet = (self._connect(slug, name) for slug, name in SHOPS)
        self.articles = self._articles()
        self._opening()
        order = self._customer_buys()
        baseline = self._baseline(self.ro)
        self.told["baseline"] = baseline
        self._say_held(order, baseline)
        self.told["outlet_baseline"] = self._baseline(self.outlet)
        self._movements()
        self.told["delta"] = self._delta(self.ro)
        self.told["outlet_delta"] = self._delta(self.outlet)
        self._orders()
        self.told["sale_delta"] = self._delta(self.outlet)
        self._explain()
        self._check()
        for store in (self.ro, self.outlet):
            schedules.save(store, Job.DELTA, by=self._user("Mihai"), enabled=True)
        self.told["seconds"] = round(time.monotonic() - self.began, 1)
        self.told["people"] = [person.as_dict() for person in self.cast.values()]
        return self.told

    def _user(self, first: str) -> User:
        return self.cast[first].user

    # Setting up

    def _items(self) -> None:
        with self.shops.main.open("rb") as stream:
            report = import_items(stream, actor=self._user("Elena"), origin=self.shops.main.name)
        self.told["items"] = {**report.counts, "file": self.shops.main.name}
        self._line(
            "Items",
            f"{report.created:,} loaded from {self.shops.main.name}; {report.problem_count} of {report.rows:,} rows not "
            "kept",
        )
        for problem in report.problems[:SHOWN_PROBLEMS]:
            self._more(f"{problem}")

    def _connect(self, slug: str, name: str) -> Store:
        """A store: added by the administrator, mapped and linked by onboarding."""
        domain = f"{slug}.myshopify.com"
        if slug != SHOPS[0][0]:
            self.stage.open_shop(slug, self.shops.outlet, [MAIN, SHOP_FLOOR])
        store = Store(
            slug=slug,
            name=name,
            shop_domain=domain,
            access_token=self.stage.token(domain),
            client_secret=self.stage.secret(domain),
            api_base_url=f"{self.stage.url}/shops/{domain}",
        )
        connection.add_store(store, by=self._user("Radu"))
        # The schedule joins in when the story is over.
        schedules.save(store, Job.DELTA, by=None, enabled=False)
        tested = connection.test_connection(store)
        if not tested.ok:
            raise Refused(tested.cause, tested.remedy)
        yesterday = timezone.localdate(timezone=store.zone) - dt.timedelta(days=1)
        integration.set_day(store, yesterday, by=self._user("Radu"))
        knowledge.bring_in(store)
        tracked = self.stage.track_all(store) if self.own_file else 0
        elena = self._user("Elena")
        for location in usable(store):
            location_for(location, by=elena)
        mapped = map_locations(store, propose_by_name(store), elena)
        links = link_store(store, actor=elena).links
        self.told.setdefault("stores", []).append(
            {"slug": slug, "name": name, "plan": tested.plan, "locations_mapped": mapped.mapped, **links.as_dict()}
        )
        by = ", ".join(f"{count:,} by {rule.label}" for rule, count in links.by.items())
        self._line(
            name, f"connected; {mapped.mapped} locations mapped by name; {links.linked:,} variants linked ({by})"
        )
        if links.conflicts or links.only_there:
            self._more(
                f"{links.conflicts} need a decision and {links.only_there} are not in the catalogue: not guessed, "
                "not pushed"
            )
        if tracked:
            self._more(f"Track quantity was off for {tracked:,} items of the file; switched on in the simulated shop")
        return store

    def _articles(self) -> list[Article]:
        """What the main shop sells and tracks, with what it shows; items that can move come first, shared ones first."""
        shown = {
            level.item_ref: level.available
            for level in self.stage.levels(self.ro).values()
            if level.location == MAIN and level.tracked
        }
        shared = set(self.outlet.listed_variants.filter(tracked=True).values_list("variant_id", flat=True))
        rows = self.ro.listed_variants.filter(item_ref__in=shown).order_by("variant__item_number")
        articles = [
            Article(number, item_ref, shown[item_ref], variant_id in shared)
            for number, item_ref, variant_id in rows.values_list("variant__item_number", "item_ref", "variant_id")
        ]
        if not articles:
            raise Refused("No variant of the file could be linked.", "Give a product CSV with at least one variant.")
        return sorted(articles, key=lambda article: (article.shown < ENOUGH, not article.shared))

    def _opening(self) -> None:
        rows = files.opening_rows(self.articles, MAIN, SHOP_FLOOR)
        report = self._record(files.write_stock(self.folder / "opening-stock.csv", rows))
        self.told["opening_stock"] = report
        self._line("Opening stock", f"{report['recorded']:,} levels recorded by {self._user('Ana')}")

    def _record(self, path: Path) -> dict[str, int]:
        with path.open("rb") as stream:
            report = record_stock(stream, actor=self._user("Ana"), origin=f"file {path.name}")
        if report.problems:
            raise Refused(f"{path.name}: {report.problems[0]}", "Report it: the demo wrote this file itself.")
        return report.counts

    def _customer_buys(self) -> str:
        """An order that is in the store and not here: its level must not be overwritten. Returns the order's name."""
        # Not one that moves later in the story, where there are others.
        buyable = [article for article in self.articles if article.shown > 0]
        if not buyable:
            return ""
        article = buyable[min(10, len(buyable) - 1)]
        return self.stage.order_an_hour_ago(self.ro, article.item_ref, MAIN, min(2, article.shown))

    # Runs

    def _baseline(self, store: Store) -> dict[str, Any]:
        """Planned by Ana, approved by Mihai, applied, read back."""
        run = jobs.start(store, Job.FULL, reason="go-live", trigger=Trigger.PERSON, requested_by=self._user("Ana"))
        run = self._finished(follow(run), RunStatus.AWAITING_APPROVAL)
        totals = run.totals
        right = totals["levels"] - totals["rows"] - totals["held"]
        self._line(
            f"Baseline, {store}",
            f"run #{run.pk}: {totals['levels']:,} levels read, {totals['rows']:,} to change, {right:,} already right, "
            f"{totals['held']} held. Nothing is written yet",
        )
        for sentence in run.limits_passed:
            self._more(f"Needs approval: {sentence}")
        limits = list(run.limits_passed)
        approval.approve(run, self._user("Mihai"))
        run = self._finished(follow(run), RunStatus.COMPLETED)
        self._more(f"Approved by {run.approved_by}: {self._summary(run)}")
        return {**self._run_facts(run), "limits_passed": limits, "approved_by": str(run.approved_by)}

    def _delta(self, store: Store) -> dict[str, Any]:
        """Only what is owed."""
        run = jobs.start(store, Job.DELTA, trigger=Trigger.PERSON, requested_by=self._user("Ana"))
        run = self._finished(follow(run), RunStatus.COMPLETED)
        changes = ", ".join(f"{item.delta:+d}" for item in run.items.filter(outcome=Outcome.APPLIED).order_by("pk"))
        self._line(
            f"Delta, {store}", f"run #{run.pk}: {self._summary(run)} ({changes})" if changes else "nothing to send"
        )
        return self._run_facts(run)

    @staticmethod
    def _finished(run: SyncRun, wanted: RunStatus) -> SyncRun:
        if run.status != wanted:
            raise Refused(f"Run #{run.pk} is {run.state.label.lower()}: {progress(run).headline}", run.remedy)
        return run

    @staticmethod
    def _summary(run: SyncRun) -> str:
        seconds = (run.finished_at - run.created_at).total_seconds() if run.finished_at else 0
        words = progress(run).headline.rstrip(".")
        return f"{words}. {run.calls} calls, {run.points:,} points, {seconds:.1f} s"

    @staticmethod
    def _run_facts(run: SyncRun) -> dict[str, Any]:
        held = run.items.filter(outcome=Outcome.HELD).values("label", "place", "before", "cause", "remedy")
        return {
            "run": run.pk,
            "status": run.status,
            "levels": run.totals.get("levels", 0),
            "changed": run.counts.get(Outcome.APPLIED, 0),
            "already_right": run.totals.get("levels", 0) - run.counts.get(Outcome.APPLIED, 0) - len(held),
            "held": list(held),
            "verified": run.totals.get("read_back", 0),
            "verified_different": run.totals.get("read_back_different", 0),
            "calls": run.calls,
            "points": run.points,
        }

    def _say_held(self, order: str, baseline: dict[str, Any]) -> None:
        for held in baseline["held"]:
            self._line("Held", f"{held['label']}, {held['place']}, which shows {held['before']}: {held['cause']}")
            self._more(
                f"{held['remedy']} The store dated order {order} an hour back, which the feed had passed already"
            )

    # What moves, and what it comes to

    def _movements(self) -> None:
        rows = files.movement_rows(self.articles, MAIN, SHOP_FLOOR)
        path = files.write_stock(self.folder / "movements.csv", rows)
        first, again = self._record(path), self._record(path)
        self.told["movements"] = {**first, "loaded_again": again}
        self._line(
            "Stock moves",
            f"{first['recorded']} movements recorded (received, damaged, count, found, sale, transfer); the same file "
            f"again: {again['recorded']} recorded, {again['repeated']} known already",
        )

    def _orders(self) -> None:
        """A sale in one shop, shipped there and partly returned: booked once here, with its document; the other shop is
        owed what it now shows too much."""
        name = self.stage.sell(self.ro, self.articles[0].item_ref, MAIN, SOLD, returned=RETURNED)
        documents = self._brought_in(name)
        orders = IncomingOrder.objects.filter(store=self.ro)
        waiting = orders.filter(state=IncomingState.FAILED).first()
        if waiting:
            raise Refused(f"Order {waiting.name}: {waiting.cause}", waiting.remedy)
        self.told["orders"] = {"imported": orders.count(), "sale": name, "documents": documents}
        self._line(
            f"Orders, {self.ro}",
            f"{orders.count()} imported. Of {name}, {SOLD} units were shipped and {RETURNED} came back for their money: "
            f"on hand here is {SOLD - RETURNED} less, and the refund became {' and '.join(documents)}",
        )

    def _brought_in(self, name: str) -> list[str]:
        """Bring the shops' orders in, as the nightly reading of all orders does, until the documents of this one are there. The
        worker may have read it in the second in which it changed last: then it is read again when it rests."""
        until = time.monotonic() + PATIENCE
        while True:
            for store in (self.ro, self.outlet):
                feeds.poll(store, begin="shown")
                knowledge.bring_in(store)
            documents = [str(document) for document in Document.objects.filter(refund__order__name=name)]
            if documents or time.monotonic() > until:
                return documents
            time.sleep(1)

    def _explain(self) -> None:
        """One number as the sum of its terms."""
        found = explanation.find(self.ro, self.articles[0].item_number)
        publication = next(row for row in found if row.store_location.name == MAIN)
        explained = explanation.explain(publication.pk)
        self.told["explained"] = explained.as_dict()
        self._line("One number", "why the store shows what it shows")
        for line in explained.text().splitlines():
            self._more(line)

    def _check(self) -> None:
        """The ledger against its entries, and our numbers against the shops' own."""
        checked = audit.audit_ledger()
        self.told["audit"] = {
            "levels": checked.levels,
            "entries": checked.entries,
            "publications": checked.publications,
            "differences": checked.found,
        }
        self._line(
            "Ledger check", f"{checked.levels:,} levels, {checked.entries:,} entries, {checked.found} differences"
        )
        self.told["compared"] = [self._compare(store) for store in (self.ro, self.outlet)]

    def _compare(self, store: Store) -> dict[str, Any]:
        """What we expect against what the sandbox says when it is asked directly."""
        shown = self.stage.levels(store)
        live = LevelPublication.objects.filter(store=store).live().eligible().with_target()
        rows = live.values_list("item_ref", "store_location__ref", "expected_quantity", "target")
        asked = [(shown[item, place].available, expected, target) for item, place, expected, target in rows]
        result = {
            "store": store.slug,
            "levels": len(asked),
            "equal": sum(1 for available, expected, target in asked if available == expected == target),
            "units_here": sum(target for _, _, target in asked),
            "units_there": sum(available for available, _, _ in asked),
            "writes_there": self.stage.writes(store),
        }
        self._line(
            f"Asked directly, {store}",
            f"{result['equal']:,} of {result['levels']:,} levels show what they should; {result['units_there']:,} units "
            f"there, {result['units_here']:,} here",
        )
        return result

    def _line(self, head: str, text: str) -> None:
        self.say(f"{time.monotonic() - self.began:5.1f} s  {head}: {text.rstrip('.')}.")

    def _more(self, text: str) -> None:
        self.say(f"         {text}")
