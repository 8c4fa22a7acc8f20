"""Redirects of the online store: old paths that lead to new ones; a renamed handle may leave one (reference §4.5)."""

from __future__ import annotations

from typing import Any

from .catalogue import Shop
from .connections import searched
from .execution import PageRequest, Run
from .handles import UrlRedirect
from .keyed import unkeyed
from .pages import Page, take_page
from .topics import Topic
from .world import World

Payload = dict[str, Any]


def add_redirect(shop: Shop, path: str, target: str) -> UrlRedirect:
    """A redirect from a path, in the place of one that it had."""
    shop.redirects[:] = [row for row in shop.redirects if row.path != path]
    gid, number = shop.new_gid("UrlRedirect")
    row = UrlRedirect(gid, number, path, target)
    shop.redirects.append(row)
    shop.by_gid[gid] = row
    return row


def create_act(world: World, arguments: Payload) -> Payload:
    """`urlRedirectCreate`: a path leads to one place only."""
    given = arguments["urlRedirect"]
    path, target = (given.get("path") or "").strip(), (given.get("target") or "").strip()
    wrong = []
    if not path:
        wrong.append(("path", "Path can't be blank"))
    elif any(row.path == path for row in world.shop.redirects):
        wrong.append(("path", "Path has already been taken"))
    if not target:
        wrong.append(("target", "Target can't be blank"))
    errors = [{"code": "CREATE_FAILED", "field": ["urlRedirect", name], "message": text} for name, text in wrong]
    return {"urlRedirect": None if errors else add_redirect(world.shop, path, target), "userErrors": errors}


def delete_act(world: World, arguments: Payload) -> Payload:
    """`urlRedirectDelete`."""
    gid = arguments["id"]
    row = world.shop.by_gid.get(gid)
    if not isinstance(row, UrlRedirect):
        message = "Redirect does not exist"
        return {
            "deletedUrlRedirectId": None,
            "userErrors": [{"code": "DOES_NOT_EXIST", "field": ["id"], "message": message}],
        }
    world.shop.redirects.remove(row)
    del world.shop.by_gid[gid]
    return {"deletedUrlRedirectId": gid, "userErrors": []}


def _page(world: World, request: PageRequest, run: Run) -> Page:
    fields = {"id": lambda row: row.number, "path": lambda row: row.path, "target": lambda row: row.target}
    search = searched(world, "urlRedirects", request.rest.get("query"), fields, lambda row: row.path)
    rows = [row for row in world.shop.redirects if search is None or search.matches(row)]
    return take_page(rows, request, lambda row: (0, row.number))


_READ = frozenset({"read_products", "read_online_store_navigation"})
_WRITE = frozenset({"write_products", "write_online_store_navigation"})

REDIRECTS = Topic(
    full={
        ("QueryRoot", "urlRedirects"): _page,
        ("Mutation", "urlRedirectCreate"): unkeyed(create_act),
        ("Mutation", "urlRedirectDelete"): unkeyed(delete_act),
    },
    plain={("UrlRedirect", "id"): lambda row: row.gid},
    access={
        ("QueryRoot", "urlRedirects"): _READ,
        ("Mutation", "urlRedirectCreate"): _WRITE,
        ("Mutation", "urlRedirectDelete"): _WRITE,
    },
    type_names={"UrlRedirect": "UrlRedirect"},
    node_scopes={"UrlRedirect": _READ},
    mappings=frozenset({"UrlRedirectCreatePayload", "UrlRedirectDeletePayload", "UrlRedirectUserError"}),
)
"""Redirects read, made and deleted."""
