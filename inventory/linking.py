"""Linking a store's variants to ours, and bringing its publications in step: the one way every door takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from catalog.linking import LinkRefused, LinkReport, link
from connectors import changes, runs
from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus, Trigger
from connectors.ports.errors import ResultLost
from connectors.ports.store import RemoteVariant
from connectors.registry import store_for
from connectors.runs import Gate, NotYet, RunKind
from inventory import clones, participation, product_changes
from inventory.participation import RefreshResult
from syncconsole.kernel.models import User

KIND = "catalog.link"
LOOK_AGAIN = 20.0
"""Seconds between two looks at a listing that the store still prepares."""
LISTINGS = 3
"""Listings that a run asks for, where the store loses them, before it ends."""


@dataclass(frozen=True, slots=True)
class StoreLinked:
    """What came of linking, and what it changed in publications."""

    links: LinkReport
    publications: RefreshResult

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            **self.links.as_dict(),
            "publications": {
                "created": self.publications.created,
                "closed": self.publications.closed,
                "regrouped": self.publications.regrouped,
                "excluded": self.publications.excluded,
                "included": self.publications.included,
            },
        }

    @property
    def sentence(self) -> str:
        """The counts as people read them."""
        links = self.links
        return (
            f"{links.linked:,} linked, {links.already:,} linked before, {links.conflicts:,} need a decision, "
            f"{links.only_there:,} only in the store, {links.only_here:,} only here."
        )


def link_store(
    store: Store,
    *,
    actor: User | None = None,
    variants: Iterable[RemoteVariant] | None = None,
    since: dt.datetime | None = None,
) -> StoreLinked:
    """Bind the variants of `store` to ours and refresh its publications. `variants`: its listing, where it was
    prepared, begun at `since`; otherwise it is read now, however long that takes. Products that changed and were read
    meanwhile are read once more: the listing may show them as they were before.

    Raises ConnectorError when the store cannot be read to its end, LinkRefused when its listing cannot be believed;
    nothing changed then.
    """
    began = since or timezone.now()
    links = link(store, actor=actor, variants=variants, then=lambda: participation.hold_suspects(store))
    changes.read_again(store, product_changes.KIND, began)
    refreshed = participation.refresh(store)
    clones.look_closer(store)
    return StoreLinked(links, refreshed)


def start_link(store: Store, *, trigger: Trigger, requested_by: User | None = None) -> SyncRun:
    """Have the workers link `store`: a large store takes longer to list itself than anybody waits for an answer.
    Raises RunAlreadyOpen (connectors.runs)."""
    from connectors.tasks import advance_run

    run = runs.open_run(store, KIND, trigger=trigger, requested_by=requested_by)
    advance_run.send(run.pk)
    return run


class LinkRun(RunKind):
    """Link one store. The listing's ticket is kept with the run, so the store prepares it once, whoever goes on."""

    @staticmethod
    def gates(store: Store) -> list[Gate]:
        """None: linking writes nothing to the store."""
        return []

    def plan_slice(self) -> bool:
        """Look whether the listing is ready; link when it is, which ends the run."""
        port = store_for(self.run.store)
        try:
            listing = port.prepare_listing(f"link{self.run.pk}", self.run.cursor.get("ticket", ""))
            self._keep(ticket=listing.ticket)
            if not listing.ready:
                raise NotYet(f"The store lists its variants; {listing.rows:,} so far.", seconds=LOOK_AGAIN)
            self._link(port.iter_variants(listing.ticket, tick=self.tick))
        except ResultLost:
            lost = self.run.cursor.get("lost", 0) + 1
            self._keep(ticket="", lost=lost)
            if lost < LISTINGS:
                raise
            runs.finish(
                self.run,
                RunStatus.FAILED,
                cause=f"The store lost its listing {lost} times.",
                remedy="Look at the bulk operations in the store, then link again.",
            )
        return True

    def _link(self, variants: Iterable[RemoteVariant]) -> None:
        run = self.run
        try:
            done = link_store(run.store, actor=run.requested_by, variants=variants, since=run.created_at)
        except LinkRefused as refused:
            runs.finish(run, RunStatus.FAILED, cause=refused.cause, remedy=refused.remedy)
            return
        SyncRun.objects.filter(pk=run.pk).update(totals={"summary": done.sentence, "links": done.as_dict()})
        runs.finish(run, RunStatus.COMPLETED)

    def _keep(self, **known: Any) -> None:
        cursor = {**self.run.cursor, **known}
        if cursor != self.run.cursor:
            SyncRun.objects.filter(pk=self.run.pk).update(cursor=cursor)
            self.run.cursor = cursor

    def apply_slice(self) -> bool:
        """Nothing is written to the store."""
        return False

    def verify_slice(self) -> bool:
        """Nothing was written."""
        return False
