"""Pacers for tests that are not about pacing."""

from __future__ import annotations

from connectors.pacing import Lane, Reservation, ThrottleStatus


class OpenPacer:
    """Never waits; remembers what was reserved and settled."""

    def __init__(self) -> None:
        self.reserved: list[float] = []
        self.lanes: list[Lane] = []
        self.settled: list[tuple[float | None, ThrottleStatus | None]] = []

    def reserve(self, cost: float, lane: Lane = Lane.BULK) -> Reservation:
        self.reserved.append(cost)
        self.lanes.append(lane)
        return Reservation(ticket=str(len(self.reserved)), cost=cost, wait=0.0)

    def still_to_wait(self, reservation: Reservation) -> float:
        return 0.0

    def settle(self, reservation: Reservation, *, charged: float | None, status: ThrottleStatus | None) -> None:
        self.settled.append((charged, status))
