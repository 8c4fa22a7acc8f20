"""Shopify's search syntax as far as the product uses it: ``field:value``, comparisons, AND / OR / NOT, brackets, quotes, ``*`` at
the end. Tolerant and silent as the real one: an unknown field is ignored and only a warning tells (reference §4.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Matcher = Callable[[Any], bool]
Getter = Callable[[Any], Any]  # a text, a number, a bool, a list of texts or None

_TOKEN = re.compile(
    r"""\s*(?:(?P<bracket>[()])
    |(?P<field>-?[A-Za-z_][\w.]*):(?P<op>>=|<=|>|<|)(?:'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<bare>[^\s()]*))
    |'(?P<s2>(?:\\.|[^'\\])*)'|"(?P<d2>(?:\\.|[^"\\])*)"
    |(?P<word>[^\s()]+))""",
    re.VERBOSE,
)
_DATE = re.compile(r"^\d{4}-\d\d-\d\d")


@dataclass
class Search:
    """A parsed query. `equal` lists the values when the query is nothing but ``field:'a' OR field:'b' …`` of one field."""

    matches: Matcher
    warnings: list[dict[str, str]] = field(default_factory=list)
    equal: tuple[str, list[str]] | None = None


@dataclass
class _Term:
    name: str | None
    op: str
    value: str


def parse_search(query: str | None, fields: Mapping[str, Getter], default: Getter) -> Search | None:
    """The query as a test on rows; None for an empty query (everything matches).

    `fields` names what can be searched, `default` gives the text that a bare word is looked up in.
    """
    if query is None or not query.strip():
        return None
    reader = _Reader(_tokens(query), fields, default)
    matches = reader.any_of()
    return Search(matches, reader.warnings, reader.equality())


def _tokens(query: str) -> list[_Term | str]:
    tokens: list[_Term | str] = []
    for match in _TOKEN.finditer(query):
        if match["bracket"]:
            tokens.append(match["bracket"])
        elif match["field"]:
            name = match["field"]
            if name.startswith("-"):
                tokens.append("NOT")
                name = name[1:]
            quoted = match["single"] if match["single"] is not None else match["double"]
            # An unquoted value ends at the next colon: this is how an unquoted time is misread.
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (match["bare"] or "").partition(":")[0]
            tokens.append(_Term(name, match["op"], value))
        elif match["word"]:
            word = match["word"]
            if word in ("AND", "OR", "NOT"):
                tokens.append(word)
            else:
                tokens.append(_Term(None, "", word))
        else:
            tokens.append(_Term(None, "", match["s2"] if match["s2"] is not None else match["d2"]))
    return tokens


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Term | str], fields: Mapping[str, Getter], default: Getter) -> None:
        self._tokens = tokens
        self._at = 0
        self._fields = fields
        self._default = default
        self.warnings: list[dict[str, str]] = []

    def any_of(self) -> Matcher:
        parts = [self._all_of()]
        while self._peek() == "OR":
            self._at += 1
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def equality(self) -> tuple[str, list[str]] | None:
        terms = [part for part in self._tokens if part != "OR"]
        if not terms or not all(isinstance(t, _Term) and t.name and not t.op and "*" not in t.value for t in terms):
            return None
        names = {t.name for t in terms if isinstance(t, _Term)}
        if len(names) != 1 or len(self._tokens) != 2 * len(terms) - 1:
            return None
        return str(names.pop()), [t.value for t in terms if isinstance(t, _Term)]

    def _peek(self) -> _Term | str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _all_of(self) -> Matcher:
        parts: list[Matcher] = []
        while (part := self._peek()) is not None and part not in ("OR", ")"):
            if part == "AND":
                self._at += 1
                continue
            parts.append(self._one())
        if len(parts) == 1:
            return parts[0]
        return lambda row: all(matches(row) for matches in parts)

    def _one(self) -> Matcher:
        part = self._peek()
        self._at += 1
        if part == "NOT":
            if self._peek() is None:
                return lambda row: True
            inner = self._one()
            return lambda row: not inner(row)
        if part == "(":
            inner = self.any_of()
            if self._peek() == ")":
                self._at += 1
            return inner
        if isinstance(part, _Term):
            return self._term(part)
        return lambda row: True

    def _term(self, term: _Term) -> Matcher:
        if term.name is None:
            wanted = term.value.casefold().rstrip("*")
            default = self._default
            return lambda row: wanted in str(default(row) or "").casefold()
        getter = self._fields.get(term.name)
        if getter is None:
            self.warnings.append(
                {"field": term.name, "message": "Invalid search field for this query.", "code": "invalid_field"}
            )
            return lambda row: True
        return _comparison(getter, term.op, term.value)


def _comparison(getter: Getter, op: str, value: str) -> Matcher:
    if op:
        return lambda row: _ordered(getter(row), op, value)
    wanted = value.casefold()
    if wanted == "*":
        return lambda row: getter(row) not in (None, "", [])
    if wanted.endswith("*"):
        start = wanted[:-1]
        return lambda row: any(text.startswith(start) for text in _texts(getter(row)))
    return lambda row: wanted in _texts(getter(row))


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [str(entry).casefold() for entry in value]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(value).casefold()]


def _ordered(value: Any, op: str, wanted: str) -> bool:
    if value is None:
        return False
    left: Any
    right: Any
    if isinstance(value, list):
        return any(_ordered(each, op, wanted) for each in value)
    if isinstance(value, int | float | Decimal):
        if not re.fullmatch(r"-?\d+(?:\.\d+)?", wanted):
            return False
        left, right = Decimal(str(value)), Decimal(wanted)
    elif _DATE.match(str(value)):
        left, right = str(value), _moment(wanted, len(str(value)))
    else:
        left, right = str(value).casefold(), wanted.casefold()
    return bool({">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[op])


def _moment(text: str, length: int) -> str:
    """A date or time filled up to whole seconds, UTC, so that texts compare as times do."""
    plain = text.replace("+00:00", "Z").removesuffix("Z")
    if len(plain) >= 19:
        return plain[:19] + "Z"
    if _DATE.match(plain):
        return (plain[:10] + "T00:00:00Z")[:length]
    return plain
