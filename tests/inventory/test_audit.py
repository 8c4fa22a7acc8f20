"""The ledger check sees each number that is changed past the functions that keep it."""

from __future__ import annotations

import pytest
from django.db import connection

from inventory import audit
from inventory.models import LevelPublication
from inventory.models.publications import PublicationState
from tests.worlds import World

pytestmark = pytest.mark.django_db
SKU = "TS-BLK-M"


@pytest.fixture
def world(world: World) -> World:
    """Live, with a push on its way whose answer is lost."""
    world.item(SKU, here=20, there=20)
    world.full("go-live")
    world.post(SKU, 5)
    world.fake.refuse_next_connection()
    world.delta()
    assert audit.audit_ledger().green
    return world


def found() -> set[str]:
    """The invariants that do not hold."""
    return {difference.invariant[:2] for difference in audit.audit_ledger().differences}


@pytest.mark.parametrize(
    ("invariant", "statement"),
    [
        ("I1", "UPDATE inventory_inventorylevel SET on_hand = on_hand + 1"),
        ("I1", "UPDATE inventory_inventorylevel SET released = released - 1"),
        ("I2", "UPDATE inventory_levelpublication SET expected_quantity = expected_quantity - 1"),
        ("I3", "UPDATE inventory_levelpublication SET baseline_at = NULL"),
        ("I3", "UPDATE inventory_levelpublication SET state = 'unsure', state_cause = 'No answer came.'"),
        ("I3", "UPDATE inventory_levelpublication SET state = 'frozen', state_cause = ''"),
        ("I3", "UPDATE inventory_push SET status = 'unsure'"),
        ("I4", "UPDATE inventory_push SET status = 'settled'"),
        ("I4", "UPDATE inventory_levelpublication SET claim_id = NULL"),
        ("I5", "UPDATE inventory_levelpublication SET open_remote = 3"),
        ("I7", "UPDATE inventory_levelpublication SET claim_id = NULL, needs_look = FALSE"),
    ],
)
def test_a_number_changed_by_hand_is_found(world: World, invariant: str, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)

    assert invariant in found()


def test_a_level_in_quarantine_says_why(world: World) -> None:
    LevelPublication.objects.update(state=PublicationState.QUARANTINED, state_cause="Two variants share its item.")

    assert found() == set()
