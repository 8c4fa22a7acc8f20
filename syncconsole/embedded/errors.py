"""Why the embedded services cannot be had, in words for the person at the terminal."""

from __future__ import annotations


class ServicesUnavailable(Exception):
    """PostgreSQL or Valkey could not be started or reached. Says the cause, and what to do about it."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy
