"""Every plan's bucket as a store's clients feel it, also when they are several programs."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from sandbox.app import Sandbox
from sandbox.server import running

# Each client asks for products at 13 points a call until it was answered so often, and says what it was charged.
CLIENT = """
import http.client, json, sys, time
host, path, token, wanted = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
line = http.client.HTTPConnection(host)
body = json.dumps({"query": "{ products(first: 250) { nodes { id } } }"})
head = {"X-Shopify-Access-Token": token, "Content-Type": "application/json"}
done = charged = 0
while done < wanted:
    line.request("POST", path, body, head)
    told = json.loads(line.getresponse().read())
    cost = told["extensions"]["cost"]
    if "data" in told:
        done += 1
        charged += cost["actualQueryCost"]
    else:
        assert told["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert cost["actualQueryCost"] is None
        time.sleep(0.01)
print(json.dumps({"charged": charged}))
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
    calls = max(1, rate // 4 // 13)  # of each client: together about what the plan restores in a second
    with running(sandbox) as url:
        before = time.monotonic()
        bucket.empty()
        emptied = time.monotonic()
        path = f"/shops/{shop.domain}/admin/api/2026-10/graphql.json"
        arguments = [url.removeprefix("http://"), path, sandbox.token_of("mare"), str(calls)]
        clients = [
            subprocess.Popen([sys.executable, "-c", CLIENT, *arguments], stdout=subprocess.PIPE) for _ in range(4)
        ]
        told = [json.loads(client.communicate(timeout=100)[0]) for client in clients]
        asked = time.monotonic()
        left = bucket.status()["currentlyAvailable"]
        answered = time.monotonic()
    spent = sum(each["charged"] for each in told)
    most = rate * (answered - before)
    assert spent == 4 * calls * 13
    assert spent + left <= most + 1
    if answered - before < 20:  # a bucket that was full meanwhile has given the rest away
        assert spent + left >= rate * (asked - emptied) - 1
