"""The console's settings, with the address of the bare view beside its own."""

from __future__ import annotations

from syncconsole.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare"
