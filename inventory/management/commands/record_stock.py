"""`record_stock FILE`: record stock movements of a CSV file in the ledger."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from catalog.csv_rows import FileRefused
from inventory.stock_feed import record_stock, template
from syncconsole.kernel.commands import JsonCommand, Refused, Report, input_file
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Record the stock movements of a CSV file in the ledger. Loading a file again changes nothing."
    permission = "inventory.record_stock"
    refusals = (FileRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", nargs="?", metavar="FILE", help="The CSV file; - is standard input.")
        parser.add_argument("--template", action="store_true", help="Print the header and examples, then leave.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        if options["template"]:
            return Report({"template": template()}, [template().rstrip()])
        if not options["file"]:
            raise Refused("No file is named.", "Write its path after the command, or --template for an example.")
        name = "standard input" if options["file"] == "-" else Path(options["file"]).name
        with input_file(options["file"]) as stream:
            result = record_stock(stream, actor=actor, origin=f"file {name}")
        line = (
            f"{result.rows} rows = {result.recorded} recorded + {result.waiting} waiting for their orders"
            f" + {result.repeated} recorded before + {result.problem_count} not recorded."
        )
        complaints = [*result.notes, *map(str, result.problems)]
        return Report(result.as_dict(), [line], complaints, complete=not result.problem_count)
