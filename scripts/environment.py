#!/usr/bin/env python3
"""Make the environment in .venv/ match one of the locks in requirements/, using nothing but Python and the network.

    python3 scripts/environment.py demo    what `make demo` and `make run` need
    python3 scripts/environment.py dev     what `make test`, `make lint` and `make bench` need (contains demo)
    python3 scripts/environment.py lock    pin requirements/*.in anew

Every package is installed as a wheel whose hash the lock names. uv does the work, itself installed by its hash;
where it cannot (a platform without a wheel, a network that only pip is configured for), pip installs the same file.
A second run with unchanged locks returns at once. This file must start on Python 3.7, to say what is missing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
MINIMUM = (3, 11)
# dev contains demo: an environment made for the tests is left alone by `make demo`.
LOCKS_THAT_SATISFY = {"demo": ("demo", "dev"), "dev": ("dev",)}


def main(argv: list[str]) -> int:
    if sys.version_info < MINIMUM:
        return continue_with_newer_python(argv)
    if len(argv) != 1 or argv[0] not in ("demo", "dev", "lock"):
        return refuse("Usage: scripts/environment.py demo | dev | lock")
    if argv[0] == "lock":
        return pin_requirements()
    # One at a time: two `make` commands started together share the environment. The directory itself is the lock file.
    turn = os.open(REQUIREMENTS, os.O_RDONLY)
    fcntl.flock(turn, fcntl.LOCK_EX)
    return make_environment(argv[0])


def continue_with_newer_python(argv: list[str]) -> int:
    """Start this script again with a Python that is new enough, if one is on PATH."""
    for minor in range(MINIMUM[1], MINIMUM[1] + 10):
        newer = shutil.which(f"python3.{minor}")
        if newer:
            os.execv(newer, [newer, __file__, *argv])  # noqa: S606
    return refuse(
        f"Python {MINIMUM[0]}.{MINIMUM[1]} or newer is needed; this is {sys.version.split()[0]}. "
        "Install one, or name it: make PYTHON=/path/to/python3 …"
    )


def make_environment(wanted: str) -> int:
    installed = installed_lock()
    if installed in [fingerprint(lock) for lock in LOCKS_THAT_SATISFY[wanted]]:
        return 0
    # What is already there decides too: an outdated dev environment is brought up to date, not cut down to demo.
    lock = "dev" if installed.startswith("dev ") else wanted
    if not installed:
        created = create_environment()
        if created:
            return created
    STAMP.unlink(missing_ok=True)
    tell(f"Installing requirements/{lock}.txt into .venv/ …")
    if not (install_with_uv(lock) or install_with_pip(lock)):
        return refuse(
            f"The packages of requirements/{lock}.txt could not be installed; the reason is above. "
            "Check the network (and its proxy or certificate settings), then run the same command again."
        )
    make_checkout_importable()
    STAMP.write_text(json.dumps({"lock": fingerprint(lock), "checkout": str(ROOT)}) + "\n")
    return 0


def fingerprint(lock: str) -> str:
    """The lock's name and content, so that an edited lock is installed again."""
    return f"{lock} {hashlib.sha256((REQUIREMENTS / f'{lock}.txt').read_bytes()).hexdigest()}"


def installed_lock() -> str:
    """The fingerprint of the lock that .venv/ was made from; empty if there is none, or it is of no use any more."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return ""
    # The environment of a checkout that was moved or copied names the old place in its programs.
    usable = stamp.get("checkout") == str(ROOT) and environment_runs()
    return str(stamp.get("lock", "")) if usable else ""


def environment_runs() -> bool:
    python = VENV / "bin" / "python"
    return python.exists() and subprocess.run([python, "-c", ""], check=False).returncode == 0


def is_of_another_checkout() -> bool:
    """.venv is a link to what somebody else made: emptying it would take their packages away."""
    if not (VENV.is_symlink() and VENV.is_dir() and any(VENV.iterdir())):
        return False
    try:
        return bool(json.loads(STAMP.read_text()).get("checkout") != str(ROOT))
    except (OSError, ValueError):
        return True


def create_environment() -> int:
    missing = subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    if missing.returncode:
        return refuse(
            "This Python cannot make virtual environments. On Debian and Ubuntu install its other half "
            "(apt-get install python3-venv), then run the same command again."
        )
    if is_of_another_checkout():
        return refuse(
            f".venv is a link to {VENV.resolve()}, which was made for another checkout and would be emptied. "
            "Remove the link (rm .venv), then run the same command again: this checkout gets an environment of its own."
        )
    tell("Creating .venv/ …")
    return subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], stdout=sys.stderr, check=False).returncode


def install_with_uv(lock: str) -> bool:
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS / "uv.txt")]
    if subprocess.run(pip, stdout=sys.stderr, check=False).returncode:
        return False
    sync = [str(VENV / "bin" / "uv"), "pip", "sync", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    return run_uv(
        [*sync, "--compile-bytecode", "--python", str(VENV / "bin" / "python"), str(REQUIREMENTS / f"{lock}.txt")]
    )


def install_with_pip(lock: str) -> bool:
    tell("uv could not install them; trying pip …")
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes"]
    pip += ["--only-binary", ":all:", "-r", str(REQUIREMENTS / f"{lock}.txt")]
    return subprocess.run(pip, stdout=sys.stderr, check=False).returncode == 0


def run_uv(command: list[str]) -> bool:
    # Networks with their own certificate authority: trust what the system trusts, as pip does.
    environment = {"UV_SYSTEM_CERTS": "1", **os.environ}
    return subprocess.run(command, check=False, env=environment, cwd=ROOT).returncode == 0


def make_checkout_importable() -> None:
    """Let `.venv/bin/pytest` and the other tools import the project from any folder they are started in."""
    site_packages = next(VENV.glob("lib/python3.*/site-packages"))
    (site_packages / "sync-console-checkout.pth").write_text(f"{ROOT}\n")


def pin_requirements() -> int:
    """Write requirements/*.txt from *.in: pinned, hashed, and naming no package index."""
    locks = [["dev.in", "-o", "dev.txt"], ["demo.in", "-o", "demo.txt"], ["base.in", "-o", "base.txt"]]
    for source, _, target in [*locks, ["uv.in", "-o", "uv.txt"]]:
        command = [str(VENV / "bin" / "uv"), "pip", "compile", "--quiet", "--upgrade", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-header", "--python-version", ".".join(map(str, MINIMUM))]
        if target in ("demo.txt", "base.txt"):  # the same versions in all of them: dev, the largest, decides
            command += ["--constraint", "requirements/dev.txt"]
        if not run_uv([*command, f"requirements/{source}", "-o", f"requirements/{target}"]):
            return refuse(f"requirements/{source} could not be pinned; the reason is above.")
    return 0


def refuse(message: str) -> int:
    tell(message)
    return 1


def tell(message: str) -> None:
    """On stderr: what follows, `make demo DEMO_ARGS=--json` for one, has stdout for itself."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
