"""The directory that holds the embedded services' data, passwords and locks.

Three lock files make sure of three things, whoever is ended in whatever way (the kernel releases a dead process's locks):

- `start.lock`, held by a user while it looks for the services or starts them: nobody starts a second pair;
- `users.lock`, shared by every user of the services: when it can be had alone, nobody uses them any more;
- `servers.lock`, taken by the user that starts the holder, and inherited by the holder and both servers: when it can be
  had, all of them are really gone.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pwd
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from syncconsole.embedded.errors import ServicesUnavailable

PATIENCE = 30.0  # seconds for services that are being stopped


@dataclass(frozen=True)
class Running:
    """What a user needs to know of the services that run on a directory."""

    database_url: str
    redis_url: str
    holder: int
    postgres_port: int
    valkey_port: int


@dataclass(frozen=True)
class Secrets:
    """Made once for a directory. The two in capitals are development values of the settings of that name."""

    postgres: str
    valkey: str
    SECRET_KEY: str
    FIELD_ENCRYPTION_KEYS: str


class DataDirectory:
    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def cluster(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def state(self) -> Path:
        return self.path / "services.json"

    def log(self, name: str) -> Path:
        return self.path / f"{name}.log"

    def create(self) -> None:
        """Make the directory, for this account alone. Raises ServicesUnavailable if it belongs to another."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = self.path.stat().st_uid
        except OSError as error:
            raise ServicesUnavailable(
                f"The data directory {self.path} cannot be made: {error.strerror}.",
                "Set DATA_DIR to a directory that can be written.",
            ) from error
        if owner != os.geteuid():
            raise ServicesUnavailable(
                f"The data directory {self.path} belongs to {account_name(owner)}.",
                "Run the command as that account, or set DATA_DIR to another directory.",
            )

    def secrets(self) -> Secrets:
        """The directory's secrets, made at the first call. Call it with the start lock held."""
        file = self.path / "secrets.json"
        with suppress(FileNotFoundError):
            return Secrets(**json.loads(file.read_text()))
        made = Secrets(
            postgres=secrets.token_urlsafe(24),
            valkey=secrets.token_urlsafe(24),
            SECRET_KEY=secrets.token_urlsafe(48),
            FIELD_ENCRYPTION_KEYS=base64.urlsafe_b64encode(os.urandom(32)).decode(),  # a Fernet key
        )
        write_private(file, json.dumps(asdict(made)))
        return made

    def running(self) -> Running | None:
        """What the holder wrote when the services were ready; None before, and after it stopped them."""
        try:
            return Running(**json.loads(self.state.read_text()))
        except FileNotFoundError:
            return None

    def announce(self, running: Running) -> None:
        write_private(self.state, json.dumps(asdict(running)))

    def lock(self, name: str) -> Lock:
        return Lock(self.path / f"{name}.lock")


class Lock:
    """An advisory lock on a file, by flock: it belongs to the open file, so a process that inherits it shares it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self, *, shared: bool = False, patience: float = PATIENCE) -> None:
        """Raises ServicesUnavailable when the lock cannot be had within `patience` seconds."""
        give_up = time.monotonic() + patience
        while not self.try_acquire(shared=shared):
            if time.monotonic() > give_up:
                raise ServicesUnavailable(
                    f"{self.path} has been held by another process for {patience:.0f} seconds.",
                    "Wait for it to finish; if nothing of this project runs any more, remove the data directory.",
                )
            time.sleep(0.02)

    def try_acquire(self, *, shared: bool = False) -> bool:
        try:
            fcntl.flock(self.descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        os.close(self.descriptor)

    def __enter__(self) -> Lock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def write_private(file: Path, content: str) -> None:
    """Replace the file's content at once, readable by this account alone."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(content)
    draft.replace(file)


def account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
