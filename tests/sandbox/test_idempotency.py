"""`@idempotent(key:)`: remembered for 24 hours, exact parameters, one run at a time."""

from __future__ import annotations

import threading

from sandbox.app import Sandbox
from tests.sandbox.client import ADJUST, Answer, App, user_errors


def test_the_same_call_again_has_no_second_effect_and_the_same_answer(app: App) -> None:
    first = app.adjust(app.change("APA", -3), key="k")
    again = app.adjust(app.change("APA", -3), key="k")
    assert app.shows("APA")["available"] == 7
    assert again.data == first.data


def test_a_replay_is_told_in_the_call_log(app: App) -> None:
    app.adjust(app.change("APA", -3), key="k")
    app.adjust(app.change("APA", -3), key="k")
    calls = app.control("GET", "calls", key="k")["calls"]
    assert [call["replayed"] for call in calls] == [False, True]


def test_other_parameters_under_the_same_key_are_refused(app: App) -> None:
    app.adjust(app.change("APA", -3), key="k")
    answer = app.adjust(app.change("APA", -4), key="k")
    assert user_errors(answer) == [("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)]
    assert app.shows("APA")["available"] == 7


def test_the_order_of_rows_and_of_their_fields_takes_part(app: App) -> None:
    rows = [app.change("APA", -1), app.change("CEAI", 1)]
    app.adjust(*rows, key="rows")
    assert user_errors(app.adjust(*reversed(rows), key="rows")) == [("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)]
    app.adjust(rows[0], key="fields")
    turned = dict(reversed(rows[0].items()))
    assert user_errors(app.adjust(turned, key="fields")) == [("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)]


def test_a_key_belongs_to_one_mutation(app: App) -> None:
    app.adjust(app.change("APA", -3), key="k")
    assert user_errors(app.set(app.row("APA", 1), key="k")) == [("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)]


def test_an_attempt_that_failed_wants_a_new_key(app: App) -> None:
    app.set(app.row("APA", 1, expected=99), key="k")
    answer = app.set(app.row("APA", 1, expected=99), key="k")
    assert user_errors(answer) == [("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", None)]
    assert user_errors(app.set(app.row("APA", 1, expected=10), key="k2")) == []


def test_a_call_that_changed_nothing_is_remembered_as_a_success(app: App) -> None:
    app.set(app.row("APA", 10), key="k")
    app.adjust(app.change("APA", -1))
    again = app.set(app.row("APA", 10), key="k")
    assert again.data["inventorySetQuantities"] == {"inventoryAdjustmentGroup": None, "userErrors": []}
    assert app.shows("APA")["available"] == 9


def test_after_24_hours_a_key_is_forgotten_and_an_adjustment_counts_twice(app: App) -> None:
    app.adjust(app.change("APA", -3), key="k")
    app.control("POST", "clock", {"advance": 24 * 3600 - 60})
    app.adjust(app.change("APA", -3), key="k")
    assert app.shows("APA")["available"] == 7
    app.control("POST", "clock", {"advance": 120})
    app.adjust(app.change("APA", -3), key="k")
    assert app.shows("APA")["available"] == 4


def test_a_mutation_without_a_key_is_refused_and_its_field_is_null(app: App) -> None:
    text = ADJUST.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    given = {"name": "available", "reason": "correction", "changes": [app.change("APA", -1)]}
    answer = app.ask(text, {"input": given})
    assert answer.codes == ["BAD_REQUEST"]
    assert answer.body["data"] == {"inventoryAdjustQuantities": None}
    assert "@idempotent directive is required" in answer.body["errors"][0]["message"]
    assert app.shows("APA")["available"] == 10


def test_a_blank_key_is_no_key(app: App) -> None:
    assert app.adjust(app.change("APA", -1), key=" ").codes == ["BAD_REQUEST"]


def test_top_level_errors_leave_the_key_free(app: App) -> None:
    row = app.change("APA", -1)
    without = {name: value for name, value in row.items() if name != "changeFromQuantity"}
    app.adjust(without, key="k")
    assert user_errors(app.adjust(row, key="k")) == []


def test_two_shops_have_memories_of_their_own(app: App, sandbox: Sandbox) -> None:
    other = App(sandbox, sandbox.add_shop("bucovina-eu", "Handle,Title,Variant SKU\na,A,APA\n")[0])
    app.adjust(app.change("APA", -3), key="k")
    assert user_errors(other.adjust(other.change("APA", -5), key="k")) == []


def test_a_replay_reads_today_s_rows(app: App) -> None:
    text = """mutation A($i: ID!, $l: ID!) { inventoryActivate(inventoryItemId: $i, locationId: $l) @idempotent(key: "k") {
      inventoryLevel { quantities(names: ["available"]) { quantity } } userErrors { message } } }"""
    variables = {"i": app.item("APA").gid, "l": app.here.gid}
    app.ask(text, variables)
    app.adjust(app.change("APA", -3))
    level = app.ask(text, variables).data["inventoryActivate"]["inventoryLevel"]
    assert level["quantities"] == [{"quantity": 7}]


def test_a_duplicate_that_arrives_while_the_first_still_runs_is_told_so() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold(seconds: float) -> None:
        inside.set()
        assert go_on.wait(10)

    sandbox = Sandbox(sleep=hold)
    shop, _ = sandbox.add_shop("slow", "Handle,Title,Variant SKU,Variant Inventory Qty\na,A,APA,10\n")
    app = App(sandbox, shop)
    app.control("POST", "faults", {"kind": "slow", "times": 1, "delay_ms": 1})
    answers: list[Answer] = []
    first = threading.Thread(target=lambda: answers.append(app.adjust(app.change("APA", -3), key="k")))
    first.start()
    assert inside.wait(10)
    second = app.adjust(app.change("APA", -3), key="k")
    other = app.adjust(app.change("APA", -1), key="another")
    go_on.set()
    first.join(10)
    assert user_errors(second) == [("IDEMPOTENCY_CONCURRENT_REQUEST", None)]
    assert user_errors(other) == []  # the held call does not lock the shop
    assert user_errors(answers[0]) == []
    assert app.shows("APA")["available"] == 6


def test_of_many_threads_with_one_key_exactly_one_has_an_effect(app: App) -> None:
    app.sandbox.admin.bucket(app.shop, 1).fill()
    start = threading.Barrier(8)

    def send() -> None:
        start.wait(10)
        for number in range(10):
            app.adjust(app.change("APA", -1), key=f"same-{number}")

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert app.shows("APA")["available"] == 0
