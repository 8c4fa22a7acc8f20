"""What stores are believed to show: locked, looked at and saved here; the only writer of its entries."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from inventory import holding
from inventory.models import LevelPublication, PublicationEntry
from inventory.models.publications import PublicationKind, PublicationState
from syncconsole.kernel import bulk
from syncconsole.kernel.models import User


@dataclass(frozen=True, slots=True)
class Effect:
    """A change of what the store is believed to show, for one locked publication. `quantity` in units, signed."""

    publication: LevelPublication
    kind: PublicationKind
    quantity: int
    key: str
    cause: str = ""
    effective_at: dt.datetime | None = None
    applied: bool = True
    push_id: int | None = None


def record(effects: Sequence[Effect]) -> None:
    """Append `effects` to publications that the caller has locked, and bring their expected quantity along.

    Inside the caller's transaction. Changes `expected_quantity` and `revision` of the given instances; the caller
    saves them with `save_all`, together with what else changed. A key that is known already raises IntegrityError.
    """
    now = timezone.now()
    entries = []
    for effect in effects:
        publication = effect.publication
        publication.revision += 1
        if effect.applied:
            publication.expected_quantity += effect.quantity
        entries.append(
            PublicationEntry(
                publication=publication,
                seq=publication.revision,
                kind=effect.kind,
                quantity=effect.quantity,
                applied=effect.applied,
                key=effect.key,
                cause=effect.cause,
                effective_at=effect.effective_at,
                recorded_at=now,
                push_id=effect.push_id,
            )
        )
    bulk.insert(entries)


@dataclass(frozen=True, slots=True)
class Look:
    """What a locked publication is owed now. `takes_part`: live and not excluded."""

    publication_id: int
    expected: int
    target: int
    claimed: bool
    takes_part: bool

    @property
    def pending(self) -> int:
        """Target less expected: what a delta sends."""
        return self.target - self.expected


def look(ids: Iterable[int]) -> list[Look]:
    """Lock these publications, in the order of their ids, and see what each is owed."""
    locked = lock_ids(ids)
    if not locked:
        return []
    wanted = targets(locked)
    rows = LevelPublication.objects.filter(pk__in=locked).order_by("pk")
    return [
        Look(pk, expected, wanted[pk], claim is not None, state == PublicationState.LIVE and not excluded)
        for pk, expected, claim, state, excluded in rows.values_list(
            "pk", "expected_quantity", "claim", "state", "excluded"
        )
    ]


def clear_marks(ids: Iterable[int]) -> None:
    """Nothing is owed to these publications, which the caller has locked."""
    _mark(ids, needs_look=False)


def mark(ids: Iterable[int]) -> None:
    """These publications, which the caller has locked, are to be looked at."""
    _mark(ids, needs_look=True)


def _mark(ids: Iterable[int], *, needs_look: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_levelpublication SET needs_look = %s WHERE id = ANY(%s)", [needs_look, bulk.ids(ids)]
        )


TIMES = ("excluded_at", "marked_at", "observed_moved_at", "observed_at", "baseline_at", "overwritten_at", "held_since")


def lock(ids: Iterable[int], *, times: bool = True) -> list[LevelPublication]:
    """These publications, locked in the order of their ids.

    `times` False leaves their timestamps out, which take as long to load as everything else together; one that is
    asked for all the same is fetched by itself.
    """
    rows = LevelPublication.objects.select_for_update(no_key=True).filter(pk__in=list(ids)).order_by("pk")
    locked = list(rows if times else rows.defer(*TIMES))
    for publication in locked:
        publication.stored = dict(publication.__dict__)
    return locked


def lock_ids(ids: Iterable[int]) -> list[int]:
    """Lock these publications in the order of their ids, which are returned; nothing of them is loaded."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_IDS, [bulk.ids(ids)])
        return [publication_id for (publication_id,) in cursor.fetchall()]


LOCK_IDS = "SELECT id FROM inventory_levelpublication WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


ANY_ID = -1


@functools.cache
def _targets_statement() -> tuple[str, tuple[Any, ...]]:
    """The statement of `with_target` for given ids, put together once from the one definition of target."""
    rows = LevelPublication.objects.filter(pk__in=[ANY_ID]).with_target().values_list("pk", "target")
    statement, parameters = rows.query.sql_with_params()
    return statement.replace("IN (%s)", "= ANY(%s)"), parameters


