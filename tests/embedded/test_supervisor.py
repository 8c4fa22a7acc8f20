"""One process tree: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.embedded.process_watch import running_with, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

Start = Callable[..., subprocess.Popen[str]]

SUPERVISOR = """
import sys
from pathlib import Path
from syncconsole.embedded.supervisor import Child, Supervisor

def python(code):
    return [sys.executable, "-c", code]

def shell(code):
    return ["/bin/sh", "-c", code]

FOREVER = "while :; do sleep 0.1; done"
{program}
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor in a process of its own; every process of its tree carries this test's folder in its environment."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str) -> subprocess.Popen[str]:
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR.format(program=textwrap.dedent(program))],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TREE": str(tmp_path)},
            cwd=tmp_path,
        )
        started.append(supervisor)
        return supervisor

    yield start
    for supervisor in started:
        supervisor.kill()
        supervisor.wait()
        if supervisor.stdout is not None:
            supervisor.stdout.close()


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[], list[int]]:
    return lambda: running_with(f"TREE={tmp_path}")


def lines_until(supervisor: subprocess.Popen[str], wanted: str) -> list[str]:
    assert supervisor.stdout is not None
    lines = []
    for line in supervisor.stdout:
        lines.append(line.rstrip())
        if wanted in line:
            return lines
    raise AssertionError(f"{wanted!r} was never printed; this was: {lines}")


def test_each_line_carries_the_name_of_its_program_and_no_colour_in_a_pipe(start: Start) -> None:
    supervisor = start(
        """
        children = [
            Child("web", shell("echo hello; " + FOREVER), ready="hello"),
            Child("worker", shell("printf half; touch there; exec sleep 60"), ready=Path("there").exists),
        ]
        sys.exit(Supervisor(children).run(stay=False))
        """
    )
    output, _ = supervisor.communicate(timeout=20)
    assert output.splitlines() == ["web    | hello", "worker | half"]
    assert supervisor.returncode == 0


def test_a_program_is_started_when_the_one_before_it_is_ready(start: Start) -> None:
    supervisor = start(
        """
        children = [
            Child("first", shell("sleep 0.3; touch there; " + FOREVER), ready=Path("there").exists),
            Child("second", shell("test -e there && echo found; " + FOREVER), ready="found"),
        ]
        sys.exit(Supervisor(children).run(stay=False))
        """
    )
    output, _ = supervisor.communicate(timeout=20)
    assert output == "second | found\n"


def test_a_program_that_is_never_ready_stops_the_tree(start: Start, tree: Callable[[], list[int]]) -> None:
    supervisor = start(
        """
        sys.exit(Supervisor([Child("web", shell(FOREVER), ready="never said", ready_within=0.3)]).run())
        """
    )
    output, _ = supervisor.communicate(timeout=20)
    assert output == "web was not ready after 0 seconds.\n"
    assert supervisor.returncode == 1
    assert tree() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_stop_ends_everything_in_reverse_order_and_is_a_success(
    start: Start, tree: Callable[[], list[int]], number: signal.Signals
) -> None:
    supervisor = start(
        """
        polite = "trap 'echo bye; exit' TERM; echo up; " + FOREVER
        children = [Child(name, shell(polite), ready="up") for name in ("one", "two", "three")]
        sys.exit(Supervisor(children).run(lambda: print("all up", flush=True)))
        """
    )
    lines_until(supervisor, "all up")
    supervisor.send_signal(number)
    output, _ = supervisor.communicate(timeout=20)
    assert output.splitlines() == ["three | bye", "two   | bye", "one   | bye"]
    assert supervisor.returncode == 0
    assert tree() == []


def test_a_program_that_ends_by_itself_brings_the_tree_down_with_its_reason(
    start: Start, tree: Callable[[], list[int]]
) -> None:
    supervisor = start(
        """
        children = [Child("web", shell(FOREVER)), Child("worker", shell("echo no broker; sleep 0.2; exit 3"))]
        sys.exit(Supervisor(children).run())
        """
    )
    output, _ = supervisor.communicate(timeout=20)
    assert output.splitlines() == [
        "worker | no broker",
        "worker ended with exit code 3; everything else is stopped.",
    ]
    assert supervisor.returncode == 1
    assert tree() == []


def test_the_signal_that_ended_a_program_is_named(start: Start) -> None:
    supervisor = start("sys.exit(Supervisor([Child('web', shell('kill -KILL $$'))]).run())")
    output, _ = supervisor.communicate(timeout=20)
    assert output == "web was ended by SIGKILL; everything else is stopped.\n"


