"""Pages of refunds and documents: what each is, why, and what proves it; nothing is added or changed by hand."""

from __future__ import annotations

import dataclasses
import re

import pytest
from django.test import Client, RequestFactory
from unfold.dataclasses import SearchResult

from connectors.models import Store
from orders.models import Document, DocumentSeries, Refund
from syncconsole.kernel.pdf import Pdf, width_of, wrapped
from syncconsole.navigation import palette
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.orders.refund_cases import cases
from tests.orders.test_documents import imported, settled

pytestmark = pytest.mark.django_db

CASES = {case.name: case for case in cases()}
LISTS = ("inventory-credit-memos", "credit-memos", "order-changes")
KINDS = (
    "goods and money of a shipped order",
    "two units returned without money and restocked",
    "part of the money of a shipped order without goods",
    "units cancelled with money and shipping: the rest is a credit memo",
    "a buyer in euro: both currencies",
    "restocked goods whose money is pending: the document waits, stock does not",
    "paying back failed",
    "a cent is missing and nothing says why",
    "units that can still be sent, without money: recorded only",
)


@pytest.fixture
def store() -> Store:
    """A store with a refund of every kind."""
    store = StoreFactory(name="Atelier Bucovina RO")
    for number, name in enumerate(KINDS):
        order = dataclasses.replace(CASES[name].order, name=f"#{1040 + number}")
        settled(imported(store, order, ref=f"order-{number}"))
    return store


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_kind_has_its_list_with_the_store_beside_every_document(store: Store, sign_in: SignIn) -> None:
    client = sign_in("Accountant")
    shown = {name: text_of(client, f"/console/documents/{name}/") for name in LISTS}

    assert all(label in shown["inventory-credit-memos"] for label in ("ICM-0001", "ICM-0002", "no number yet"))
    assert all(label in shown["credit-memos"] for label in ("CM-0001", "CM-0002"))
    assert "OC-0001" in shown["order-changes"]
    assert shown["credit-memos"].count("Atelier Bucovina RO</td>") == 2


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("q=ICM-0001", {"ICM-0001"}),
        ("q=icm 1", {"ICM-0001"}),
        ("q=2", {"ICM-0002"}),
        ("q=SHP 0131", {"ICM-0003"}),
        ("q=CM-1", set()),
        ("currency=eur", {"ICM-0003"}),
        ("state=posted", {"ICM-0001", "ICM-0002", "ICM-0003"}),
        ("store=elsewhere", set()),
        ("from=2026-11-21", set()),
        ("to=2026-11-20&state=posted", {"ICM-0001", "ICM-0002", "ICM-0003"}),
    ],
)
def test_the_list_is_filtered(store: Store, sign_in: SignIn, asked: str, found: set[str]) -> None:
    Document.objects.filter(series="ICM", number=3).update(fiscal_number="SHP 0131")

    text = text_of(sign_in("Viewer"), f"/console/documents/inventory-credit-memos/?{asked}")

    assert set(re.findall(r">(ICM-\d{4})</a>", text)) == found


def test_a_document_is_found_by_its_number_from_everywhere(store: Store, sign_in: SignIn) -> None:
    found = palette_of("icm 2")

    assert [(each.title, each.description) for each in found] == [
        ("ICM-0002", "Inventory credit memo · Atelier Bucovina RO")
    ]


def palette_of(term: str) -> list[SearchResult]:
    request = RequestFactory().get("/console/")
    request.user = UserFactory(is_superuser=True)
    return palette(request, term)


def test_the_document_says_why_and_proves_it_and_offers_no_change(store: Store, sign_in: SignIn) -> None:
    document = Document.objects.get(series="ICM", number=1)

    text = text_of(sign_in("Accountant"), f"/console/documents/{document.pk}/")

    assert "so it is an Inventory Credit Memo with value." in text
    assert all(line in text for line in (document.stock_check, document.money_check))
    assert "121.00 RON" in text
    assert "none yet: this is an internal document" in text
    assert "<form" not in text[text.index("c-subhead") :]


def test_a_person_books_a_refund_from_its_page(store: Store, sign_in: SignIn) -> None:
    refund = Refund.objects.get(order__name="#1046")
    client = sign_in("Accountant")
    assert "Book refund" in text_of(client, f"/console/refunds/{refund.pk}/")

    answer = client.post(
        f"/console/refunds/{refund.pk}/decide/", {"sentence": refund.sentence, "reason": "agreed"}, follow=True
    )

    assert "Posted: ICM-0004." in answer.content.decode()
    assert refund.documents.get().state == "posted"


def test_booking_needs_a_reason_and_the_right(store: Store, sign_in: SignIn) -> None:
    refund = Refund.objects.get(order__name="#1046")
    decide = f"/console/refunds/{refund.pk}/decide/"

    answer = sign_in("Accountant").post(decide, {"sentence": refund.sentence, "reason": " "}, follow=True)
    assert "the reason is missing" in answer.content.decode()
    assert sign_in("Operator").post(decide, {"sentence": refund.sentence, "reason": "x"}).status_code == 403
    assert "Book refund" not in text_of(sign_in("Viewer"), f"/console/refunds/{refund.pk}/")
    assert refund.documents.get().number is None


def test_refunds_that_need_a_person_have_a_tab_and_a_badge(store: Store, sign_in: SignIn) -> None:
    text = text_of(sign_in("Accountant"), "/console/refunds/?state=needs_person")

    assert re.findall(r">(#10\d\d)</a>", text) == ["#1047", "#1046"]
    assert "could not pay back 100.00 RON" in text


