"""`python -m benchmarks`: measure, print, write `benchmarks/latest.json`. Exit 1 when a target is missed."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import LATEST
from syncconsole.embedded.development import provide_temporary_services


def main(arguments: Sequence[str]) -> int:
    """Everything on a database of its own, which is removed afterwards."""
    wanted = _arguments(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "syncconsole.settings")
    os.environ["ALLOWED_API_HOSTS"] = "127.0.0.1"
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    provide_temporary_services()
    import django

    django.setup()
    return measure(wanted)


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="one measurement; may be given again")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs, not how fast it is")
    parser.add_argument(
        "--large",
        action="store_true",
        help="also full syncs of 500,000 levels, 1,000,000 rows listed, and orders for ten minutes",
    )
    parser.add_argument(
        "--plan", action="append", metavar="PLAN", help="full syncs and pacing on this plan only; may be given again"
    )
    parser.add_argument("--out", type=Path, default=LATEST, help="where the results go (default: %(default)s)")
    return parser.parse_args(arguments)


def measure(wanted: argparse.Namespace) -> int:
    """Run the wanted measurements on a fresh database and write their results."""
    from dataclasses import replace

    from django.db import connection

    from benchmarks import results
    from benchmarks.bench import QUICK, Bench, Sizes
    from benchmarks.measurements import MEASUREMENTS
    from benchmarks.simulators import simulators

    unknown = [name for name in wanted.only or () if name not in MEASUREMENTS]
    if unknown:
        print(f"There is no {unknown[0]}. Use: {', '.join(MEASUREMENTS)}.", file=sys.stderr)
        return 2
    # In the order of the table: some leave their merchant with other stock than the next counts on.
    names = [name for name in MEASUREMENTS if not wanted.only or name in wanted.only]
    sizes = QUICK if wanted.quick else Sizes()
    sizes = replace(sizes, full_larger=500_000, listed_larger=1_000_000, lag_seconds=600.0) if wanted.large else sizes
    sizes = replace(sizes, plans=tuple(wanted.plan), pacing_plans=tuple(wanted.plan)) if wanted.plan else sizes
    found: list[results.Result] = []
    print(results.machine())
    was = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with simulators() as there:
            bench = Bench(there, sizes)
            for name in names:
                began = time.perf_counter()
                for result in MEASUREMENTS[name](bench):
                    print(result, flush=True)
                    found.append(result)
                results.write(found, wanted.out)
                print(f"-- {name}: {time.perf_counter() - began:.0f} s with loading", flush=True)
    finally:
        connection.creation.destroy_test_db(was, verbosity=0)
    return 0 if all(result.meets for result in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
