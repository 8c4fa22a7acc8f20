"""The product CSV of Atelier Bucovina, in Shopify's format, with the oddities that real exports have.

Made from a seed, so two runs give the same bytes. It holds letters like ș and ț, variants without SKU, SKUs used twice,
quantities below zero, prices of zero, a product with 64 variants, descriptions in HTML over several lines, a title of
90 characters, items whose quantity is not tracked, drafts, and rows that only add an image.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product as combinations
from pathlib import Path
from random import Random

SEED = 20261121
VENDOR = "Atelier Bucovina"
OUTLET_VARIANTS = 120
TRACKED = "shopify"

CURRENT = [
    "Title",
    "URL handle",
    "Description",
    "Vendor",
    "Product category",
    "Type",
    "Tags",
    "Published on online store",
    "Status",
    "SKU",
    "Barcode",
    "Option1 name",
    "Option1 value",
    "Option2 name",
    "Option2 value",
    "Option3 name",
    "Option3 value",
    "Price",
    "Compare-at price",
    "Cost per item",
    "Charge tax",
    "Inventory tracker",
    "Inventory quantity",
    "Continue selling when out of stock",
    "Weight value (grams)",
    "Weight unit for display",
    "Requires shipping",
    "Fulfillment service",
    "Product image URL",
    "Image position",
    "Image alt text",
    "Gift card",
]
EARLIER = {
    "URL handle": "Handle",
    "Description": "Body (HTML)",
    "Product category": "Product Category",
    "Published on online store": "Published",
    "SKU": "Variant SKU",
    "Barcode": "Variant Barcode",
    "Price": "Variant Price",
    "Compare-at price": "Variant Compare At Price",
    "Charge tax": "Variant Taxable",
    "Inventory tracker": "Variant Inventory Tracker",
    "Inventory quantity": "Variant Inventory Qty",
    "Continue selling when out of stock": "Variant Inventory Policy",
    "Weight value (grams)": "Variant Grams",
    "Weight unit for display": "Variant Weight Unit",
    "Requires shipping": "Variant Requires Shipping",
    "Fulfillment service": "Variant Fulfillment Service",
    "Product image URL": "Image Src",
    "Image position": "Image Position",
    "Image alt text": "Image Alt Text",
    "Gift card": "Gift Card",
} | {f"Option{n} {part}": f"Option{n} {part.capitalize()}" for n in (1, 2, 3) for part in ("name", "value")}
"""Header names that Shopify used before, by the current ones; the others did not change."""

SIZES = ("XS", "S", "M", "L", "XL")
COLOURS = {"Alb": "ALB", "Negru": "NEG", "Roșu vișiniu": "ROS", "Albastru înstelat": "INS", "Verde pădure": "VER"}
GARMENTS = ("Ie brodată", "Cămașă de in", "Rochie țesută", "Fustă plisată", "Vestă din lână", "Tricou imprimat")
PLACES = ("Sucevița", "Voroneț", "Moldovița", "Putna", "Arbore", "Humor", "Rarău", "Câmpulung")
CERAMICS = ("Farfurie", "Ulcior", "Cană", "Bol", "Sfeșnic", "Vază")
CLAYS = ("neagră de Marginea", "smălțuită", "pictată manual")
SMALL = ("Lumânare din ceară", "Ștergar țesut", "Săpun cu lavandă", "Miere de tei", "Pungă de ceai", "Felicitare")
LONG_TITLE = "Față de masă țesută manual la război, cu motive bucovinene și franjuri, pentru 12 persoane"


@dataclass(frozen=True, slots=True)
class SampleVariant:
    """One variant: values of its options, and what the store says of it."""

    values: tuple[str, ...] = ()
    sku: str = ""
    barcode: str = ""
    price: str = "0.00"
    cost: str = ""
    quantity: int = 0
    tracker: str = TRACKED


@dataclass(frozen=True, slots=True)
class SampleProduct:
    """One product with its variants."""

    title: str
    type: str
    tags: tuple[str, ...]
    options: tuple[str, ...] = ()
    variants: tuple[SampleVariant, ...] = ()
    status: str = "active"
    images: int = 1
    gift_card: bool = False
    handle: str = field(default="")
    lines: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """HTML over several lines."""
        points = "\n".join(f"  <li>{line}</li>" for line in self.lines)
        return f'<p class="lead">{self.title}, lucrată în atelierul nostru.</p>\n<ul>\n{points}\n</ul>'


def write(path: Path, *, seed: int = SEED) -> int:
    """Write the main store's file with the current header names; gives the number of variants (at least 500)."""
    return _write(path, products(seed), CURRENT)


