"""Files as people and programs really write them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import csv_rows
from catalog.csv_rows import CellRefused, FileRefused, Row, RowProblem, Table, boolean_cell, decimal_cell, read_table


def known(header: Sequence[str]) -> Mapping[int, str]:
    return {index: name for index, name in enumerate(header) if name in {"a", "b", "c"}}


def table(content: str | bytes) -> Table:
    return read_table(io.BytesIO(content if isinstance(content, bytes) else content.encode()), known)


def rows(content: str | bytes) -> list[Row | RowProblem]:
    return list(table(content).rows)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_delimiters_line_ends_and_byte_order_marks_are_recognised(delimiter: str, ending: str, mark: str) -> None:
    text = mark + ending.join(delimiter.join(line) for line in (("a", "b"), ("1", "ă"), ("2", "ț")))
    assert rows(text) == [Row(2, {"a": "1", "b": "ă"}), Row(3, {"a": "2", "b": "ț"})]


def test_a_spreadsheets_own_hint_is_no_row() -> None:
    assert rows("sep=;\na;b\n1;2\n") == [Row(3, {"a": "1", "b": "2"})]


def test_lines_are_counted_through_cells_of_several_lines_and_blank_ones() -> None:
    assert rows('a,b\n"one\ntwo\nthree",2\n\n,,\n3\n5,6\n')[-1] == Row(8, {"a": "5", "b": "6"})


def test_cells_are_trimmed_and_unknown_columns_named() -> None:
    found = table("a,colour,b\n  x ,red, y\n")
    assert found.ignored == ["colour"]
    assert list(found.rows) == [Row(2, {"a": "x", "b": "y"})]


def test_a_row_of_another_width_is_a_problem_and_empty_extra_cells_are_not() -> None:
    short, longer, padded = rows("a,b\n1\n1,2,3\n1,2,,\n")
    assert isinstance(short, RowProblem)
    assert "1 cells, the header has 2" in short.cause
    assert isinstance(longer, RowProblem)
    assert padded == Row(4, {"a": "1", "b": "2"})


def test_a_nul_byte_spoils_its_row_only() -> None:
    bad, good = rows("a,b\nx\0,1\ny,2\n")
    assert isinstance(bad, RowProblem)
    assert good == Row(3, {"a": "y", "b": "2"})


def test_a_stray_quotation_mark_spoils_its_row_only() -> None:
    good, bad, after = rows('a,b\n5" tall,2\n"5" tall",2\n3,4\n')
    assert good == Row(2, {"a": '5" tall', "b": "2"})
    assert isinstance(bad, RowProblem)
    assert bad.line == 3
    assert after == Row(4, {"a": "3", "b": "4"})


def test_a_quotation_mark_never_closed_is_named_by_the_line_that_opens_it() -> None:
    first, last = rows('a,b\n1,2\n"open,2\n3,4\n5,6\n')
    assert first == Row(2, {"a": "1", "b": "2"})
    assert isinstance(last, RowProblem)
    assert last.line == 3
    assert "never closed" in last.cause


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        ("a,b\nă,1\n".encode("cp1250"), "not in UTF-8"),
        ("a,b\n1,1\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04rest", "workbook"),
        (b"\xd0\xcf\x11\xe0rest", "workbook"),
        (b"x,y\n1,2\n", "No column"),
        (b"a,a\n1,2\n", "more than once"),
        (b"a\0,b\n1,2\n", "NUL"),
        (b"\n\n", "No column"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_before_its_first_row(content: bytes, said: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        table(content)
    assert said in refusal.value.cause
    assert refusal.value.remedy


def test_a_file_of_another_kind_is_refused_with_the_columns_that_are_needed() -> None:
    with pytest.raises(FileRefused) as refusal:
        read_table(io.BytesIO(b"x,y\n1,2\n"), known, (("item_number", "sku"), ("quantity",)))
    assert refusal.value.remedy == "The first row names the columns: item_number or sku, quantity."


def test_wrong_letters_on_the_last_line_refuse_the_file_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileRefused):
        table(b"a,b\n" + b"1,2\n" * 50_000 + b"\xe3,2\n")


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "MAX_FILE_BYTES", 100)
    with pytest.raises(FileRefused, match="larger"):
        table("a,b\n" + "1,2\n" * 50)
    monkeypatch.setattr(csv_rows, "MAX_FILE_BYTES", 10_000)
    monkeypatch.setattr(csv_rows, "MAX_LINE", 50)
    with pytest.raises(FileRefused, match="Line 2 is longer"):
        table("a,b\n" + "x" * 60 + ",2\n")


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("12", ",", "12"),
        ("12,5", ",", "12.5"),
        ("12.5", ",", "12.5"),
        ("12,5", ".", "12.5"),
        ("-0,125", ",", "-0.125"),
        ("0.125", ",", "0.125"),
        ("5,000", ",", "5"),
        ("5.000", ".", "5"),
        ("1.234,56", ",", "1234.56"),
        ("1,234.56", ".", "1234.56"),
        ("1.234,56", ".", "1234.56"),
        ("1,234,567", ".", "1234567"),
        ("1 234,50", ",", "1234.5"),
        ("1\u00a0234", ",", "1234"),
        ("+3", ".", "3"),
    ],
)
def test_numbers_are_read_with_either_mark(text: str, mark: str, value: str) -> None:
    assert decimal_cell("The price", text, mark=mark, places=3) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("1.234", ","),
        ("1,234", "."),
        ("12,34,56", "."),
        ("1.2.3", ","),
        ("1,23.45", "."),
        ("1e5", "."),
        ("NaN", "."),
        ("Infinity", "."),
        ("٣", "."),
        ("5 lei", "."),
        ("", "."),
        ("--5", "."),
        ("1.23456", "."),
        ("123456789012", "."),
    ],
)
def test_numbers_that_are_unclear_are_refused_never_guessed(text: str, mark: str) -> None:
    with pytest.raises(CellRefused) as refusal:
        decimal_cell("The price", text, mark=mark, places=3)
    assert refusal.value.remedy


def test_yes_and_no_are_understood_in_english_and_romanian() -> None:
    assert [boolean_cell("tracked", word) for word in ("TRUE", "da", "0", "Nu")] == [True, True, False, False]
    with pytest.raises(CellRefused):
        boolean_cell("tracked", "maybe")


@given(st.binary(max_size=400) | st.text(alphabet='ab,;\t"\r\n\0 xă1', max_size=200).map(str.encode))
def test_no_bytes_at_all_break_the_reader(content: bytes) -> None:
    with suppress(FileRefused):
        for row in table(b"a,b\n" + content).rows:
            assert isinstance(row, Row | RowProblem)


@given(
    st.lists(
        st.tuples(*[st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)] * 2),
        max_size=20,
    )
)
def test_every_row_is_either_given_or_a_problem(content: list[tuple[str, str]]) -> None:
    text = "a,b\n" + "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in content)
    not_blank = [row for row in content if any(cell.strip() for cell in row)]
    found = rows(text)
    assert len(found) == len(not_blank)
    for written, read in zip(not_blank, found, strict=True):
        if isinstance(read, Row):
            assert tuple(read.cells.values()) == tuple(cell.strip() for cell in written)
        else:
            assert "\0" in "".join(written)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_a_number_written_with_its_files_mark_reads_as_itself(value: Decimal) -> None:
    assert decimal_cell("n", f"{value:f}", mark=".", places=3) == value
    assert decimal_cell("n", f"{value:f}".replace(".", ","), mark=",", places=3) == value


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    with suppress(CellRefused):
        assert decimal_cell("n", text, mark=",", places=3).is_finite()
