"""Deciding about drift: theirs is accepted, ours is kept, or it is left alone (algorithms.md §3, rows 18 and 19).

Every decision is about one row of drift, so a form sent twice decides once. It rests on a read that is young enough and
after which nothing of ours moved; otherwise it is refused, and the level is read again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.db import models, transaction
from django.utils import timezone

from inventory import drift, ledger, level_changes, publications, pushes
from inventory.ledger import Posting
from inventory.models import Drift, InventoryLevel, LevelPublication, PublishedLevel
from inventory.models.drifts import STANDING, DriftState
from inventory.models.ledger import EntryKind
from inventory.models.publications import PublicationKind, PublicationState
from inventory.publications import Effect
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

RIGHT: Final = "inventory.decide_drift"
FRESH: Final = dt.timedelta(hours=24)
"""An older read decides nothing: levels are read every night, and whenever the store tells of them."""
AT_ONCE: Final = 250
MOST: Final = 1000
"""Levels decided in one go, so that a page answers at once; the rest of a longer group waits for the next."""


class Decision(models.TextChoices):
    """What becomes of a drift."""

    ACCEPT = "accept", "Accept theirs"
    KEEP = "keep", "Keep ours"
    IGNORE = "ignore", "Ignore"


ENDS_AS: Final = {
    Decision.ACCEPT: DriftState.ACCEPTED,
    Decision.KEEP: DriftState.REJECTED,
    Decision.IGNORE: DriftState.IGNORED,
}


class DriftDecisionRefused(Refusal):
    """Nothing was decided; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Left:
    """A level about which nothing was decided, and why."""

    drift_id: int
    label: str
    cause: str
    remedy: str


