"""Files that people upload: what was taken, what was not and why; a reload repeats nothing."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.models import Variant
from inventory.models import LedgerEntry
from tests.console.conftest import SignIn
from tests.factories.catalog import VariantFactory
from tests.factories.inventory import LocationFactory


def upload(client: Client, page: str, text: str) -> str:
    """Send a file and follow to the report."""
    sent = client.post(reverse(f"admin:{page}"), {"file": SimpleUploadedFile("f.csv", text.encode())}, follow=True)
    return sent.content.decode()


def test_items_are_imported_and_bad_rows_are_named(sign_in: SignIn) -> None:
    text = "item_number,handle,title,sku,price\nAB-1,tricou,Tricou,TS-1,12\n,palton,Palton,,x\n"
    page = upload(sign_in("Onboarding"), "import_items", text)
    assert Variant.objects.filter(item_number="AB-1").exists()
    assert "2 rows read" in page
    assert "Correct these rows" in page


def test_stock_is_recorded_once_however_often_the_file_is_sent(sign_in: SignIn) -> None:
    VariantFactory(item_number="AB-1", sku="TS-1")
    LocationFactory(code="cluj", name="Depozit Cluj")
    client = sign_in("Operator")
    template = client.get(reverse("admin:record_stock") + "?template").content.decode("utf-8-sig")
    header = template.splitlines()[0].split(",")
    values = {"item_number": "AB-1", "location": "cluj", "reason": "received", "quantity": "5", "ref": "R-1"}
    text = ",".join(header) + "\n" + ",".join(values.get(name, "") for name in header) + "\n"
    assert "1 row recorded" in upload(client, "record_stock", text)
    assert "0 rows recorded" in upload(client, "record_stock", text)
    assert LedgerEntry.objects.count() == 1


def test_an_empty_upload_says_what_to_do(sign_in: SignIn) -> None:
    client = sign_in("Operator")
    for page in ("import_items", "record_stock"):
        answer = client.post(reverse(f"admin:{page}"), {})
        assert answer.status_code == 422
        assert "Choose a CSV file." in answer.content.decode()


def test_a_report_is_for_the_person_who_sent_the_file(sign_in: SignIn) -> None:
    sent = sign_in("Operator").post(
        reverse("admin:import_items"), {"file": SimpleUploadedFile("f.csv", b"item_number,handle,title\nAB-1,t,T\n")}
    )
    assert "1 row read" not in sign_in("Operator").get(sent.headers["Location"]).content.decode()
