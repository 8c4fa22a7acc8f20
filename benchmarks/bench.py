"""What measurements share: their sizes, the sandbox, and merchants that several of them use."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.loading import Merchant
from benchmarks.simulators import Shop, Simulators
from benchmarks.watch import Memory


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the measured worlds are, in levels."""

    changed: int = 1_000
    small: int = 10_000
    large: int = 1_000_000
    full: int = 100_000
    full_unpaced: int = 25_000
    full_larger: int = 0
    plans: tuple[str, ...] = ("standard", "advanced", "plus", "enterprise")
    rounds: int = 7
    pacing_plans: tuple[str, ...] = ("standard", "advanced", "plus", "enterprise")
    pacing_processes: tuple[int, ...] = (1, 4)
    pacing_warm: float = 3.0
    """Seconds until as many points are on their way back as at any later moment, since requests ask for more points than
    they are charged."""
    pacing_seconds: float = 10.0
    urgent_seconds: float = 20.0
    intake_rounds: int = 10
    intake_seconds: float = 2.0
    deliveries: int = 10_000
    listed: int = 100_000
    listed_larger: int = 0
    orders_few: int = 5_000
    orders_many: int = 100_000
    lag_seconds: float = 60.0
    history: int = 10_000


QUICK = Sizes(
    changed=500,
    small=1_000,
    large=5_000,
    full=500,
    full_unpaced=500,
    rounds=1,
    plans=("standard", "plus"),
    pacing_plans=("plus",),
    pacing_processes=(4,),
    pacing_warm=0.5,
    pacing_seconds=0.5,
    urgent_seconds=1.0,
    intake_rounds=1,
    intake_seconds=0.3,
    deliveries=200,
    listed=2_000,
    orders_few=300,
    orders_many=1_000,
    lag_seconds=3.0,
    history=100,
)


@dataclass(slots=True)
class Bench:
    """What measurements share: the sandbox, the sizes, and merchants that several of them use."""

    there: Simulators
    sizes: Sizes
    memory: Memory = field(default_factory=Memory)
    shops: int = 0
    merchants: dict[tuple[int, int], Merchant] = field(default_factory=dict)

    def merchant(self, levels: int, on_hand: int) -> Merchant:
        """The catalogue of this size and stock, loaded once."""
        key = levels, on_hand
        if key not in self.merchants:
            self.merchants[key] = Merchant(f"m{len(self.merchants)}", levels=levels, on_hand=on_hand)
        return self.merchants[key]

    def shop(self, levels: int, plan: str) -> Shop:
        """A new shop of that size."""
        self.shops += 1
        return self.there.open_shop(f"bench-{plan}-{self.shops}", levels=levels, plan=plan)
