"""The settings as mypy's Django plugin reads them: with values that need no service to run."""

import os

os.environ.setdefault("DATABASE_URL", "postgres://unused@127.0.0.1/unused")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1/0")
os.environ.setdefault("SECRET_KEY", "types need no secret")
os.environ.setdefault("FIELD_ENCRYPTION_KEYS", "dHlwZXMgbmVlZCBubyBzZWNyZXQsIGJ1dCAzMiBieXQ=")

from syncconsole.settings import *  # noqa: F403
