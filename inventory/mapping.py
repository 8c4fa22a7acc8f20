"""Which location of a store each of our locations is sold from: one to one, many to one, or all to one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.text import slugify

from connectors.models import Store, StoreLocation
from inventory import participation
from inventory.models import LevelPublication, Location, LocationMapping
from inventory.models.publications import Exclusion, PublicationState
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

RIGHT: Final = "connectors.map_locations"
Named = TypeVar("Named", Location, StoreLocation)
Moves = list[tuple[Location, int | None, int | None]]
"""Our location, the store's that it was sold from, and the one that it will be."""


class MappingRefused(Refusal):
    """No mapping was changed; says why and what to do."""


@dataclass(frozen=True, slots=True)
class MappingResult:
    """What `map_locations` changed: numbers of our locations; how many levels there need a (new) baseline before deltas
    reach them; the store's locations that go to 0, since the goods are sold from elsewhere now (`vacated`), and those
    that keep numbers nobody here follows any more (`left`)."""

    mapped: int = 0
    moved: int = 0
    unmapped: int = 0
    unchanged: int = 0
    new_baselines: int = 0
    vacated: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """What a person should know of it, in sentences."""
        told = []
        if self.new_baselines:
            levels = "1 level needs" if self.new_baselines == 1 else f"{self.new_baselines:,} levels need"
            told.append(f"{levels} a full sync before deltas reach them.")
        if self.vacated:
            told.append(
                f"{', '.join(self.vacated)}: the next delta takes it to 0, since its goods are sold from elsewhere."
            )
        if self.left:
            told.append(
                f"{', '.join(self.left)}: keeps its last numbers in the store; nothing here follows them any more."
            )
        return told


def usable(store: Store) -> list[StoreLocation]:
    """Locations of the store that ours can be sold from: active, and not managed by a fulfilment service."""
    return list(store.locations.filter(is_active=True, is_fulfillment_service=False))


def folded(name: str) -> str:
    """A name as it is compared: no case, no accents, single blanks ("Magazin  București" = "magazin bucuresti")."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def propose_by_name(store: Store) -> dict[int, int]:
    """Our location → the store's, where both have the same name, once each, and ours is not mapped yet.

    Ids, as `map_locations` takes them; nothing is written. Names that occur twice are left to a person.
    """
    mapped = store.location_mappings.values("location_id")
    here = _by_name(Location.objects.exclude(pk__in=mapped))
    there = _by_name(usable(store))
    same = ((ours, there.get(name, [])) for name, ours in here.items())
    return {ours[0].pk: theirs[0].pk for ours, theirs in same if len(ours) == len(theirs) == 1}


def _by_name(rows: Iterable[Named]) -> dict[str, list[Named]]:
    found: dict[str, list[Named]] = {}
    for row in rows:
        found.setdefault(folded(row.name), []).append(row)
    return found


def map_locations(store: Store, changes: Mapping[int, int | None], by: User | None) -> MappingResult:
    """Sell each of our locations (by id) from a location of `store` (by id), or from none (None). Others stay.

    Targets move by themselves: the next delta takes the quantity away in one place and adds it in the other, where a
    level that is new needs its baseline first. A location of the store that had goods of ours and has none left goes to
    0 when they moved, so that nothing is sold twice; when they are sold from nowhere any more, it keeps its last
    numbers and is left alone. One transaction; `by` None is the system.
    Raises MappingRefused: a push of a level concerned is not settled, a location is not this store's or cannot be sold
    from, or the right is missing.
    """
    if by is not None and not by.has_perm(RIGHT):
        raise MappingRefused("Your role may not map locations.", "Onboarding staff or an administrator can.")
    wanted = _checked(store, changes)
    with transaction.atomic():
        # Two people who map at once: the second sees what the first has done.
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)
        present = {mapping.location_id: mapping for mapping in store.location_mappings.select_related("location")}
        moves = _moves(present, wanted)
        if not moves:
            return MappingResult(unchanged=len(wanted))
        concerned = _lock_concerned(store, moves)
        _write(store, present, moves)
        left = _left(store, moves)
        vacated = left & {before for _, before, after in moves if before and after}
        _vacate(store, vacated)
        participation.refresh(store, new_baseline_for=concerned)
        _record(store, moves, by)
        return _result(store, wanted, moves, vacated, left)


def _checked(store: Store, changes: Mapping[int, int | None]) -> dict[Location, StoreLocation | None]:
    """The changes as rows. Raises MappingRefused for one that makes no sense."""
    ours = Location.objects.in_bulk(list(changes))
    theirs = store.locations.in_bulk([ref for ref in changes.values() if ref is not None])
    wanted: dict[Location, StoreLocation | None] = {}
    for location_id, store_location_id in changes.items():
        location = ours.get(location_id)
        if location is None:
            raise MappingRefused(f"There is no location {location_id} here.", "Load the page again and choose anew.")
        if store_location_id is None:
            wanted[location] = None
            continue
        store_location = theirs.get(store_location_id)
        if store_location is None:
            raise MappingRefused(
                f"{store.name} has no such location for {location}.", "Test the connection to read its locations again."
            )
        _check_usable(store_location)
        wanted[location] = store_location
    return wanted


def _check_usable(store_location: StoreLocation) -> None:
    if store_location.is_fulfillment_service:
        raise MappingRefused(
            f"Stock at {store_location} is managed by a fulfilment service.", "Choose a location of the merchant's own."
        )
    if not store_location.is_active:
        raise MappingRefused(
            f"{store_location} is deactivated in the store.",
            "Activate it there and test the connection, or choose another.",
        )


def _moves(present: Mapping[int, LocationMapping], wanted: Mapping[Location, StoreLocation | None]) -> Moves:
    """The mappings that change."""
    moves = []
    for location, store_location in wanted.items():
        before = present[location.pk].store_location_id if location.pk in present else None
        after = store_location.pk if store_location else None
        if before != after:
            moves.append((location, before, after))
    return moves


def _lock_concerned(store: Store, moves: Moves) -> list[int]:
    """Lock the publications whose group changes. Raises MappingRefused when one is claimed. Returns the ids of those that
    took no part without a mapping: what the store did to them meanwhile is not known."""
    touched = Q()
    for location, before, after in moves:
        touched |= Q(store_location=before, members__level__location=location)
        touched |= Q(store_location=after, listed__variant__levels__location=location)
    ids = LevelPublication.objects.filter(touched, store=store).exclude(state=PublicationState.CLOSED).values("pk")
    rows = LevelPublication.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    locked = list(rows.values_list("pk", "claim", "excluded"))
    unsettled = sum(claim is not None for _, claim, _ in locked)
    if unsettled:
        raise MappingRefused(
            f"{unsettled} {'level is' if unsettled == 1 else 'levels are'} on the way to {store.name} and not settled yet.",
            "Try again when the run is done; a level that stays unsure needs its next full sync first.",
        )
    return [pk for pk, _, excluded in locked if excluded == Exclusion.UNMAPPED]


def _write(store: Store, present: Mapping[int, LocationMapping], moves: Moves) -> None:
    for location, _, after in moves:
        if after is None:
            present[location.pk].delete()
        else:
            LocationMapping.objects.update_or_create(
                store=store, location=location, defaults={"store_location_id": after}
            )


def _left(store: Store, moves: Moves) -> set[int]:
    """The store's locations that showed goods of ours, and have none of them any more."""
    shown = LevelPublication.objects.filter(store=store, store_location=OuterRef("pk"), baseline_at__isnull=False)
    before = [before for _, before, _ in moves if before]
    return set(store.locations.filter(Exists(shown), pk__in=before, mappings=None).values_list("pk", flat=True))