@dataclass
class DecisionReport:
    """What a decision did: `decided` levels by `units` in sum; `already`: decided or gone before; `left` with causes."""

    decided: int = 0
    units: int = 0
    already: int = 0
    left: list[Left] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a decision would do: ledger entries and units of ATS here, units sent to the store that drifts, and units sent
    to each other store by its name."""

    levels: int
    entries: int
    ats: int
    to_store: int
    to_others: Mapping[str, int]


Choice = Mapping[int, int]
"""Location of the store → the one of our locations that takes the difference, where several are mapped to it."""


def preview(drifts: Sequence[Drift], decision: Decision, choice: Choice | None = None) -> Preview:
    """What `decision` about these drifts would do; writes nothing."""
    units = sum(each.quantity for each in drifts)
    if decision is Decision.IGNORE:
        return Preview(len(drifts), 0, 0, 0, {})
    if decision is Decision.KEEP:
        return Preview(len(drifts), 0, 0, _still_owed(drifts) - units, {})
    levels = _levels_of(drifts, choice or {})
    taken = {levels[each.publication_id]: each.quantity for each in drifts if each.publication_id in levels}
    others: dict[str, int] = {}
    shared = PublishedLevel.objects.filter(level__in=taken, publication__state=PublicationState.LIVE)
    elsewhere = shared.exclude(publication__in=[each.publication_id for each in drifts])
    for level_id, store in elsewhere.values_list("level", "store__name"):
        others[store] = others.get(store, 0) + taken[level_id]
    return Preview(len(drifts), len(drifts), units, 0, others)


def _still_owed(drifts: Sequence[Drift]) -> int:
    """Units of pushes that were never answered: once the store is believed as it is, what is left of them is sent, too."""
    ids = [each.publication_id for each in drifts]
    unsure = LevelPublication.objects.filter(pk__in=ids, state=PublicationState.UNSURE).with_target()
    return sum(unsure.values_list("pending", flat=True))


def choices(drifts: Sequence[Drift]) -> list[tuple[int, str, list[tuple[int, str]]]]:
    """Where a person must say which of our locations takes the difference: (location of the store, its name, ours)."""
    members = PublishedLevel.objects.filter(publication__in=[each.publication_id for each in drifts])
    rows = members.order_by("publication__store_location__name", "level__location__name").values_list(
        "publication__store_location", "publication__store_location__name", "level__location", "level__location__name"
    )
    found: dict[tuple[int, str], dict[int, str]] = {}
    for there, name, ours, our_name in rows.distinct():
        found.setdefault((there, name), {})[ours] = our_name
    return [(there, name, list(ours.items())) for (there, name), ours in found.items() if len(ours) > 1]


def decide(
    drift_ids: Sequence[int], decision: Decision, *, by: User | None, reason: str, choice: Choice | None = None
) -> DecisionReport:
    """Decide about these drifts (up to `MOST`), each by itself.

    *Accept*: our level moves by the difference, and the store is believed to show it, so that other stores get it and this
    one nothing. *Keep*: the store is believed to show it, so that the next delta takes it back there. *Ignore*: nothing
    moves, and nobody is asked again while it stays. Raises DriftDecisionRefused without a reason.
    """
    if not reason.strip():
        raise DriftDecisionRefused("The reason is missing.", "Say in a few words why; nothing was decided.")
    report, ids = DecisionReport(), sorted(drift_ids)[:MOST]
    for start in range(0, len(ids), AT_ONCE):
        with transaction.atomic():
            _decide_some(ids[start : start + AT_ONCE], decision, by, reason.strip()[:300], choice or {}, report)
    outdated = [left.drift_id for left in report.left if left.remedy == READ_AGAIN]
    if outdated:
        level_changes.ask_for(
            LevelPublication.objects.filter(drifts__in=outdated).select_related("store", "store_location")
        )
    return report


READ_AGAIN: Final = "It is being read again; decide then."


def _decide_some(
    ids: Sequence[int], decision: Decision, by: User | None, reason: str, choice: Choice, report: DecisionReport
) -> None:
    asked = list(Drift.objects.filter(pk__in=ids).select_related("publication__listed__variant__product", "store"))
    levels = _levels_of(asked, choice) if decision is Decision.ACCEPT else {}
    locked = _lock(asked, levels.values())
    standing = {each.pk for each in Drift.objects.filter(pk__in=ids, state__in=STANDING)}
    taken = []
    for each in asked:
        publication = locked[each.publication_id]
        if each.pk not in standing or ENDS_AS[decision] == each.state:
            report.already += 1
        elif why := _why_left(each, publication, decision, levels):
            report.left.append(Left(each.pk, publication_label(each), *why))
        else:
            taken.append(each)
    if decision is Decision.ACCEPT:
        _accept(taken, locked, levels, by, reason)
    elif decision is Decision.KEEP:
        _keep(taken, locked, by, reason)
    _close(taken, decision, by, reason)
    report.decided += len(taken)
    report.units += sum(each.quantity for each in taken)


def publication_label(each: Drift) -> str:
    """The item of a drift, as people know it."""
    return each.publication.listed.variant.label


def _levels_of(drifts: Sequence[Drift], choice: Choice) -> dict[int, int]:
    """Publication id → the level of ours that takes its difference; without one where a choice is missing."""
    members = PublishedLevel.objects.filter(publication__in=[each.publication_id for each in drifts])
    found: dict[int, dict[int, int]] = {}
    there = {}
    for publication_id, place, level_id, location_id in members.values_list(
        "publication", "publication__store_location", "level", "level__location"
    ):
        found.setdefault(publication_id, {})[location_id] = level_id
        there[publication_id] = place
    taken = {}
    for publication_id, group in found.items():
        only = next(iter(group.values())) if len(group) == 1 else group.get(choice.get(there[publication_id], 0))
        if only is not None:
            taken[publication_id] = only
    return taken


def _lock(drifts: Sequence[Drift], level_ids: Iterable[int]) -> dict[int, LevelPublication]:
    """Levels by id, then every publication that moves with them by id."""
    ids = list(level_ids)
    list(InventoryLevel.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    beside = PublishedLevel.objects.filter(level__in=ids).values_list("publication", flat=True)
    mine = {each.publication_id for each in drifts}
    publications.lock_ids(mine | set(beside))
    return {row.pk: row for row in publications.lock(mine)}


def _why_left(
    each: Drift, publication: LevelPublication, decision: Decision, levels: Mapping[int, int]
) -> tuple[str, str] | None:
    """Cause and remedy where the drift may not be decided so now."""
    if decision is Decision.IGNORE:
        return None
    unsure = publication.state == PublicationState.UNSURE
    if unsure and decision is Decision.ACCEPT:
        return "A push that was never answered may be part of it.", "Keep ours; or correct the stock here first."
    if not unsure and publication.state != PublicationState.LIVE:
        return f"The level is {publication.get_state_display().lower()}.", "Decide about that first."
    if publication.claim_id and not unsure:
        return "A push of the level is on its way.", "Decide again in a moment."
    if publication.observed_revision != publication.revision or publication.drift != each.quantity:
        return "It moved since the read that showed this difference.", READ_AGAIN
    if publication.observed_at is None or timezone.now() - publication.observed_at > FRESH:
        return "The read that showed this difference is more than a day old.", READ_AGAIN
    if decision is Decision.ACCEPT and publication.pk not in levels:
        return "Several of our locations stand behind it.", "Say which of them takes the difference."
    return None


def _accept(
    taken: Sequence[Drift],
    locked: Mapping[int, LevelPublication],
    levels: Mapping[int, int],
    by: User | None,
    reason: str,
) -> None:
    """d = e = the difference (row 18)."""
    of = InventoryLevel.objects.in_bulk([levels[each.publication_id] for each in taken])
    now = timezone.now()
    ledger.post(
        [
            Posting(
                of[levels[each.publication_id]].variant_id,
                of[levels[each.publication_id]].location_id,
                EntryKind.CORRECTION,
                f"drift:{each.pk}:accepted",
                each.store.origin,
                # The person says that it is missing, or there, now; whatever was counted before.
                effective_at=now,
                on_hand_delta=Decimal(each.quantity),
                reason=reason,
                actor=by,
            )
            for each in taken
        ]
    )
    _believe(taken, locked, "accepted", reason)


def _keep(taken: Sequence[Drift], locked: Mapping[int, LevelPublication], by: User | None, reason: str) -> None:
    """e = the difference, d = 0 (row 19): what is owed to the store from now on is its opposite."""
    _believe(taken, locked, "kept", reason)
    for each in taken:
        publication = locked[each.publication_id]
        # What an order did to the store before that read, and is told later, is taken back with the rest (§4).
        publication.overwritten_at = max(filter(None, [publication.overwritten_at, publication.observed_moved_at]))
    publications.save_all(locked.values())


def _believe(taken: Sequence[Drift], locked: Mapping[int, LevelPublication], word: str, reason: str) -> None:
    effects = [
        Effect(
            locked[each.publication_id],
            PublicationKind.ADOPTED,
            each.quantity,
            f"drift:{each.pk}:{word}",
            f"Drift {word}: {reason}"[:300],
            effective_at=locked[each.publication_id].observed_moved_at,
        )
        for each in taken
    ]
    publications.record(effects)
    for effect in effects:
        pushes.give_up(effect.publication)
        effect.publication.observed_revision = effect.publication.revision
        effect.publication.needs_look = True
    publications.save_all(effect.publication for effect in effects)


def _close(taken: Sequence[Drift], decision: Decision, by: User | None, reason: str) -> None:
    if not taken:
        return
    state = ENDS_AS[decision]
    closed_at = None if decision is Decision.IGNORE else timezone.now()
    ids = [each.pk for each in taken]
    Drift.objects.filter(pk__in=ids).update(state=state, reason=reason, decided_by=by, closed_at=closed_at)
    store = taken[0].store
    units = sum(each.quantity for each in taken)
    after = {"reason": reason[:250], "levels": len(taken), "units": units, "drifts": ids}
    audit.record(by, f"{decision} drift", f"{store}: drift of {units:+d} units", after=after)


def of_group(
    store_slug: str, cause: str, writer: str = "", *, up_to: int = 0, ignored: bool = False
) -> models.QuerySet[Drift, Drift]:
    """Drifts of a store with one cause and writer that nobody decided (or, `ignored`, that were left alone), oldest first;
    none that began after the one of id `up_to`."""
    rows = drift.left_alone() if ignored else drift.undecided()
    rows = rows.filter(store__slug=store_slug, cause=cause, writer=writer)
    return (rows.filter(pk__lte=up_to) if up_to else rows).order_by("first_seen_at", "pk")
