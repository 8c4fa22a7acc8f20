"""Answers are read in several threads; the first to use a shape must not take the process with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]

AT_ONCE = """
import sys, threading, msgspec
from connectors.shopify.decoding import decode
sys.setswitchinterval(1e-6)
for number in range(60):
    leaf = msgspec.defstruct("Leaf", [("name", str), ("size", int | None, None)], rename="camel")
    branch = msgspec.defstruct("Branch", [("leaves", list[leaf]), ("others", dict[str, leaf])])
    root = msgspec.defstruct("Root", [("branch", branch), ("more", list[branch]), ("leaf", leaf | None, None)])
    together = threading.Barrier(8)
    def read():
        together.wait()
        decode(b'{"branch":{"leaves":[{"name":"a"}],"others":{}},"more":[]}', root)
    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("read")
"""


def test_a_shape_may_be_used_first_by_several_threads_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", AT_ONCE], cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, "read"), done.stderr[-500:]
