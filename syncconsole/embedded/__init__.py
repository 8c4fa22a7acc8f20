"""PostgreSQL and Valkey from wheels, for the demo, development and tests; and the supervisor of one process tree.

Nothing here is used where DATABASE_URL and REDIS_URL name services of the installation. Nothing here imports Django:
the services run before its settings are read.
"""
