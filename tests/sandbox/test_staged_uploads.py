"""Uploads: the promised form and nothing else, in pieces, without a token."""

from __future__ import annotations

import io

import httpx
import pytest

from sandbox.files_multipart import Broken, Multipart
from sandbox.server import running
from tests.sandbox.bulk import Bulk, path_of
from tests.sandbox.client import App


@pytest.fixture
def bulk(app: App) -> Bulk:
    return Bulk(app)


def test_an_upload_costs_eleven_points_and_ends_at_the_path_named_key(app: App, bulk: Bulk) -> None:
    target = bulk.target()
    assert bulk.upload(target, b'{"a": 1}\n').status_code == 201
    kept = app.sandbox.files.uploaded(path_of(target))
    assert kept is not None
    assert kept.path.read_bytes() == b'{"a": 1}\n'
    assert path_of(target).endswith("/job-1.jsonl")
    text = """mutation S($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) {
      stagedTargets { url resourceUrl parameters { name value } } userErrors { field message } } }"""
    wanted = {"resource": "BULK_MUTATION_VARIABLES", "filename": "a", "mimeType": "text/jsonl", "httpMethod": "POST"}
    assert app.ask(text, {"input": [wanted]}).cost["requestedQueryCost"] == 11


def test_a_changed_reordered_or_missing_parameter_is_refused(bulk: Bulk) -> None:
    target = bulk.target()
    given = target["parameters"]
    for wrong in (given[::-1], given[1:], [{**given[0], "value": "text/plain"}, *given[1:]]):
        assert bulk.upload({**target, "parameters": wrong}, b"{}").status_code == 403


def test_the_file_comes_last(bulk: Bulk) -> None:
    target = bulk.target()
    fields = {each["name"]: (None, each["value"]) for each in target["parameters"]}
    reply = bulk.http.post(target["url"], files={"file": ("x", b"{}"), **fields})
    assert reply.status_code == 403


def test_a_form_without_a_file_is_refused(bulk: Bulk) -> None:
    target = bulk.target()
    fields = {each["name"]: (None, each["value"]) for each in target["parameters"]}
    assert bulk.http.post(target["url"], files=fields).status_code == 400


def test_the_shops_token_does_not_belong_on_an_upload(app: App, bulk: Bulk) -> None:
    bulk.http.headers["X-Shopify-Access-Token"] = app.token
    assert bulk.upload(bulk.target(), b"{}").status_code == 400


def test_a_target_can_also_be_put(app: App, bulk: Bulk) -> None:
    target = bulk.target("PUT")
    reply = bulk.http.put(target["url"], content=b'{"b": 2}\n', headers={"Content-Type": "text/jsonl"})
    assert reply.status_code == 200
    kept = app.sandbox.files.uploaded(path_of(target))
    assert kept is not None
    assert kept.path.read_bytes() == b'{"b": 2}\n'
    assert bulk.http.put(target["url"] + "x", content=b"{}", headers={"Content-Type": "text/jsonl"}).status_code == 403
    assert bulk.http.put(target["url"], content=b"{}", headers={"Content-Type": "text/csv"}).status_code == 403


def test_a_place_is_promised_for_a_day(app: App, bulk: Bulk) -> None:
    target = bulk.target()
    app.control("POST", "clock", {"advance": 86_401})
    assert bulk.upload(target, b"{}").status_code == 403


def test_a_large_upload_and_its_connection_survive_over_http(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b'{"line": "' + b"x" * 1_000_000 + b'"}\n'
    monkeypatch.setattr("sandbox.app.MAX_BODY", 500_000)  # what a request may have that is held in memory
    with running(app.sandbox) as url, httpx.Client(base_url=url, trust_env=False) as http:
        bulk = Bulk(app)
        bulk.http = http
        target = bulk.target()
        target["url"] = target["url"].replace("http://sandbox", url)
        assert bulk.upload(target, content).status_code == 201
        assert bulk.upload({**target, "parameters": []}, content).status_code == 403
        assert http.post("/_control/reset", content=content).status_code == 413
        assert http.get("/_control/state").status_code == 200
    kept = app.sandbox.files.uploaded(path_of(target))
    assert kept is not None
    assert kept.path.read_bytes() == content


class Slow(io.BytesIO):
    """A stream that gives one byte at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(1)


def test_a_form_is_read_whatever_the_pieces_it_comes_in() -> None:
    form = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n--B\r\nx: y; name="file"\r\n\r\n\r\n--\r\n--B--\r\n'
    parts = [(name, b"".join(content)) for name, content in Multipart(Slow(form), b"B").parts()]
    assert parts == [("a", b"one"), ("file", b"\r\n--")]
    with pytest.raises(Broken):
        list(Multipart(Slow(form[:-12]), b"B").parts())
