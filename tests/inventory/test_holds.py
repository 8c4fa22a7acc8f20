"""Holds that last are told of once; a level too busy to rest needs no alarm; a person may sign for unknown orders."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from connectors.models import Notice, NoticeEvent, NoticeRule, RemoteChange, Store
from inventory import holds, offsets
from inventory.models import LevelPublication, OffsetAcknowledgement
from inventory.offsets import OffsetRefused
from inventory.tasks import tell_of_long_holds
from syncconsole.kernel.models import AuditEntry
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(world: World) -> World:
    """A live store whose level A has two units committed in an order that is not known here."""
    world.item("A", here=10, there=7)
    world.rest()
    world.full("go-live")
    world.sell("A", 2)
    world.rest()
    world.full()
    return world


def since(hours: float, **more: object) -> None:
    LevelPublication.objects.update(held_since=timezone.now() - dt.timedelta(hours=hours), **more)


def test_a_hold_past_the_limit_is_told_of_once(held: World) -> None:
    NoticeRule.objects.create(
        name="Team", events=[NoticeEvent.HELD_LONG], address="jsons://x.example", repeat_minutes=0
    )
    since(1)
    tell_of_long_holds()
    assert not Notice.objects.exists()

    since(3)
    tell_of_long_holds()
    tell_of_long_holds()
    (told,) = Notice.objects.all()
    assert "1 level is held" in told.subject
    assert "2 committed" in told.body


def test_the_limit_is_the_store_s(held: World) -> None:
    since(3)
    assert holds.past_limit(held.store).count() == 1
    Store.objects.update(hold_hours=4)
    held.store.refresh_from_db()
    assert holds.past_limit(held.store).count() == 0


def test_a_busy_level_gives_no_alarm(held: World) -> None:
    since(3, hold_test="a", observed_moved_at=timezone.now())
    level = held.publication("A")
    assert holds.is_busy(level)
    assert holds.past_limit(held.store).count() == 0
    since(3, observed_moved_at=timezone.now() - dt.timedelta(hours=5))  # it rests, and is not known all the same
    assert not holds.is_busy(held.publication("A"))
    assert holds.past_limit(held.store).count() == 1


def sign(world: World, committed: int = 2, open_here: int = 0) -> OffsetAcknowledgement | None:
    return offsets.acknowledge(
        world.publication("A").pk,
        committed=committed,
        open_here=open_here,
        by=world.operator,
        reason="Two orders of last year.",
    )


def test_signed_for_the_level_is_held_no_more_and_may_fall_not_rise(held: World) -> None:
    signed = sign(held)

    assert signed is not None
    assert (signed.quantity, signed.committed, signed.open_here, signed.signed_by) == (2, 2, 0, held.operator)
    assert RemoteChange.objects.filter(kind="level", state="waiting").exists()
    run = held.full()
    assert run.items.get(outcome="held").cause.endswith("it may be lowered, not raised.")
    held.post("A", -5)
    held.full()
    assert held.shown("A") == 5


def test_it_shrinks_by_itself_as_those_orders_are_fulfilled(held: World) -> None:
    sign(held)
    held.fake.fulfil(held.publication("A").item_ref, held.there, 1)
    held.rest()
    held.full()
    assert held.publication("A").acknowledged_offset == 1
    assert OffsetAcknowledgement.objects.get().quantity == 2


def test_signed_twice_it_is_signed_once(held: World) -> None:
    sign(held)
    assert sign(held) is None
    assert OffsetAcknowledgement.objects.count() == 1


def test_only_what_the_person_saw_is_signed(held: World) -> None:
    with pytest.raises(OffsetRefused, match="2 committed and 0 are open"):
        sign(held, committed=3)
    with pytest.raises(OffsetRefused, match="reason"):
        offsets.acknowledge(held.publication("A").pk, committed=2, open_here=0, by=None, reason="")
    LevelPublication.objects.update(observed_committed=0)
    with pytest.raises(OffsetRefused, match="No committed unit"):
        sign(held, committed=0)


def test_hidden_old_orders_are_named_as_the_usual_cause(held: World) -> None:
    assert offsets.older_orders_hidden(held.store)
    held.store.granted_scopes = ["read_all_orders"]
    assert not offsets.older_orders_hidden(held.store)


def test_by_command_a_level_is_signed_for_and_the_signature_withdrawn(held: World) -> None:
    slug, by = held.store.slug, held.operator.email
    code, told, _ = run("offsets", slug)
    [row] = told["levels"]
    assert (code, row["committed"], row["open_here"], row["signed"], row["held"]) == (0, 2, 0, 0, True)
    level = str(row["level"])
    signing = ("offsets", slug, "--sign", level, "--reason", "Last year's.")

    assert run(*signing, "--as", by)[1]["remedy"] == "Give --committed and --open-here as they are listed."
    assert run(*signing, "--committed", "2", "--open-here", "0")[1]["remedy"] == "Add --as EMAIL."
    viewer = UserFactory(roles=["Viewer"]).email
    assert run(*signing, "--committed", "2", "--open-here", "0", "--as", viewer)[0] == 2
    assert run(*signing, "--committed", "3", "--open-here", "0", "--as", by)[0] == 2
    code, told, _ = run(*signing, "--committed", "2", "--open-here", "0", "--as", by)
    assert (code, told["levels"][0]["signed"]) == (0, 2)

    assert run("offsets", slug, "--withdraw", level, "--as", by)[1]["cause"] == "The reason is missing."
    withdrawing = ("offsets", slug, "--withdraw", level, "--reason", "They were found.", "--as", by)
    assert run(*withdrawing)[0] == 0
    assert held.publication("A").acknowledged_offset == 0
    assert AuditEntry.objects.get(action="withdraw offset").before == {"units": 2}
    held.rest()
    held.full()
    assert held.publication("A").hold_test == "b", "held for them again"
    assert run(*withdrawing)[1]["cause"] == "Nothing is signed at this level."
