"""Sidebar, store switcher, header badge and command palette: what the theme asks for by dotted name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q, Value
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from catalog.models import CloneDecision, CloneSuspect, ConflictKind, LinkConflict, Product, Variant
from connectors.models import RemoteChange, Store, SyncRun
from connectors.models.runs import RunStatus
from connectors.models.webhooks import ChangeState
from orders.models import (
    Document,
    IncomingOrder,
    IncomingState,
    OutgoingFulfilment,
    OutgoingState,
    Refund,
    RefundState,
    SalesOrder,
)
from orders.search import documents_found, elsewhere, orders_found
from syncconsole.kernel.admin import signed_in
from syncconsole.store_health import known_word

COUNTED_SECONDS = 10
PER_KIND = 6


def environment(request: HttpRequest) -> list[str] | None:
    """The label in the header of a demo or a rehearsal; none in production."""
    return [settings.ENVIRONMENT_LABEL, "info"] if settings.ENVIRONMENT_LABEL else None


def subheader(request: HttpRequest) -> str:
    """The store that the address names, under the console's name."""
    slug = request.GET.get("store") or (request.resolver_match.kwargs.get("slug") if request.resolver_match else "")
    return next((store["name"] for store in _stores() if store["slug"] == slug), "All stores")


def _stores() -> list[dict[str, Any]]:
    """Name and slug of each store, and its health word where a page has asked for it in the last minute."""
    return cache.get_or_set("store-switcher", _named_stores, COUNTED_SECONDS) or []


def _named_stores() -> list[dict[str, Any]]:
    return [{"name": store.name, "slug": store.slug, "health": known_word(store)} for store in Store.objects.all()]


def store_switcher(request: HttpRequest) -> list[dict[str, Any]]:
    """All stores, then each with its health word. Keeps the page where the page has a store in its address."""
    match = request.resolver_match
    items = [{"icon": "apps", "title": "All stores", "link": reverse("admin:index")}]
    for store in _stores():
        if match and "slug" in match.kwargs:
            link = reverse(f"admin:{match.url_name}", kwargs={**match.kwargs, "slug": store["slug"]})
        elif match and match.url_name in ("levels", "runs", "links", "quarantine", "change_log", "monitoring"):
            link = f"{request.path}?store={store['slug']}"
        else:
            link = reverse("admin:store", args=[store["slug"]])
        title = " · ".join(filter(None, [store["name"], store["health"]]))
        items.append({"icon": "storefront", "title": title, "link": link})
    return items


def decisions(person_id: int) -> dict[str, int]:
    """Numbers beside sidebar items: decisions that wait, never totals. Kept for some seconds."""
    return cache.get_or_set(f"sidebar:{person_id}", _waiting, COUNTED_SECONDS) or {}


