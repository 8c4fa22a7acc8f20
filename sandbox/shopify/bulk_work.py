"""What a bulk operation does in its thread: rows to a file, or lines through the normal execution path (reference §5)."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from sandbox.files import Target

from .bulk_plan import BulkPlan, BulkRun, Reading
from .documents import Operation
from .execution import Run
from .replies import Refused

if TYPE_CHECKING:
    from .bulk import BulkDesk, BulkOperation
    from .world import World

HANDS = 3  # lines of a file that run at once
WINDOW = 24  # lines that are mixed up
TIME_LIMITS = {"MUTATION": 24 * 3600.0, "QUERY": 10 * 24 * 3600.0}


class Stopped(Exception):
    """The operation is to end: cancelled (no code), or failed by hand or by time."""

    def __init__(self, code: str | None) -> None:
        super().__init__(code or "cancelled")
        self.code = code


class Broken(Exception):
    """The operation can't go on."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def run_query(desk: BulkDesk, operation: BulkOperation, world: World, node: Any, fragments: Any) -> None:
    """Write every row that the query finds. Raises `Stopped` and `Broken`."""
    plan = BulkPlan(desk.documents.schema, desk.documents.vocabulary, node, fragments, {})
    run = BulkRun(world, world.effective, {})
    plan.fill(run)
    reading = Reading(plan, run, world.shop.lock, grouped=operation.grouped)
    with _result(desk, operation) as out:
        for rows in reading.slices():
            _check(operation)
            if run.errors:
                codes = {error["extensions"]["code"] for error in run.errors}
                raise Broken("ACCESS_DENIED" if "ACCESS_DENIED" in codes else "INTERNAL_SERVER_ERROR")
            world.searches.clear()
            out.write("".join(map(_line, rows)))
            operation.objects += len(rows)
            operation.roots = reading.roots
            _pace(desk, operation, len(rows))


def run_mutation(
    desk: BulkDesk, operation: BulkOperation, world: World, name: str, inner: Operation, target: Target, uploads: int
) -> None:
    """Execute every line of upload number `uploads`, several at once and out of order. Raises `Stopped` and `Broken`."""
    needs = desk.documents.vocabulary.access.get(("Mutation", name))
    if needs is not None and needs.isdisjoint(world.effective):
        raise Broken("ACCESS_DENIED")
    mixer = random.Random(operation.number)  # noqa: S311 - not for secrets
    with (
        target.path.open("rb") as file,
        _result(desk, operation) as out,
        ThreadPoolExecutor(HANDS) as hands,
    ):
        lines = ((number, text) for number, text in enumerate(file) if text.strip())
        while window := list(islice(lines, WINDOW)):
            if target.uploads != uploads:  # its checksum is no longer the one it started with
                raise Broken("INTERNAL_SERVER_ERROR")
            mixer.shuffle(window)
            while window:
                _check(operation)
                part, window = window[:HANDS], window[HANDS:]
                for done in as_completed([hands.submit(_execute, inner, world, each) for each in part]):
                    out.write(_line(done.result()))
                operation.objects += len(part)
                operation.roots += len(part)
                _pace(desk, operation, len(part))


def _execute(inner: Operation, world: World, numbered: tuple[int, bytes]) -> dict[str, Any]:
    """One line of a file, as if it had been sent on its own; it is not charged."""
    number, text = numbered
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        told = {"message": "The line is not a JSON object.", "extensions": {"code": "INVALID_VARIABLE"}}
        return {"data": None, "errors": [told], "__lineNumber": number}
    try:
        variables = inner.variables(given)
        plan = inner.plan(variables)
        run = Run(replace(world, keys=[], searches=[]), world.effective, variables)
        plan.fill(run)
        result: dict[str, Any] = {"data": plan.execute(run)}
    except Refused as refused:
        return {"data": None, "errors": refused.errors, "__lineNumber": number}
    if run.errors:
        result["errors"] = run.errors
    return {**result, "__lineNumber": number}


@contextmanager
def _result(desk: BulkDesk, operation: BulkOperation) -> Iterator[IO[str]]:
    """The result file while it is written; an empty one is no result."""
    stored = desk.files.new_result()
    try:
        with stored.path.open("w", encoding="utf-8", buffering=1 << 18) as out:
            yield out
    finally:
        stored.size = stored.path.stat().st_size if stored.path.exists() else 0
        if stored.size:
            operation.file = stored


def _check(operation: BulkOperation) -> None:
    if operation.fail_with is not None:
        raise Stopped(operation.fail_with)
    if operation.stop.is_set():
        raise Stopped(None)
    if operation.now() - operation.started > TIME_LIMITS[operation.type]:
        raise Stopped("TIMEOUT")


def _pace(desk: BulkDesk, operation: BulkOperation, rows: int) -> None:
    """Leave the processor to others for a moment, or for as long as the wanted speed needs."""
    speed = desk.manners.rows_per_second
    if not speed:
        time.sleep(0.0002)
        return
    until = time.monotonic() + rows / speed
    while (left := until - time.monotonic()) > 0:
        operation.stop.wait(min(left, 0.1))
        _check(operation)  # the clock may have been moved meanwhile


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False, default=str) + "\n"
