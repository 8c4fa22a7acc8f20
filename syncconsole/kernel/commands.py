"""What every command of ours promises: one JSON object on stdout, words on stderr, three exit codes.

Exit codes: 0 done, 1 partly or failed, 2 refused before anything was done (a gate, a right, a missing file).
A command is a door: it reads its arguments, calls one domain function and reports what that returned.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

DONE = 0
PARTLY = 1
REFUSED = 2


class Refused(Refusal):
    """Nothing was done. Says why, and what a person does next."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a command found or did: `data` is the JSON object, `lines` say the same to a person.

    `complaints` go to stderr in both cases. `complete` False: some of the work was not done, exit code 1.
    """

    data: dict[str, Any]
    lines: Sequence[str]
    complaints: Sequence[str] = field(default_factory=tuple)
    complete: bool = True


class JsonCommand(BaseCommand):
    """Base of our commands. Override `add_arguments` (call it on super, too) and `work`.

    `permission` ("catalog.import_items") is asked of the person named by `--as`; without `--as` the actor is None,
    the system: whoever may run commands on this machine may do everything. Exceptions in `refusals` exit with 2,
    those in `failures` with 1; both must carry `cause` and `remedy`, and may carry `gates` (each with
    `as_dict()`) and `details` (more of the JSON object).
    """

    permission = ""
    refusals: tuple[type[Exception], ...] = ()
    failures: tuple[type[Exception], ...] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="One JSON object on stdout.")
        parser.add_argument("--as", dest="as_email", metavar="EMAIL", help="Act as this person, with their rights.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        """Do the job for `actor` and tell what came of it."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its work is.")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json: bool = options["as_json"]
        refusals: tuple[type[Exception], ...] = (Refused, *self.refusals)
        try:
            report = self.work(person(options["as_email"], self.permission), options)
        except refusals as exc:
            self._stop(exc, REFUSED, as_json=as_json)
        except self.failures as exc:
            self._stop(exc, PARTLY, as_json=as_json)
        for complaint in report.complaints:
            self.stderr.write(complaint, self.style.WARNING)
        if as_json:
            self._print_json(report.data)
        else:
            self.stdout.write("\n".join(report.lines))
        if not report.complete:
            sys.exit(PARTLY)

    def _stop(self, exc: Exception, code: int, *, as_json: bool) -> NoReturn:
        """Say cause and remedy on stderr, the same as JSON on stdout when asked, and leave with `code`."""
        cause, remedy = getattr(exc, "cause", str(exc)), getattr(exc, "remedy", "")
        self.stderr.write(f"{cause} {remedy}".strip())
        gates = [gate.as_dict() for gate in getattr(exc, "gates", ())]
        if as_json:
            outcome = "refused" if code == REFUSED else "failed"
            details: dict[str, Any] = getattr(exc, "details", {})
            self._print_json({"outcome": outcome, "cause": cause, "remedy": remedy, "gates": gates, **details})
        sys.exit(code)

    def _print_json(self, data: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))


def person(email: str | None, permission: str) -> User | None:
    """The person a command acts for; None (the system) when no e-mail is given.

    Raises Refused when nobody has that address, the account is switched off, or the right is missing.
    """
    if not email:
        return None
    found = User.objects.filter(email=email.strip().lower()).first()
    if found is None:
        raise Refused(f"Nobody here has the e-mail {email}.", "Check the address, or add the person under Users.")
    if not found.is_active:
        raise Refused(f"The account of {email} is switched off.", "Use another person, or switch it on under Users.")
    if permission and not found.has_perm(permission):
        raise Refused(
            f"{found} may not do this: the right {permission} is missing.",
            "Ask an administrator for a role that has it.",
        )
    return found


@contextmanager
def input_file(path: str) -> Iterator[BinaryIO]:
    """The file at `path`, opened for reading bytes; `-` is standard input.

    Raises Refused when it cannot be opened.
    """
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - closed below; only opening may be refused here
    except OSError as exc:
        raise Refused(f"{path} cannot be read: {exc.strerror}.", "Check the path and its permissions.") from exc
    with stream:
        yield stream


@contextmanager
def output_file(path: str) -> Iterator[TextIO]:
    """The file at `path`, opened for writing CSV or text in UTF-8; what was there is replaced.

    Raises Refused when it cannot be opened.
    """
    try:
        stream = Path(path).open("w", encoding="utf-8", newline="")  # noqa: SIM115 - closed below; only opening may be refused here
    except OSError as exc:
        raise Refused(
            f"{path} cannot be written: {exc.strerror}.", "Name a file in a folder that you may write to."
        ) from exc
    with stream:
        yield stream


def acting_person(actor: User | None, act: str) -> User:
    """The person named by `--as`, for what a person must do. `act` begins the sentence: "A signature".

    Raises Refused where nobody is named.
    """
    if actor is None:
        raise Refused(f"{act} needs a person.", "Add --as EMAIL.")
    return actor
