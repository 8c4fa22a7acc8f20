"""Writing products and variants that are there, by granular mutations only (docs/decisions/0006)."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from connectors.ports.errors import FeatureNotSupported, Gone, HandleTaken, RequestRejected
from connectors.ports.product_changes import (
    MetafieldChange,
    NewVariant,
    PriceChange,
    ProductChange,
    VariantChange,
)
from connectors.ports.products import RemoteProduct
from connectors.ports.rows import RowProblem, RowProblemKind
from connectors.ports.store import MAX_CHANGES
from connectors.shopify import products_nodes as nodes
from connectors.shopify import products_rows as rows_of
from connectors.shopify.client import ShopifyClient
from connectors.shopify.documents import document
from connectors.shopify.handles import stored_handle
from connectors.shopify.mutations import Payload, SimpleWrite, UserError, refused, send_repeatable
from connectors.shopify.products_reading import ProductReader
from connectors.shopify.replies import SERVICE, Reply
from connectors.shopify.scopes import Scopes
from connectors.shopify.writes import row_problems

MAX_METAFIELDS: Final = 25
"""Metafields one call takes (reference 2.4)."""

POINTS_A_VARIANT: Final = 0.2
"""What each variant in the input adds to the cost (reference 2.2)."""

Row = tuple[int, dict[str, Any]]
"""Place of a row in what was given, and its input."""
Entry = TypeVar("Entry")


@dataclasses.dataclass(frozen=True, slots=True)
class _RowWrite:
    """How rows of one kind are written: the document, the list in its input, how many go together."""

    name: str
    field: str
    size: int
    given: dict[str, Any]
    points_a_row: float = 0.0
    product_ref: str = ""


class ProductWriter:
    """Writes of one shop's products. Safe to share between threads."""

    def __init__(self, client: ShopifyClient, reader: ProductReader, scopes: Scopes) -> None:
        self._client = client
        self._reader = reader
        self._scopes = scopes

    def update_product(self, ref: str, change: ProductChange) -> None:
        """As the port says. Fields and tags go in calls of their own, in that order."""
        if fields := rows_of.product_input(change):
            self.write("product_update", {"product": {"id": ref, **fields}}, nodes.ProductWrite, ref)
        for name, tags in (("product_tags_add", change.add_tags), ("product_tags_remove", change.remove_tags)):
            for some in batches(tags, MAX_CHANGES):
                self.write(name, {"id": ref, "tags": some}, SimpleWrite, ref)

    def rename_product(self, ref: str, *, handle: str, known_as: str) -> str:
        """As the port says: by id alone, with a redirect from the old handle (reference 4.5)."""
        wanted, operation = stored_handle(handle), "rename a product"
        product = self.product(ref, operation)
        if product.handle == wanted:
            return wanted
        if product.handle != known_as:
            raise RequestRejected(
                service=SERVICE,
                operation=operation,
                cause=f"The product is called {product.handle} by now, not {known_as}.",
                remedy="Read the product again, then decide about its handle.",
            )
        change = {"id": ref, "handle": wanted, "redirectNewHandle": True}
        payload, reply = self.send("product_update", {"product": change}, nodes.ProductWrite)
        if payload.user_errors or payload.product is None:
            holder = self._reader.find_product(wanted)
            if holder is not None and holder.ref != ref:
                raise handle_taken(operation, holder)
            raise self.refusal(reply, payload.user_errors, ref)
        return payload.product.handle

    def add_variants(self, product_ref: str, rows: Sequence[NewVariant]) -> tuple[RowProblem, ...]:
        """As the port says. Reads the product first: option values tell what is there (reference 10, trap 18)."""
        product = self.product(product_ref, "create variants")
        names = [option.name for option in product.options]
        there = {variant.option_values: variant.sku for variant in product.variants}
        problems, missing = [], []
        for index, row in enumerate(rows):
            values = tuple(value.strip() for value in row.option_values)
            if len(values) != len(names):
                problems.append(
                    _other(index, f"The product has {len(names)} options, the variant {len(values)} values.")
                )
            elif values not in there:
                there[values] = row.sku
                missing.append((index, rows_of.new_variant_input(names, row)))
            elif there[values] != row.sku:
                problems.append(_taken(index, values, there[values]))
        return in_order(problems, self.write_rows("variants_create", product_ref, missing))

    def update_variants(self, product_ref: str, rows: Sequence[VariantChange]) -> tuple[RowProblem, ...]:
        """As the port says, up to 250 in a call."""
        problems = rows_of.repeated_rows([row.ref for row in rows])
        inputs = [(index, rows_of.variant_input(row)) for index, row in enumerate(rows)]
        return self._write_good("variants_update", product_ref, inputs, problems)

    def write_prices(self, product_ref: str, rows: Sequence[PriceChange]) -> tuple[RowProblem, ...]:
        """As the port says, up to 250 in a call."""
        problems = rows_of.repeated_rows([row.ref for row in rows])
        problems += [found for index, row in enumerate(rows) if (found := rows_of.price_problem(index, row))]
        inputs = [(index, rows_of.price_input(row)) for index, row in enumerate(rows)]
        return self._write_good("variant_prices", product_ref, inputs, problems)

    def set_metafields(self, rows: Sequence[MetafieldChange]) -> tuple[RowProblem, ...]:
        """As the port says. Never by product mutations, whose lists replace (reference 10, trap 16)."""
        inputs = [(index, rows_of.metafield_input(row)) for index, row in enumerate(rows)]
        return in_order(self._write_all(_RowWrite("metafields_set", "metafields", MAX_METAFIELDS, {}), inputs))

    def write_rows(self, name: str, product_ref: str, rows: Sequence[Row]) -> list[RowProblem]:
        """Write variants of a product in calls of up to 250."""
        how = _RowWrite(name, "variants", MAX_CHANGES, {"productId": product_ref}, POINTS_A_VARIANT, product_ref)
        return self._write_all(how, rows)

    # --- for the other writers of products

    def product(self, ref: str, operation: str) -> RemoteProduct:
        """The product as it is now. Raises `Gone`."""
        found = self._reader.read_product(ref)
        if found is None:
            raise gone(operation, ref)
        return found

    def write(self, name: str, variables: dict[str, Any], shape: type[Payload], product_ref: str) -> Payload:
        """Send a mutation of one product that is done or refused as a whole."""
        payload, reply = self.send(name, variables, shape)
        if payload.user_errors:
            raise self.refusal(reply, payload.user_errors, product_ref)
        return payload

    def send(
        self, name: str, variables: dict[str, Any], shape: type[Payload], *, points: float = 0.0
    ) -> tuple[Payload, Reply]:
        """Send a mutation of products once. Raises `FeatureNotSupported` without the scope."""
        self._scopes.require("write_products", document(name).purpose)
        return send_repeatable(self._client, name, variables, shape, points=points)

    def refusal(self, reply: Reply, errors: Sequence[UserError], product_ref: str) -> RequestRejected:
        """Why a product was not written. Its errors have no codes, so whether it is gone is looked up."""
        if product_ref and self._reader.read_product(product_ref) is None:
            return gone(reply.sent.purpose, product_ref)
        return refused(reply, errors, "Correct what it names, then do it again.")

    def _write_good(
        self, name: str, product_ref: str, inputs: Sequence[Row], problems: list[RowProblem]
    ) -> tuple[RowProblem, ...]:
        bad = {problem.index for problem in problems}
        good = [(index, row) for index, row in inputs if index not in bad and len(row) > 1]
        return in_order(problems, self.write_rows(name, product_ref, good))

    def _write_all(self, how: _RowWrite, rows: Sequence[Row]) -> list[RowProblem]:
        """Where rows of a call are refused, those that were not written with it go again without them, whether Shopify
        takes such a call in part or not at all."""
        problems: list[RowProblem] = []
        for pending in batches(rows, how.size):
            while pending:
                named, pending = self._write_some(how, pending)
                problems += named
        return problems

    def _write_some(self, how: _RowWrite, rows: Sequence[Row]) -> tuple[list[RowProblem], list[Row]]:
        """The problems of rows, and the rows that are still to be written. Raises where no row is named."""
        given = {**how.given, how.field: [row for _, row in rows]}
        points = document(how.name).points + how.points_a_row * len(rows)
        payload, reply = self.send(how.name, given, nodes.RowsWrite, points=points)
        found = {problem.index: problem for problem in row_problems(payload.user_errors, len(rows), rows_of.CODES)}
        if not found:
            if payload.user_errors:
                raise self.refusal(reply, payload.user_errors, how.product_ref)
            return [], []
        written = {variant.id for variant in payload.product_variants or []}
        named = [dataclasses.replace(problem, index=rows[place][0]) for place, problem in found.items()]
        left = [row for place, row in enumerate(rows) if place not in found and row[1].get("id") not in written]
        return named, left


