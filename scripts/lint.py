"""Every check of the project in one go: all of them run, then the ones that found something are named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent

# Values as a production installation has them: strict, and naming services that these checks never connect to.
PRODUCTION = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1/none",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SECRET_KEY": "a long and random value in production, here only as long as one: 0123456789",
    "FIELD_ENCRYPTION_KEYS": "YSBrZXkgdGhhdCBlbmNyeXB0cyBub3RoaW5nIGF0IDE=",
    "ALLOWED_HOSTS": "console.example.com",
    "DEBUG": "false",
    "PUBLIC_URL": "https://console.example.com",
    "SECURE": "true",
}
MANAGE = [sys.executable, "manage.py"]
CHECKS: dict[str, list[str]] = {
    "style": [str(TOOLS / "ruff"), "check", "--quiet", "."],
    "format": [str(TOOLS / "ruff"), "format", "--check", "--quiet", "."],
    # Whole each time: with Django's plugin, a kept state sometimes reports what has long been mended.
    "types": [str(TOOLS / "mypy"), "--no-incremental"],
    "imports between packages": [str(TOOLS / "lint-imports"), "--no-cache"],
    # It would like to compare with the database, and warns that it cannot.
    "missing migrations": [sys.executable, "-W", "ignore::RuntimeWarning", "manage.py", "makemigrations", "--check"],
    "production settings": [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"],
}


def main() -> int:
    failed = []
    for name, command in CHECKS.items():
        print(f"== {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, env={**os.environ, **PRODUCTION}, check=False).returncode:
            failed.append(name)
    print(f"Found something to mend: {', '.join(failed)}." if failed else "Everything checked is in order.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
