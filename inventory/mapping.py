"""Which location of a store each of our locations is sold from: one to one, many to one, or all to one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify

from connectors.models import Store, StoreLocation
from inventory import publications
from inventory.models import LevelPublication, Location, LocationMapping
from inventory.models.publications import PublicationState
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

RIGHT: Final = "connectors.map_locations"
Named = TypeVar("Named", Location, StoreLocation)


class MappingRefused(Refusal):
    """No mapping was changed; says why and what to do."""


@dataclass(frozen=True, slots=True)
class MappingResult:
    """What `map_locations` changed: numbers of our locations, and of levels that need a new baseline."""

    mapped: int = 0
    moved: int = 0
    unmapped: int = 0
    unchanged: int = 0
    new_baselines: int = 0


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

    Levels whose group changes need a new baseline. One transaction; `by` None is the system.
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
        concerned = _lock_concerned(store, _moves(present, wanted))
        result = _write(store, present, wanted, len(concerned))
        if result.mapped or result.moved or result.unmapped:
            publications.refresh(store, new_baseline_for=concerned)
            _record(store, present, wanted, by)
    return result


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


def _moves(
    present: Mapping[int, LocationMapping], wanted: Mapping[Location, StoreLocation | None]
) -> list[tuple[Location, int | None, int | None]]:
    """(our location, where it is sold from, where it will be) for those that change."""
    moves = []
    for location, store_location in wanted.items():
        before = present[location.pk].store_location_id if location.pk in present else None
        after = store_location.pk if store_location else None
        if before != after:
            moves.append((location, before, after))
    return moves


def _lock_concerned(store: Store, moves: list[tuple[Location, int | None, int | None]]) -> list[int]:
    """Lock the publications whose group changes, and return their ids. Raises MappingRefused when one is claimed."""
    if not moves:
        return []
    touched = Q()
    for location, before, after in moves:
        touched |= Q(store_location=before, members__level__location=location)
        touched |= Q(store_location=after, listed__variant__levels__location=location)
    ids = LevelPublication.objects.filter(touched, store=store).exclude(state=PublicationState.CLOSED).values("pk")
    rows = LevelPublication.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    locked = list(rows.values_list("pk", flat=True))
    unsettled = LevelPublication.objects.filter(pk__in=locked, claim__isnull=False).count()
    if unsettled:
        raise MappingRefused(
            f"{unsettled} {'level is' if unsettled == 1 else 'levels are'} on the way to {store.name} and not settled yet.",
            "Try again when the run is done; a level that stays unsure needs its next full sync first.",
        )
    return locked


def _write(
    store: Store,
    present: Mapping[int, LocationMapping],
    wanted: Mapping[Location, StoreLocation | None],
    concerned: int,
) -> MappingResult:
    mapped = moved = unmapped = 0
    for location, before, after in _moves(present, wanted):
        if after is None:
            present[location.pk].delete()
            unmapped += 1
            continue
        LocationMapping.objects.update_or_create(store=store, location=location, defaults={"store_location_id": after})
        if before is None:
            mapped += 1
        else:
            moved += 1
    return MappingResult(mapped, moved, unmapped, len(wanted) - mapped - moved - unmapped, concerned)


def _record(
    store: Store,
    present: Mapping[int, LocationMapping],
    wanted: Mapping[Location, StoreLocation | None],
    by: User | None,
) -> None:
    names = dict(store.locations.values_list("pk", "name"))
    moves = _moves(present, wanted)
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
