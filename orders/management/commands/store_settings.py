"""`store_settings STORE`: every setting of a store with its meaning; `--set NAME=VALUE` changes it as its page does."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from connectors.commands import named_store
from inventory.settings_tab import ADDRESS_RIGHT
from orders import all_settings
from orders.all_settings import SettingRefused
from orders.outgoing import SendingRefused
from syncconsole.kernel.commands import JsonCommand, Refused, Report, acting_person, require
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "List the settings of a store with what they mean, or change some: all that are named, or none."
    permission = "connectors.view_store"
    refusals = (SettingRefused, SendingRefused)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument(
            "--set",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME=VALUE",
            help="As listed, e.g. buffer=2 send_fulfilments=on limit_value= (nothing: no limit); needs --as.",
        )

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store, asked = named_store(options["store"]), dict(map(_named, options["set"]))
        may_readdress = actor is None or actor.has_perm(ADDRESS_RIGHT)
        before = {each.name: each.value for each in all_settings.settings_of(store, may_readdress=may_readdress)}
        if asked:
            person = acting_person(actor, "Changing a setting")
            for right in sorted(all_settings.rights(asked)):
                require(person, right)
            wanted = all_settings.checked(store, asked, may_readdress=may_readdress)
            all_settings.change(store, wanted, by=person)
            store = named_store(store.slug)
        settings = all_settings.settings_of(store, may_readdress=may_readdress)
        changed = {each.name: before[each.name] for each in settings if each.value != before[each.name]}
        data = {"store": store.slug, "before": changed, "settings": [asdict(each) for each in settings]}
        lines = [
            f"{each.name} = {each.value}  {_was(changed.get(each.name)) if asked else _about(each)}"
            for each in settings
            if not asked or each.name in asked
        ]
        return Report(data, lines)


def _named(text: str) -> tuple[str, str]:
    """One `NAME=VALUE`. Raises Refused."""
    name, sign, value = text.partition("=")
    if not sign:
        raise Refused(f"{text} names no value.", "Write NAME=VALUE, e.g. buffer=2.")
    return name.strip(), value.strip()


def _was(before: str | None) -> str:
    return "as before" if before is None else f"was {before or 'empty'}"


def _about(setting: all_settings.Setting) -> str:
    choices = f"One of: {', '.join(setting.choices)}." if setting.choices else ""
    return " ".join(filter(None, [setting.meaning, choices, setting.fixed]))