def _vacate(store: Store, moved_away: set[int]) -> None:
    store.locations.filter(mappings__store=store, vacated=True).update(vacated=False)
    store.locations.filter(pk__in=moved_away).update(vacated=True)


def _result(
    store: Store,
    wanted: Mapping[Location, StoreLocation | None],
    moves: Moves,
    vacated: set[int],
    left: set[int],
) -> MappingResult:
    names = dict(store.locations.filter(pk__in=left).values_list("pk", "name"))
    mapped = sum(before is None for _, before, _ in moves)
    unmapped = sum(after is None for _, _, after in moves)
    there = {after for _, _, after in moves if after}
    fresh = LevelPublication.objects.filter(store=store, store_location__in=there).eligible()
    return MappingResult(
        mapped=mapped,
        moved=len(moves) - mapped - unmapped,
        unmapped=unmapped,
        unchanged=len(wanted) - len(moves),
        new_baselines=fresh.filter(state=PublicationState.NO_BASELINE).count(),
        vacated=tuple(name for pk, name in names.items() if pk in vacated),
        left=tuple(name for pk, name in names.items() if pk not in vacated),
    )


def _record(store: Store, moves: Moves, by: User | None) -> None:
    names = dict(store.locations.values_list("pk", "name"))
    audit.record(
        by,
        "map locations",
        str(store),
        before={str(location): names.get(before) if before else None for location, before, _ in moves},
        after={str(location): names.get(after) if after else None for location, _, after in moves},
    )


def location_for(store_location: StoreLocation, *, by: User | None) -> Location:
    """Our location of the same name, made if there is none. Its short name for files comes from the name.

    Raises MappingRefused without the right.
    """
    if by is not None and not by.has_perm("inventory.add_location"):
        raise MappingRefused("Your role may not add locations.", "Onboarding staff or an administrator can.")
    wanted = folded(store_location.name)
    for location in Location.objects.all():
        if folded(location.name) == wanted:
            return location
    code = slugify(wanted)[:50] or f"location-{store_location.pk}"
    taken = set(Location.objects.filter(code__startswith=code).values_list("code", flat=True))
    number = 1
    while (free := code if number == 1 else f"{code}-{number}") in taken:
        number += 1
    location = Location.objects.create(code=free, name=store_location.name)
    audit.record(by, "add location", str(location), after={"code": location.code, "like": str(store_location.store)})
    return location