def _waiting() -> dict[str, int]:
    waiting = SyncRun.objects.filter(status=RunStatus.AWAITING_APPROVAL).order_by().values(kind_of=Value("runs"))
    conflicts = LinkConflict.objects.exclude(kind=ConflictKind.ONLY_THERE).order_by().values(kind_of=Value("links"))
    orders = IncomingOrder.objects.filter(state=IncomingState.FAILED).order_by().values(kind_of=Value("orders"))
    refunds = Refund.objects.filter(state=RefundState.NEEDS_PERSON).order_by().values(kind_of=Value("refunds"))
    changes = RemoteChange.objects.filter(state=ChangeState.FAILED).order_by().values(kind_of=Value("changes"))
    sent = OutgoingFulfilment.objects.filter(state=OutgoingState.NEEDS_PERSON)
    outgoing = sent.order_by().values(kind_of=Value("outgoing"))
    undecided = CloneSuspect.objects.filter(closed_at=None, decision=CloneDecision.NONE)
    clones = undecided.order_by().values(kind_of=Value("clones"))
    every = (waiting, conflicts, orders, refunds, changes, outgoing, clones)
    first, *others = (rows.annotate(n=Count("pk")) for rows in every)
    found = dict.fromkeys(("runs", "links", "orders", "refunds", "changes", "outgoing", "clones"), 0)
    return found | {row["kind_of"]: row["n"] for row in first.union(*others, all=True)}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups and items the person may open; a group without one vanishes."""
    person = signed_in(request)
    waiting = decisions(person.pk)

    def item(title: str, icon: str, view: str, permission: str, badge: int = 0) -> dict[str, Any] | None:
        if permission and not person.has_perm(permission):
            return None
        entry: dict[str, Any] = {"title": title, "icon": icon, "link": reverse(view)}
        if badge:
            entry |= {"badge": badge, "badge_variant": "primary"}
        return entry

    def listed(title: str, icon: str, name: str) -> dict[str, Any] | None:
        if not person.has_perm("orders.view_document"):
            return None
        return {"title": title, "icon": icon, "link": reverse("admin:documents", args=[name])}

    groups = [
        ("", [item("Home", "home", "admin:index", "")]),
        (
            "Inventory",
            [
                item("Runs", "sync", "admin:runs", "connectors.view_syncrun", waiting["runs"]),
                item("Levels", "inventory_2", "admin:levels", "inventory.view_inventorylevel"),
                item("Ledger", "receipt_long", "admin:ledger", "inventory.view_ledgerentry"),
                item("Monitoring", "troubleshoot", "admin:monitoring", "inventory.view_levelpublication"),
                item("Change log", "history", "admin:change_log", "inventory.view_ledgerentry"),
                item("Held and drift", "pause_circle", "admin:held", "inventory.view_levelpublication"),
                item("Schedules", "schedule", "admin:schedules", "inventory.view_schedule"),
                item("Opening stock", "inventory", "admin:openings", "inventory.view_openingplan"),
                item("Locations", "location_on", "admin:inventory_location_changelist", "inventory.view_location"),
            ],
        ),
        (
            "Catalogue",
            [
                item("Products", "category", "admin:catalog_product_changelist", "catalog.view_product"),
                item("Variants", "style", "admin:catalog_variant_changelist", "catalog.view_variant"),
                item("Listings and links", "link", "admin:links", "catalog.view_linkconflict", waiting["links"]),
                item("Quarantine", "content_copy", "admin:quarantine", "catalog.view_clonesuspect", waiting["clones"]),
                item("Import items", "upload_file", "admin:import_items", "catalog.import_items"),
            ],
        ),
        (
            "Sales",
            [
                item(
                    "Order queue", "move_to_inbox", "admin:order_queue", "orders.view_incomingorder", waiting["orders"]
                ),
                item("Orders", "shopping_cart", "admin:sales", "orders.view_salesorder"),
                item("Waves", "shelves", "admin:waves", "orders.view_wave"),
                item("Pulls of the feed", "forklift", "admin:pulls", "orders.view_orderpull"),
                item(
                    "Outgoing fulfilments",
                    "local_shipping",
                    "admin:outgoing",
                    "orders.view_outgoingfulfilment",
                    waiting["outgoing"],
                ),
                item("Refunds", "undo", "admin:refunds", "orders.view_refund", waiting["refunds"]),
                listed("Inventory credit memos", "assignment_return", "inventory-credit-memos"),
                listed("Credit memos", "request_quote", "credit-memos"),
                listed("Order change notes", "edit_note", "order-changes"),
                item("Written-off returns", "inventory", "admin:written_off", "inventory.view_ledgerentry"),
                item("Register", "menu_book", "admin:register", "orders.view_document"),
            ],
        ),
        (
            "Connections",
            [
                item("Stores", "storefront", "admin:stores", "connectors.view_store"),
                item("Webhooks", "inbox", "admin:webhooks", "connectors.view_webhookdelivery"),
                item(
                    "Changes",
                    "published_with_changes",
                    "admin:changes",
                    "connectors.view_remotechange",
                    waiting["changes"],
                ),
            ],
        ),
        (
            "System",
            [
                item(
                    "Notices", "notifications", "admin:connectors_noticerule_changelist", "connectors.view_noticerule"
                ),
                item("Health", "monitor_heart", "admin:health", "connectors.view_store"),
                item("Audit log", "history", "admin:kernel_auditentry_changelist", "kernel.view_auditentry"),
                item("Users", "person", "admin:kernel_user_changelist", "kernel.view_user"),
                item("Roles", "shield_person", "admin:auth_group_changelist", "auth.view_group"),
                item(
                    "Advanced schedules",
                    "timer",
                    "admin:django_celery_beat_periodictask_changelist",
                    "django_celery_beat.view_periodictask",
                ),
            ],
        ),
    ]
    return [
        {"title": title, "separator": bool(title), "items": [entry for entry in items if entry]}
        for title, items in groups
        if any(items)
    ]


def palette(request: HttpRequest, term: str) -> list[SearchResult]:
    """What a term means: a run's number, an order's, a document's, a store, an item by its keys. Index look-ups only."""
    person = signed_in(request)
    words = term.strip()
    found: list[SearchResult] = []
    number = words.removeprefix("run").strip().lstrip("#")
    if number.isdigit() and len(number) < 12 and person.has_perm("connectors.view_syncrun"):
        found += [
            SearchResult(str(run), "Run", reverse("admin:run", args=[run.pk]), "sync")
            for run in SyncRun.objects.select_related("store").filter(pk=int(number))
        ]
    if person.has_perm("orders.view_salesorder"):
        found += _orders(words)
    if person.has_perm("orders.view_document"):
        found += _documents(words)
    if person.has_perm("connectors.view_store"):
        stores = Store.objects.filter(Q(name__icontains=words) | Q(slug__startswith=words))[:PER_KIND]
        found += [
            SearchResult(store.name, "Store", reverse("admin:store", args=[store.slug]), "storefront")
            for store in stores
        ]
    if person.has_perm("catalog.view_variant"):
        found += _items(words)
    return found


