"""Add a store. Its token or client secret comes from the environment or standard input, never the command line."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError

from connectors import connection
from connectors.management.commands.test_connection import in_words
from connectors.models import Store
from connectors.models.stores import Grant, Plan, SyncDirection
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = __doc__
    permission = "connectors.add_store"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", help="Short name in addresses and commands, e.g. bucovina-ro.")
        parser.add_argument("--name", required=True)
        parser.add_argument("--domain", required=True, help="The permanent domain, ending in .myshopify.com.")
        token = parser.add_mutually_exclusive_group(required=True)
        token.add_argument("--token-env", metavar="VARIABLE", help="Variable of the environment that holds the token.")
        token.add_argument("--token-stdin", action="store_true", help="Read the token from standard input.")
        token.add_argument("--secret-env", metavar="VARIABLE", help="Variable that holds the app's client secret.")
        parser.add_argument("--client-id", default="", help="Of the app; with --secret-env the token is renewed daily.")
        parser.add_argument("--base-url", default="", help="Only where it is not the shop domain over https.")
        parser.add_argument("--time-zone", default="Europe/Bucharest")
        parser.add_argument("--plan", choices=Plan.values, default=Plan.STANDARD.value)
        parser.add_argument("--api-version", default="2026-10")
        parser.add_argument("--direction", choices=SyncDirection.values, default=SyncDirection.TO_STORE.value)
        parser.add_argument("--not-owner", action="store_true", help="Another account pushes inventory to this domain.")
        parser.add_argument("--tags-any", nargs="*", default=[], metavar="TAG")
        parser.add_argument("--tags-all", nargs="*", default=[], metavar="TAG")
        parser.add_argument("--tags-none", nargs="*", default=[], metavar="TAG")
        parser.add_argument("--no-test", action="store_true", help="Do not call the store now.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = Store(
            slug=options["slug"],
            name=options["name"],
            shop_domain=options["domain"].strip().lower(),
            **access_of(options),
            api_base_url=options["base_url"],
            api_version=options["api_version"],
            time_zone=options["time_zone"],
            plan=options["plan"],
            sync_direction=options["direction"],
            inventory_owner=not options["not_owner"],
            tags_any=options["tags_any"],
            tags_all=options["tags_all"],
            tags_none=options["tags_none"],
        )
        try:
            connection.add_store(store, by=actor)
        except ValidationError as exc:
            raise Refused(f"The store was not added. {in_sentences(exc)}", "Correct this and add it again.") from exc
        added = f"Added {store.name} ({store.slug})."
        if options["no_test"]:
            return Report({"slug": store.slug, "connection": None}, [added, "Not tested yet."])
        tested = connection.test_connection(store)
        data = {"slug": store.slug, "connection": tested.as_dict()}
        return Report(data, [added, *in_words(tested)], complete=tested.ok)


def access_of(options: dict[str, Any]) -> dict[str, str]:
    """The store's fields of access from where the options say they are. Raises Refused where one is missing."""
    if variable := options["secret_env"]:
        if not options["client_id"]:
            raise Refused("A client secret without its client ID.", "Give --client-id, which stands beside it.")
        return {
            "grant": Grant.CLIENT_CREDENTIALS.value,
            "client_id": options["client_id"],
            "client_secret": _said(os.environ.get(variable, ""), f"The variable {variable}", "client secret"),
        }
    if options["token_stdin"]:
        return {"access_token": _said(sys.stdin.readline(), "Standard input", "token")}
    variable = options["token_env"]
    return {"access_token": _said(os.environ.get(variable, ""), f"The variable {variable}", "token")}


def _said(text: str, source: str, what: str) -> str:
    if not text.strip():
        raise Refused(f"{source} holds no {what}.", f"Put the {what} of the app there.")
    return text.strip()


def in_sentences(exc: ValidationError) -> str:
    """Every complaint with the name of its field."""
    if not hasattr(exc, "error_dict"):
        return " ".join(exc.messages)
    return " ".join(
        " ".join(messages) if name == "__all__" else f"{name.replace('_', ' ').capitalize()}: {' '.join(messages)}"
        for name, messages in exc.message_dict.items()
    )
