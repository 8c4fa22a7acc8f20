"""The call log: what was asked of the simulators, bounded to the last 20,000 calls."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 20_000


@dataclass
class Call:
    """One call, whether it was answered or not."""

    seq: int
    time: str  # by the sandbox's clock
    shop: str
    operation: str | None
    kind: str  # query, mutation, or empty when it never got that far
    status: int  # HTTP status; 0 = the connection was closed without an answer
    requested: int | None = None
    actual: int | None = None
    keys: tuple[str, ...] = ()
    replayed: bool = False
    rows: int = 0
    codes: tuple[str, ...] = ()  # error codes of the answer, top-level and user errors
    fault: str | None = None
    body_sha256: str = ""
    body_bytes: int = 0
    milliseconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The call as the control API shows it."""
        return asdict(self)


class CallLog:
    """The calls, oldest first. Safe for threads."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._seq = 0

    def next_seq(self) -> int:
        """The number of the next call."""
        with self._lock:
            self._seq += 1
            return self._seq

    def add(self, call: Call) -> None:
        """Keep a finished call."""
        with self._lock:
            self._calls.append(call)

    def clear(self) -> None:
        """Forget all calls; the numbering goes on."""
        with self._lock:
            self._calls.clear()

    def __len__(self) -> int:
        return len(self._calls)

    def last(self, count: int) -> list[Call]:
        """The newest calls, newest first."""
        with self._lock:
            return list(self._calls)[-count:][::-1]

    def matching(self, wanted: dict[str, str]) -> Iterator[Call]:
        """Calls that fit every given filter: shop, operation, kind, status, key, code, fault, after (a seq)."""
        with self._lock:
            calls = list(self._calls)
        after = int(wanted.get("after", "0"))
        for call in calls:
            if call.seq > after and _fits(call, wanted):
                yield call


def _fits(call: Call, wanted: dict[str, str]) -> bool:
    for name in ("shop", "operation", "kind", "fault"):
        if name in wanted and (getattr(call, name) or "") != wanted[name]:
            return False
    if "status" in wanted and str(call.status) != wanted["status"]:
        return False
    if "key" in wanted and wanted["key"] not in call.keys:
        return False
    return "code" not in wanted or wanted["code"] in call.codes
