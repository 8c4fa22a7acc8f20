"""How gunicorn serves the console: one process with threads, since requests mostly wait for the database.

Raise WEB_WORKERS on a machine with cores to spare. Several processes share nothing but PostgreSQL and Redis.
"""

from __future__ import annotations

import os
from pathlib import Path

bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "1"))
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 60
graceful_timeout = 5
max_requests = 10_000  # a slow leak in any library never matters
max_requests_jitter = 1_000
# Heartbeats are files: on a disk that stalls, gunicorn would end healthy workers.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True
