"""The ATS validation sheet of a store from the command line: its counts and the state of its signature."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from inventory import signatures, validation
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "How our quantities compare with a store's as last read, and whether somebody signed. Signing is for the console."
    permission = "inventory.view_validation"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        counts, signed = validation.counts(store), signatures.last(store)
        sheet, read = validation.open_sheet(store), validation.last_read(store)
        state = "none" if signed is None else "withdrawn" if signed.withdrawn_at else "signed"
        data = {
            "store": store.slug,
            **counts.as_dict(),
            "read_at": read.finished_at if read else None,
            "signature": state,
            "signed_by": str(signed.signed_by) if signed else None,
            "signed_at": signed.signed_at if signed else None,
            "withdrawn_cause": signed.withdrawn_cause if signed else "",
            "samples_left": validation.left(sheet) if sheet else None,
        }
        lines = [
            f"{counts.levels:,} levels: {counts.equal:,} equal, {counts.differ:,} differ, {counts.held:,} held.",
            {
                "none": "Nobody has signed yet.",
                "signed": f"Signed by {data['signed_by']}, {data['signed_at']}.",
                "withdrawn": f"The signature is withdrawn: {data['withdrawn_cause']}",
            }[state],
        ]
        return Report(data=data, lines=lines)
