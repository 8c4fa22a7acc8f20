"""What people do in the console: they sign sheets, decide about drift, undo runs, let go of what was set aside,
change settings and map locations anew."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from connectors import store_settings
from connectors.models import Store, SyncRun
from connectors.models.runs import OPEN, Trigger
from inventory import deciding, frozen, mapping, signatures, undo, validation
from inventory.deciding import ENDS_AS, Decision
from inventory.frozen import ReleaseRefused
from inventory.jobs import Job
from inventory.mapping import MappingRefused
from inventory.models import Drift, LevelPublication
from inventory.models.drifts import STANDING, DriftState
from inventory.models.publications import SET_ASIDE, PublicationState
from inventory.validation import ValidationRefused
from orders import knowledge
from tests.simulation.books import Shelf
from tests.simulation.histories import LOCATIONS, Act
from tests.simulation.shops import PLACES

if TYPE_CHECKING:
    from tests.simulation.engine import Engine

DECISIONS: Final = {Decision.ACCEPT: 4, Decision.KEEP: 4, Decision.IGNORE: 1}
ENDINGS: Final = (Decision.ACCEPT, Decision.KEEP)


def sign(engine: Engine, store: Store) -> None:
    """Somebody counts the sample and signs, once a full sync has read the store; before, the gate stays shut."""
    if signatures.standing(store) or not validation.last_read(store):
        return
    sheet = validation.draw(store, engine.person)
    for sample in sheet.samples.filter(counted=None):
        there = sum(engine.books.on_hand[at] for at in engine.books.group(engine.shelves[sample.publication_id]))
        validation.count(sample, max(there, Decimal(0)), "As the books say.", engine.person)
    try:
        validation.sign(store, engine.person)
    except ValidationRefused as refused:  # the ledger does not add up
        engine.problems.append(str(refused))


def decide(engine: Engine, store: int, chance: random.Random) -> None:
    """Orders are asked for and levels read that the store told of, as the schedule does; then somebody goes through some of
    its drift, and now and then sends a form twice."""
    knowledge.bring_in(engine.stores[store])
    engine.hear_of_levels(store, chance)
    drifts = _standing(engine, store)
    for drift in chance.sample(drifts, min(3, len(drifts))):
        decision = chance.choices(tuple(DECISIONS), tuple(DECISIONS.values()))[0]
        for _ in range(chance.choice((1, 1, 1, 2))):
            _decide(engine, drift, decision, chance)


def decide_the_rest(engine: Engine) -> None:
    """Before the end: what was left alone, and every drift of every other item. Each of these must be decided."""
    for store in range(2):
        for drift in _standing(engine, store):
            shelf = engine.shelves[drift.publication_id]
            if drift.state != DriftState.IGNORED and shelf.item % 2 == 0:
                continue
            chance = random.Random(f"{shelf}")
            _decide(engine, drift, chance.choice(ENDINGS), chance)


def _standing(engine: Engine, store: int) -> list[Drift]:
    rows = Drift.objects.filter(store=engine.stores[store], publication__in=engine.shelves, state__in=STANDING)
    return list(rows.select_related("publication").order_by("publication"))


def _decide(engine: Engine, drift: Drift, decision: Decision, chance: random.Random) -> None:
    """Decide about one drift; not where the reading has sales in it that nobody has heard of, and people have edited the level as
    well: that difference is nobody's."""
    level = drift.publication
    shelf = engine.shelves[level.pk]
    if engine.is_slow and engine.books.undecided(shelf) and level.observed_moved_at:
        until = level.observed_moved_at.timestamp()
        if engine.books.edited_by(shelf, until) != drift.quantity:
            return
    goods = chance.choice(engine.books.group(shelf))
    choice = {level.store_location_id: engine.locations[goods[1]].pk}
    drift.refresh_from_db(fields=["state"])
    engine.decision = drift, decision, goods
    told = deciding.decide([drift.pk], decision, by=engine.person, reason="Somebody looked.", choice=choice)
    engine.played.update([f"drift: {decision}"] * told.decided or [f"drift: {decision}, refused"])
    note_decision(engine)


def note_decision(engine: Engine) -> None:
    """Note what is true since the last decision: theirs (row 18) or ours (row 19). Nothing where it was not taken; a worker
    may die on either side of it."""
    if engine.decision is None:
        return
    (drift, decision, goods), engine.decision = engine.decision, None
    taken = Drift.objects.filter(pk=drift.pk, state=ENDS_AS[decision]).exclude(state=drift.state).exists()
    level = drift.publication
    if not taken or decision is Decision.IGNORE or level.observed_moved_at is None:
        return
    shelf, until = engine.shelves[level.pk], level.observed_moved_at.timestamp()
    if level.state == PublicationState.LIVE:
        engine.look_at_drift(shelf, until, drift.quantity)
    accepted = decision is Decision.ACCEPT
    engine.raised += engine.books.decided(shelf, until, drift.quantity, goods if accepted else None)


