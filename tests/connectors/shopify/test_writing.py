"""A write's bytes, and what each refusal of them means row by row."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import respx

from connectors.ports.errors import FeatureNotSupported, OutcomeUnknown, RequestRejected
from connectors.ports.store import Adjustment, Overwrite, PreparedWrite, RowProblemKind, WriteOutcome
from connectors.shopify.adapter import ShopifyStore
from tests.connectors.shopify.answers import (
    ITEM,
    KEY,
    LOCATION,
    adjusted,
    answer,
    overwritten,
    refusal,
    row_error,
)


@pytest.fixture
def adjustment(store: ShopifyStore) -> PreparedWrite:
    rows = [Adjustment(f"{ITEM}{number}", LOCATION, number) for number in range(4)]
    return store.prepare_adjustment(rows, key=KEY, document="run/42")


@pytest.fixture
def overwrite(store: ShopifyStore) -> PreparedWrite:
    rows = [Overwrite(f"{ITEM}{number}", LOCATION, number, 9) for number in range(4)]
    return store.prepare_overwrite(rows, key=KEY, document="run/42")


def test_an_adjustment_says_what_when_and_why(adjustment: PreparedWrite) -> None:
    variables = json.loads(adjustment.body)["variables"]

    assert variables["idempotencyKey"] == str(KEY)
    assert {name: variables["input"][name] for name in ("name", "reason", "referenceDocumentUri")} == {
        "name": "available",
        "reason": "correction",
        "referenceDocumentUri": "gid://sync-console/run/42",
    }
    assert variables["input"]["changes"][1] == {
        "inventoryItemId": f"{ITEM}1",
        "locationId": LOCATION,
        "delta": 1,
        "changeFromQuantity": None,
    }


def test_every_row_of_an_overwrite_carries_the_quantity_it_expects(overwrite: PreparedWrite) -> None:
    rows = json.loads(overwrite.body)["variables"]["input"]["quantities"]

    assert [(row["quantity"], row["changeFromQuantity"]) for row in rows] == [(0, 9), (1, 9), (2, 9), (3, 9)]


def test_stored_bytes_are_sent_unchanged_however_they_were_written(store: ShopifyStore, api: respx.Route) -> None:
    api.mock(return_value=adjusted())
    stored = b'{ "operationName": "InventoryAdjust", "variables": {"b":1,"a":2},   "query": "older text" }'

    store.send(PreparedWrite(body=stored, rows=1))

    assert api.calls.last.request.content == stored


@pytest.mark.parametrize("document", ["", "run", "run/", "/42", "run/42/3", "run 1/2"])
def test_a_document_needs_a_kind_and_an_id(document: str, store: ShopifyStore) -> None:
    with pytest.raises(FeatureNotSupported):
        store.prepare_adjustment([Adjustment(ITEM, LOCATION, 1)], key=KEY, document=document)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("CHANGE_FROM_QUANTITY_STALE", RowProblemKind.STALE),
        ("COMPARE_QUANTITY_STALE", RowProblemKind.STALE),
        ("INVALID_INVENTORY_ITEM", RowProblemKind.UNKNOWN_ITEM),
        ("INVALID_LOCATION", RowProblemKind.UNKNOWN_LOCATION),
        ("NON_MUTABLE_INVENTORY_ITEM", RowProblemKind.NOT_WRITABLE),
        ("INVALID_QUANTITY_TOO_HIGH", RowProblemKind.OUT_OF_RANGE),
        ("INVALID_QUANTITY_TOO_LOW", RowProblemKind.OUT_OF_RANGE),
        ("INVALID_QUANTITY_NEGATIVE", RowProblemKind.OUT_OF_RANGE),
        ("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", RowProblemKind.DUPLICATE_ROW),
        ("SOMETHING_NEW", RowProblemKind.OTHER),
    ],
)
def test_each_code_is_a_kind_of_problem_with_cause_and_remedy(
    code: str, kind: RowProblemKind, store: ShopifyStore, overwrite: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=overwritten(row_error(2, code, rows="quantities")))

    reply = store.send(overwrite)

    assert reply.outcome == WriteOutcome.REFUSED_ROWS
    (problem,) = reply.problems
    assert (problem.index, problem.kind, problem.code) == (2, kind, code)
    assert problem.cause.endswith(".")
    assert problem.remedy.endswith(".")
    assert "invalid" not in problem.cause.lower()


def test_rows_are_named_once_and_in_order(store: ShopifyStore, adjustment: PreparedWrite, api: respx.Route) -> None:
    codes = [(3, "INVALID_LOCATION"), (0, "INVALID_INVENTORY_ITEM"), (3, "INVALID_INVENTORY_ITEM")]
    api.mock(return_value=adjusted(*(row_error(index, code) for index, code in codes)))

    problems = store.send(adjustment).problems

    assert [(problem.index, problem.code) for problem in problems] == [
        (0, "INVALID_INVENTORY_ITEM"),
        (3, "INVALID_LOCATION"),
    ]


@pytest.mark.parametrize(
    "field",
    [None, [], ["input"], ["input", "changes"], ["input", "changes", "4", "x"], ["input", "changes", "-1", "x"]],
)
def test_a_refusal_that_names_no_row_of_ours_is_to_be_bisected(
    field: list[str] | None, store: ShopifyStore, adjustment: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=adjusted({"code": "INVALID_INVENTORY_ITEM", "field": field, "message": "Not found."}))

    reply = store.send(adjustment)

    assert (reply.outcome, reply.problems, reply.cause) == (WriteOutcome.REFUSED, [], "Not found.")


def test_nothing_to_change_is_accepted(store: ShopifyStore, adjustment: PreparedWrite, api: respx.Route) -> None:
    api.mock(return_value=adjusted(group=False))

    reply = store.send(adjustment)

    assert (reply.outcome, reply.applied_at) == (WriteOutcome.UNCHANGED, None)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("IDEMPOTENCY_CONCURRENT_REQUEST", WriteOutcome.RUNNING),
        ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", WriteOutcome.KEY_MISMATCH),
        ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", WriteOutcome.REFUSED),
    ],
)
def test_what_became_of_the_key_is_an_outcome_of_its_own(
    code: str, outcome: WriteOutcome, store: ShopifyStore, adjustment: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=adjusted({"code": code, "field": None, "message": "Key."}))

    reply = store.send(adjustment)

    assert (reply.outcome, reply.problems) == (outcome, [])
    assert reply.cause


@pytest.mark.parametrize("code", ["SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED"])
def test_a_busy_service_is_asked_again_with_the_same_key(
    code: str, store: ShopifyStore, adjustment: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=adjusted({"code": code, "field": None, "message": "Try again later."}))

    with pytest.raises(OutcomeUnknown):
        store.send(adjustment)


def test_a_value_that_cannot_be_one_names_its_row(
    store: ShopifyStore, adjustment: PreparedWrite, api: respx.Route
) -> None:
    problems = [{"path": ["changes", 1, "delta"], "explanation": 'Could not coerce value "9" to Int'}]
    api.mock(return_value=refusal("INVALID_VARIABLE", "Variable $input was provided invalid value", problems=problems))

    reply = store.send(adjustment)

    assert reply.outcome == WriteOutcome.REFUSED_ROWS
    assert [(problem.index, problem.kind) for problem in reply.problems] == [(1, RowProblemKind.OTHER)]
    assert "Could not coerce" in reply.problems[0].cause


def test_an_id_that_cannot_be_one_is_to_be_bisected(
    store: ShopifyStore, adjustment: PreparedWrite, api: respx.Route
) -> None:
    api.mock(return_value=refusal("RESOURCE_NOT_FOUND", "Invalid id: nonsense", data=None))

    reply = store.send(adjustment)

    assert (reply.outcome, reply.problems) == (WriteOutcome.REFUSED, [])
    assert "nonsense" in reply.cause


def test_stocking_that_is_refused_says_why(store: ShopifyStore, api: respx.Route) -> None:
    error = {"field": ["locationId"], "message": "The location could not be found."}
    api.mock(return_value=answer({"inventoryActivate": {"inventoryLevel": None, "userErrors": [error]}}))

    with pytest.raises(RequestRejected) as refused:
        store.activate(ITEM, LOCATION, key=KEY)

    assert "The location could not be found." in refused.value.cause
    variables: dict[str, Any] = json.loads(api.calls.last.request.content)["variables"]
    assert variables == {"inventoryItemId": ITEM, "locationId": LOCATION, "idempotencyKey": str(KEY)}


def test_stocking_is_sent_once_and_a_lost_answer_is_unknown(store: ShopifyStore, api: respx.Route) -> None:
    api.side_effect = httpx.ReadTimeout("slow")

    with pytest.raises(OutcomeUnknown):
        store.activate(ITEM, LOCATION, key=KEY)
    assert api.call_count == 1


def test_tracking_is_switched_without_touching_anything_else(store: ShopifyStore, api: respx.Route) -> None:
    api.mock(return_value=answer({"inventoryItemUpdate": {"inventoryItem": {"id": ITEM}, "userErrors": []}}))

    store.set_tracked(ITEM, tracked=True)

    assert json.loads(api.calls.last.request.content)["variables"] == {"id": ITEM, "tracked": True}
