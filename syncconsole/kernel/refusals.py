"""Refusals: nothing was done, and the person is told why and what to do next."""

from __future__ import annotations


class Refusal(Exception):
    """What each kind of "no" of ours carries: `cause`, and `remedy`, both whole sentences."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy
