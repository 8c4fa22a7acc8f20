"""Documents: the lists without *add*, since they come from the stores, and one document with what proves it."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from connectors.models import Store
from orders.document_filters import filtered
from orders.document_table import FATES, csv_of, lines_csv
from orders.documents import SEE_RIGHT
from orders.models import Document, DocumentKind, DocumentState
from orders.paper import pdf_of
from orders.refund_goods import Fate
from orders.search import elsewhere
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.keyset import page_of

FILTERS: Final = ("store", "state", "currency", "from", "to", "q")
LISTS: Final = {
    "inventory-credit-memos": (DocumentKind.INVENTORY_CREDIT_MEMO, "Inventory credit memos"),
    "credit-memos": (DocumentKind.CREDIT_MEMO, "Credit memos"),
    "order-changes": (DocumentKind.ORDER_CHANGE, "Order change notes"),
}


class DocumentsPage(ConsolePage):
    """The documents of one kind, newest first, each beside its store."""

    permission = SEE_RIGHT
    template_name = "orders/documents.html"

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        if name not in LISTS:
            raise Http404
        kind, title = LISTS[name]
        page = page_of(request, filtered(request.GET).filter(kind=kind), "-id")
        return self.page(
            crumbs=[Crumb(title)],
            kind=kind,
            rows=page.rows,
            elsewhere=elsewhere({row.pk: row.refund.order for row in page.rows}),
            keyset=page,
            stores=Store.objects.all(),
            states=[state for state in DocumentState if state is not DocumentState.DRAFT],
            filtered=any(request.GET.get(field) for field in FILTERS),
            export=f"{reverse('admin:documents_csv')}?{_query(request, kind)}",
        )


class DocumentsExport(ConsolePage):
    """The documents that the filters show as CSV, streamed."""

    permission = SEE_RIGHT

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        rows = filtered(request.GET)
        if request.GET.get("kind") in DocumentKind.values:
            rows = rows.filter(kind=request.GET["kind"])
        found = rows.prefetch_related("lines").order_by("pk").iterator(500)
        response = StreamingHttpResponse(csv_of(found), content_type="text/csv")
        response["Content-Disposition"] = 'attachment; filename="documents.csv"'
        return response


class DocumentPage(ConsolePage):
    """One document: why it is what it is, the lines that prove it, and the three-line check."""

    permission = SEE_RIGHT
    template_name = "orders/document.html"
    document: Document

    def crumbs(self) -> list[Crumb]:
        name, (_, title) = next(item for item in LISTS.items() if item[1][0] == self.document.kind)
        address = reverse("admin:documents", args=[name])
        store = self.document.store
        return [Crumb(title, address), Crumb(store.name, f"{address}?store={store.slug}"), Crumb(self.document.label)]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.document = document = get_object_or_404(whole_documents(), pk=pk)
        return self.page(
            document=document,
            state=DocumentState(document.state),
            zone=document.store.zone,
            facts=facts_of(document),
            **lines_of(document),
            others=[each for each in document.refund.documents.all() if each.pk != document.pk],
            may_decide=self.can("orders.decide_refund"),
        )


class DocumentExport(ConsolePage):
    """One document's lines as CSV."""

    permission = SEE_RIGHT

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        document = get_object_or_404(whole_documents(), pk=pk)
        response = HttpResponse("".join(lines_csv(document)), content_type="text/csv")
        response["Content-Disposition"] = f'attachment; filename="{document.filename}.csv"'
        return response


class DocumentPdf(ConsolePage):
    """One document as PDF."""

    permission = SEE_RIGHT

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        document = get_object_or_404(whole_documents(), pk=pk)
        paper = pdf_of(document, facts_of(document), {fate.value: name for fate, name in FATES.items()})
        response = HttpResponse(paper, content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{document.filename}.pdf"'
        return response


def whole_documents() -> QuerySet[Document, Document]:
    """Documents with all that their page shows, in a fixed number of statements."""
    found = Document.objects.select_related("store", "refund__order__sales_order", "refund__decided_by", "counters")
    return found.prefetch_related("lines", "refund__documents")


def facts_of(document: Document) -> list[tuple[str, str]]:
    """What tells a document from every other."""
    zone, refund = document.store.zone, document.refund
    facts = [
        ("Store", str(document.store)),
        ("Order", refund.order.name),
        ("Refund", refund.ref),
        ("Refunded", f"{document.dated_at.astimezone(zone):%-d %b %Y %H:%M %Z}"),
    ]
    if document.posted_at:
        facts.append(("Posted", f"{document.posted_at.astimezone(zone):%-d %b %Y %H:%M %Z}"))
    facts.append(("Fiscal document", document.fiscal_number or "none yet: this is an internal document"))
    if document.counters:
        facts.append(("Changes", document.counters.label))
    if refund.decided_by:
        facts.append(("Decided by", str(refund.decided_by)))
    return facts


def lines_of(document: Document) -> dict[str, Any]:
    """A document's lines as rows, whether its two currencies differ, and what the lines come to."""
    rows = [(line, FATES[Fate(line.fate)] if line.fate else "") for line in document.lines.all()]
    return {
        "rows": rows,
        "two_currencies": document.currency != document.shop_currency,
        "line_sum": sum(line.amount for line, _ in rows),
        "line_sum_shop": sum(line.amount_shop for line, _ in rows),
        "tax_sum": sum(line.tax for line, _ in rows),
    }


def _query(request: HttpRequest, kind: DocumentKind) -> str:
    """The address's filters with the kind, for the export of what is shown."""
    asked = request.GET.copy()
    for name in ("after", "before"):
        asked.pop(name, None)
    asked["kind"] = kind.value
    return asked.urlencode()
