"""Faults to turn on. A rule says what goes wrong, for which calls, how often; the first rule that fires decides."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Any

STATUSES = (400, 401, 402, 403, 404, 406, 409, 414, 415, 422, 423, 429, 430, 500, 501, 502, 503, 504, 530, 540)
STATUS_KINDS = {str(status): status for status in STATUSES}
CALL_KINDS = (
    *STATUS_KINDS,
    "slow",
    "throttle",
    "lost_reply",
    "drop_before",
    "internal_error",
    "token_expiry",
    "stale_read",
)
DELIVERY_KINDS = ("webhook_duplicated", "webhook_reordered", "webhook_delayed", "webhook_lost")
KINDS = (*CALL_KINDS, *DELIVERY_KINDS)


@dataclass
class Rule:
    """One fault rule. `when` is for statuses: *before* execution, or *after* the effect is committed.

    `operation` narrows a rule for calls, `topic` one for webhook deliveries.
    """

    kind: str
    id: int = 0
    shop: str | None = None
    operation: str | None = None
    topic: str | None = None
    times: int | None = None  # None = until the rule is removed
    probability: float = 1.0
    delay_ms: int = 0
    after_calls: int = 0  # matching calls that pass unharmed first
    when: str = "before"
    retry_after: str = "2.0"
    seen: int = 0
    fired: int = 0
    kept: dict[str, Any] = field(default_factory=dict)  # for stale reads: shop domain -> its quantities at that time

    def as_json(self) -> dict[str, Any]:
        """The rule with its counters."""
        return {name: value for name, value in self.__dict__.items() if name != "kept"}


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
                if rule.kind in DELIVERY_KINDS or rule.operation not in (None, operation):
                    continue
                if rule.shop in (None, shop) and self._fires(rule):
                    return rule
        return None

    def strike_delivery(self, shop: str, topic: str) -> list[Rule]:
        """All rules that hit this webhook delivery; each is counted."""
        if not self._rules:
            return []
        with self._lock:
            return [
                rule
                for rule in self._rules
                if rule.kind in DELIVERY_KINDS
                and rule.shop in (None, shop)
                and rule.topic in (None, topic)
                and self._fires(rule)
            ]

    def _fires(self, rule: Rule) -> bool:
        if rule.times is not None and rule.fired >= rule.times:
            return False
        rule.seen += 1
        if rule.seen <= rule.after_calls:
            return False
        if rule.probability < 1.0 and self._random.random() >= rule.probability:
            return False
        rule.fired += 1
        return True


def _rule(described: dict[str, Any]) -> Rule:
    known = set(Rule.__dataclass_fields__) - {"id", "seen", "fired", "kept"}
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
    rule.topic = described.get("topic")
    once = 1 if kind == "token_expiry" else None
    rule.times = once if described.get("times") is None else int(described["times"])
    rule.probability = float(described.get("probability", 1.0))
    rule.delay_ms = int(described.get("delay_ms", 1000 if kind in ("slow", "webhook_delayed") else 0))
    rule.after_calls = int(described.get("after_calls", 0))
    rule.retry_after = str(described.get("retry_after", "2.0"))
    return rule
