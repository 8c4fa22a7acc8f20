"""A shop with a handful of items whose numbers are easy to follow."""

from __future__ import annotations

import pytest

from sandbox.app import Sandbox
from sandbox.shopify.bucket import Bucket
from tests.sandbox.client import App

HEADERS = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Barcode,"
    "Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Variant Compare At Price,Cost per item\n"
)
CSV = (
    HEADERS
    + """\
apa,Apă de masă,<p>Apă</p>,Borsec,Drinks,"bio, drinks",Title,Default Title,APA,594001,shopify,10,5.50,,2.10
bere,Bere,,Ursus,Drinks,drinks,Size,Mică,BERE-S,594002,shopify,5,7.00,9.00,
bere,,,,,,,Mare,BERE-L,594003,shopify,0,11.00,,
ceai,Ceai,,Plafar,Tea,,Title,Default Title,CEAI,,shopify,-3,12.00,,
dar,Card cadou,,Noi,Gift,,Title,Default Title,DAR,,,100,50.00,,
"""
)


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox on the Standard plan with one shop, and no waiting in faults."""
    made = Sandbox(plan="standard", sleep=lambda seconds: None)
    made.add_shop("bucovina-ro", CSV)
    return made


@pytest.fixture
def no_refill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets keep what they have, however slow the machine is."""
    monkeypatch.setattr(Bucket, "_refill", lambda bucket: None)


@pytest.fixture
def app(sandbox: Sandbox) -> App:
    """An app with every scope at that shop."""
    return App(sandbox, sandbox.shops["bucovina-ro.myshopify.com"])
