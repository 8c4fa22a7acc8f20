"""Bulk operations and staged uploads over the Admin API (reference §5)."""

from __future__ import annotations

from typing import Any

from .access import ALL_SCOPES
from .bulk import BulkOperation, NotStarted, payload
from .connections import searched
from .execution import PageRequest, Run
from .pages import Page, take_page
from .topics import Topic
from .world import World

_FIELDS = {
    "completed_at": lambda row: row.completed_at,
    "created_at": lambda row: row.created_at,
    "id": lambda row: row.number,
    "operation_type": lambda row: row.type,
    "status": lambda row: row.status,
    "client_identifier": lambda row: row.client_identifier,
}
_NO_TARGET: dict[str, Any] = {"resourceUrl": None, "url": None, "parameters": []}


def _one(world: World, arguments: dict[str, Any], run: Run) -> BulkOperation | None:
    row = world.shop.node(arguments["id"])
    return row if isinstance(row, BulkOperation) and row.app_number == world.app_number else None


def _page(world: World, request: PageRequest, run: Run) -> Page:
    """Newest first unless reversed; the app sees its own only."""
    by_end = request.rest.get("sortKey") == "COMPLETED_AT"
    search = searched(world, "bulkOperations", request.rest.get("query"), _FIELDS, lambda row: row.type)

    def key_of(row: BulkOperation) -> tuple[Any, int]:
        return ((row.completed_at or "") if by_end else row.created_at, row.number)

    rows = [row for row in world.bulk.all_of(world.shop, world.app_number) if search is None or search.matches(row)]
    request.rest["reverse"] = not request.rest.get("reverse")
    return take_page(sorted(rows, key=key_of), request, key_of)


def _current(world: World, arguments: dict[str, Any], run: Run) -> BulkOperation | None:
    rows = [row for row in world.bulk.all_of(world.shop, world.app_number) if row.type == arguments["type"]]
    return rows[-1] if rows else None


def _run_query(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    try:
        return _started(
            world.bulk.start_query(world.lasting(run.scopes), arguments["query"], grouped=arguments["groupObjects"])
        )
    except NotStarted as problem:
        return _not_started(problem)


def _run_mutation(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    try:
        return _started(
            world.bulk.start_mutation(
                world.lasting(run.scopes),
                arguments["mutation"],
                arguments["stagedUploadPath"],
                arguments.get("clientIdentifier"),
            )
        )
    except NotStarted as problem:
        return _not_started(problem)


def _started(operation: BulkOperation) -> dict[str, Any]:
    return {"bulkOperation": operation, "userErrors": []}


def _not_started(problem: NotStarted) -> dict[str, Any]:
    told = {"code": problem.code, "field": problem.field, "message": problem.message}
    return {"bulkOperation": None, "userErrors": [told]}


def _cancel(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    row = _one(world, arguments, run)
    if row is None:
        return _not_cancelled(None, "Bulk operation does not exist")
    if not world.bulk.cancel(world.shop, row):
        return _not_cancelled(row, f"A bulk operation cannot be canceled when it is {row.status.lower()}")
    return {"bulkOperation": row, "userErrors": []}


def _not_cancelled(row: BulkOperation | None, message: str) -> dict[str, Any]:
    return {"bulkOperation": row, "userErrors": [{"field": ["id"], "message": message}]}


def _uploads(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    targets: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for i, wanted in enumerate(arguments["input"]):
        if not wanted["filename"].strip():
            errors.append({"field": ["input", str(i), "filename"], "message": "Filename can't be blank"})
            targets.append(_NO_TARGET)
            continue
        method = wanted.get("httpMethod", "PUT")
        target = world.bulk.files.reserve(
            world.base_url, world.shop.number, wanted["filename"], wanted["mimeType"], method
        )
        bulk = wanted["resource"] == "BULK_MUTATION_VARIABLES"
        targets.append(
            {
                "url": target.url,
                "resourceUrl": None if bulk else f"{world.base_url}/uploads/{target.key}",
                "parameters": [{"name": name, "value": value} for name, value in target.parameters],
            }
        )
    return {"stagedTargets": targets, "userErrors": errors}


BULK = Topic(
    full={
        ("QueryRoot", "bulkOperation"): _one,
        ("QueryRoot", "bulkOperations"): _page,
        ("QueryRoot", "currentBulkOperation"): _current,
        ("Mutation", "bulkOperationRunQuery"): _run_query,
        ("Mutation", "bulkOperationRunMutation"): _run_mutation,
        ("Mutation", "bulkOperationCancel"): _cancel,
        ("Mutation", "stagedUploadsCreate"): _uploads,
    },
    plain={
        ("BulkOperation", "id"): lambda row: row.gid,
        ("BulkOperation", "objectCount"): lambda row: str(row.objects),
        ("BulkOperation", "rootObjectCount"): lambda row: str(row.roots),
    },
    type_names={"BulkOperation": "BulkOperation"},
    node_scopes={"BulkOperation": frozenset(ALL_SCOPES)},  # any token
    mappings=frozenset(
        {
            "BulkMutationUserError",
            "BulkOperationCancelPayload",
            "BulkOperationRunMutationPayload",
            "BulkOperationRunQueryPayload",
            "BulkOperationUserError",
            "StagedMediaUploadTarget",
            "StagedUploadParameter",
            "StagedUploadsCreatePayload",
        }
    ),
    payloads={"bulk_operations/finish": payload},
)
"""Bulk operations and the uploads that feed them."""