def undo_a_run(engine: Engine, store: int, chance: random.Random) -> None:
    """Somebody takes back what one of the store's last runs changed, or goes on with that."""
    runs = SyncRun.objects.filter(store=engine.stores[store]).order_by("-pk")
    run = runs.filter(kind=undo.KIND, status__in=OPEN).first()
    if run is None:
        wrong = [run for run in runs[:8] if undo.why_not(run) is None]
        if not wrong:
            return
        run = undo.start(
            chance.choice(wrong[:3]), trigger=Trigger.PERSON, reason="It was wrong.", requested_by=engine.person
        )
    engine.advance(run)
    engine.played["undone levels"] += undo.changed(run).count()


def let_go(engine: Engine, store: int, chance: random.Random) -> None:
    """Somebody lets go of some of the store's levels that were set aside."""
    release(engine, [pk for pk in _set_aside(engine) if engine.shelves[pk].store == store and chance.random() < 0.7])


def let_all_go(engine: Engine) -> bool:
    """Somebody lets go of everything that is set aside. Returns whether there was anything."""
    levels = _set_aside(engine)
    release(engine, levels)
    return bool(levels)


def release(engine: Engine, levels: list[int]) -> None:
    if not levels:
        return
    try:
        released = frozen.release(levels, by=engine.person, reason="It was corrected.")
    except ReleaseRefused:
        engine.played["let go, refused"] += 1
    else:
        engine.played["levels let go"] += released


def _set_aside(engine: Engine) -> list[int]:
    rows = LevelPublication.objects.filter(pk__in=engine.shelves, state__in=SET_ASIDE)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def change_settings(engine: Engine, store: int, chance: random.Random) -> None:
    """Somebody changes what is kept back from a store, or whether it may show less than nothing."""
    rules = engine.books.rules[store]
    match chance.choice(("buffer", "buffer", "never_below_zero", "unavailable_left_out")):
        case "buffer":
            rules.buffer = chance.choice((0, 1, 2, 5))
        case "never_below_zero":
            rules.never_below_zero = not rules.never_below_zero
        case _:
            rules.unavailable_left_out = not rules.unavailable_left_out
    store_settings.change(engine.stores[store], "change settings", asdict(rules), by=engine.person)
    engine.played["settings changed"] += 1


def map_anew(engine: Engine, store: int, chance: random.Random) -> None:
    """Somebody sells our locations from other places of the store, once every order of it is known. It must be refused
    while a push is on its way; no place is left without goods of ours."""
    knowledge.bring_in(engine.stores[store])
    if any(work.unread for work in engine.shops.works if work.store == store):
        return
    mapped = engine.books.mapped[store]
    thought_of = [
        {location: chance.randrange(LOCATIONS) for location in range(LOCATIONS) if chance.random() < 0.9}
        for _ in range(20)
    ]
    wanted = next((new for new in thought_of if {*mapped.values()} <= {*new.values()} and new != mapped), None)
    if wanted is None:
        return
    row = engine.stores[store]
    places = {PLACES.index(place.name): place.pk for place in row.locations.all()}
    asked = {engine.locations[at].pk: places[wanted[at]] if at in wanted else None for at in range(LOCATIONS)}
    engine.mapping = store, wanted, _on_their_way(engine, store)
    try:
        mapping.map_locations(row, asked, engine.person)
    except MappingRefused as refused:
        (*_, claimed), engine.mapping = engine.mapping, None
        engine.played["mapping, refused"] += 1
        engine.problems += [] if claimed else [f"mapping refused: {refused.cause}"]
        return
    note_mapping(engine)
    engine.run(store, Job.FULL)  # those levels have no baseline now


def note_mapping(engine: Engine) -> None:
    """Note how a store's locations are mapped since somebody mapped them anew. Nothing where that was not done; a worker may
    die on either side of it."""
    if engine.mapping is None:
        return
    (store, wanted, claimed), engine.mapping = engine.mapping, None
    rows = engine.stores[store].location_mappings.values_list("location", "store_location__name")
    ours = {location.pk: number for number, location in enumerate(engine.locations)}
    if {ours[location]: PLACES.index(place) for location, place in rows} != wanted:
        return
    mapped = engine.books.mapped[store]
    moved = {location for location in range(LOCATIONS) if mapped.get(location) != wanted.get(location)}
    touched = {place for at in moved for place in (mapped.get(at), wanted.get(at))}
    engine.problems += [
        f"{shelf} was mapped anew with a push on its way" for shelf in claimed if shelf.place in touched
    ]
    engine.books.remapped(store, wanted)
    engine.know_shelves()
    engine.played["mapped anew"] += 1


def _on_their_way(engine: Engine, store: int) -> list[Shelf]:
    rows = LevelPublication.objects.filter(store=engine.stores[store], claim__isnull=False)
    return [engine.shelves[pk] for pk in rows.values_list("pk", flat=True)]


STEPS: dict[Act, Callable[[Engine, int, random.Random], None]] = {
    Act.LET_GO: let_go,
    Act.SETTINGS: change_settings,
}
WORK: dict[Act, Callable[[Engine, int, random.Random], None]] = {
    Act.DECIDE: decide,
    Act.UNDO: undo_a_run,
    Act.MAP: map_anew,
}
"""What asks the store."""