def test_the_register_has_totals_per_kind_and_currency_and_says_that_no_number_is_missing(
    store: Store, sign_in: SignIn
) -> None:
    text = text_of(sign_in("Accountant"), "/console/documents/register/?from=2020-01-01&to=2099-12-31")

    assert "151.00 RON" in text  # 121 + 0 + 20 + 10: the order change note of 100 is not fiscal
    assert "50.00 EUR" in text
    assert text.count("no gap") == 3


def test_the_register_names_a_missing_number(store: Store, sign_in: SignIn) -> None:
    DocumentSeries.objects.filter(code="CM").update(last_number=5)

    text = text_of(sign_in("Accountant"), "/console/documents/register/?from=2020-01-01&to=2099-12-31")

    assert "Numbers are missing in a series" in text


def test_an_empty_period_says_so(store: Store, sign_in: SignIn) -> None:
    text = text_of(sign_in("Accountant"), "/console/documents/register/?from=2020-01-01&to=2020-01-31")

    assert "Nothing was posted in this period" in text


@pytest.mark.parametrize(
    "address",
    ["documents/csv/?kind=credit_memo", "documents/register/csv/?from=2020-01-01&to=2099-12-31"],
)
def test_lists_are_exported_with_formulas_neutralised(store: Store, sign_in: SignIn, address: str) -> None:
    Document.objects.update(fiscal_number="=1+1")

    answer = sign_in("Accountant").get(f"/console/{address}")
    text = b"".join(answer.streaming_content).decode()

    assert "CM-0001" in text
    assert "'=1+1" in text
    assert ",=1+1" not in text


def test_one_document_is_exported_as_csv_and_as_pdf(store: Store, sign_in: SignIn) -> None:
    document, client = Document.objects.get(series="ICM", number=3), sign_in("Accountant")

    lines = client.get(f"/console/documents/{document.pk}/csv/").content.decode()
    paper = client.get(f"/console/documents/{document.pk}/pdf/")

    assert "50.0000" in lines
    assert paper["Content-Disposition"] == 'attachment; filename="ICM-0003.pdf"'
    words = " ".join(printed(paper.content))
    assert "INTERNAL DOCUMENT, NOT FISCAL" in words
    assert "50.00 EUR" in words
    assert "248.50 RON" in words


def test_pages_ask_few_questions_of_the_database(
    store: Store, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    client, document = sign_in("Accountant"), Document.objects.get(series="ICM", number=1)
    pages = [f"/console/documents/{name}/" for name in LISTS]
    pages += ["/console/refunds/", "/console/documents/register/", f"/console/documents/{document.pk}/"]
    for address in [*pages, f"/console/refunds/{document.refund_id}/"]:
        client.get(address)
        with django_assert_max_num_queries(15):
            client.get(address)


# --- the writer of PDF


def printed(paper: bytes) -> list[str]:
    """The texts of a PDF of ours, as they are searched and copied."""
    return [
        bytes.fromhex(text).decode("utf-16-be")
        for text in re.findall(r"/ActualText <FEFF([0-9A-F]*)>", paper.decode("latin-1"))
    ]


def test_letters_that_readers_lack_are_put_together_and_can_be_searched() -> None:
    pdf = Pdf("Cămașă")
    pdf.paragraph("Cămașă în Iași, Ελλάδα")
    paper = pdf.finished("end")

    assert "Cămașă în Iași, Ελλάδα" in printed(paper)
    assert b"61> Tj 0.00 Ts [444 <81> -112] TJ" in paper  # an a with a breve over it
    assert b"EE" in paper  # î has a place of its own
    assert b"3F" * len("Ελλάδα") in paper


def test_a_long_document_goes_on_on_another_page() -> None:
    pdf = Pdf("Long")
    for number in range(120):
        pdf.row([(f"Line {number}", 0.0, False), ("1.00 RON", 1.0, True)])

    words = printed(pdf.finished("end"))

    assert len(pdf.pages) == 3
    assert "end · page 3 of 3" in words
    assert sum(word.startswith("Line") for word in words) == 120


def test_a_table_that_goes_on_begins_every_page_with_its_headings_and_no_line() -> None:
    pdf = Pdf("Long")
    pdf.table([("Item", 0.0, False), ("Pick", 1.0, True)])
    for number in range(120):
        pdf.row([(f"Line {number}", 0.0, False), ("1", 1.0, True)])
        pdf.rule()
    pdf.end_table()

    words = printed(pdf.finished("end"))

    assert words.count("Item") == len(pdf.pages) > 2
    assert all("l S" not in page[0] for page in pdf.pages[1:])
    assert sum(word.startswith("Line") for word in words) == 120


def test_every_object_stands_where_the_table_says() -> None:
    pdf = Pdf("Places")
    pdf.paragraph("ăîșț")
    paper = pdf.finished("end")

    start = int(re.search(rb"startxref\n(\d+)", paper).group(1))  # type: ignore[union-attr]
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", paper[start:])]
    assert [paper[place:].split(b" ", 1)[0] for place in places] == [b"%d" % (n + 1) for n in range(len(places))]


def test_text_is_wrapped_within_its_room_and_a_word_too_wide_is_cut() -> None:
    lines = wrapped("a few words and " + "x" * 80, 10, 120)

    assert all(width_of(line, 10) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == "afewwordsand" + "x" * 80
