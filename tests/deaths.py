"""A worker that dies: before a statement, before a call leaves, or after a store carried it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

UNDOING = ("ROLLBACK TO", "RELEASE")


class Killed(BaseException):
    """The worker is gone. No `except Exception` of ours may notice it."""


class Death:
    """Comes at the n-th boundary."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0
        self.dead = False

    def boundary(self) -> None:
        self.passed += 1
        if self.dead or self.passed == self.at:
            self.dead = True
            raise Killed

    def statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """A wrapper of statements, for `connection.execute_wrapper`."""
        # The database undoes what a dead worker had not committed; that is no act of the worker.
        if not (self.dead and str(sql).startswith(UNDOING)):
            self.boundary()
        return execute(sql, params, many, context)


@contextmanager
def forgotten() -> Iterator[None]:
    """A world that leaves no trace in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