def test_a_watch_that_finds_something_wrong_stops_the_tree(start: Start, tree: Callable[[], list[int]]) -> None:
    supervisor = start(
        """
        tree = Supervisor([Child("web", shell(FOREVER))], watches=[lambda: None, lambda: "PostgreSQL ended."])
        sys.exit(tree.run())
        """
    )
    output, _ = supervisor.communicate(timeout=20)
    assert output == "PostgreSQL ended.\n"
    assert supervisor.returncode == 1
    assert tree() == []


def test_work_is_interrupted_when_a_program_it_needs_ends(start: Start) -> None:
    supervisor = start(
        """
        import time
        children = [Child("web", shell("sleep 0.3; exit 5"))]
        sys.exit(Supervisor(children).run(lambda: time.sleep(60)))
        """
    )
    output, _ = supervisor.communicate(timeout=20)
    assert output == "web ended with exit code 5; everything else is stopped.\n"


def test_an_error_in_the_work_is_raised_after_everything_is_stopped(
    start: Start, tree: Callable[[], list[int]]
) -> None:
    supervisor = start(
        """
        def work():
            raise RuntimeError("the story broke")
        Supervisor([Child("web", shell(FOREVER))]).run(work)
        """
    )
    output, _ = supervisor.communicate(timeout=20)
    assert "RuntimeError: the story broke" in output
    assert supervisor.returncode == 1
    assert tree() == []


def test_a_program_that_does_not_stop_in_time_is_made_to(start: Start, tree: Callable[[], list[int]]) -> None:
    supervisor = start(
        """
        children = [Child("deaf", shell("trap '' TERM; echo up; " + FOREVER), ready="up")]
        sys.exit(Supervisor(children, patience=0.3).run(lambda: print("all up", flush=True)))
        """
    )
    lines_until(supervisor, "all up")
    supervisor.send_signal(signal.SIGINT)
    supervisor.communicate(timeout=20)
    assert supervisor.returncode == 0
    assert tree() == []


def test_a_second_request_to_stop_hurries(start: Start, tree: Callable[[], list[int]]) -> None:
    supervisor = start(
        """
        children = [Child("deaf", shell("trap 'echo heard' TERM; echo up; " + FOREVER), ready="up")]
        sys.exit(Supervisor(children, patience=60).run(lambda: print("all up", flush=True)))
        """
    )
    lines_until(supervisor, "all up")
    supervisor.send_signal(signal.SIGINT)
    lines_until(supervisor, "heard")
    asked = time.monotonic()
    supervisor.send_signal(signal.SIGINT)
    supervisor.communicate(timeout=20)
    assert time.monotonic() - asked < 10
    assert supervisor.returncode == 0
    assert tree() == []


FAMILY = """
family = "sleep 300 & setsid sleep 300 & (trap '' TERM; sleep 300 & wait) & echo up; wait"
children = [Child("parent", shell(family), ready="up")]
sys.exit(Supervisor(children, patience=2).run(lambda: print("all up", flush=True)))
"""


def test_children_of_children_are_ended_too_whatever_they_ignore(start: Start, tree: Callable[[], list[int]]) -> None:
    supervisor = start(FAMILY)
    lines_until(supervisor, "all up")
    assert len(tree()) >= 6
    supervisor.send_signal(signal.SIGINT)
    supervisor.communicate(timeout=20)
    assert supervisor.returncode == 0
    assert tree() == []


def test_nothing_survives_a_killed_supervisor(start: Start, tree: Callable[[], list[int]]) -> None:
    supervisor = start(
        """
        stubborn = "trap '' TERM; (trap '' TERM; sleep 300 & wait) & echo up; " + FOREVER
        children = [Child("one", shell(stubborn), ready="up"), Child("two", shell("sleep 300 & echo up; wait"), ready="up")]
        sys.exit(Supervisor(children).run(lambda: print("all up", flush=True)))
        """
    )
    lines_until(supervisor, "all up")
    killed = time.monotonic()
    supervisor.kill()
    wait_until(lambda: tree() == [])
    assert time.monotonic() - killed < 5


def test_output_that_nobody_reads_any_more_stops_the_tree(start: Start, tree: Callable[[], list[int]]) -> None:
    supervisor = start("sys.exit(Supervisor([Child('web', shell('while :; do echo on; sleep 0.05; done'))]).run())")
    lines_until(supervisor, "on")
    assert supervisor.stdout is not None
    supervisor.stdout.close()
    supervisor.wait(timeout=20)
    assert tree() == []
