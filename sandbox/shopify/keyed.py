"""Mutation fields around their act: `@idempotent(key:)`, its memory and replays, the limits of an input list (reference §3.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .execution import Run
from .idempotency import fingerprint
from .inventory import Payload, UserError
from .replies import FieldFault, too_long
from .world import World

MAX_ROWS = 250

_MESSAGES = {
    "IDEMPOTENCY_CONCURRENT_REQUEST": "A request with the same idempotency key is still running. Try again with the same key.",
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": "The idempotency key was already used with different parameters.",
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": "The previous attempt with this idempotency key failed. Use a new key.",
}


def keyed(
    name: str,
    act: Callable[[World, dict[str, Any]], Payload],
    subject: str,
    *,
    with_code: bool,
    rows: str | None = None,
) -> Callable[[Any, dict[str, Any], Run], Payload]:
    """A mutation field that demands `@idempotent`: run once per key, replayed from memory afterwards.

    `subject` is the payload field that is null when the call is refused; `rows` names the list in its input.
    """

    def resolve(world: World, arguments: dict[str, Any], run: Run) -> Payload:
        key = run.keys.get(run.field)
        if key is None or not key.strip():
            message = "The @idempotent directive is required for this mutation but was not provided."
            raise FieldFault(message, "BAD_REQUEST")
        world.keys.append(key)
        if rows is not None:
            _check_shape(arguments["input"][rows], rows)
            world.rows += len(arguments["input"][rows])
        refused, attempt = world.memory.begin(key, fingerprint(name, arguments))
        if refused == "REPLAY":
            world.replayed = True
            return attempt.outcome  # type: ignore[no-any-return]
        if refused is not None:
            row: UserError = {"field": None, "message": _MESSAGES[refused]}
            return {subject: None, "userErrors": [{**row, "code": refused} if with_code else row]}
        try:
            world.pause()
            with world.shop.lock:
                payload = act(world, arguments)
        except BaseException:
            world.memory.drop(key)
            raise
        world.memory.finish(attempt, not payload["userErrors"], payload)
        return payload

    return resolve


def unkeyed(act: Callable[[World, dict[str, Any]], Payload]) -> Callable[[Any, dict[str, Any], Run], Payload]:
    """A mutation field without a key."""

    def resolve(world: World, arguments: dict[str, Any], run: Run) -> Payload:
        world.rows += 1
        world.pause()
        with world.shop.lock:
            return act(world, arguments)

    return resolve


def prepare_rows(rows: str, field: str) -> Callable[[dict[str, Any], Run], dict[str, Any]]:
    """Refuse an input list of more than 250 rows before anything is charged."""

    def prepare(arguments: dict[str, Any], run: Run) -> dict[str, Any]:
        size = len(arguments["input"][rows])
        if size > MAX_ROWS:
            raise too_long(size, [field, "input", rows])
        return arguments

    return prepare


def _check_shape(rows: list[dict[str, Any]], name: str) -> None:
    for i, row in enumerate(rows):
        if "changeFromQuantity" not in row:
            message = (
                f"The `changeFromQuantity` field is required on input.{name}.{i}: pass null to skip the comparison."
            )
            raise FieldFault(message, "INVALID_FIELD_ARGUMENTS")
