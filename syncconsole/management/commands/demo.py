"""Everything from nothing: services, two simulated shops, a story with numbers, then the console."""

from __future__ import annotations

import json
import logging
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from connectors.approval import DecisionRefused
from connectors.runs import RunRefused
from connectors.webhook_tasks import check_subscriptions
from syncconsole import process_tree
from syncconsole.demo import beginning, files
from syncconsole.demo.stage import Stage, StageFailed
from syncconsole.demo.story import SHOPS, Story
from syncconsole.embedded.development import data_directory, services_problem
from syncconsole.embedded.processes import tail
from syncconsole.embedded.supervisor import Child, Supervisor
from syncconsole.kernel.commands import PARTLY, REFUSED, Refused

WEB_PORT = 8000
LOG_TAIL = 15


class Command(BaseCommand):
    help = "Start everything on empty data, tell a short story with numbers, then serve the console until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="End when the story is told.")
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="The story as one JSON object on stdout."
        )
        parser.add_argument(
            "--shopify-csv", type=Path, metavar="FILE", help="A product export of Shopify's to start with."
        )
        parser.add_argument(
            "--port", type=int, help=f"Port of the console. Without it {WEB_PORT}, or the next free one."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        logging.disable(logging.INFO)  # this process tells a story; the others write to the demo's log
        self.as_json: bool = options["as_json"]
        self.once: bool = options["once"]
        self.given: Path | None = options["shopify_csv"]
        self.folder = data_directory(os.environ) / "demo"
        try:
            sys.exit(self.perform(self.web_port(options["port"])))
        except (Refused, RunRefused, DecisionRefused, StageFailed) as problem:
            refused = isinstance(problem, Refused)
            self.stderr.write(f"{problem.cause} {problem.remedy}".strip())
            if self.as_json:
                outcome = "refused" if refused else "failed"
                self.print_json({"outcome": outcome, "cause": problem.cause, "remedy": problem.remedy})
            sys.exit(REFUSED if refused else PARTLY)

    @staticmethod
    def web_port(wished: int | None) -> int:
        if wished is None:
            return process_tree.free_port_from(WEB_PORT)
        if not process_tree.port_is_free(wished):
            raise Refused(f"Port {wished} is taken by another program.", "Choose another one with --port.")
        return wished

    def perform(self, port: int) -> int:
        """Prepare, start the programs, tell, stay. Returns the exit code."""
        shops = files.shop_files(self.folder, self.given)
        self.say("Sync Console, demo: two simulated Shopify stores, one stock. Preparing …")
        beginning.begin_anew()
        sandbox_port = process_tree.free_port_from(process_tree.SANDBOX_PORT)
        self.console = f"http://127.0.0.1:{port}/"
        self.sandbox = f"http://127.0.0.1:{sandbox_port}"
        os.environ["PUBLIC_URL"] = self.console.rstrip("/")
        main_shop = process_tree.sandbox(sandbox_port, shops=[SHOPS[0][0]], csv=shops.main)
        children: list[Child] = [main_shop]
        if not self.once:
            children += [process_tree.worker(), process_tree.web(port), process_tree.beat()]
        log = self.folder / "demo.log"
        with log.open("w", encoding="utf-8") as output:
            supervisor = Supervisor(children, watches=[services_problem], output=output)
            code = supervisor.run(lambda: self.tell(shops), stay=not self.once)
        if code:
            self.stderr.write(f"{tail(log, LOG_TAIL)}\nThe whole log is {log}.")
        return code

    def say(self, line: str) -> None:
        """A line for people: on the terminal, or beside the JSON object."""
        stream = self.stderr if self.as_json else self.stdout
        stream.write(line)
        stream.flush()

    def print_json(self, data: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
        self.stdout.flush()

    def tell(self, shops: files.Shops) -> None:
        """The story, then where to look on."""
        stage = Stage(self.sandbox)
        story = Story(stage, shops, self.folder, self.say, own_file=self.given is not None)
        told = {**story.tell(), "console": None if self.once else self.console, "sandbox": self.sandbox}
        stage.close()
        if not self.once:
            # The worker knows under which address the console answers; from now on the shops tell what happens there.
            check_subscriptions.send()
        if self.as_json:
            self.print_json({"outcome": "done", **told})
        self.say("")
        if self.once:
            self.say(f"Told in {told['seconds']} s. The data stay: make run shows them, with the logins below.")
        else:
            self.say(f"Console   {self.console}   (the simulated shops: {self.sandbox}/)")
        for person in told["people"]:
            self.say(f"  {person['role']:<14} {person['email']:<42} {person['password']}")
        if not self.once:
            self.say(f"Deltas run by schedule from now on. Log: {self.folder / 'demo.log'}. Ctrl-C stops everything.")