def batches(rows: Sequence[Entry], size: int) -> Iterator[list[Entry]]:
    """Rows in lists of up to `size`."""
    waiting = iter(rows)
    while some := list(itertools.islice(waiting, size)):
        yield some


def in_order(*problems: Sequence[RowProblem]) -> tuple[RowProblem, ...]:
    """The first problem of each row, in the order of the rows."""
    first: dict[int, RowProblem] = {}
    for problem in itertools.chain(*problems):
        first.setdefault(problem.index, problem)
    return tuple(first[index] for index in sorted(first))


def gone(operation: str, ref: str) -> Gone:
    """The product is not in the store."""
    return Gone(
        service=SERVICE,
        operation=operation,
        cause=f"The store has no product {ref} any more.",
        remedy="Link the store's products again; it was probably deleted in Shopify.",
    )


def handle_taken(operation: str, holder: RemoteProduct) -> HandleTaken:
    """Another product stands at the handle."""
    return HandleTaken(
        service=SERVICE,
        operation=operation,
        cause=f"The handle {holder.handle} belongs to another product of the store, {holder.title}.",
        remedy="Link that product, or choose another handle.",
        holder_ref=holder.ref,
    )


def unfit(operation: str, cause: str, remedy: str) -> FeatureNotSupported:
    """What cannot be expressed, said before anything is sent."""
    return FeatureNotSupported(service=SERVICE, operation=operation, cause=cause, remedy=remedy)


def _other(index: int, cause: str) -> RowProblem:
    return RowProblem(index, RowProblemKind.OTHER, "", cause, "Correct the variant's option values.")


def _taken(index: int, values: Sequence[str], sku: str) -> RowProblem:
    cause = f"The product has a variant {' / '.join(values)} already, with the SKU {sku or '(none)'}."
    remedy = "Link that variant, or correct the option values."
    return RowProblem(index, RowProblemKind.DUPLICATE_ROW, "", cause, remedy)
