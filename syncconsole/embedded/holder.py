"""The process that holds the servers of one data directory for as long as anybody uses them.

    python -m syncconsole.embedded.holder DIRECTORY --ready DESCRIPTOR --lock DESCRIPTOR [--fast] [--ephemeral]

Started by the first user (launcher.py), then on its own, so that the services do not end with whoever came first.
It ends when the last user's lock is gone, however that user ended; when it is itself killed, the kernel ends the
servers. Readiness, or the reason why there is none, is written to the first descriptor as one JSON object; the second
is the servers' lock, had by the user that started us.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from syncconsole.embedded import postgres, valkey
from syncconsole.embedded.data_directory import DataDirectory, Running
from syncconsole.embedded.errors import ServicesUnavailable

LOOK_EVERY = 0.2  # seconds


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="holder")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--ready", type=int, required=True)
    parser.add_argument("--lock", type=int, required=True)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--ephemeral", action="store_true")
    options = parser.parse_args(arguments)
    if os.fork():
        os._exit(0)  # the user who started us waits for this end only; the process that goes on is nobody's child
    holder = Holder(DataDirectory(options.directory), durable=not options.fast, ephemeral=options.ephemeral)
    try:
        holder.start(options.lock)
    except ServicesUnavailable as problem:
        answer(options.ready, {"cause": problem.cause, "remedy": problem.remedy})
        holder.stop()
        return 1
    answer(options.ready, {"ready": True})
    return holder.hold()


def answer(descriptor: int, content: dict[str, object]) -> None:
    with suppress(BrokenPipeError), os.fdopen(descriptor, "w") as pipe:  # the user may have ended while it waited
        json.dump(content, pipe)


class Holder:
    def __init__(self, data: DataDirectory, *, durable: bool, ephemeral: bool) -> None:
        self.data = data
        self.durable = durable
        self.ephemeral = ephemeral
        self.announced = False
        self.stopping = threading.Event()
        self.servers = ExitStack()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.folders = [data.path]
        signal.signal(signal.SIGTERM, self.asked_to_stop)
        signal.signal(signal.SIGINT, self.asked_to_stop)

    def asked_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stopping.set()

    def start(self, lock: int) -> None:
        """Start both servers and announce them; both keep `lock` open. Raises ServicesUnavailable."""
        secrets = self.data.secrets()
        self.data.state.unlink(missing_ok=True)
        cluster = postgres.open_cluster(self.data.path, secrets.postgres)
        if cluster.directory.parent != self.data.path:
            self.folders.append(cluster.directory.parent)
        database, database_port = postgres.start(cluster, self.data.log("postgres"), durable=self.durable, inherit=lock)
        self.processes["PostgreSQL"] = database
        self.servers.callback(lambda: postgres.stop(database, discard=self.discards()))
        broker, broker_port = valkey.start(
            self.data.valkey,
            self.data.log("valkey"),
            password=secrets.valkey,
            durable=self.durable,
            inherit=lock,
        )
        self.processes["Valkey"] = broker
        self.servers.callback(lambda: valkey.stop(broker))
        self.data.announce(
            Running(
                database_url=(
                    f"postgres://{postgres.ROLE}:{secrets.postgres}@127.0.0.1:{database_port}/{postgres.DATABASE}"
                ),
                redis_url=f"redis://:{secrets.valkey}@127.0.0.1:{broker_port}/0",
                holder=os.getpid(),
                postgres_port=database_port,
                valkey_port=broker_port,
            )
        )

        self.announced = True

    def hold(self) -> int:
        """Keep the servers until nobody uses them, one of them ends, the data are removed, or we are asked to stop."""
        users = self.data.lock("users")
        while not self.stopping.wait(LOOK_EVERY):
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended:
                print(f"{ended[0]} ended on its own; its log is in {self.data.path}.", flush=True)
                self.stop()
                return 1
            if self.data_were_removed() or users.try_acquire():
                break  # having the users' lock alone, we keep new users waiting until everything is stopped
        self.stop()
        return 0

    def data_were_removed(self) -> bool:
        return self.announced and not self.data.state.exists()

    def discards(self) -> bool:
        return self.ephemeral or self.data_were_removed()

    def stop(self) -> None:
        self.servers.close()
        self.data.state.unlink(missing_ok=True)
        if self.ephemeral:
            for folder in self.folders:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
