"""One PostgreSQL server, as a child of this process, on loopback, with a password."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from syncconsole.embedded import processes
from syncconsole.embedded.data_directory import write_private
from syncconsole.embedded.errors import ServicesUnavailable
from syncconsole.embedded.identity import Identity, choose_identity, reachable_home, reachable_programs
from syncconsole.embedded.programs import PostgresPrograms, find_postgres

ROLE = DATABASE = "syncconsole"
PATIENCE = 30.0  # seconds until a server that starts must answer; recovery after a power cut is the slow case
PORT_ATTEMPTS = 5

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "128MB",
    "work_mem": "16MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# A power cut may then cost the data: right for demo and tests, which can be made anew.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Cluster:
    """The data of one server, and the programs and account it runs with."""

    directory: Path
    programs: PostgresPrograms
    identity: Identity

    def command(self, port: int, *, durable: bool) -> list[str]:
        settings = SETTINGS | ({} if durable else FAST_SETTINGS) | {"port": str(port)}
        program: list[str | Path] = [self.programs.postgres, "-D", self.directory]
        for name, value in settings.items():
            program += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast stop: it ends the sessions and writes its checkpoint.
        return processes.tethered(program, death_signal=signal.SIGINT, run_as=self.identity.run_as)


def open_cluster(home: Path, password: str) -> Cluster:
    """The cluster in `home`/postgres, created if it is not there yet.

    Raises ServicesUnavailable if the programs are missing, do not run, or are of another major version than the data.
    """
    known = home / "postgres"
    identity = choose_identity(known)
    reachable = reachable_home(identity, home)
    programs = reachable_programs(identity, find_postgres(), reachable)
    cluster = Cluster(reachable / "postgres", programs, identity)
    if not known.exists():
        # Data elsewhere that `home` does not know belonged to a directory that has been removed since.
        shutil.rmtree(cluster.directory, ignore_errors=True)
        create(cluster, password)
        if cluster.directory != known:
            known.unlink(missing_ok=True)
            known.symlink_to(cluster.directory)
    made_by = (cluster.directory / "PG_VERSION").read_text().strip()
    if made_by != str(programs.major):
        raise ServicesUnavailable(
            f"The data in {cluster.directory} were made by PostgreSQL {made_by}; this one is {programs.major}.",
            "Install that version, or remove the data directory to begin with empty data.",
        )
    return cluster


def create(cluster: Cluster, password: str) -> None:
    """Make the cluster with its role and database: whole, or not at all."""
    draft = cluster.directory.with_name("postgres.partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    cluster.identity.adopt(draft)
    password_file = cluster.directory.with_name("postgres.password")
    write_private(password_file, password + "\n")
    cluster.identity.adopt(password_file)
    try:
        options = ["-U", ROLE, "--no-sync", "--auth=scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8"]
        run(cluster, [cluster.programs.initdb, "-D", draft, *options, *locale_options(cluster.programs)])
    finally:
        password_file.unlink()
    single_user: list[str | Path] = [cluster.programs.postgres, "--single", "-F", "-D", draft, "postgres"]
    run(cluster, single_user, f"CREATE DATABASE {DATABASE};\n")
    draft.replace(cluster.directory)


def locale_options(programs: PostgresPrograms) -> list[str]:
    """The same order of text on every machine, whatever locales its operating system has."""
    if programs.major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C"]
    return ["--locale=C.UTF-8"]


def run(cluster: Cluster, program: list[str | Path], text: str = "") -> None:
    command = processes.tethered(program, death_signal=signal.SIGTERM, run_as=cluster.identity.run_as)
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment(), cwd="/", check=False)
    if done.returncode:
        raise ServicesUnavailable(
            f"{Path(program[0]).name} could not create the database: {done.stderr.strip() or done.stdout.strip()}",
            "Mend the cause, or set DATABASE_URL and REDIS_URL to servers that run.",
        )


def environment() -> dict[str, str]:
    """This process's environment without what would steer PostgreSQL elsewhere (PGDATA, PGPORT, LC_ALL …)."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}


def start(cluster: Cluster, log: Path, *, durable: bool, inherit: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server and wait until it answers. Returns it and its port.

    `inherit` is a file descriptor the server keeps open (its lock). Raises ServicesUnavailable with the log's last
    lines if it does not come up.
    """
    # Every server that used this data is gone (the caller holds their lock), so a pid left in this file is stale; by
    # now it may be another process's, which PostgreSQL would take for a running server.
    (cluster.directory / "postmaster.pid").unlink(missing_ok=True)
    for _ in range(PORT_ATTEMPTS):
        port = free_port()
        with log.open("wb") as output:
            server = subprocess.Popen(
                cluster.command(port, durable=durable),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(),
                cwd="/",
                pass_fds=[inherit],
            )
        if wait_until_ready(server, cluster.directory):
            return server, port
        stop(server)
        if "could not bind" not in processes.tail(log):  # another program was quicker to take the port
            break
    raise ServicesUnavailable(
        f"PostgreSQL did not start. The last lines of {log}:\n{processes.tail(log)}\n",
        "Mend the cause, or set DATABASE_URL and REDIS_URL to servers that run.",
    )


def wait_until_ready(server: subprocess.Popen[bytes], cluster: Path) -> bool:
    give_up = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < give_up:
        try:
            # The eighth line of this file is the server's state, written by the server for its own control program.
            if (cluster / "postmaster.pid").read_text().splitlines()[7].strip() == "ready":
                return True
        except (FileNotFoundError, IndexError):
            pass  # not written that far yet
        time.sleep(0.01)
    return False


def stop(server: subprocess.Popen[bytes], *, discard: bool = False) -> None:
    """End the server: with a checkpoint, or at once if its data are thrown away. Returns when it is gone."""
    processes.end(server, signal.SIGQUIT if discard else signal.SIGINT, patience=20)


def free_port() -> int:
    """A port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
