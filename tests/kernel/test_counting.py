"""Numbers that a page shows each time are kept for a while, and the longer, the dearer they are to count."""

from __future__ import annotations

import itertools
from unittest import mock

import pytest

from syncconsole.kernel import counting


@pytest.mark.parametrize(("took", "kept"), [(0.001, 10), (2.0, 600)])
def test_a_count_is_kept_as_it_was_dear(monkeypatch: pytest.MonkeyPatch, took: float, kept: int) -> None:
    clock, cache, counted = itertools.count(0.0, took), mock.Mock(), itertools.count(1)
    cache.get.return_value = None
    monkeypatch.setattr(counting, "monotonic", lambda: next(clock))
    monkeypatch.setattr(counting, "cache", cache)
    assert counting.kept("stock", lambda: next(counted)) == 1
    cache.set.assert_called_once_with("stock", 1, kept)

    cache.get.return_value = 1
    assert counting.kept("stock", lambda: next(counted)) == 1
