"""Calls in threads, their answers booked in two: nothing is lost, and the first fault is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction

from inventory.pump import Pump


def quiet() -> None:
    """Nobody looks."""


def session() -> int:
    """The database session that this thread works in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_bookings_have_a_session_of_their_own_which_ends_with_the_pump() -> None:
    sessions: list[int] = []
    with Pump(2, quiet) as pump:
        for _ in range(2):
            begun = threading.Event()
            pump.book(partial(begun_session, begun), sessions.append)
            assert begun.wait(10)
    assert len(sessions) == 2
    assert len(set(sessions)) == 1
    assert session() not in sessions
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND state <> 'idle'", sessions[:1])
        assert cursor.fetchone() == (0,)


def begun_session(begun: threading.Event) -> int:
    """The session of a booking, which says that it has begun."""
    begun.set()
    return session()


class WaitsForTheOther:
    """A booking that says that it has begun, and ends once the other one has set `other`."""

    def __init__(self) -> None:
        self.begun, self.other = threading.Event(), threading.Event()

    def __call__(self) -> bool:
        self.begun.set()
        return self.other.wait(10)


@pytest.mark.django_db(transaction=True)
def test_what_the_second_thread_has_not_begun_is_booked_here_when_nothing_else_is_to_be_done() -> None:
    answers: list[bool] = []
    first = WaitsForTheOther()

    with Pump(2, quiet) as pump:
        pump.book(first, answers.append)
        assert first.begun.wait(10)
        pump.book(first.other.set)

    assert answers == [True], "else the second would have waited for the first, and the first for the second"


@pytest.mark.django_db(transaction=True)
def test_a_fault_of_what_is_booked_here_is_told_and_what_the_others_booked_is_kept() -> None:
    answers: list[bool] = []
    first = WaitsForTheOther()

    def fails() -> None:
        first.other.set()
        raise ZeroDivisionError

    def pumped() -> None:
        with Pump(2, quiet) as pump:
            pump.book(first, answers.append)
            assert first.begun.wait(10)
            pump.book(fails)

    with pytest.raises(ZeroDivisionError):
        pumped()
    assert answers == [True]


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_bookings_see_what_it_has_written() -> None:
    sessions: list[int] = []
    with transaction.atomic(), Pump(2, quiet) as pump:
        pump.book(session, sessions.append)
    assert sessions == [session()]


@pytest.mark.django_db
def test_work_that_either_thread_can_do_is_done_once_each() -> None:
    done: list[int] = []
    with Pump(2, quiet) as pump:
        for number in range(5):
            pump.book(lambda number=number: done.append(number))  # type: ignore[misc]
    assert sorted(done) == [0, 1, 2, 3, 4]


@pytest.mark.django_db
def test_an_answer_that_leads_to_more_calls_loses_none_of_the_others() -> None:
    answers: list[str] = []
    both = threading.Barrier(2)

    def meet(name: str) -> Callable[[], str]:
        def call() -> str:
            both.wait(10)  # both are done when the first answer is looked at
            return name

        return call

    with Pump(2, quiet) as pump:

        def more(name: str) -> None:
            answers.append(name)
            for again in ("x", "y", "z"):
                pump.call(lambda again=again: again, answers.append)  # type: ignore[misc]

        pump.call(meet("first"), more)
        pump.call(meet("second"), more)
    assert sorted(answers) == sorted(["first", "second", *"xyz", *"xyz"])


@pytest.mark.django_db
def test_the_first_fault_is_told_after_the_answers_in_flight_were_followed() -> None:
    answers: list[str] = []

    def fail() -> str:
        raise ValueError("first")

    def run() -> None:
        with Pump(2, quiet) as pump:
            pump.call(fail, answers.append)
            pump.call(lambda: "kept", answers.append)

    with pytest.raises(ValueError, match="first"):
        run()
    assert answers == ["kept"]
