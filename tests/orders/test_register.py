"""The register proves its taxes rate by rate, and keeps who looked through it and what was posted since."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store
from orders import mappings, register, reviews, workbook
from orders.mappings import Rule
from orders.models import (
    Document,
    DocumentKind,
    DocumentLine,
    DocumentState,
    MappedKind,
    Refund,
    RefundState,
    RegisterReview,
    SalesOrder,
)
from orders.reviews import Looked, ReviewRefused
from syncconsole.kernel.models import AuditEntry, User
from syncconsole.kernel.roles import assign
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.inventory.test_commands import run
from tests.orders.shapes import delivery, line, sold, tax, told

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 10, 12, 0, tzinfo=dt.UTC)
NOVEMBER = Looked(dt.date(2026, 11, 1), dt.date(2026, 11, 30))


@pytest.fixture
def person() -> User:
    user: User = UserFactory()
    assign(user, "Accountant")
    return user


def carried(store: Store | None = None) -> SalesOrder:
    """Goods at 21 %, goods with two taxes of 5 % and 9.975 %, and a delivery at 9 %."""
    plain = line(1, taxes=["21.00"])
    both = line(1, ref="line/2")
    both = replace(both, taxes=(tax("5.00", rate="0.05"), tax("9.98", rate="0.09975")))
    ride = replace(delivery("10.00"), taxes=(tax("0.90", rate="0.09"),))
    said = sold(plain, both, shipping=(ride,), total="246.88", subtotal="200.00", total_tax="36.88")
    return told(store or StoreFactory(), said)


_numbers = iter(range(1, 1000))


def posted(sale: SalesOrder, *rows: dict[str, Any], kind: DocumentKind = DocumentKind.CREDIT_MEMO, at: dt.datetime = NOON,
           currency: str = "RON") -> Document:  # fmt: skip
    """A posted document with these lines."""
    number = next(_numbers)
    words = dict.fromkeys(("sentence", "stock_check", "money_check", "equal_check"), "so")
    money = {"currency": currency, "shop_currency": "RON"}
    refund = Refund.objects.create(
        store=sale.store, order=sale.incoming, ref=f"refund/{number}", made_at=at, settled_at=at,
        state=RefundState.READY, **words, **money,
    )  # fmt: skip
    total = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    document = Document.objects.create(
        refund=refund, store=sale.store, purpose=kind.value, kind=kind, series=kind.code, number=None,
        state=DocumentState.DRAFT, total=total, total_shop=total, dated_at=at, **words, **money,
    )  # fmt: skip
    for place, row in enumerate(rows, 1):
        shop = {"amount_shop": row["amount"], "tax_shop": row["tax"]}
        DocumentLine.objects.create(document=document, position=place, **{"kind": "goods", "label": "", **shop, **row})
    Document.objects.filter(pk=document.pk).update(number=number, posted_at=at, state=DocumentState.POSTED)
    return Document.objects.get(pk=document.pk)


def of_november() -> Any:
    return register.Period(dt.datetime(2026, 11, 1, tzinfo=dt.UTC), dt.datetime(2026, 12, 1, tzinfo=dt.UTC)).documents()


def shown() -> list[tuple[str, str, Decimal, Decimal]]:
    return [(row.rate, row.currency, row.net, row.tax) for row in register.rates(of_november())]


GOODS = {"line_ref": "line/1", "amount": "121.00", "tax": "21.00"}


def test_taxes_are_told_by_rate_and_a_tax_of_two_is_theirs_in_the_proportion_of_the_order() -> None:
    posted(
        carried(),
        GOODS,
        {"line_ref": "line/2", "amount": "57.49", "tax": "7.49"},
        {"kind": "shipping", "label": "Curier rapid", "amount": "10.90", "tax": "0.90"},
        {"kind": "adjustment", "label": "Adjustment", "amount": "-5.00", "tax": "0"},
    )

    assert shown() == [
        ("No tax", "RON", Decimal("-5.00"), Decimal(0)),
        ("TVA 21 %", "RON", Decimal(100), Decimal(21)),
        ("TVA 5 %", "RON", Decimal(50), Decimal("2.5000")),
        ("TVA 9 %", "RON", Decimal(10), Decimal("0.90")),
        ("TVA 9.975 %", "RON", Decimal(50), Decimal("4.9900")),
    ]


def test_currencies_are_never_added_and_a_change_note_is_not_fiscal(person: User) -> None:
    sale = carried()
    mappings.save(sale.store, MappedKind.TAX, Rule(), {"TVA 21 %": "TVA standard"}, by=person)
    posted(sale, GOODS)
    posted(sale, GOODS, currency="EUR")
    posted(sale, GOODS, kind=DocumentKind.ORDER_CHANGE)
    posted(sale, {"line_ref": "line/gone", "amount": "12.00", "tax": "2.00"})

    assert shown() == [
        ("Rate unknown", "RON", Decimal(10), Decimal(2)),
        ("TVA standard", "EUR", Decimal(100), Decimal(21)),
        ("TVA standard", "RON", Decimal(100), Decimal(21)),
    ]


# --- reviews


def closed(person: User) -> RegisterReview:
    return reviews.close(of_november(), NOVEMBER, seen=reviews.mark(of_november()), by=person)


def test_a_review_keeps_who_looked_at_what_and_its_totals(person: User) -> None:
    posted(carried(), GOODS)

    review = closed(person)

    assert (review.reviewed_by, review.documents, review.reviewed_at <= timezone.now()) == (person, 1, True)
    assert [(row["kind"], row["total"], row["currency"]) for row in review.totals] == [
        ("credit_memo", "121.0000", "RON")
    ]
    assert AuditEntry.objects.get(action="close register review").after["documents"] == 1


def test_the_same_again_closes_nothing_twice_and_another_person_may_look_too(person: User) -> None:
    posted(carried(), GOODS)

    assert closed(person) == closed(person)
    assert closed(UserFactory()) != closed(person)
    assert RegisterReview.objects.count() == 2


def test_what_was_posted_since_the_page_was_shown_is_looked_at_first(person: User) -> None:
    seen = reviews.mark(of_november())
    posted(carried(), GOODS)

    with pytest.raises(ReviewRefused):
        reviews.close(of_november(), NOVEMBER, seen=seen, by=person)
    assert not RegisterReview.objects.exists()


def test_what_is_posted_in_the_period_later_is_marked_until_somebody_looks_again(person: User) -> None:
    sale, day = carried(), dt.timedelta(days=1)
    period = Looked(timezone.localdate() - day, timezone.localdate() + day)
    everything = Document.objects.filter(number__isnull=False)
    posted(sale, GOODS)
    first = reviews.close(everything, period, seen=reviews.mark(everything), by=person)
    after = posted(sale, GOODS, at=first.reviewed_at + dt.timedelta(microseconds=1))

    assert reviews.of_period(period.since, period.until) == [first]
    assert reviews.since_review(after, [first]) == first
    assert reviews.posted_since(everything, period, [first]) == 1
    assert reviews.posted_since(everything, replace(period, kind="credit_memo"), [first]) is None

    second = reviews.close(everything, period, seen=reviews.mark(everything), by=person)

    assert reviews.of_period(period.since, period.until) == [second, first]
    assert reviews.since_review(after, [second, first]) is None
    assert reviews.posted_since(everything, period, [second, first]) == 0


def test_a_review_of_one_store_says_nothing_of_another(person: User) -> None:
    sale, other = carried(), carried()
    today = timezone.localdate()
    of_store = Looked(today, today, store=sale.store)
    review = reviews.close(Document.objects.none(), of_store, seen="0:0", by=person)
    later = review.reviewed_at + dt.timedelta(microseconds=1)

    assert reviews.since_review(posted(sale, GOODS, at=later), [review]) == review
    assert reviews.since_review(posted(other, GOODS, at=later), [review]) is None


def test_a_review_cannot_be_changed(person: User) -> None:
    review = closed(person)

    with pytest.raises(DatabaseError), transaction.atomic():
        RegisterReview.objects.filter(pk=review.pk).update(documents=9)
    with pytest.raises(DatabaseError), transaction.atomic():
        review.delete()


def test_the_page_closes_a_review_and_shows_it(person: User, client: Client) -> None:
    sale = carried()
    posted(sale, GOODS)
    client.force_login(person)
    asked = {"from": "2026-11-01", "to": "2026-11-30"}
    page = reverse("admin:register")
    assert "Nobody has closed a review" in client.get(page, asked).content.decode()

    form = {
        **asked,
        "store": "",
        "kind": "",
        "currency": "",
        "state": "",
        "seen": client.get(page, asked).context["mark"],
    }
    answer = client.post(reverse("admin:close_review"), form, follow=True).content.decode()

    assert "is closed: 1 document." in answer
    assert "Taxes by rate" in answer
    assert str(person) in answer[answer.index("Reviews") :]

    posted(sale, GOODS)
    refused = client.post(reverse("admin:close_review"), {**form, "kind": "credit_memo"}, follow=True).content.decode()
    assert "no review was closed" in refused
    assert RegisterReview.objects.count() == 1


def test_a_viewer_reads_reviews_and_closes_none(client: Client) -> None:
    viewer: User = UserFactory()
    assign(viewer, "Viewer")
    client.force_login(viewer)

    assert client.get(reverse("admin:register")).status_code == 200
    assert client.post(reverse("admin:close_review"), {"seen": "0:0"}).status_code == 403


# --- the workbook

SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(content: bytes) -> dict[str, list[list[tuple[str, str]]]]:
    """Sheet → rows → (type, value) of each cell that is not empty; a number's type is its format."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = [
            each.get("name", "") for each in ET.fromstring(book.read("xl/workbook.xml")).iter(f"{SPREADSHEET}sheet")
        ]
        styles = ET.fromstring(book.read("xl/styles.xml"))
        codes: dict[str | None, str] = {"3": "#,##0", "4": "#,##0.00"}  # every program knows these by number
        codes |= {each.get("numFmtId"): each.get("formatCode", "") for each in styles.iter(f"{SPREADSHEET}numFmt")}
        looks = [codes.get(each.get("numFmtId"), "") for each in styles.find(f"{SPREADSHEET}cellXfs") or ()]
        found = {}
        for number, name in enumerate(names, 1):
            sheet = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
            assert not list(sheet.iter(f"{SPREADSHEET}f")), "nothing is a formula"
            rows = [
                [
                    (each.get("t") or looks[int(each.get("s", "0"))], "".join(each.itertext()))
                    for each in row.iter(f"{SPREADSHEET}c")
                ]
                for row in sheet.iter(f"{SPREADSHEET}row")
            ]
            found[name] = rows[1:]
        return found


