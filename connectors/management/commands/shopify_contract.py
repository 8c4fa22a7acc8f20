"""Check our GraphQL documents against a schema file or the schema that a store serves now."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from connectors import registry
from connectors.commands import named_store
from connectors.ports.errors import ConnectorError
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User
from syncconsole.kernel.secrets import UndecryptableSecret


class Command(JsonCommand):
    help = __doc__
    permission = "connectors.test_connection"
    refusals = (ConnectorError, UndecryptableSecret)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", nargs="?", help="Short name of the store whose schema is read.")
        parser.add_argument("--schema", metavar="FILE", help="JSON of an introspection, .json or .json.gz.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        slug, path = options["store"], options["schema"]
        if bool(slug) == bool(path):
            raise Refused(
                "Nothing, or two things, to check against.", "Give either --schema FILE or the short name of a store."
            )
        contract = registry.contract_with(Path(path) if path else named_store(slug))
        faults = [*contract.broken, *contract.forbidden]
        lines = [f"{fault.document}: {fault.text}" for fault in faults]
        lines.append(
            f"{contract.documents} documents, {len({fault.document for fault in faults})} at fault, "
            f"{len(contract.deprecated)} deprecated uses, against {path or slug}."
        )
        return Report(
            {"ok": contract.kept, "against": path or slug, **asdict(contract)},
            lines,
            complaints=[f"{each.document}: {each.text}" for each in contract.deprecated],
            complete=contract.kept,
        )
