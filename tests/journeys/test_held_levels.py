"""A level that may not be overwritten yet waits, says for what, and follows by itself."""

from __future__ import annotations

from collections.abc import Callable

from connectors.models.runs import Outcome, RunStatus
from inventory.models.publications import PublicationState
from tests.journeys.merchants import Merchant, sku


def test_a_level_with_an_order_that_is_not_here_is_held_and_says_so(merchant: Callable[..., Merchant]) -> None:
    atelier = merchant(variants=20, here=12)
    atelier.shop.commit_unseen(sku(7), available=8, committed=2)
    atelier.shop.rest()

    run = atelier.full()

    assert run.status == RunStatus.COMPLETED, run.cause
    assert run.counts == {Outcome.APPLIED: 19, Outcome.HELD: 1}
    [held] = run.items.filter(outcome=Outcome.HELD)
    assert held.label.startswith(sku(7))
    assert held.cause == "The store has 2 committed in orders, of which 0 are known here."
    assert "imported or shipped" in held.remedy
    assert atelier.shop.available()[sku(7)] == 8  # what the customer left
    assert atelier.publication(sku(7)).state == PublicationState.NO_BASELINE
    atelier.assert_agrees(held=1)

    atelier.shop.commit_unseen(sku(7), available=8, committed=0)
    atelier.post({sku(7): -2})
    atelier.shop.rest()
    run = atelier.full()

    assert run.status == RunStatus.COMPLETED, run.cause
    assert atelier.shop.available()[sku(7)] == 10
    atelier.assert_agrees()


def test_a_sale_between_plan_and_approval_is_not_erased(merchant: Callable[..., Merchant]) -> None:
    atelier = merchant(variants=20, here=12)
    run = atelier.plan_full()
    atelier.shop.order(sku(3), 4)

    run = atelier.approve(run)

    assert run.counts == {Outcome.APPLIED: 19, Outcome.HELD: 1}
    assert run.status == RunStatus.PARTIAL
    assert atelier.shop.available()[sku(3)] == 6
    atelier.assert_agrees(held=1)
