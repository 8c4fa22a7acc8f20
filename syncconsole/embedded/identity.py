"""As whom PostgreSQL runs. It refuses root; everywhere else it simply runs as the account that starts it.

As root, the first choice is a user namespace: inside, root looks like the account `nobody`, outside nothing changes, so
files stay root's and private folders stay reachable. Many containers forbid namespaces; there the servers run as
`nobody`, in folders that belong to it.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from syncconsole.embedded.errors import ServicesUnavailable
from syncconsole.embedded.processes import tethered
from syncconsole.embedded.programs import PostgresPrograms


@dataclass(frozen=True)
class Identity:
    """How to start a program as the account that PostgreSQL accepts."""

    run_as: tuple[str, ...] = ()
    """Options for the tether."""
    owner: tuple[int, int] | None = None
    """User and group that files must be given to; None if they can stay whose they are."""

    def adopt(self, path: Path) -> None:
        """Give one file or folder to the account."""
        if self.owner is not None:
            os.chown(path, *self.owner)


def choose_identity(cluster: Path) -> Identity:
    """The identity for the data in `cluster`, which may not exist yet. Raises ServicesUnavailable if there is none."""
    if os.geteuid() != 0:
        return Identity()
    nobody = unprivileged_account()
    dropped = Identity(("--user", f"{nobody.pw_uid}:{nobody.pw_gid}"), (nobody.pw_uid, nobody.pw_gid))
    if cluster.exists():  # what was chosen for existing data stays
        return dropped if cluster.stat().st_uid == nobody.pw_uid else in_namespace(nobody)
    return in_namespace(nobody) if namespaces_are_allowed(nobody) else dropped


def in_namespace(nobody: pwd.struct_passwd) -> Identity:
    return Identity(("--namespace", str(nobody.pw_uid)))


def unprivileged_account() -> pwd.struct_passwd:
    for name in ("nobody", "postgres"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServicesUnavailable(
        "PostgreSQL refuses to run as root, and there is no account named nobody or postgres to run it as.",
        "Run the command as another account than root, or set DATABASE_URL and REDIS_URL to servers that run.",
    )


def namespaces_are_allowed(nobody: pwd.struct_passwd) -> bool:
    trial = tethered(["true"], death_signal=signal.SIGTERM, run_as=in_namespace(nobody).run_as)
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def reachable_home(identity: Identity, directory: Path) -> Path:
    """Where the account can keep a cluster: `directory`, unless a folder above it is closed to the account."""
    if identity.owner is None:
        return directory
    if everyone_may_enter(directory.parent):
        directory.chmod(0o711)  # to be passed through, not to be read
        return directory
    name = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    home = Path("/var/tmp") / f"sync-console-{name}"  # noqa: S108 - made below for root alone, or refused
    home.mkdir(mode=0o711, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid != os.geteuid():
        raise ServicesUnavailable(f"{home} belongs to another account.", "Remove it, then run the command again.")
    return home


def everyone_may_enter(directory: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (directory, *directory.parents))


def reachable_programs(identity: Identity, programs: PostgresPrograms, home: Path) -> PostgresPrograms:
    """The same programs where the account can run them: copied into `home` if it cannot reach the installation."""
    if identity.owner is None or everyone_may_enter(programs.directory):
        return programs
    copies = home / f"programs-{programs.major}"
    folders = programs.files()
    if not copies.exists():
        draft = home / f"programs.{os.getpid()}"
        for folder in folders:
            shutil.copytree(folder, draft / folder.name, symlinks=True)
        for entry in (draft, *draft.rglob("*")):
            if not entry.is_symlink():
                entry.chmod(entry.stat().st_mode | (0o055 if entry.is_dir() or entry.stat().st_mode & 0o100 else 0o044))
        draft.replace(copies)
    return PostgresPrograms(copies / folders[0].name / programs.directory.relative_to(folders[0]), programs.major)