def workbook_of(client: Client, **asked: str) -> Any:
    return client.get(reverse("admin:register_xlsx"), {"from": "2026-11-01", "to": "2026-11-30", **asked})


def test_the_workbook_has_totals_taxes_documents_and_lines_as_numbers_and_dates(person: User, client: Client) -> None:
    client.force_login(person)
    sale = carried(StoreFactory(name="=HYPERLINK(A1)"))
    memo = posted(sale, {**GOODS, "label": "+cmd", "sku": "@x", "quantity": 1})
    posted(sale, {"amount": "1200", "tax": "0"}, currency="JPY", at=NOON + dt.timedelta(hours=1))

    answer = workbook_of(client)

    assert answer["Content-Disposition"] == 'attachment; filename="register-2026-11-01-2026-11-30.xlsx"'
    book = sheets(b"".join(answer.streaming_content))
    assert list(book) == ["Totals", "Taxes by rate", "Documents", "Lines"]
    text, two, none = "inlineStr", "#,##0.00", "#,##0"
    assert [row[3:6] for row in book["Totals"][:2]] == [
        [(text, "JPY"), (none, "0"), (none, "1200")],
        [(text, "RON"), (two, "21.00"), (two, "121.00")],
    ]
    assert book["Totals"][0][1] == (text, "=HYPERLINK(A1)")
    assert [(two, "100.00"), (two, "21.00")] in [row[2:4] for row in book["Taxes by rate"]]
    [first, second] = book["Documents"]
    assert (first[0], first[3]) == ((text, memo.label), (text, "=HYPERLINK(A1)"))
    # 10 November 2026 14:00 in Bucharest, in days since 30 December 1899.
    assert (first[6][0], round(float(first[6][1]), 6)) == ("yyyy-mm-dd hh:mm", round(46336 + 14 / 24, 6))
    assert [row[1:5] for row in book["Lines"][:1]] == [[(text, "+cmd"), (text, "@x"), ("", "1"), (two, "121.00")]]
    assert second[0] != first[0]


