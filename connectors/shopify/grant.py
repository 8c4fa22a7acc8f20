"""The client-credentials grant: a token for a day, given for the app's own ID and secret (reference 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import httpx
import msgspec

from connectors.ports.errors import ConnectorUnavailable, CredentialsRejected
from connectors.shopify.decoding import decode
from connectors.shopify.replies import SERVICE, Sent, status_error

_ASKING: Final = Sent(purpose="obtain an access token", writes=False)
_REFUSED: Final = frozenset({400, 401, 403, 422})


@dataclass(frozen=True, slots=True)
class Granted:
    """A token and how many seconds it lives."""

    token: str
    seconds: int


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: int


def ask_token(http: httpx.Client, base_url: str, client_id: str, client_secret: str) -> Granted:
    """A new token of the shop at `base_url`, whose address has been checked. Earlier ones live on until they expire.

    Raises `CredentialsRejected` where the shop gives none for this ID and secret, else what `status_error` decides,
    and `ConnectorUnavailable` without a readable answer.
    """
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    try:
        response = http.post(f"{base_url.rstrip('/')}/admin/oauth/access_token", data=form)
    except httpx.HTTPError as exc:
        raise _ASKING.not_sent(f"No answer from {httpx.URL(base_url).host} ({type(exc).__name__}).") from exc
    request_id = response.headers.get("X-Request-ID", "")
    if response.status_code in _REFUSED:
        raise CredentialsRejected(
            service=SERVICE,
            operation=_ASKING.purpose,
            cause=f"Shopify gives no token for this client ID and secret (HTTP {response.status_code}).",
            remedy="Check both in the store's settings, and that the app is installed in a shop of the organisation "
            "that owns it. Then test the connection.",
            request_id=request_id,
            status=response.status_code,
        )
    if response.status_code != 200:
        raise status_error(response, _ASKING, request_id)
    try:
        answer = decode(response.content, _Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        # The content may hold a token, so nothing of it is repeated here.
        raise ConnectorUnavailable(
            service=SERVICE,
            operation=_ASKING.purpose,
            cause="Shopify's answer to the request for a token cannot be read.",
            remedy="Nothing to do: it is asked again at the next run.",
            request_id=request_id,
        ) from exc
    return Granted(token=answer.access_token, seconds=answer.expires_in)