def write_outlet(path: Path, *, seed: int = SEED) -> int:
    """Write the outlet's file, with the earlier header names: about 120 of the same variants, other quantities."""
    return _write(path, outlet_products(seed), [EARLIER.get(name, name) for name in CURRENT])


def products(seed: int = SEED) -> list[SampleProduct]:
    """The merchant's products; the same for the same seed."""
    random = Random(seed)  # noqa: S311 - sample data, not a secret
    made = [*_garments(random), *_ceramics(random), *_small_things(random), _rings(random), *_odd_ones()]
    return [replace(item, handle=handle) for item, handle in zip(made, _handles(made), strict=True)]


def outlet_products(seed: int = SEED) -> list[SampleProduct]:
    """Some of the merchant's products as the outlet sells them: same handles, SKUs and options, cheaper, fewer."""
    random = Random(seed + 1)  # noqa: S311 - sample data, not a secret
    chosen: list[SampleProduct] = []
    count = 0
    for item in products(seed):
        if "outlet" not in item.tags or count + len(item.variants) > OUTLET_VARIANTS + 5:
            continue
        variants = tuple(replace(variant, quantity=random.randint(0, 9)) for variant in item.variants)
        chosen.append(replace(item, variants=variants, images=1))
        count += len(variants)
    return chosen


def _garments(random: Random) -> Iterator[SampleProduct]:
    for number, (garment, place) in enumerate(combinations(GARMENTS, PLACES)):
        sizes, colours = SIZES[: random.randint(3, 5)], random.sample(list(COLOURS), 2)
        price = random.randint(12, 60) * 10
        base = f"{_ascii(garment)[:3].strip()}-{_ascii(place)[:3]}".upper()
        variants = tuple(
            SampleVariant(
                values=(size, colour),
                sku="" if number % 16 == 5 else f"{base}-{size}-{COLOURS[colour]}",
                barcode=_barcode(random) if random.random() < 0.6 else "",
                price=f"{price}.00",
                cost=f"{price * 0.42:.2f}" if random.random() < 0.9 else "",
                quantity=_quantity(random),
            )
            for size, colour in combinations(sizes, colours)
        )
        tags = ("femei", "textile", place) + (("outlet",) if number % 4 == 0 else ())
        yield SampleProduct(
            title=f"{garment} „{place}”",
            type="Îmbrăcăminte",
            tags=tags,
            options=("Mărime", "Culoare"),
            variants=variants,
            images=random.randint(1, 4),
            lines=("Bumbac și in", 'Broderie „cu râuri”, 100% manuală, "ca la bunica"', "Spălare la 30 °C"),
        )


def _ceramics(random: Random) -> Iterator[SampleProduct]:
    for shape, clay in combinations(CERAMICS, CLAYS):
        sizes = ("Mică", "Medie", "Mare")[: random.randint(1, 3)]
        simple = len(sizes) == 1
        base = f"CER-{_ascii(shape)[:3]}-{_ascii(clay)[:2]}".upper()
        variants = tuple(
            SampleVariant(
                values=() if simple else (size,),
                sku=f"{base}-{at}",
                price=f"{random.randint(25, 180)}.{random.choice(('00', '50', '90'))}",
                cost=f"{random.randint(9, 40)}.{random.randint(0, 99):02}",
                quantity=_quantity(random),
            )
            for at, size in enumerate(sizes, 1)
        )
        yield SampleProduct(
            title=f"{shape} ceramică {clay}",
            type="Ceramică",
            tags=("ceramică", "casă"),
            options=() if simple else ("Mărime",),
            variants=variants,
            images=random.randint(1, 3),
            lines=("Ardere reducătoare", "Poate diferi ușor de fotografie; fiecare piesă e unicat"),
        )


