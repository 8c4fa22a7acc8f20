"""The ATS validation sheet of a store from the command line: its counts, its sample as a file, the signature."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.csv_rows import FileRefused
from connectors.commands import named_store
from connectors.models import Store
from inventory import sample_file, signatures, validation
from inventory.models import Validation
from inventory.validation import ValidationRefused
from syncconsole.kernel.commands import JsonCommand, Refused, Report, acting_person, input_file, output_file
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "How our quantities compare with a store's as last read; draw, count and sign its sheet."
    permission = "inventory.view_validation"
    refusals = (ValidationRefused, FileRefused)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        file = parser.add_mutually_exclusive_group()
        file.add_argument("--sample", metavar="FILE", help="Write the sample to count to this CSV file; draws one.")
        file.add_argument("--counts", metavar="FILE", help="Keep the counts of that file; - is standard input.")
        parser.add_argument(
            "--sign", action="store_true", help="Sign the sheet; needs --as. With --counts: both or none."
        )

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        signer = acting_person(actor, "A signature") if options["sign"] else None
        if path := options["sample"]:
            if signer:
                raise Refused("A sample is counted before it is signed.", "Count it, then give --counts FILE --sign.")
            self._write_sample(store, actor, path)
        elif path := options["counts"]:
            with input_file(path) as stream:
                if signer:
                    sample_file.sign(store, stream, signer)
                else:
                    sample_file.keep_counts(store, stream, actor)
        elif signer:
            validation.sign(store, signer)
        return told(store)

    @staticmethod
    def _write_sample(store: Store, actor: User | None, path: str) -> None:
        sheet = validation.draw(store, actor)
        with output_file(path) as file:
            file.writelines(sample_file.lines(sheet))


def _moment(store: Store, signed: Validation | None) -> str:
    at = signed and signed.signed_at
    return f"{at.astimezone(store.zone):%-d %b %Y %H:%M %Z}" if at else ""


def told(store: Store) -> Report:
    """How the sheet stands now."""
    counts, signed = validation.counts.anew(store.pk).value, signatures.last(store)
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
            "signed": f"Signed by {data['signed_by']}, {_moment(store, signed)}.",
            "withdrawn": f"The signature is withdrawn: {data['withdrawn_cause']}",
        }[state],
    ]
    if sheet:
        lines.append(f"A sheet is open: {data['samples_left']} of {sheet.samples.count()} samples are left.")
    return Report(data=data, lines=lines)
