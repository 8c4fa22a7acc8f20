"""Every plan's bucket as a store's clients feel it, also when they are several programs."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from sandbox.app import Sandbox
from sandbox.server import running

# Each client asks for products at 13 points a call until its time is over, and says how often it was answered and refused.
CLIENT = """
import http.client, json, sys, time
host, path, token, until = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
line = http.client.HTTPConnection(host)
body = json.dumps({"query": "{ products(first: 250) { nodes { id } } }"})
head = {"X-Shopify-Access-Token": token, "Content-Type": "application/json"}
done = refused = 0
charged = 0
while time.time() < until:
    line.request("POST", path, body, head)
    told = json.loads(line.getresponse().read())
    cost = told["extensions"]["cost"]
    if "data" in told:
        done += 1
        charged += cost["actualQueryCost"]
    else:
        assert told["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert cost["actualQueryCost"] is None
        refused += 1
        time.sleep(0.01)
print(json.dumps({"done": done, "refused": refused, "charged": charged}))
"""


@pytest.mark.parametrize(
    ("plan", "rate"), [("standard", 100), ("advanced", 200), ("plus", 1_000), ("enterprise", 2_000)]
)
def test_four_programs_together_get_what_the_plan_restores_and_no_more(plan: str, rate: int) -> None:
    sandbox = Sandbox(plan=plan)
    shop, _ = sandbox.add_shop("mare")
    sandbox.fill(shop, 2_500)
    bucket = sandbox.admin.bucket(shop, 1)
    status = bucket.status()
    assert (status["maximumAvailable"], status["restoreRate"]) == (20.0 * rate, float(rate))
    with running(sandbox) as url:
        start = time.time()
        until = start + 1.0
        bucket.empty()
        path = f"/shops/{shop.domain}/admin/api/2026-10/graphql.json"
        clients = [
            subprocess.Popen(
                [sys.executable, "-c", CLIENT, url.removeprefix("http://"), path, sandbox.token_of("mare"), str(until)],
                stdout=subprocess.PIPE,
            )
            for _ in range(4)
        ]
        told = [json.loads(client.communicate(timeout=30)[0]) for client in clients]
        left, passed = bucket.status()["currentlyAvailable"], time.time() - start
    spent = sum(each["charged"] for each in told)
    restored = rate * passed
    assert spent + left <= restored + 1
    assert spent + left >= restored * 0.95 - 13
    if rate <= 200:  # beyond, the clients are what limits on a small machine
        assert sum(each["refused"] for each in told) > 0
