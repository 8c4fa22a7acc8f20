"""Pause every write to a store, or to all stores, and let them go on again. Plans and reads go on meanwhile."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors import pausing
from connectors.commands import named_store
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = __doc__
    refusals = (pausing.PauseRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("store", nargs="?", help="The store's short name.")
        which.add_argument("--all", action="store_true", dest="everything", help="The whole installation.")
        parser.add_argument("--reason", default="", help="Everybody who meets the pause reads it.")
        parser.add_argument("--resume", action="store_true", help="Let writes go on.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        what = "the installation" if options["everything"] else options["store"]
        changed = self.change(actor, options)
        state = "resumed" if options["resume"] else "paused"
        line = f"Writes of {what} are {state}." if changed else f"Writes of {what} were {state} already."
        return Report({"what": what, "paused": not options["resume"], "changed": changed}, [line])

    def change(self, actor: User | None, options: dict[str, Any]) -> bool:
        """Call the one function that the options ask for."""
        if options["everything"]:
            if options["resume"]:
                return pausing.resume_all(by=actor)
            return pausing.pause_all(by=actor, reason=options["reason"])
        store = named_store(options["store"])
        if options["resume"]:
            return pausing.resume_store(store, by=actor)
        return pausing.pause_store(store, by=actor, reason=options["reason"])
