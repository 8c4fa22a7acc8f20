#!/usr/bin/env python
"""Any command of the project, without set-up: with no DATABASE_URL and REDIS_URL it brings its own services along."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import environ
from django.core.management import execute_from_command_line

from syncconsole.embedded.development import announce_demo, provide_services
from syncconsole.embedded.errors import ServicesUnavailable

# Commands that read the settings and never connect to anything.
NEED_NO_SERVICE = {"help", "version", "collectstatic", "sandbox"}
PLACEHOLDERS = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1/none",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SECRET_KEY": "not used",
    "FIELD_ENCRYPTION_KEYS": "not used",
}


def main(arguments: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "syncconsole.settings")
    environ.Env.read_env(Path(__file__).with_name(".env"))  # the process environment wins over the file
    if needs_no_service(arguments):
        for name, value in PLACEHOLDERS.items():
            os.environ.setdefault(name, value)
    else:
        if arguments[1] == "demo":
            announce_demo()
        try:
            # The demo's data can be made anew; everything else keeps what it wrote, even through a power cut.
            provide_services(durable=arguments[1] != "demo")
        except ServicesUnavailable as problem:
            print(problem, file=sys.stderr)
            return 1
    execute_from_command_line(arguments)
    return 0


def needs_no_service(arguments: list[str]) -> bool:
    return len(arguments) < 2 or arguments[1] in NEED_NO_SERVICE or bool({"--help", "-h", "--version"} & {*arguments})


if __name__ == "__main__":
    sys.exit(main(sys.argv))
