"""`python -m tests.simulation --histories 200 --seed 7`: play histories, print one JSON object; exit 1 when one is not right.

Each history has a seed of its own, counted from `--seed`; one that fails is printed to stderr with its steps, and played
alone by `--only SEED --weather CLASS`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence

from syncconsole.embedded.development import provide_temporary_services


def main(arguments: Sequence[str]) -> int:
    """Everything on a database of its own, which is removed afterwards."""
    wanted = _arguments(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "syncconsole.settings")
    os.environ.setdefault("LOG_LEVEL", "CRITICAL")
    provide_temporary_services()
    import django

    django.setup()
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    from django.conf import settings
    from django.db import connection

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    from tests.simulation.tally import tell

    was = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        told = tell(wanted.histories, wanted.seed, only=wanted.only, weather=wanted.weather, shorten=wanted.shorten)
    finally:
        connection.creation.destroy_test_db(was, verbosity=0)
    print(json.dumps(told.as_dict()))
    return 0 if told.good else 1


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="where their seeds begin (default: %(default)s)")
    parser.add_argument("--only", type=int, metavar="SEED", help="the history of this seed alone")
    parser.add_argument("--weather", choices=("normal", "forgotten", "slow"), help="one class alone")
    parser.add_argument("--shorten", action="store_true", help="leave out of failing histories what they fail without")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
