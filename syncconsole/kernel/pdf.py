"""A small writer of PDF 1.7: pages of text in Helvetica, lines of a table, nothing else.

Helvetica is one of the fonts that every reader brings along, so nothing is embedded. Readers are only sure to have the
letters of western Europe and the accents by themselves: other Latin letters (ă, ș, ț, ő, ł) are put together from those.
Letters of other alphabets are printed as a question mark. In every case the text that is searched and copied is right.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

WIDTH: Final = 595.0
HEIGHT: Final = 842.0
"""A4 in points."""
MARGIN: Final = 48.0

# Widths of the printable ASCII letters in thousandths of the size (Adobe's metrics of the standard fonts).
_PLAIN: Final = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 "
    "584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 "
    "611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 "
    "722 500 500 500 334 260 334 584"
)
_BOLD: Final = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 584 "
    "584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 "
    "611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 "
    "778 556 556 500 389 280 389 584"
)
_WIDTHS: Final = {
    bold: dict(zip(map(chr, range(32, 127)), map(int, widths.split()), strict=True))
    for bold, widths in ((False, _PLAIN), (True, _BOLD))
}
_OTHER: Final = 556
_ACCENT: Final = 333
"""The width of every accent."""

# Accents by their combining letters: the code they stand at, and whether they stand above. Those that Windows-1252 has
# not are given codes that it leaves free.
_ACCENTS: Final = {
    "\u0300": (0x60, True), "\u0301": (0xB4, True), "\u0302": (0x88, True), "\u0303": (0x98, True),
    "\u0304": (0xAF, True), "\u0306": (0x81, True), "\u0307": (0x9D, True), "\u0308": (0xA8, True),
    "\u030a": (0x7F, True), "\u030b": (0x90, True), "\u030c": (0x8D, True), "\u0326": (0x2C, False),
    "\u0327": (0xB8, False), "\u0328": (0x8F, False),
}  # fmt: skip
_WHOLE: Final = {"\u0142": 1, "\u0141": 2, "\u0131": 3, "\N{MINUS SIGN}": 4}
_ENCODING: Final = (
    "<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [1 /lslash /Lslash /dotlessi /minus 127 /ring "
    "129 /breve 141 /caron 143 /ogonek /hungarumlaut 157 /dotaccent] >>"
)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is, in points."""
    widths = _WIDTHS[bold]
    return sum(widths.get(_base(letter), _OTHER) for letter in text) * size / 1000


def _base(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]


def wrapped(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """The text in lines no wider than `room` points; a word that is wider is cut. At least one line."""
    lines, line = list[str](), ""
    for word in (piece for whole in text.split() for piece in _cut(whole, size, room, bold)):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, size, bold=bold) > room:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _cut(word: str, size: float, room: float, bold: bool) -> Iterator[str]:
    """A word in pieces that fit; usually the word itself."""
    start = 0
    for end in range(1, len(word) + 1):
        if end - start > 1 and width_of(word[start:end], size, bold=bold) > room:
            yield word[start : end - 1]
            start = end - 1
    yield word[start:]


Cell = tuple[str, float, bool]
"""A text, where it stands (its left edge, or its right one for numbers) as a share of the width, whether it is a number."""


