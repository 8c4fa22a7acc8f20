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
from typing import IO, Any, BinaryIO, ClassVar, Final, NoReturn, TextIO, TypeVar

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet

from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

DONE = 0
PARTLY = 1
REFUSED = 2
LISTED: Final = 50
"""Rows that a list prints."""

Row = TypeVar("Row", bound=Model)


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
    those in `failures` with 1; both must carry `cause` and `remedy`, and may carry `gates` (the one that the cause
    tells first; each with `as_dict()`, its label, detail and remedy) and `details` (more of the JSON object).
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
        for gate in gates[1:]:  # the first is what the cause says
            self.stderr.write(f"Also shut: {gate['label']}. {gate['detail']} {gate['remedy']}".strip())
        if as_json:
            outcome = "refused" if code == REFUSED else "failed"
            details: dict[str, Any] = getattr(exc, "details", {})
            self._print_json({"outcome": outcome, "cause": cause, "remedy": remedy, "gates": gates, **details})
        sys.exit(code)

    def _print_json(self, data: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))


class DecidingCommand(JsonCommand):
    """Base of commands that list what waits for a person; with the number of one of them they do what the person decided,
    then list what is left.

    Set `noun`, `verb` (the option that takes the number) and `deciding` (the right to it; `permission` is that to look);
    override `rows`, `told`, `line` and `decide`, and add further options in `add_arguments`.
    """

    noun: ClassVar[str]
    verb: ClassVar[str] = "decide"
    verb_help: ClassVar[str]
    deciding: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(f"--{self.verb}", type=int, metavar="NUMBER", dest="number", help=self.verb_help)

    def rows(self, options: dict[str, Any]) -> QuerySet[Any]:
        """Those that the options let through, in the order they are listed."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it lists.")

    def told(self, row: Any) -> dict[str, Any]:
        """A row for a script; `number` names it."""
        raise NotImplementedError(f"{type(self).__name__} does not say what a row holds.")

    def line(self, told: dict[str, Any]) -> str:
        """The same for a person, without the number."""
        raise NotImplementedError(f"{type(self).__name__} does not say how a row reads.")

    def decide(self, row: Any, by: User, options: dict[str, Any]) -> str:
        """Do it to this row. Returns the sentence that says so."""
        raise NotImplementedError(f"{type(self).__name__} does not say what is decided.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        rows, done = self.rows(options), ""
        if options["number"] is not None:
            by = acting_person(actor, "A decision", self.deciding)
            done = self.decide(numbered(rows, options["number"], self.noun), by, options)
        count, listed = rows.count(), [self.told(row) for row in rows.all()[:LISTED]]
        lines = [f"{row['number']:>8}  {self.line(row)}" for row in listed]
        lines.append(f"{count:,} listed." if count <= LISTED else f"{count:,} in all; the first {LISTED} are listed.")
        return Report({"done": done, "count": count, "listed": listed}, [*filter(None, [done]), *lines])


def numbered(rows: QuerySet[Row], number: int, noun: str) -> Row:
    """The row with this number. Raises Refused where it is not among them."""
    found = rows.filter(pk=number).first()
    if found is None:
        raise Refused(f"There is no {noun} {number} among these.", "Leave the number out to list them.")
    return found


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
    require(found, permission)
    return found


def require(actor: User | None, permission: str) -> None:
    """Raises Refused where the person lacks the right; the system (None) may do everything."""
    if actor and permission and not actor.has_perm(permission):
        raise Refused(
            f"{actor} may not do this: the right {permission} is missing.",
            "Ask an administrator for a role that has it.",
        )


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
    stream: TextIO = _opened_to_write(path, "w", encoding="utf-8", newline="")  # type: ignore[assignment]
    with stream:
        yield stream


@contextmanager
def output_bytes(path: str) -> Iterator[BinaryIO]:
    """The same for what is not text, e.g. a workbook."""
    stream: BinaryIO = _opened_to_write(path, "w+b")  # type: ignore[assignment]
    with stream:
        yield stream


def _opened_to_write(path: str, mode: str, **how: str) -> IO[Any]:
    try:
        return Path(path).open(mode, **how)  # type: ignore[call-overload,no-any-return]
    except OSError as exc:
        raise Refused(
            f"{path} cannot be written: {exc.strerror}.", "Name a file in a folder that you may write to."
        ) from exc


def acting_person(actor: User | None, act: str, permission: str = "") -> User:
    """The person named by `--as`, for what a person must do. `act` begins the sentence: "A signature".

    Raises Refused where nobody is named, or the person lacks this right.
    """
    if actor is None:
        raise Refused(f"{act} needs a person.", "Add --as EMAIL.")
    require(actor, permission)
    return actor