def targets(ids: Iterable[int]) -> dict[int, int]:
    """Publication id → what the store should show, by what is stored now."""
    statement, parameters = _targets_statement()
    wanted = bulk.ids(ids)
    with connection.cursor() as cursor:
        cursor.execute(statement, [wanted if value == ANY_ID else value for value in parameters])
        return {publication_id: int(target) for publication_id, target in cursor.fetchall()}


WRITABLE = (
    ("state", "text"),
    ("state_cause", "text"),
    ("stocked", "boolean"),
    ("excluded", "text"),
    ("expected_quantity", "int"),
    ("withheld", "int"),
    ("open_remote", "int"),
    ("acknowledged_offset", "int"),
    ("revision", "int"),
    ("claim_id", "bigint"),
    ("needs_look", "boolean"),
    ("verify", "boolean"),
    ("observed_available", "int"),
    ("observed_committed", "int"),
    ("observed_unavailable", "int"),
    ("observed_moved_at", "timestamptz"),
    ("observed_at", "timestamptz"),
    ("observed_revision", "int"),
    ("baseline_at", "timestamptz"),
    ("overwritten_at", "timestamptz"),
    ("hold_test", "text"),
    ("hold_cause", "text"),
    ("hold_remedy", "text"),
    ("held_since", "timestamptz"),
)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def microseconds(moment: dt.datetime) -> int:
    """Microseconds since 1970, as `observed_moves` tells times."""
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def observed_moves(ids: Iterable[int]) -> dict[int, int | None]:
    """Publication id → when it had last moved in the store at the last read, in microseconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, (extract(epoch FROM observed_moved_at) * 1000000)::bigint FROM inventory_levelpublication "
            "WHERE id = ANY(%s)",
            [bulk.ids(ids)],
        )
        return dict(cursor.fetchall())


COLUMNS = tuple(column for column, _ in WRITABLE)


@functools.cache
def _save_statement(columns: tuple[str, ...]) -> str:
    kinds = dict(WRITABLE)
    return (
        "UPDATE inventory_levelpublication p SET "
        + ", ".join(f"{column} = n.{column}" for column in columns)
        + " FROM unnest(%s::bigint[], "
        + ", ".join(f"%s::{kinds[column]}[]" for column in columns)
        + f") AS n(id, {', '.join(columns)}) WHERE p.id = n.id"
    )


def save_all(publications: Iterable[LevelPublication], *, by: User | None = None, why: str = "") -> None:
    """Write what has changed on locked publications: one statement for those with the same columns loaded. Holds that began
    or ended are kept: `by` whom and `why`, where a person let them go."""
    changed: dict[tuple[str, ...], list[LevelPublication]] = {}
    distinct = list({publication.pk: publication for publication in publications}.values())
    holding.note_changes(distinct, by=by, why=why)
    for publication in distinct:
        if _changed_columns(publication):
            loaded = tuple(column for column in TIMES if column in publication.__dict__)
            changed.setdefault(loaded, []).append(publication)
    for rows in changed.values():
        columns = set().union(*(_changed_columns(row) for row in rows))
        _save(rows, tuple(column for column in COLUMNS if column in columns))


def _changed_columns(publication: LevelPublication) -> set[str]:
    stored, now = publication.stored, publication.__dict__
    return {column for column in COLUMNS if column in now and (column not in stored or now[column] != stored[column])}


def _save(rows: Sequence[LevelPublication], columns: tuple[str, ...]) -> None:
    values = [[getattr(row, column) for row in rows] for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(_save_statement(columns), [[row.pk for row in rows], *values])
    for row in rows:
        row.stored = dict(row.__dict__)


def become_live(publication: LevelPublication, at: dt.datetime | None) -> None:
    """What the store shows is known from now on. Frozen and quarantined levels stay so."""
    if publication.baseline_at is None:
        publication.baseline_at = at or timezone.now()
    if publication.state in (PublicationState.NO_BASELINE, PublicationState.UNSURE):
        publication.state, publication.state_cause = PublicationState.LIVE, ""
    publication.needs_look = True
    holding.release(publication)
