"""The benchmarks run from one command. How fast things are is theirs to say; here only that they say it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
# What the command brings along by itself must not come from the tests' own services.
OURS = ("DATABASE_URL", "REDIS_URL")
# The others need workers or several processes that keep every core busy for a while.
CHEAP = ("loading", "sandbox", "delta-calls", "full", "many", "deliveries", "listing")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_benchmarks_run_small_and_tell_what_they_promise(tmp_path: Path) -> None:
    out = tmp_path / "latest.json"
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    command = [sys.executable, "-m", "benchmarks", "--quick", "--out", str(out)]
    command += [word for name in CHEAP for word in ("--only", name)]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    # Small sizes on a busy machine may miss a target of time; a fault ends it with a traceback instead of a file.
    assert out.exists(), done.stdout + done.stderr
    results = {result["name"]: result for result in json.loads(out.read_text())}
    assert all(set(result) == {"name", "value", "unit", "target", "meets"} for result in results.values())
    assert results["loader_ledger_check_differences"]["value"] == 0
    assert results["delta_500_shopify_calls"]["value"] <= 8
    assert results["delta_500_throttled_replies"]["value"] == 0
    assert {"plan_to_bare_join", "delta_among_many_to_among_few"} <= results.keys()
    once = ("deliveries_orders_missing", "deliveries_orders_too_many", "deliveries_orders_kept_more_than_once")
    assert [results[name]["value"] for name in once] == [0, 0, 0]
    assert results["listing_2000_pages_differ_from_bulk"]["value"] == 0