def _small_things(random: Random) -> Iterator[SampleProduct]:
    for thing, number in combinations(SMALL, range(1, 6)):
        sku = "" if number == 5 else f"MIC-{_ascii(thing)[:4].upper()}-{number}"
        yield SampleProduct(
            title=f"{thing} nr. {number}",
            type="Mărunțișuri",
            tags=("cadouri",) + (("outlet",) if number == 4 else ()),
            variants=(
                SampleVariant(
                    sku=sku,
                    barcode=f"{random.randint(0, 9_999_999):012}" if number == 1 else "",
                    price=f"{random.randint(5, 60)}.90",
                    cost=f"{random.randint(1, 5)}.25",
                    quantity=_quantity(random),
                ),
            ),
            lines=("Produs local",),
        )


def _rings(random: Random) -> SampleProduct:
    """Sixty-four variants of three options."""
    sizes = tuple(str(size) for size in range(48, 64))
    values = combinations(sizes, ("Argint 925", "Placat cu aur"), ("Mat", "Lucios"))
    variants = tuple(
        SampleVariant(
            values=value,
            sku=f"INEL-{value[0]}-{'AG' if value[1].startswith('Argint') else 'AU'}-{value[2][0]}",
            price="219.00",
            cost="74.3050",
            quantity=random.randint(0, 6),
        )
        for value in values
    )
    return SampleProduct(
        title="Inel „Hora”",
        type="Bijuterii",
        tags=("bijuterii", "argint"),
        options=("Mărime", "Material", "Finisaj"),
        variants=variants,
        images=5,
        lines=("Argint 925, marcat", "Se livrează în cutie de lemn"),
    )


def _odd_ones() -> list[SampleProduct]:
    """One of each thing that an import must survive."""
    return [
        SampleProduct(
            title=LONG_TITLE,
            type="Textile",
            tags=("casă",),
            variants=(SampleVariant(sku="FATA-MASA-12", price="890.00", cost="310.00", quantity=3),),
            lines=("Lungime 3,20 m",),
        ),
        SampleProduct(
            title="Eșarfă „Moldova”",
            type="Accesorii",
            tags=("outlet",),
            options=("Culoare",),
            variants=(
                SampleVariant(values=("Bej",), sku="ESARFA-01", price="120.00", quantity=-2),
                SampleVariant(values=("Gri",), sku="ESARFA-01", price="120.00", quantity=5),
            ),
            lines=("Același SKU pe două culori",),
        ),
        SampleProduct(
            title="Brățară împletită",
            type="Accesorii",
            tags=("cadouri",),
            variants=(SampleVariant(sku="BRATARA-7", price="35.00", cost="6.10", quantity=14),),
            lines=("Ață cerată",),
        ),
        SampleProduct(
            title="Brățară împletită (copie)",
            type="Accesorii",
            tags=("cadouri",),
            variants=(SampleVariant(sku="BRATARA-7", price="35.00", cost="6.10", quantity=14),),
            status="draft",
            lines=("Copie făcută din magazin, cu SKU cu tot",),
        ),
        SampleProduct(
            title="Mostră de țesătură",
            type="Textile",
            tags=("mostre",),
            variants=(SampleVariant(sku="MOSTRA", price="0.00", cost="0.00", quantity=200),),
            lines=("Gratuită, una de client",),
        ),
        SampleProduct(
            title="Atelier de olărit, 2 ore",
            type="Servicii",
            tags=("atelier",),
            variants=(SampleVariant(sku="ATELIER-2H", price="180.00", tracker=""),),
            lines=("Locuri după programare",),
        ),
        SampleProduct(
            title="Card cadou",
            type="Card cadou",
            tags=(),
            options=("Valoare",),
            variants=tuple(
                SampleVariant(values=(f"{value} lei",), price=f"{value}.00", tracker="") for value in (100, 250, 500)
            ),
            gift_card=True,
            lines=("Valabil doi ani",),
        ),
        SampleProduct(
            title="Colecția 2019, retrasă",
            type="Textile",
            tags=("arhivă",),
            variants=(SampleVariant(sku="ARH-2019", price="75.00", quantity=-1),),
            status="archived",
            lines=("Nu se mai produce",),
        ),
    ]


