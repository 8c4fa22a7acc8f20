"""A small writer of PDF 1.7: pages of text in Helvetica, lines of a table, nothing else.

Helvetica is one of the fonts that every reader brings along, so nothing is embedded. Letters beyond ASCII get a place in
the font's encoding by their Unicode names, as many as a document uses, up to 128; others are printed as a question mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

WIDTH: Final = 595.0
HEIGHT: Final = 842.0
"""A4 in points."""
MARGIN: Final = 48.0
ROOM: Final = 128

# Widths of the printable ASCII letters of Helvetica in thousandths of its size (Adobe's metrics of the standard fonts).
_ASCII: Final = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 "
    "584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 "
    "611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 "
    "722 500 500 500 334 260 334 584"
)
_WIDTHS: Final = dict(zip(map(chr, range(32, 127)), map(int, _ASCII.split()), strict=True))
_OTHER: Final = 556


def width_of(text: str, size: float) -> float:
    """How wide a text is, in points."""
    return sum(_WIDTHS.get(letter, _OTHER) for letter in text) * size / 1000


def wrapped(text: str, size: float, room: float) -> list[str]:
    """The text in lines no wider than `room` points; a word that is wider is cut. At least one line."""
    lines, line = list[str](), ""
    for word in (piece for whole in text.split() for piece in _cut(whole, size, room)):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, size) > room:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _cut(word: str, size: float, room: float) -> Iterator[str]:
    """A word in pieces that fit; usually the word itself."""
    start = 0
    for end in range(1, len(word) + 1):
        if end - start > 1 and width_of(word[start:end], size) > room:
            yield word[start : end - 1]
            start = end - 1
    yield word[start:]


@dataclass(slots=True)
class Pdf:
    """A document being written from top to bottom; a page that is full is followed by another."""

    title: str
    pages: list[list[str]] = field(default_factory=lambda: [[]])
    y: float = HEIGHT - MARGIN
    letters: dict[str, int] = field(default_factory=dict)

    def paragraph(self, text: str, *, size: float = 10, bold: bool = False, after: float = 6) -> None:
        """A text over the whole width."""
        for line in wrapped(text, size, WIDTH - 2 * MARGIN):
            self._room(size * 1.4)
            self.y -= size * 1.4
            self._text(MARGIN, line, size, bold)
        self.y -= after

    def row(self, cells: Sequence[tuple[str, float, bool]], *, size: float = 9, bold: bool = False) -> None:
        """A line of a table. Each cell is its text, where it stands (its left edge, or its right one for numbers) as a
        share of the width, and whether it is a number. The first cell is wrapped before the second one."""
        span = WIDTH - 2 * MARGIN
        first, *others = cells
        ends = [at * span - (width_of(text, size) if number else 0) for text, at, number in others if text]
        lines = wrapped(first[0], size, max(80.0, min([span, *ends]) - 8))
        self._room(size * 1.5 * len(lines))
        for number, line in enumerate(lines):
            self.y -= size * 1.5
            self._text(MARGIN, line, size, bold)
            for text, at, right in others if not number else ():
                self._text(MARGIN + at * span - (width_of(text, size) if right else 0), text, size, bold)

    def rule(self) -> None:
        """A line across the page."""
        self._room(8)
        self.y -= 5
        self.pages[-1].append(f"0.6 w {MARGIN:.1f} {self.y:.1f} m {WIDTH - MARGIN:.1f} {self.y:.1f} l S")
        self.y -= 1

    def finished(self, footer: str) -> bytes:
        """The file; every page ends with the footer and its number."""
        for number, page in enumerate(self.pages, 1):
            page.append(self._shown(MARGIN, 28, f"{footer} · page {number} of {len(self.pages)}", 8, bold=False))
        return _file(self.title, ["\n".join(page) for page in self.pages], self.letters)

    def _room(self, needed: float) -> None:
        if self.y - needed < MARGIN + 8:
            self.pages.append([])
            self.y = HEIGHT - MARGIN

    def _text(self, x: float, text: str, size: float, bold: bool) -> None:
        self.pages[-1].append(self._shown(x, self.y, text, size, bold=bold))

    def _shown(self, x: float, y: float, text: str, size: float, *, bold: bool) -> str:
        codes = "".join(f"{self._code(letter):02X}" for letter in text)
        return f"BT /{'B' if bold else 'R'} {size:g} Tf {x:.1f} {y:.1f} Td <{codes}> Tj ET"

    def _code(self, letter: str) -> int:
        if " " <= letter <= "~":
            return ord(letter)
        if letter not in self.letters and len(self.letters) < ROOM and ord(letter) <= 0xFFFF and letter.isprintable():
            self.letters[letter] = 128 + len(self.letters)
        return self.letters.get(letter, ord("?"))


def _file(title: str, pages: Sequence[str], letters: dict[str, int]) -> bytes:
    """Objects, their positions, and the trailer (ISO 32000-1, 7.5)."""
    names = " ".join(f"/uni{ord(letter):04X}" for letter in letters)
    encoding = f"<< /Type /Encoding /BaseEncoding /WinAnsiEncoding {f'/Differences [128 {names}]' if names else ''} >>"
    first_page = 7
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(len(pages)))
    resources = "<< /Font << /R 3 0 R /B 4 0 R >> >>"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} /MediaBox [0 0 {WIDTH:g} {HEIGHT:g}] /Resources {resources} >>",
        _font("Helvetica"),
        _font("Helvetica-Bold"),
        encoding,
        _stream(_to_unicode(letters)),
    ]
    for number, page in enumerate(pages):
        objects += [f"<< /Type /Page /Parent 2 0 R /Contents {first_page + 2 * number + 1} 0 R >>", _stream(page)]
    objects.append(f"<< /Title <FEFF{title.encode('utf-16-be').hex().upper()}> >>")
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")
    start = len(out)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode("ascii")
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def _font(name: str) -> str:
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding 5 0 R /ToUnicode 6 0 R >>"


def _stream(text: str) -> str:
    return f"<< /Length {len(text)} >>\nstream\n{text}\nendstream"


def _to_unicode(letters: dict[str, int]) -> str:
    """What the codes mean, so that the text can be searched and copied."""
    meant = {chr(code): code for code in range(32, 127)} | letters
    rows = [f"<{code:02X}> <{letter.encode('utf-16-be').hex().upper()}>" for letter, code in meant.items()]
    parts = [rows[start : start + 100] for start in range(0, len(rows), 100)]
    chars = "\n".join(f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar" for part in parts)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Letters def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <FF> endcodespacerange\n{chars}\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )
