"""The HTTP server and the command that starts it."""

from __future__ import annotations

import concurrent.futures
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox
from sandbox.server import running
from tests.sandbox.client import App
from tests.sandbox.conftest import CSV

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with running(sandbox) as address:
        yield address


def raw(url: str, *requests: bytes) -> bytes:
    """Send bytes over one connection and read until the server closes it."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for request in requests:
            connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_one_connection_answers_many_requests(url: str) -> None:
    request = b"GET /_control/faults HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw(url, request, request, request).count(b"HTTP/1.1 200 OK") == 3


def test_close_and_http_1_0_end_the_connection(url: str) -> None:
    assert b"Connection: close" in raw(url, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"Connection: close" in raw(url, b"GET / HTTP/1.0\r\n\r\n")


def test_head_has_no_body(url: str) -> None:
    reply = raw(url, b"HEAD /_control/faults HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reply.endswith(b"\r\n\r\n")


def test_a_body_in_chunks_is_read(url: str) -> None:
    def body() -> Iterator[bytes]:
        yield b'{"adv'
        yield b'ance": 5}'

    assert httpx.post(f"{url}/_control/clock", content=body()).json()["offset_seconds"] == pytest.approx(5, abs=0.1)


def test_a_client_that_waits_for_continue_gets_it(url: str) -> None:
    head = b"POST /_control/clock HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n"
    assert raw(url, head, b'{"advance": 5}').startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "request_",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"],
)
def test_bytes_that_are_no_request_get_400(url: str, request_: bytes) -> None:
    assert raw(url, request_).startswith(b"HTTP/1.1 400 Bad Request")


def test_a_body_beyond_the_limit_is_refused(url: str) -> None:
    assert raw(url, b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n").startswith(b"HTTP/1.1 413")


def test_many_clients_at_once_and_no_adjustment_is_lost(url: str, app: App) -> None:
    app.sandbox.admin.bucket(app.shop, 1).fill()
    text = """mutation A($input: InventoryAdjustQuantitiesInput!, $key: String!) {
      inventoryAdjustQuantities(input: $input) @idempotent(key: $key) { userErrors { code } } }"""
    given = {"name": "available", "reason": "correction", "changes": [app.change("APA", -1)]}

    def send(client: httpx.Client, number: int) -> int:
        body: dict[str, Any] = {"query": text, "variables": {"input": given, "key": f"k{number}"}}
        return client.post(f"{url}/shops/{app.shop.domain}/admin/api/2026-10/graphql.json", json=body).status_code

    headers = {"X-Shopify-Access-Token": app.token}
    with httpx.Client(headers=headers, timeout=10) as client, concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda number: send(client, number), range(120)))
    assert set(statuses) == {200}
    assert app.level("APA").quantities[0] == 10 - 120


def test_unknown_addresses_are_not_found(url: str) -> None:
    assert httpx.get(f"{url}/nothing").status_code == 404
    assert httpx.get(f"{url}/shops/bucovina-ro.myshopify.com/admin/api/2026-10/products.json").status_code == 404


def test_the_wsgi_application_works_in_process(sandbox: Sandbox, app: App) -> None:
    with httpx.Client(transport=httpx.WSGITransport(app=sandbox.wsgi), base_url="http://sandbox.test") as client:
        path = f"/shops/{app.shop.domain}/admin/api/2026-10/graphql.json"
        reply = client.post(path, json={"query": "{ shop { name } }"}, headers={"X-Shopify-Access-Token": app.token})
    assert reply.json()["data"] == {"shop": {"name": "bucovina-ro"}}


# ── the command ──


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_is_and_ends_when_told(tmp_path: Path, stop: signal.Signals) -> None:
    file = tmp_path / "products.csv"
    file.write_text(CSV + ",,no handle\n", encoding="utf-8")
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--plan", "plus", "--csv", str(file)]
    command += ["--shop", "bucovina-ro", "bucovina-eu", "--locations", "Unu, Doi"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert sorted(told["shops"]) == ["bucovina-eu.myshopify.com", "bucovina-ro.myshopify.com"]
        token = told["shops"]["bucovina-eu.myshopify.com"]["token"]
        address = f"{told['url']}/shops/bucovina-eu.myshopify.com/admin/api/2026-10/graphql.json"
        text = "{ shop { plan { shopifyPlus } } locations(first: 5) { nodes { name } } productVariantsCount { count } }"
        reply = httpx.post(address, json={"query": text}, headers={"X-Shopify-Access-Token": token})
        assert reply.json()["data"] == {
            "shop": {"plan": {"shopifyPlus": True}},
            "locations": {"nodes": [{"name": "Doi"}, {"name": "Unu"}]},
            "productVariantsCount": {"count": 5},
        }
    finally:
        process.send_signal(stop)
        _, complaints = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "Traceback" not in complaints
    assert "skipped line 7" in complaints


def test_a_file_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--csv", str(tmp_path / "none.csv")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The sandbox can't start:")
    assert "Traceback" not in done.stderr
