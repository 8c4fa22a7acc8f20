"""The client-credentials grant: ``POST /admin/oauth/access_token`` gives a token that lives 24 hours (reference §1)."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import parse_qsl

from sandbox.wire import Request

from .access import Token
from .apps import App, app_with
from .catalogue import Shop

TOKEN_SECONDS = 86_399


class GrantRefused(Exception):
    """No token: the HTTP status, OAuth's error code, and what it means."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.content = {"error": code, "error_description": description}


def grant(shop: Shop, request: Request, now: float) -> Token:
    """A new token for the app that names itself in a form or a JSON body. Older tokens keep working. Raises `GrantRefused`."""
    given = _given(request)
    kind = given.get("grant_type")
    if kind is None:
        raise GrantRefused(400, "invalid_request", "The parameter grant_type is missing.")
    if kind != "client_credentials":
        raise GrantRefused(400, "unsupported_grant_type", "The sandbox grants client_credentials only.")
    for name in ("client_id", "client_secret"):
        if not given.get(name):
            raise GrantRefused(400, "invalid_request", f"The parameter {name} is missing.")
    app = app_with(shop, given["client_id"])
    if app is None:
        raise GrantRefused(400, "application_cannot_be_found", "There is no app with this client_id.")
    if given["client_secret"] not in _secrets(app):
        raise GrantRefused(401, "invalid_client", "The client_secret is not this app's.")
    if not app.installed:
        description = "Client credentials cannot be performed on this shop: the app is not installed."
        raise GrantRefused(400, "shop_not_permitted", description)
    return Token(f"shpat_{uuid.uuid4().hex}", shop.domain, app.number, app.scopes, expires_at=now + TOKEN_SECONDS)


def _secrets(app: App) -> tuple[str, ...]:
    """The secrets that identify the app: after a rotation the old one does until it is forgotten."""
    return (app.secret,) if app.old_secret is None else (app.secret, app.old_secret)


def _given(request: Request) -> dict[str, str]:
    if "json" in request.headers.get("content-type", ""):
        try:
            read: Any = json.loads(request.body)
        except ValueError:
            raise GrantRefused(400, "invalid_request", "The body is not JSON.") from None
        if not isinstance(read, dict):
            raise GrantRefused(400, "invalid_request", "The body is not a JSON object.")
        return {name: str(value) for name, value in read.items() if value is not None}
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))
