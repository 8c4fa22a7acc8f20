"""`register`: the accountant's register of a period, its totals, its documents as a file; `--close` keeps who looked."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from connectors.commands import named_store
from orders import register, reviews, workbook
from orders.document_filters import documents_of, looked_at
from orders.document_table import by_posting, csv_of
from orders.documents import SEE_RIGHT
from orders.models import DocumentKind, DocumentState
from orders.reviews import ReviewRefused
from orders.workbook import WorkbookRefused
from syncconsole.kernel.commands import JsonCommand, Report, acting_person, output_bytes, output_file
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import money, plural


class Command(JsonCommand):
    help = "Totals of the documents posted in a period, this month unless said, and their reviews; --close adds one."
    permission = SEE_RIGHT
    refusals = (ReviewRefused, WorkbookRefused)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="First day posted.")
        parser.add_argument("--to", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="Last day posted.")
        parser.add_argument("--store", help="Slug: of this store alone.")
        parser.add_argument("--kind", choices=DocumentKind.values)
        parser.add_argument("--currency", metavar="ISO")
        parser.add_argument("--state", choices=(DocumentState.POSTED.value, DocumentState.COUNTERED.value))
        parser.add_argument("--csv", metavar="FILE", help="Write the documents to this file.")
        parser.add_argument("--xlsx", metavar="FILE", help="Write totals, taxes, documents and lines to this workbook.")
        parser.add_argument("--close", metavar="SEEN", help="Close a review of what shows this mark; needs --as.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        if options["store"]:
            named_store(options["store"])
        asked = {name: str(options[name] or "") for name in ("from", "to", "store", "kind", "currency", "state")}
        found, looked = documents_of(asked), looked_at(asked)
        lines = []
        if options["close"]:
            person = acting_person(actor, "A review", reviews.CLOSE_RIGHT)
            review = reviews.close(found, looked, seen=options["close"], by=person)
            lines.append(f"Review of {review} is closed: {plural(review.documents, 'document')}.")
        if path := options["csv"]:
            with output_file(path) as file:
                file.writelines(csv_of(by_posting(found)))
        if path := options["xlsx"]:
            with output_bytes(path) as stream:
                workbook.write(stream, looked, found)
        totals, mark = register.totals(found), reviews.mark(found)
        closed = reviews.of_period(looked.since, looked.until)
        data = {
            "from": looked.since,
            "to": looked.until,
            "mark": mark,
            "totals": [asdict(row) for row in totals],
            "taxes": [asdict(row) for row in register.rates(found)],
            "series": [asdict(row) | {"gap": row.gap} for row in register.series()],
            "reviews": [
                {"of": str(each), "by": str(each.reviewed_by), "at": each.reviewed_at, "documents": each.documents}
                for each in closed
            ],
            "posted_since": reviews.posted_since(found, looked, closed),
        }
        lines += [
            f"{row.kind.label}, {row.store}: {row.count:,} of {money(row.total, row.currency)}, "
            f"tax {money(row.tax, row.currency)}"
            for row in totals
        ]
        lines += [f"Missing in {row.code}: {row.gap}." for row in register.series() if row.gap]
        lines.append(f"Posted {looked.since} to {looked.until}, {looked.words}. Mark of what you see: {mark}")
        return Report(data, lines)