def _quantity(random: Random) -> int:
    """Mostly some, often none, now and then below zero."""
    draw = random.random()
    if draw < 0.02:
        return -random.randint(1, 3)
    return 0 if draw < 0.12 else random.randint(1, 60)


def _barcode(random: Random) -> str:
    """An EAN-13 with its check digit."""
    digits = "594" + "".join(str(random.randint(0, 9)) for _ in range(9))
    check = -sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits)) % 10
    return f"{digits}{check}"


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _handles(made: Sequence[SampleProduct]) -> Iterator[str]:
    """As Shopify makes them from titles: ASCII, lower case, hyphens, numbered when taken."""
    taken: dict[str, int] = {}
    for item in made:
        words = "".join(letter if letter.isalnum() else " " for letter in _ascii(item.title).lower()).split()
        handle = "-".join(words)
        taken[handle] = taken.get(handle, -1) + 1
        yield handle if not taken[handle] else f"{handle}-{taken[handle]}"


def _write(path: Path, made: Sequence[SampleProduct], header: Sequence[str]) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for item in made:
            writer.writerows([row.get(name, "") for name in CURRENT] for row in _rows(item))
    return sum(len(item.variants) for item in made)


def _rows(item: SampleProduct) -> Iterator[dict[str, str]]:
    """The first row carries the product, each variant has one, further images have rows of their own."""
    images = [
        {
            "Product image URL": f"https://cdn.atelier-bucovina.example/{item.handle}-{position}.jpg",
            "Image position": str(position),
            "Image alt text": item.title if position == 1 else "",
        }
        for position in range(1, item.images + 1)
    ]
    for at in range(max(len(item.variants), len(images))):
        row = {"URL handle": item.handle}
        if at == 0:
            row |= _product_cells(item)
        if at < len(item.variants):
            row |= _variant_cells(item, item.variants[at], first=at == 0)
        if at < len(images):
            row |= images[at]
        yield row


def _product_cells(item: SampleProduct) -> dict[str, str]:
    return {
        "Title": item.title,
        "Description": item.description,
        "Vendor": VENDOR,
        "Type": item.type,
        "Tags": ", ".join(item.tags),
        "Published on online store": "TRUE" if item.status == "active" else "FALSE",
        "Status": item.status,
        "Gift card": "TRUE" if item.gift_card else "FALSE",
    }


def _variant_cells(item: SampleProduct, variant: SampleVariant, *, first: bool) -> dict[str, str]:
    names, values = item.options or ("Title",), variant.values or ("Default Title",)
    cells = {f"Option{n} value": value for n, value in enumerate(values, 1)}
    if first:
        cells |= {f"Option{n} name": name for n, name in enumerate(names, 1)}
    return cells | {
        "SKU": variant.sku,
        "Barcode": variant.barcode,
        "Price": variant.price,
        "Cost per item": variant.cost,
        "Charge tax": "TRUE",
        "Inventory tracker": variant.tracker,
        "Inventory quantity": str(variant.quantity),
        "Continue selling when out of stock": "DENY",
        "Weight value (grams)": "0" if item.gift_card else "250",
        "Weight unit for display": "g",
        "Requires shipping": "FALSE" if not variant.tracker else "TRUE",
        "Fulfillment service": "manual",
    }
