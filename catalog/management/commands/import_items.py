"""`import_items FILE`: load items from our own CSV or Shopify's product CSV."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.csv_rows import FileRefused
from catalog.items import ImportReport, import_items, template
from syncconsole.kernel.commands import JsonCommand, Refused, Report, input_file
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Load items from a CSV file: our own format, or Shopify's product CSV with its current or earlier headers."
    permission = "catalog.import_items"
    refusals = (FileRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", nargs="?", metavar="FILE", help="The CSV file; - is standard input.")
        parser.add_argument("--strict", action="store_true", help="Keep nothing when one row cannot be kept.")
        parser.add_argument("--template", action="store_true", help="Print the header and an example, then leave.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        if options["template"]:
            return Report({"template": template()}, [template().rstrip()])
        if not options["file"]:
            raise Refused("No file is named.", "Write its path after the command, or --template for an example.")
        with input_file(options["file"]) as stream:
            result = import_items(stream, actor=actor, strict=options["strict"], origin=options["file"])
        if result.refused:
            raise StrictRefusal(result)
        complaints = [*result.notes, *map(str, result.problems)]
        return Report(result.as_dict(), [sentence(result)], complaints, complete=not result.problem_count)


class StrictRefusal(Refused):
    """With --strict, one bad row keeps out the file."""

    def __init__(self, result: ImportReport) -> None:
        shown = " ".join(str(problem) for problem in result.problems[:20])
        super().__init__(
            f"{result.problem_count} of {result.rows} rows cannot be kept, so nothing was: {shown}",
            "Correct these rows, or load the file without --strict.",
        )
        self.details = result.as_dict()


def sentence(result: ImportReport) -> str:
    """The counts as people read them."""
    return (
        f"{result.rows} rows = {result.created} created + {result.updated} updated + {result.unchanged} unchanged"
        f" + {result.problem_count} not kept."
    )