def test_a_workbook_of_too_many_lines_is_refused_before_it_is_begun(
    person: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(person)
    posted(carried(), GOODS)
    monkeypatch.setattr(workbook, "MOST", 0)
    answer = workbook_of(client, kind="credit_memo")
    assert answer.status_code == 302
    shown = client.get(answer["Location"]).content.decode()
    assert "a workbook takes 0. Choose a shorter period" in shown
    assert answer["Location"].endswith("kind=credit_memo")


def test_by_command_the_register_is_read_written_and_its_review_closed(person: User, tmp_path: Path) -> None:
    memo, table, book = posted(carried(), GOODS), tmp_path / "register.csv", tmp_path / "register.xlsx"
    period = ("register", "--from", "2026-11-01", "--to", "2026-11-30")
    code, told, _ = run(*period, "--csv", str(table), "--xlsx", str(book))
    assert (code, [(row["kind"], row["total"]) for row in told["totals"]]) == (0, [("credit_memo", "121.0000")])
    assert memo.label in table.read_text("utf-8-sig")
    assert [row[0] for row in sheets(book.read_bytes())["Documents"]] == [("inlineStr", memo.label)]

    closing = (*period, "--as", person.email, "--close")
    assert run(*closing, "0:0")[1]["cause"].startswith("Documents were posted since")
    code, told, _ = run(*closing, told["mark"])

    assert (code, [row["by"] for row in told["reviews"]], told["posted_since"]) == (0, [str(person)], 0)
    assert RegisterReview.objects.get().documents == 1
