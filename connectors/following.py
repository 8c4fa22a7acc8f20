"""Stay with a run until it needs nobody any more: for commands, where a person or a script waits."""

from __future__ import annotations

import time
from collections.abc import Callable

from connectors import runs
from connectors.models import SyncRun
from connectors.models.runs import WORKING
from connectors.progress import progress


def follow(run: SyncRun, say: Callable[[str], None] | None = None) -> SyncRun:
    """Move `run` forward here, or watch the worker that does, until it is done or waits for a person.

    `say` is told the headline whenever it changes. Returns the run as stored.
    """
    said = ""
    while True:
        run = runs.advance(run.pk)
        sentence = progress(run).headline
        if say and sentence != said:
            say(sentence)
            said = sentence
        if run.status not in WORKING:
            return run
        time.sleep(0.3)
