"""Tables of the documentation that name the tests which hold what they say."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


def rows(document: str) -> list[tuple[str, str]]:
    """Number of each row of a table of three columns (`12`, `K3`), and the cell that says what holds it."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return re.findall(r"^\| (K?\d+) \| .+? \| (.+) \|$", text, re.MULTILINE)


@cache
def known_tests() -> frozenset[str]:
    """All test functions of this suite, as `tests/file.py::test_name`."""
    paths = ((path.relative_to(ROOT), path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("*.py"))
    return frozenset(f"{path}::{name}" for path, text in paths for name in re.findall(r"def (test_\w+)\(", text))