@dataclass(slots=True)
class Pdf:
    """A document being written from top to bottom; a page that is full is followed by another."""

    title: str
    pages: list[list[str]] = field(default_factory=lambda: [[]])
    y: float = HEIGHT - MARGIN
    headings: Sequence[Cell] = ()
    """Of the table that is being written: a page on which it goes on begins with them."""

    def paragraph(self, text: str, *, size: float = 10, bold: bool = False, after: float = 6) -> None:
        """A text over the whole width."""
        for line in wrapped(text, size, WIDTH - 2 * MARGIN, bold=bold):
            self._room(size * 1.4)
            self.y -= size * 1.4
            self._text(MARGIN, line, size, bold)
        self.y -= after

    def table(self, headings: Sequence[Cell]) -> None:
        """Begin a table with its headings between two lines."""
        self.rule()
        self.row(headings, bold=True)
        self.rule()
        self.headings = headings

    def end_table(self) -> None:
        """What follows is no table any more."""
        self.headings = ()

    def row(self, cells: Sequence[Cell], *, size: float = 9, bold: bool = False) -> None:
        """A line of a table. The first cell is wrapped before the second one."""
        span = WIDTH - 2 * MARGIN
        (text, _, _), *others = cells
        placed = [
            (each, at * span - (width_of(each, size, bold=bold) if number else 0))
            for each, at, number in others
            if each
        ]
        lines = wrapped(text, size, min([span, *(x for _, x in placed)]) - 8, bold=bold)
        self._room(size * 1.5 * len(lines))
        for number, line in enumerate(lines):
            self.y -= size * 1.5
            self._text(MARGIN, line, size, bold)
            for each, x in placed if not number else ():
                self._text(MARGIN + x, each, size, bold)

    def rule(self) -> None:
        """A line across the page; none where the page is full, since the next begins without one."""
        if not self._fits(8):
            return
        self.y -= 5
        self.pages[-1].append(f"0.6 w {MARGIN:.1f} {self.y:.1f} m {WIDTH - MARGIN:.1f} {self.y:.1f} l S")
        self.y -= 1

    def finished(self, footer: str) -> bytes:
        """The file; every page ends with the footer and its number."""
        for number, page in enumerate(self.pages, 1):
            page.append(_shown(MARGIN, 28, f"{footer} · page {number} of {len(self.pages)}", 8, bold=False))
        return _file(self.title, ["\n".join(page) for page in self.pages])

    def _fits(self, needed: float) -> bool:
        return self.y - needed >= MARGIN + 8

    def _room(self, needed: float) -> None:
        if self._fits(needed):
            return
        self.pages.append([])
        self.y = HEIGHT - MARGIN
        if self.headings:
            self.row(self.headings, bold=True)
            self.rule()

    def _text(self, x: float, text: str, size: float, bold: bool) -> None:
        self.pages[-1].append(_shown(x, self.y, text, size, bold=bold))


def _shown(x: float, y: float, text: str, size: float, *, bold: bool) -> str:
    """The operators that print a text, and say what it means (ISO 32000-1, 9.4 and 14.9.4)."""
    drawn = "".join(_drawn(letter, size, bold) for letter in text).replace("> Tj <", "")
    return f"/Span << /ActualText <{_utf16(text)}> >> BDC BT /{'B' if bold else 'R'} {size:g} Tf {x:.1f} {y:.1f} Td {drawn}ET EMC"


def _drawn(letter: str, size: float, bold: bool) -> str:
    """One letter; an accent is centred on its base, raised over capitals, and leaves the place after the base as it was."""
    if (code := _code(letter)) is not None:
        return f"<{code:02X}> Tj "
    apart = unicodedata.normalize("NFD", letter)
    base, code, accent = apart[0], _code(apart[0]), _ACCENTS.get(apart[1:])
    if code is None or accent is None:
        return "<3F> Tj "
    mark, above = accent
    width = _WIDTHS[bold].get(base, _OTHER)
    own = _WIDTHS[bold][","] if mark == 0x2C else _ACCENT
    rise = (0.19 if base.isupper() else 0.0) if above else -0.26 if mark == 0x2C else 0.0
    back, on = (width + own) / 2, (own - width) / 2
    return f"<{code:02X}> Tj {rise * size:.2f} Ts [{back:.0f} <{mark:02X}> {on:.0f}] TJ 0 Ts "


def _code(letter: str) -> int | None:
    """Where a letter stands in the encoding; None where it does not."""
    if letter in _WHOLE:
        return _WHOLE[letter]
    encoded = letter.encode("cp1252", errors="ignore")
    return encoded[0] if encoded and letter.isprintable() else None


def _file(title: str, pages: Sequence[str]) -> bytes:
    """Objects, their positions, and the trailer (ISO 32000-1, 7.5)."""
    first_page = 6
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(len(pages)))
    resources = "<< /Font << /R 3 0 R /B 4 0 R >> >>"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} /MediaBox [0 0 {WIDTH:g} {HEIGHT:g}] /Resources {resources} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding 5 0 R >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding 5 0 R >>",
        _ENCODING,
    ]
    for number, page in enumerate(pages):
        objects += [
            f"<< /Type /Page /Parent 2 0 R /Contents {first_page + 2 * number + 1} 0 R >>",
            f"<< /Length {len(page)} >>\nstream\n{page}\nendstream",
        ]
    objects.append(f"<< /Title <{_utf16(title)}> >>")
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")
    start = len(out)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode("ascii")
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def _utf16(text: str) -> str:
    return f"FEFF{text.encode('utf-16-be').hex().upper()}"
