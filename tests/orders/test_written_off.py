"""Returns that were written off wait on a list; what is found sellable goes back once, and every store gets it."""

from __future__ import annotations

import pytest

from connectors.models import Store
from inventory.models import LedgerEntry
from orders import imports, intake, written_off
from orders.written_off import ReturnRefused
from syncconsole.kernel.models import AuditEntry
from tests.console.conftest import SignIn, sign_in  # noqa: F401 - a fixture
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
from tests.orders.refund_cases import DAY
from tests.orders.shelves import Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"


@pytest.fixture
def entry(world: World) -> LedgerEntry:
    """Two of three shirts sent came back and were not put back in stock: 17 are on hand."""
    Store.objects.update(integration_date=DAY.date())
    shop = Shelves(item=world.item(SKU, here=20, there=20).item_ref)
    shop.place(3, world.there)
    shop.fulfil(3, world.there)
    shop.come_back(2, None)
    intake.keep(world.store, [shop.told()], asked_at=DAY)
    imports.import_waiting(Store.objects.get(pk=world.store.pk))
    return written_off.written_off().get()


def test_what_is_put_back_is_on_hand_again_and_leaves_the_list(world: World, entry: LedgerEntry) -> None:
    assert world.level(SKU).on_hand == 17
    person = UserFactory()

    back = written_off.return_to_stock(entry, 1, by=person, reason="as new")

    assert world.level(SKU).on_hand == 18
    assert (back.origin, back.actor, back.document, back.reason) == ("console", person, entry.document, "as new")
    assert not written_off.written_off().exists()
    assert AuditEntry.objects.get(action="return to stock").after == {"quantity": 1, "reason": "as new"}
    world.assert_sound()


def test_the_store_it_was_refunded_in_gets_it_too_since_it_does_not_know(world: World, entry: LedgerEntry) -> None:
    before = world.publication(SKU).pending

    written_off.return_to_stock(entry, 2, by=UserFactory(), reason="as new")

    assert world.publication(SKU).pending == before + 2


def test_it_goes_back_once(world: World, entry: LedgerEntry) -> None:
    written_off.return_to_stock(entry, 1, by=UserFactory(), reason="as new")

    with pytest.raises(ReturnRefused, match="already"):
        written_off.return_to_stock(entry, 1, by=UserFactory(), reason="again")
    assert world.level(SKU).on_hand == 18


@pytest.mark.parametrize("quantity", [0, -1, 3])
def test_no_more_goes_back_than_was_written_off(world: World, entry: LedgerEntry, quantity: int) -> None:
    with pytest.raises(ReturnRefused, match="2 were written off"):
        written_off.return_to_stock(entry, quantity, by=UserFactory(), reason="x")
    assert world.level(SKU).on_hand == 17


def test_the_page_puts_back_with_a_reason_and_only_with_the_right(
    world: World,
    entry: LedgerEntry,
    sign_in: SignIn,  # noqa: F811
) -> None:
    viewer, operator = sign_in("Viewer"), sign_in("Operator")
    post = f"/console/written-off/{entry.pk}/return/"

    assert "Return units to stock" not in viewer.get("/console/written-off/").content.decode()
    assert viewer.post(post, {"quantity": "2", "reason": "x"}).status_code == 403
    assert "the reason" in operator.post(post, {"quantity": "2", "reason": ""}, follow=True).content.decode()
    found = operator.get(f"/console/written-off/?q={SKU}&store={world.store.slug}").content.decode()
    assert "Return units to stock" in found

    told = operator.post(post, {"quantity": "2", "reason": "as new"}, follow=True).content.decode()

    assert "put back; the stores follow" in told
    assert "Nothing is written off" in told
    assert world.level(SKU).on_hand == 19


def test_by_command_it_is_listed_and_put_back_once(world: World, entry: LedgerEntry) -> None:
    outlet = StoreFactory(slug="outlet")
    assert run("written_off", outlet.slug)[1]["count"] == 0
    code, told, _ = run("written_off", world.store.slug, "--item", SKU)
    assert (code, [(row["number"], row["units"]) for row in told["listed"]]) == (0, [(entry.pk, 2)])
    command = ("written_off", "--return", str(entry.pk), "--units", "2", "--as", world.operator.email)
    assert run(*command)[1]["cause"] == "No reason was given."

    code, told, _ = run(*command, "--reason", "as new")

    assert (code, told["count"], world.level(SKU).on_hand) == (0, 0, 19)
    assert run(*command, "--reason", "as new")[1]["cause"] == f"There is no written-off return {entry.pk} among these."
