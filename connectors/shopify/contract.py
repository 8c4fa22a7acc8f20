"""Our documents held against a schema of Shopify's: do they still validate, what in them is deprecated, and do they
leave refunds and cancellations to the shop.

Needs graphql-core, which production does without otherwise (requirements/demo.txt brings it).
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    OperationType,
    build_client_schema,
    parse,
    validate,
)

from connectors.ports.errors import RequestRejected
from connectors.shopify.documents import QUERIES, document
from connectors.shopify.replies import SERVICE

NEVER_SENT: Final = frozenset(
    {
        "orderCancel",
        "orderDelete",
        "orderEditCommit",
        "paymentScheduleCapture",
        "refundCreate",
        "returnProcess",
        "returnRefund",
        "transactionVoid",
    }
)
"""Mutations that refund, cancel, delete or re-price an order. Those decisions begin in the shop; we only follow them."""

_GZIP: Final = b"\x1f\x8b"


class _Deprecated(NoDeprecatedCustomRule):
    """The library's rule, whose part about arguments presumes a schema written by hand: it fails with one that came
    from an introspection."""

    _field = ""

    def enter_field(self, node: FieldNode, *parts: Any) -> None:
        self._field = node.name.value
        super().enter_field(node, *parts)

    def enter_argument(self, node: ArgumentNode, *_parts: Any) -> None:
        argument = self.context.get_argument()
        if argument is None or argument.deprecation_reason is None:
            return
        directive = self.context.get_directive()
        owner = f"@{directive.name}" if directive else f"{self.context.get_parent_type()}.{self._field}"
        said = f"The argument {owner}({node.name.value}:) is deprecated. {argument.deprecation_reason}"
        self.report_error(GraphQLError(said, node))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one document, named by its file without the ending."""

    document: str
    text: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What holding the documents against a schema showed. `broken` and `forbidden` are faults, `deprecated` a warning:
    it still works until Shopify removes it."""

    documents: int
    broken: list[Finding]
    deprecated: list[Finding]
    forbidden: list[Finding]

    @property
    def kept(self) -> bool:
        """Every document validates, and none does what is left to the shop."""
        return not self.broken and not self.forbidden


def our_documents() -> dict[str, str]:
    """Every document of ours by its name, as it is sent."""
    return {path.stem: document(path.stem).text for path in sorted(QUERIES.glob("*.graphql"))}


def schema_file(path: Path) -> GraphQLSchema:
    """The schema in a file of introspection, plain or gzipped. Raises `RequestRejected` where it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise _unreadable(f"{path} cannot be read: {exc.strerror}.") from exc
    return schema_of(content, str(path))


def schema_of(content: bytes, name: str) -> GraphQLSchema:
    """The schema in the JSON of an introspection, gzipped or not, bare or under `data`.

    Raises `RequestRejected` naming `name` where there is none.
    """
    try:
        plain = gzip.decompress(content) if content.startswith(_GZIP) else content
        found = json.loads(plain)
    except (OSError, EOFError, zlib.error, ValueError) as exc:
        raise _unreadable(f"{name} is no JSON, plain or gzipped ({exc}).") from exc
    inner = found.get("data", found) if isinstance(found, dict) else found
    if not isinstance(inner, dict) or "__schema" not in inner:
        raise _unreadable(f"{name} holds no __schema, so it is not the answer to an introspection.")
    try:
        return build_client_schema(inner, assume_valid=True)  # type: ignore[arg-type]
    except (TypeError, KeyError, GraphQLError) as exc:
        raise _unreadable(f"{name} holds a schema that is not whole ({exc}).") from exc


def check_documents(schema: GraphQLSchema, documents: Mapping[str, str] | None = None) -> Contract:
    """Hold `documents` (ours by default) against `schema`.

    Values that travel as variables are not seen here: a deprecated field inside one is not found.
    """
    ours = our_documents() if documents is None else documents
    broken: list[Finding] = []
    deprecated: list[Finding] = []
    forbidden: list[Finding] = []
    for name, text in ours.items():
        try:
            parsed = parse(text)
        except GraphQLError as exc:
            broken.append(Finding(name, exc.message))
            continue
        broken += [Finding(name, error.message) for error in validate(schema, parsed)]
        deprecated += [Finding(name, error.message) for error in validate(schema, parsed, [_Deprecated])]
        forbidden += [
            Finding(name, f"{field} is a decision of the shop and never sent from here.")
            for field in mutations_in(parsed)
            if field in NEVER_SENT
        ]
    return Contract(documents=len(ours), broken=broken, deprecated=deprecated, forbidden=forbidden)


def mutations_in(document: DocumentNode) -> Iterator[str]:
    """The root fields of a document's mutations."""
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode) and definition.operation is OperationType.MUTATION:
            for selection in definition.selection_set.selections:
                if isinstance(selection, FieldNode):
                    yield selection.name.value


def _unreadable(cause: str) -> RequestRejected:
    facts: dict[str, Any] = {"service": SERVICE, "operation": "read a schema"}
    return RequestRejected(
        cause=cause, remedy="Give a file with the JSON answer to a GraphQL introspection, .json or .json.gz.", **facts
    )