def _orders(words: str) -> list[SearchResult]:
    """Sales orders, each with its store: two stores may have one number."""
    found = SalesOrder.objects.filter(pk__in=orders_found(words, limit=PER_KIND)).select_related("store", "incoming")
    orders = list(found.defer("incoming__snapshot"))
    others = elsewhere({order.pk: order.incoming for order in orders})
    return [
        SearchResult(
            order.number,
            f"Order · {order.store} · {order.placed_at.astimezone(order.store.zone):%-d %b %Y}"
            + (f" · also in {', '.join(others[order.pk])}" if order.pk in others else ""),
            reverse("admin:sale", args=[order.pk]),
            "shopping_cart",
        )
        for order in orders
    ]


def _documents(words: str) -> list[SearchResult]:
    documents = Document.objects.filter(pk__in=documents_found(words, limit=PER_KIND)).select_related("store")
    return [
        SearchResult(
            document.label,
            f"{document.get_kind_display()} · {document.store}",
            reverse("admin:document", args=[document.pk]),
            "receipt_long",
        )
        for document in documents
    ]


def _items(words: str) -> list[SearchResult]:
    """Variants and products; terms arrive lower-cased, so keys are tried in both cases."""
    either = [words, words.upper()]
    by = Q(item_number__in=either) | Q(sku__in=either) | Q(barcode=words)
    for start in either:
        by |= Q(sku__startswith=start) | Q(item_number__startswith=start)
    variants = Variant.objects.filter(by).select_related("product")[:PER_KIND]
    products = Product.objects.filter(handle=words)[:PER_KIND]
    return [
        SearchResult(variant.label, "Variant", reverse("admin:catalog_variant_change", args=[variant.pk]), "style")
        for variant in variants
    ] + [
        SearchResult(product.title, "Product", reverse("admin:catalog_product_change", args=[product.pk]), "category")
        for product in products
    ]
