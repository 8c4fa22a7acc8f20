"""Faults of the network and the service: the numbers come out right, each write counts once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.models.runs import Outcome, RunStatus
from inventory.models import PushBatch
from inventory.models.pushes import UNSETTLED
from tests.journeys.merchants import Merchant, sku

MOVED = 600
"""Levels that move: three batches."""


def test_a_reply_lost_after_the_write_is_asked_for_again_with_the_same_bytes(merchant: Callable[..., Merchant]) -> None:
    atelier = merchant(variants=MOVED)
    atelier.full()
    atelier.post({sku(number): 4 for number in range(1, MOVED + 1)})
    atelier.shop.fault("lost_reply", "InventoryAdjust", times=2)

    run = atelier.delta()

    assert run.status == RunStatus.COMPLETED, run.cause
    assert set(atelier.shop.available().values()) == {14}
    calls = atelier.shop.calls("InventoryAdjust")
    lost = [call for call in calls if call["fault"] == "lost_reply"]
    replayed = [call for call in calls if call["replayed"]]
    assert len(lost) == len(replayed) == 2
    assert {call["body_sha256"] for call in replayed} == {call["body_sha256"] for call in lost}
    atelier.assert_agrees()


STUMBLES: list[dict[str, str]] = [
    {"kind": "429", "retry_after": "0.2"},
    {"kind": "503"},
    {"kind": "throttle"},
    {"kind": "drop_before"},
    {"kind": "500", "when": "after"},
]


def test_a_service_that_stumbles_twice_is_asked_again(merchant: Callable[..., Merchant]) -> None:
    atelier = merchant(variants=MOVED, here=20)
    atelier.full()
    for times, stumble in enumerate(STUMBLES, start=1):
        atelier.shop.sandbox.delete("/faults")
        before = len(atelier.shop.calls("InventoryAdjust"))
        atelier.post({sku(number): -3 for number in range(1, MOVED + 1)})
        atelier.shop.fault(operation="InventoryAdjust", times=2, **stumble)

        run = atelier.delta()
        while run.status == RunStatus.APPLYING:
            run = atelier.advance(run)

        assert run.status == RunStatus.COMPLETED, (stumble, run.cause)
        calls = atelier.shop.calls("InventoryAdjust")[before:]
        assert len([call for call in calls if call["fault"]]) == 2
        assert set(atelier.shop.available().values()) == {20 - 3 * times}, stumble
    atelier.assert_agrees()


def test_a_token_revoked_in_the_middle_pauses_the_store_and_loses_nothing(merchant: Callable[..., Merchant]) -> None:
    atelier = merchant(variants=MOVED)
    atelier.full()
    atelier.post({sku(number): 1 for number in range(1, MOVED + 1)})
    # The app is uninstalled after the first batch was written.
    atelier.shop.fault("401", "InventoryAdjust", after_calls=1)

    run = atelier.delta()

    assert run.status == RunStatus.FAILED
    assert "token" in run.cause.lower()
    assert run.remedy
    atelier.store.refresh_from_db()
    assert atelier.store.writes_paused
    assert atelier.store.pause_reason.startswith(run.cause)
    written = sorted(atelier.shop.available().values())
    assert written == [10] * (MOVED - 250) + [11] * 250
    with pytest.raises(Exception, match="paused"):
        atelier.start_delta()

    atelier.heal()
    run = atelier.delta()

    assert run.status == RunStatus.COMPLETED, run.cause
    assert set(atelier.shop.available().values()) == {11}
    assert not PushBatch.objects.filter(status__in=UNSETTLED).exists()
    atelier.assert_agrees()


def test_a_full_sync_through_bad_weather_ends_right(merchant: Callable[..., Merchant]) -> None:
    atelier = merchant(variants=MOVED, here=12)
    atelier.shop.fault("lost_reply", "InventorySet", times=1)
    atelier.shop.fault("throttle", "LevelsByItems", times=2)
    atelier.shop.fault("503", "InventorySet", times=1)

    run = atelier.full()
    while run.status in (RunStatus.PLANNING, RunStatus.APPLYING):
        run = atelier.advance(run)

    assert run.status == RunStatus.COMPLETED, run.cause
    assert run.counts == {Outcome.APPLIED: MOVED}
    assert set(atelier.shop.available().values()) == {12}
    atelier.assert_agrees()
