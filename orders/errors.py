"""Why an incoming order cannot be carried yet."""

from __future__ import annotations


class OrderRefused(Exception):
    """An order cannot be carried as it is. It stays in the queue, with `cause` and `remedy` for a person.

    `waits_for` names what it lacks (`currency:XYZ`, `gateway:<name>`, `item:<ref>`, `total`): once that is there, every
    order of the store that waits for it is tried again.
    """

    def __init__(self, cause: str, remedy: str, waits_for: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.waits_for = waits_for
