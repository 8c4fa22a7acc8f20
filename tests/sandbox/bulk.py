"""Bulk operations as an app uses them: documents, uploads, waiting, result files."""

from __future__ import annotations

import json
from typing import Any

import httpx

from sandbox.shopify.bulk import BulkOperation
from sandbox.wire import Request
from tests.sandbox.client import Answer, App

RUN_QUERY = """mutation Run($query: String!, $grouped: Boolean! = false) {
  bulkOperationRunQuery(query: $query, groupObjects: $grouped) {
    bulkOperation { id status createdAt } userErrors { code field message } } }"""
RUN_MUTATION = """mutation Run($mutation: String!, $path: String!, $label: String) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path, clientIdentifier: $label) {
    bulkOperation { id status createdAt } userErrors { code field message } } }"""
READ = """query Read($id: ID!) { bulkOperation(id: $id) {
  id type status errorCode createdAt completedAt objectCount rootObjectCount fileSize url partialDataUrl query } }"""
CANCEL = """mutation Cancel($id: ID!) { bulkOperationCancel(id: $id) {
  bulkOperation { id status } userErrors { field message } } }"""
STAGE = """mutation Stage($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) {
  stagedTargets { url resourceUrl parameters { name value } } userErrors { field message } } }"""
INNER_SET = """mutation Inner($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id } userErrors { code field message } } }"""
LEVELS = """{ inventoryItems { edges { node { id sku inventoryLevels { edges { node {
  id location { id } quantities(names: ["available", "on_hand"]) { name quantity } } } } } } } }"""
CATALOGUE = "{ products { edges { node { id handle variants { edges { node { id sku } } } } } } }"


class Bulk:
    """An app that works in bulk."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.http = httpx.Client(transport=httpx.WSGITransport(app=app.sandbox.wsgi), base_url="http://sandbox")

    def start_query(self, text: str, *, grouped: bool = False) -> dict[str, Any]:
        """The payload of a start."""
        data = self.app.ask(RUN_QUERY, {"query": text, "grouped": grouped}).data
        return dict(data["bulkOperationRunQuery"])

    def start_mutation(self, text: str, path: str, label: str | None = None) -> dict[str, Any]:
        """The payload of a start."""
        data = self.app.ask(RUN_MUTATION, {"mutation": text, "path": path, "label": label}).data
        return dict(data["bulkOperationRunMutation"])

    def target(self, method: str = "POST", filename: str = "job-1.jsonl") -> dict[str, Any]:
        """A place for an upload."""
        wanted = {
            "resource": "BULK_MUTATION_VARIABLES",
            "filename": filename,
            "mimeType": "text/jsonl",
            "httpMethod": method,
        }
        return dict(self.app.ask(STAGE, {"input": [wanted]}).data["stagedUploadsCreate"]["stagedTargets"][0])

    def upload(self, target: dict[str, Any], content: bytes) -> httpx.Response:
        """The form that a target asks for."""
        fields = {each["name"]: (None, each["value"]) for each in target["parameters"]}
        return self.http.post(target["url"], files={**fields, "file": ("job.jsonl", content, "text/jsonl")})

    def staged(self, *lines: dict[str, Any]) -> str:
        """The path of an uploaded file with these lines."""
        target = self.target()
        content = "".join(json.dumps(line) + "\n" for line in lines)
        assert self.upload(target, content.encode()).status_code == 201
        return path_of(target)

    def row(self, gid: str) -> BulkOperation:
        """The sandbox's own row."""
        row = self.app.shop.node(gid)
        assert isinstance(row, BulkOperation)
        return row

    def ended(self, started: dict[str, Any]) -> dict[str, Any]:
        """The operation over the API, once it has ended."""
        assert started["userErrors"] == [], started
        gid = started["bulkOperation"]["id"]
        assert self.row(gid).ended.wait(20)
        return self.read(gid)

    def read(self, gid: str) -> dict[str, Any]:
        """The operation over the API."""
        return dict(self.app.ask(READ, {"id": gid}).data["bulkOperation"])

    def cancel(self, gid: str) -> Answer:
        """Ask for the end."""
        return self.app.ask(CANCEL, {"id": gid})

    def lines(self, url: str) -> list[dict[str, Any]]:
        """The rows of a result file."""
        reply = self.http.get(url)
        assert reply.status_code == 200, reply.text
        return [json.loads(line) for line in reply.text.splitlines()]

    def download(self, url: str, **headers: str) -> Any:
        """A download as the sandbox answers it, before any of it is sent."""
        path = url.removeprefix("http://sandbox")
        return self.app.sandbox.answer(Request("GET", path, {}, headers, b""))


def path_of(target: dict[str, Any]) -> str:
    """The staged upload path of a target."""
    return next(str(each["value"]) for each in target["parameters"] if each["name"] == "key")


def user_codes(payload: dict[str, Any]) -> list[str]:
    """The codes of the user errors of a payload."""
    return [error["code"] for error in payload["userErrors"]]
