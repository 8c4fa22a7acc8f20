"""Faults to turn on. A rule says what goes wrong, for which calls, how often; the first rule that fires decides."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import Any

STATUS_KINDS = {
    "401": 401,
    "402": 402,
    "423": 423,
    "429": 429,
    "430": 430,
    "500": 500,
    "502": 502,
    "503": 503,
    "504": 504,
}
KINDS = (*STATUS_KINDS, "slow", "throttle", "lost_reply", "drop_before", "internal_error")


@dataclass
class Rule:
    """One fault rule. `when` is for statuses: *before* execution, or *after* the effect is committed."""

    kind: str
    id: int = 0
    shop: str | None = None
    operation: str | None = None
    times: int | None = None  # None = until the rule is removed
    probability: float = 1.0
    delay_ms: int = 0
    after_calls: int = 0  # matching calls that pass unharmed first
    when: str = "before"
    retry_after: str = "2.0"
    seen: int = 0
    fired: int = 0

    def as_json(self) -> dict[str, Any]:
        """The rule with its counters."""
        return dict(self.__dict__)


class Faults:
    """The rules in force. Safe for threads; chances come from a seeded generator, so that a run can be repeated."""

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - not for secrets
        self._next = 1

    def add(self, described: dict[str, Any]) -> Rule:
        """Put a rule in force. Raises ValueError with the reason when the description can't be used."""
        rule = _rule(described)
        with self._lock:
            rule.id = self._next
            self._next += 1
            self._rules.append(rule)
        return rule

    def clear(self, rule_id: int | None = None) -> int:
        """Remove one rule, or all; returns how many."""
        with self._lock:
            kept = [rule for rule in self._rules if rule_id is not None and rule.id != rule_id]
            removed = len(self._rules) - len(kept)
            self._rules = kept
            if rule_id is None:
                self._random = random.Random(self._seed)  # noqa: S311
            return removed

    def all(self) -> list[Rule]:
        """The rules, oldest first, spent ones included."""
        return list(self._rules)

    def strike(self, shop: str, operation: str | None) -> Rule | None:
        """The rule that hits this call, if any; it is counted."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if rule.shop not in (None, shop) or rule.operation not in (None, operation):
                    continue
                if rule.times is not None and rule.fired >= rule.times:
                    continue
                rule.seen += 1
                if rule.seen <= rule.after_calls:
                    continue
                if rule.probability < 1.0 and self._random.random() >= rule.probability:
                    continue
                rule.fired += 1
                return rule
        return None


def _rule(described: dict[str, Any]) -> Rule:
    known = {"kind", "shop", "operation", "times", "probability", "delay_ms", "after_calls", "when", "retry_after"}
    unknown = sorted(set(described) - known)
    if unknown:
        raise ValueError(f"A fault has no {', '.join(unknown)}. It has: {', '.join(sorted(known))}.")
    kind = str(described.get("kind", ""))
    if kind not in KINDS:
        raise ValueError(f"There is no fault of kind {kind!r}. Use one of: {', '.join(KINDS)}.")
    when = str(described.get("when", "before"))
    if when not in ("before", "after"):
        raise ValueError("A fault's 'when' is before or after.")
    rule = Rule(kind, when=when, shop=described.get("shop"), operation=described.get("operation"))
    rule.times = None if described.get("times") is None else int(described["times"])
    rule.probability = float(described.get("probability", 1.0))
    rule.delay_ms = int(described.get("delay_ms", 1000 if kind == "slow" else 0))
    rule.after_calls = int(described.get("after_calls", 0))
    rule.retry_after = str(described.get("retry_after", "2.0"))
    return rule
