"""The servers themselves: which programs, as whom, on which port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from syncconsole.embedded import identity, postgres, programs, valkey
from syncconsole.embedded.data_directory import DataDirectory
from syncconsole.embedded.errors import ServicesUnavailable
from syncconsole.embedded.processes import tethered

PASSWORD = "for this test"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


@contextmanager
def server(home: Path) -> Iterator[tuple[postgres.Cluster, int]]:
    home.mkdir(mode=0o700, exist_ok=True)
    lock = DataDirectory(home).lock("servers")
    cluster = postgres.open_cluster(home, PASSWORD)
    process, port = postgres.start(cluster, home / "log", durable=False, inherit=lock.descriptor)
    try:
        yield cluster, port
    finally:
        postgres.stop(process, discard=True)
        lock.release()


def version(port: int) -> str:
    with psycopg.connect(
        host="127.0.0.1", port=port, user="syncconsole", password=PASSWORD, dbname="syncconsole"
    ) as connection:
        row = connection.execute("SHOW server_version").fetchone()
        assert row is not None
        return str(row[0])


def owner_of_the_server(cluster: postgres.Cluster) -> int:
    pid = (cluster.directory / "postmaster.pid").read_text().splitlines()[0]
    return (Path("/proc") / pid).stat().st_uid


@needs_root
def test_without_user_namespaces_the_server_runs_as_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "namespaces_are_allowed", lambda _: False)
    # pytest's folders are closed to nobody, so data and programs go where it can reach them.
    with server(tmp_path / "home") as (cluster, port):
        assert version(port).startswith("18.")
        assert owner_of_the_server(cluster) == 65534
        assert cluster.directory.stat().st_uid == 65534
        assert cluster.directory.parent.stat().st_uid == 0
    monkeypatch.undo()
    with server(tmp_path / "home") as (again, port):  # what was chosen for existing data stays, whatever works by now
        assert again == cluster
        assert version(port).startswith("18.")
    subprocess.run(["rm", "-rf", cluster.directory.parent], check=True)


@needs_root
def test_data_kept_elsewhere_are_not_taken_over_by_a_new_directory_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "namespaces_are_allowed", lambda _: False)
    with server(tmp_path / "home") as (cluster, _):
        pass
    subprocess.run(["rm", "-rf", tmp_path / "home"], check=True)
    monkeypatch.setattr(sys.modules[__name__], "PASSWORD", "another one")
    with server(tmp_path / "home") as (again, port):
        assert again.directory == cluster.directory
        assert version(port)
    subprocess.run(["rm", "-rf", cluster.directory.parent], check=True)


@needs_root
@pytest.mark.skipif(not Path("/proc/self/ns/user").exists(), reason="this kernel has no user namespaces")
def test_in_a_user_namespace_the_files_stay_ours(tmp_path: Path) -> None:
    if not identity.namespaces_are_allowed(identity.unprivileged_account()):
        pytest.skip("this machine forbids user namespaces")
    with server(tmp_path / "home") as (cluster, port):
        assert cluster.directory.parent == tmp_path / "home"
        assert owner_of_the_server(cluster) == 0
        assert version(port)


def test_another_program_on_the_chosen_port_means_another_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(tmp_path / "first") as (_, taken):
        ports = iter([taken, postgres.free_port()])
        monkeypatch.setattr(postgres, "free_port", lambda: next(ports))
        with server(tmp_path / "second") as (_, port):
            assert port != taken
            assert version(port)


def test_a_pid_left_behind_by_a_power_cut_does_not_keep_the_server_from_starting(tmp_path: Path) -> None:
    with server(tmp_path / "home") as (cluster, _):
        pass
    (cluster.directory / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.directory}\n")
    with server(tmp_path / "home") as (_, port):
        assert version(port)


def test_half_made_data_are_made_again(tmp_path: Path) -> None:
    (tmp_path / "home" / "postgres.partial" / "base").mkdir(parents=True)
    with server(tmp_path / "home") as (_, port):
        assert version(port)


def test_the_server_of_the_operating_system_is_used_where_the_wheel_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "package_folder", lambda _: None)
    try:
        found = programs.find_postgres()
    except ServicesUnavailable:
        pytest.skip("no PostgreSQL of the operating system here")
    with server(tmp_path / "home") as (_, port):
        assert version(port).startswith(f"{found.major}.")


def test_missing_programs_are_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "package_folder", lambda _: None)
    monkeypatch.setattr(programs, "postgres_directories", lambda: iter([tmp_path]))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServicesUnavailable, match=r"No PostgreSQL server .* requirements/demo\.txt"):
        programs.find_postgres()
    with pytest.raises(ServicesUnavailable, match=r"No Valkey or Redis server .* set DATABASE_URL and REDIS_URL"):
        programs.find_valkey()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres.SETTINGS, "shared_buffers", "much")
    with (
        pytest.raises(ServicesUnavailable, match=r'(?s)The last lines of .*"shared_buffers".*much'),
        server(tmp_path / "home"),
    ):
        pass


def test_a_broker_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey, "DATABASES", -1)
    lock = DataDirectory(tmp_path).lock("servers")
    with pytest.raises(ServicesUnavailable, match=r"(?s)Valkey did not start.*databases"):
        valkey.start(tmp_path / "v", tmp_path / "log", password="x", durable=True, inherit=lock.descriptor)
    lock.release()


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_a_tethered_program_ends_with_the_process_that_started_it() -> None:
    command = tethered(["sleep", "300"], death_signal=signal.SIGTERM)
    with_own_pid = (
        "import os, subprocess, sys; command = [str(os.getpid()) if a == 'PARENT' else a for a in sys.argv[1:]]"
    )
    program = (
        f"{with_own_pid}; p = subprocess.Popen(command, stdout=subprocess.DEVNULL); print(p.pid, flush=True); input()"
    )
    command[command.index("--parent") + 1] = "PARENT"
    parent = subprocess.Popen(
        [sys.executable, "-c", program, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    descriptor = os.pidfd_open(child)
    parent.kill()
    parent.communicate()
    import select

    assert select.select([descriptor], [], [], 5)[0], "the program outlived its parent"
    os.close(descriptor)


def test_a_program_that_does_not_exist_is_named() -> None:
    done = subprocess.run(
        tethered(["no-such-program"], death_signal=signal.SIGTERM), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (127, "no-such-program cannot be started: No such file or directory\n")
