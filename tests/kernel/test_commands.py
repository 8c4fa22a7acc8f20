"""What every command promises to scripts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from django.core.management import call_command

from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User
from tests.factories.kernel import UserFactory

pytestmark = pytest.mark.django_db


@dataclass
class Gate:
    label: str
    detail: str
    remedy: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


class GateClosed(Exception):
    cause = "The queue is not empty."
    remedy = "Wait for it."
    gates = [
        Gate("Order queue empty", "The queue is not empty.", "Wait for it."),
        Gate("Baseline taken", "No full sync has run yet.", "Start one."),
    ]


class Offline(Exception):
    cause = "The store does not answer."
    remedy = "Try later."


class Example(JsonCommand):
    permission = "catalog.import_items"
    refusals = (GateClosed,)
    failures = (Offline,)
    outcome: Report | Exception = Report({"done": 1}, ["One done."])
    actor: User | None = None

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        type(self).actor = actor
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def run(outcome: Report | Exception, **options: Any) -> int:
    Example.outcome = outcome
    try:
        call_command(Example(), **options)
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def test_a_done_job_exits_with_zero_and_speaks_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Report({"done": 1}, ["One done.", "None left."])) == 0
    assert capsys.readouterr().out == "One done.\nNone left.\n"


def test_json_is_one_object_on_stdout_and_complaints_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Report({"name": "Cană"}, ["…"], ["Line 3: no."], complete=False), as_json=True) == 1
    out = capsys.readouterr()
    assert json.loads(out.out) == {"name": "Cană"}
    assert "Line 3: no." in out.err


def test_closed_gates_exit_with_two_and_all_are_in_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GateClosed(), as_json=True) == 2
    out = capsys.readouterr()
    assert json.loads(out.out) == {
        "outcome": "refused",
        "cause": "The queue is not empty.",
        "remedy": "Wait for it.",
        "gates": [
            {"label": "Order queue empty", "detail": "The queue is not empty.", "remedy": "Wait for it."},
            {"label": "Baseline taken", "detail": "No full sync has run yet.", "remedy": "Start one."},
        ],
    }
    assert out.err == (
        "The queue is not empty. Wait for it.\nAlso shut: Baseline taken. No full sync has run yet. Start one.\n"
    )


def test_a_service_that_does_not_answer_exits_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Offline()) == 1
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err == "The store does not answer. Try later.\n"


def test_an_error_nobody_foresaw_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError())


def test_without_a_person_the_system_acts_and_with_one_their_rights_count() -> None:
    done = Report({}, [])
    assert run(done) == 0
    assert Example.actor is None
    administrator = UserFactory(is_superuser=True)
    assert run(done, as_email=f" {administrator.email.upper()} ") == 0
    assert Example.actor == administrator


@pytest.mark.parametrize("who", ["unknown", "switched off", "without the right"])
def test_a_person_who_may_not_is_refused(who: str, capsys: pytest.CaptureFixture[str]) -> None:
    person = UserFactory(is_active=who != "switched off", is_superuser=who == "switched off")
    email = "nobody@example.com" if who == "unknown" else person.email
    Example.actor = None

    assert run(Report({}, []), as_email=email, as_json=True) == 2
    assert json.loads(capsys.readouterr().out)["remedy"]
    assert Example.actor is None


def test_refused_reads_as_cause_and_remedy() -> None:
    assert str(Refused("No file is named.", "Name one.")) == "No file is named. Name one."
