"""A row that the store refuses costs the other rows nothing."""

from __future__ import annotations

from collections.abc import Callable

from connectors.models.runs import Outcome, RunStatus
from inventory.models.publications import PublicationState
from tests.journeys.merchants import Merchant, sku

BAD = sku(613)


def test_one_bad_row_in_a_thousand_is_named_and_the_others_go_through(merchant: Callable[..., Merchant]) -> None:
    atelier = merchant(variants=1000)
    atelier.full()
    atelier.shop.poison(BAD)
    atelier.post({sku(number): 3 for number in range(1, 1001)})
    before = len(atelier.shop.mutations())

    run = atelier.delta()

    assert run.status == RunStatus.PARTIAL
    assert run.counts == {Outcome.APPLIED: 999, Outcome.REFUSED: 1}
    [refused] = run.items.filter(outcome=Outcome.REFUSED)
    assert refused.label.startswith(BAD)
    assert refused.cause
    assert refused.remedy
    assert len(atelier.shop.mutations()) - before <= 6
    shown = atelier.shop.available()
    assert shown.pop(BAD) == 10
    assert set(shown.values()) == {13}
    assert atelier.publication(BAD).state == PublicationState.QUARANTINED
