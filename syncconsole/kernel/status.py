"""The seven meanings a state can have for a person; every state enum maps its members to one of them."""

from __future__ import annotations

from enum import StrEnum


class Meaning(StrEnum):
    """What a state asks of the reader. Shape, word and colour follow from it (docs/operators/look.md)."""

    OK = "ok"
    RUNNING = "running"
    NEEDS_YOU = "needs-you"
    ATTENTION = "attention"
    STOPPED = "stopped"
    WAITS = "waits"
    OFF = "off"
