"""Signed storage: uploads that the Admin API has promised a place, and result files, over HTTP without a token (reference §5)."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

from .clock import Clock
from .files_multipart import PIECE, Broken, Multipart, Readable, boundary_of, text_of
from .wire import ConnectionDropped, Reply, Request

MAX_UPLOAD = 256 * 1024 * 1024  # bytes the storage takes; what a bulk operation takes is its own, smaller limit
KEPT_SECONDS = 7 * 24 * 3600  # of a result
UPLOAD_SECONDS = 24 * 3600  # in which a promised place can be used

_RANGE = re.compile(r"^bytes=(\d+)-(\d*)$")


@dataclass
class Target:
    """A promised place for one upload."""

    key: str
    method: str  # POST or PUT
    mime_type: str
    url: str
    parameters: list[tuple[str, str]]
    expires_at: float
    path: Path
    uploads: int = 0  # how often a file arrived; 0 = none yet

    @property
    def size(self) -> int:
        """Bytes of the uploaded file."""
        return self.path.stat().st_size if self.uploads else 0


@dataclass
class Stored:
    """A result file."""

    name: str
    path: Path
    expires_at: float | None = None  # by the sandbox's clock; None = still being written
    break_after: list[int] = field(default_factory=list)  # the next downloads end after so many bytes
    downloads: int = 0
    size: int = 0  # bytes, once it is written


class Files:
    """All files of one sandbox, in a directory of their own that ends with it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._targets: dict[str, Target] = {}
        self._stored: dict[str, Stored] = {}

    # ── places ──

    def reserve(self, base_url: str, shop_number: int, filename: str, mime_type: str, method: str) -> Target:
        """Promise a place for one upload. Its `key` is what the Admin API calls the staged upload path."""
        key = f"tmp/{shop_number}/bulk/{secrets.token_hex(16)}/{re.sub(r'[^A-Za-z0-9._-]', '_', filename)}"
        signature = secrets.token_hex(32)
        path = self._directory() / secrets.token_hex(12)
        if method == "POST":
            url = f"{base_url}/uploads/"
            parameters = [
                ("Content-Type", mime_type),
                ("success_action_status", "201"),
                ("acl", "private"),
                ("key", key),
                ("x-goog-date", self._clock.stamp()),
                ("x-goog-algorithm", "GOOG4-RSA-SHA256"),
                ("x-goog-signature", signature),
                ("policy", secrets.token_urlsafe(48)),
            ]
        else:
            url = f"{base_url}/uploads/{quote(key)}?signature={signature}"
            parameters = [("content_type", mime_type), ("acl", "private"), ("key", key)]
        target = Target(key, method, mime_type, url, parameters, self._clock.seconds() + UPLOAD_SECONDS, path)
        with self._lock:
            self._targets[key] = target
        return target

    def uploaded(self, key: str) -> Target | None:
        """The upload of a staged upload path, once its file has arrived."""
        target = self._targets.get(key)
        return target if target is not None and target.uploads else None

    def new_result(self) -> Stored:
        """A result file to be written, under a name that nobody guesses. Results whose time is over are removed here."""
        now = self._clock.seconds()
        stored = Stored(f"{secrets.token_urlsafe(32)}.jsonl", self._directory() / secrets.token_hex(12))
        with self._lock:
            for old in self._stored.values():
                if old.expires_at is not None and old.expires_at < now:
                    old.path.unlink(missing_ok=True)
            self._stored[stored.name] = stored
        return stored

    def clear(self) -> None:
        """Forget every place and result. Files still being written are written to the end, for nobody."""
        with self._lock:
            for path in [target.path for target in self._targets.values()]:
                path.unlink(missing_ok=True)
            for stored in self._stored.values():
                stored.path.unlink(missing_ok=True)
            self._targets.clear()
            self._stored.clear()

    def _directory(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="sandbox-files-"))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder

    # ── over HTTP ──

    def receive(self, request: Request, stream: Readable, size: int) -> Reply:
        """Take an upload: ``POST /uploads/`` as a form, ``PUT /uploads/<key>`` as it is."""
        if "x-shopify-access-token" in request.headers:
            return _refused(400, "InvalidArgument", "A signed upload takes no Shopify token: leave the header out.")
        if size > MAX_UPLOAD:
            return _refused(400, "EntityTooLarge", f"The upload has {size} bytes, more than the {MAX_UPLOAD} allowed.")
        if request.method == "POST" and request.path == "/uploads/":
            return self._receive_form(request, stream)
        if request.method == "PUT":
            return self._receive_bytes(request, stream)
        return _refused(405, "MethodNotAllowed", "Upload by POST or PUT, as the target says.")

    def _receive_form(self, request: Request, stream: Readable) -> Reply:
        boundary = boundary_of(request.headers.get("content-type", ""))
        if boundary is None:
            return _refused(400, "InvalidArgument", "The upload is not multipart/form-data.")
        given: list[tuple[str, str]] = []
        try:
            for name, content in Multipart(stream, boundary).parts():
                if name != "file":
                    given.append((name, text_of(content)))
                    continue
                target = self._targets.get(dict(given).get("key", ""))
                if target is None or target.method != "POST" or target.parameters != given or self._too_late(target):
                    told = "The fields before the file are not the target's parameters, in their order and in time."
                    return _refused(403, "SignatureDoesNotMatch", told)
                self._keep(target, content)
                return Reply(201, _written(target.key), "application/xml", [("Location", target.url + target.key)])
        except Broken as problem:
            return _refused(400, "MalformedPOSTRequest", f"The form can't be read: {problem}.")
        return _refused(400, "InvalidArgument", "The form has no field named file.")

    def _receive_bytes(self, request: Request, stream: Readable) -> Reply:
        target = self._targets.get(request.path.removeprefix("/uploads/"))
        if target is None or target.method != "PUT" or self._too_late(target):
            return _refused(403, "AccessDenied", "Nothing was promised at this address, or its time is over.")
        if not target.url.endswith("?signature=" + request.query.get("signature", "-")):
            return _refused(403, "SignatureDoesNotMatch", "The signature of the address is not the target's.")
        if request.headers.get("content-type", "") != target.mime_type:
            return _refused(403, "SignatureDoesNotMatch", "The Content-Type is not the target's.")
        self._keep(target, iter(lambda: stream.read(PIECE), b""))
        return Reply(200, b"", "application/xml")

    def _too_late(self, target: Target) -> bool:
        return self._clock.seconds() > target.expires_at

    def _keep(self, target: Target, pieces: Iterator[bytes]) -> None:
        """Put an upload in its place whole, or not at all."""
        part = self._directory() / secrets.token_hex(12)
        try:
            with part.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
            part.replace(target.path)
        finally:
            part.unlink(missing_ok=True)
        target.uploads += 1

    def send(self, request: Request) -> Reply:
        """Give a result file, whole or from ``Range: bytes=…``. Expired: 403. Unknown: 404."""
        stored = self._stored.get(request.path.removeprefix("/files/"))
        if stored is None or stored.expires_at is None:
            return _refused(404, "NoSuchKey", "The specified key does not exist.")
        if self._clock.seconds() >= stored.expires_at:
            return _refused(403, "ExpiredToken", "The signature of this address has expired.")
        if request.method not in ("GET", "HEAD"):
            return _refused(405, "MethodNotAllowed", "A result can only be read.")
        size = stored.path.stat().st_size
        start, end, status = 0, size, 200
        headers = [("Accept-Ranges", "bytes")]
        asked = _RANGE.match(request.headers.get("range", ""))
        if asked is not None:
            start, end, status = int(asked[1]), min(size, int(asked[2]) + 1) if asked[2] else size, 206
            if start >= size:
                return _refused(416, "InvalidRange", f"The file has {size} bytes.")
            headers.append(("Content-Range", f"bytes {start}-{end - 1}/{size}"))
        if request.method == "HEAD":
            return Reply(status, b"", "application/jsonl", headers, (), end - start)
        stored.downloads += 1
        broken = stored.break_after.pop(0) if stored.break_after else None
        return Reply(status, b"", "application/jsonl", headers, _pieces(stored.path, start, end, broken), end - start)


def _pieces(path: Path, start: int, end: int, broken: int | None) -> Iterator[bytes]:
    """The bytes of a file in pieces. Raises `ConnectionDropped` after `broken` of them."""
    left = end - start if broken is None else min(end - start, broken)
    with path.open("rb") as file:
        file.seek(start)
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
    if broken is not None and broken < end - start:
        raise ConnectionDropped("fault: the download ends in the middle")


def _refused(status: int, code: str, message: str) -> Reply:
    text = (
        f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    )
    return Reply(status, text.encode(), "application/xml; charset=UTF-8")


def _written(key: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?><PostResponse><Key>{escape(key)}</Key></PostResponse>".encode()
