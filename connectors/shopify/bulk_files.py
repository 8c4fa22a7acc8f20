"""The files of bulk operations: downloaded line by line, uploaded from disk. No token ever goes with them."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import IO, Final
from urllib.parse import urlsplit

import httpx

from connectors.http import HostNotAllowed
from connectors.ports.errors import ConnectorError, ConnectorUnavailable, RequestRejected
from connectors.shopify.replies import SERVICE

MAX_LINE: Final = 16 * 1024 * 1024
"""Bytes of one line; a node with all its fields stays far below."""

MAX_FILE: Final = 32 * 1024**3
"""Bytes of one result that are read at most."""

FRUITLESS_TRIES: Final = 5
"""Tries in a row that bring no further line before a download is given up."""

_EXPIRED: Final = frozenset({403, 404, 410})
_DOWNLOAD: Final = "download a bulk result"
_UPLOAD: Final = "upload a bulk file"


def check_storage(url: str, operation: str, allowed_hosts: Collection[str] = ()) -> None:
    """Promise that `url` may be read from or written to.

    Shopify keeps these files with a storage service whose name it does not promise, so any named host is taken over
    https; a bare address, http, or a host without a dot only when it is in `allowed_hosts`. Raises `HostNotAllowed`.
    """
    parts = urlsplit(url)
    host, netloc = parts.hostname or "", parts.netloc.lower()
    named = {entry.strip().lower() for entry in allowed_hosts}
    if parts.scheme in {"http", "https"} and "@" not in netloc and (netloc in named or host in named):
        return
    if parts.scheme == "https" and "@" not in netloc and "." in host and not _is_address(host):
        return
    raise HostNotAllowed(
        service=SERVICE,
        operation=operation,
        cause=f"Shopify named {parts.scheme or 'no scheme'}://{host or 'no host'} as the place of the file.",
        remedy="Allow this host in the settings of this installation, if it is yours; otherwise report it.",
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class _Broken(Exception):
    """The download stopped before its end; it goes on after the last whole line."""


class Download:
    """A result file, as lines without their line break.

    A broken connection goes on where it stopped (Range), or passes over what was read where the storage has no Range:
    no line is given twice, and none is left out. `size` is the number of bytes that Shopify says the file has.
    `renew` gives a fresh address of the same file when this one has expired (after seven days, reference 5).
    """

    def __init__(
        self,
        http: httpx.Client,
        url: str,
        *,
        renew: Callable[[], str],
        size: int | None = None,
        allowed_hosts: Collection[str] = (),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._url = url
        self._renew = renew
        self._size = size
        self._allowed_hosts = allowed_hosts
        self._pause = pause
        self._ranges = True
        self._etag = ""

    def lines(self) -> Iterator[bytes]:
        """Every line that is not blank, in the order of the file.

        Raises `ConnectorUnavailable` when the file cannot be read to its end, `RequestRejected` when it is larger
        than anything expected, and `HostNotAllowed` before anything is sent to a host that is not allowed.
        """
        offset, fruitless = 0, 0
        while True:
            try:
                for line, end in self._from(offset):
                    offset, fruitless = end, 0
                    if line.strip():
                        yield line
                return
            except (httpx.HTTPError, _Broken) as exc:
                fruitless += 1
                if fruitless >= FRUITLESS_TRIES:
                    raise _unavailable(_DOWNLOAD, f"The result could not be read to its end ({exc}).") from exc
                self._pause(min(30.0, 2.0 ** (fruitless - 1)))

    def _from(self, offset: int) -> Iterator[tuple[bytes, int]]:
        """Whole lines from byte `offset` on, each with the offset after it."""
        check_storage(self._url, _DOWNLOAD, self._allowed_hosts)
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if offset and self._ranges:
            headers["Range"] = f"bytes={offset}-"
        with self._http.stream("GET", self._url, headers=headers) as response:
            yield from self._split(response, offset, self._bytes_to_pass_over(response, offset))

    def _split(self, response: httpx.Response, position: int, pass_over: int) -> Iterator[tuple[bytes, int]]:
        tail = b""
        for received in response.iter_bytes():
            chunk = received[pass_over:]
            pass_over = max(0, pass_over - len(received))
            *whole, tail = (tail + chunk).split(b"\n")
            for line in whole:
                position += len(line) + 1
                yield line, position
            if len(tail) > MAX_LINE or position > MAX_FILE:
                raise RequestRejected(
                    service=SERVICE,
                    operation=_DOWNLOAD,
                    cause="The result of the bulk operation is larger than this program reads.",
                    remedy="Report it; nothing of the result was left half used.",
                )
        if self._size is not None and position + len(tail) < self._size:
            raise _Broken(f"{position + len(tail)} of {self._size} bytes came")
        if tail:
            yield tail, position + len(tail)

    def _bytes_to_pass_over(self, response: httpx.Response, offset: int) -> int:
        """How much of the body was already read. Raises `_Broken` where another try may help."""
        status = response.status_code
        if status in _EXPIRED:
            self._url = self._renew()
            raise _Broken(f"the address had expired, HTTP {status}")
        if status not in {200, 206}:
            raise _Broken(f"HTTP {status}")
        etag = response.headers.get("ETag", "")
        if offset and self._etag and etag != self._etag:
            raise _unavailable(_DOWNLOAD, "The result was replaced by another while it was read.")
        self._etag = etag
        if "Content-Encoding" in response.headers:
            # Ranges count encoded bytes, ours are decoded ones.
            self._ranges = False
        if status == 200:
            return offset
        if not self._ranges or not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            self._ranges = False
            raise _Broken("the storage answered with another part than asked for")
        return 0


def upload(
    http: httpx.Client,
    url: str,
    parameters: Sequence[tuple[str, str]],
    file: IO[bytes],
    filename: str,
    *,
    allowed_hosts: Collection[str] = (),
) -> None:
    """Send `file` as a form: `parameters` in their order, the file last (reference 5). Read from disk as it goes.

    Raises `ConnectorUnavailable` when it did not arrive: nothing has been started by then, so it may be repeated.
    """
    check_storage(url, _UPLOAD, allowed_hosts)
    file.seek(0)
    try:
        response = http.post(url, data=dict(parameters), files={"file": (filename, file, "text/jsonl")})
    except httpx.HTTPError as exc:
        raise _unavailable(_UPLOAD, f"The file did not arrive ({type(exc).__name__}: {exc}).") from exc
    if response.status_code not in {200, 201, 204}:
        raise _unavailable(_UPLOAD, f"The storage did not take the file (HTTP {response.status_code}).")


def _unavailable(operation: str, cause: str) -> ConnectorError:
    return ConnectorUnavailable(
        service=SERVICE,
        operation=operation,
        cause=cause,
        remedy="Nothing to do: it is tried again at the next run.",
    )
