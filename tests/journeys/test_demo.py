"""The first thing a newcomer runs: it tells the truth, leaves nothing behind, and takes any export of Shopify's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from connectors.models import Store
from syncconsole.demo import beginning
from syncconsole.kernel.commands import Refused
from syncconsole.process_tree import free_port_from
from tests.embedded.process_watch import running_with, wait_until
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory
from tests.journeys.shops import CHECKOUT

EXPORTS = CHECKOUT.parent / "shared" / "data" / "shopify-csv"
NOT_OF_THE_TESTS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "ALLOWED_API_HOSTS")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of the demo's own."""
    return tmp_path_factory.mktemp("demo")


def environment(data: Path) -> dict[str, str]:
    """As on a machine where nothing is set."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_OF_THE_TESTS}
    return {**kept, "DATA_DIR": str(data)}


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def json_object(stream: IO[str]) -> dict[str, Any]:
    """The first object printed, without waiting for the end of the stream."""
    text = ""
    for line in stream:
        text += line
        if line == "}\n":
            break
    told: dict[str, Any] = json.loads(text)
    return told


def subscribed_at(url: str) -> set[str]:
    """Where the shops send their webhooks."""
    told = httpx.get(url, trust_env=False).json()["subscriptions"]
    return {row["uri"].partition("/webhooks/")[0] for row in told}


@pytest.fixture
def demo(data: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--json", "--port", str(free_port_from(8100))],
        cwd=CHECKOUT,
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_the_demo_tells_is_what_the_shops_show_and_ctrl_c_leaves_nothing(
    demo: subprocess.Popen[str], data: Path
) -> None:
    assert demo.stdout is not None
    told = json_object(demo.stdout)

    assert told["items"]["created"] >= 500
    assert [len(told["baseline"]["held"]), len(told["outlet_baseline"]["held"])] == [1, 0]
    assert "committed" in told["baseline"]["held"][0]["cause"]
    assert told["baseline"]["limits_passed"]
    assert told["baseline"]["approved_by"] == "Mihai Pop"
    assert told["baseline"]["verified_different"] == 0
    assert told["movements"]["loaded_again"] == {**told["movements"]["loaded_again"], "recorded": 0, "problems": 0}
    assert told["delta"]["changed"] == told["outlet_delta"]["changed"] > 0
    assert told["orders"] == {"imported": 2, "sale": "#1002", "documents": ["ICM-0001"]}
    assert told["sale_delta"]["changed"] == 2, "the other shop sells what is left of what both share"
    assert told["audit"]["differences"] == 0
    for compared in told["compared"]:
        shown = httpx.get(
            f"{told['sandbox']}/_control/levels", params={"shop": compared["store"], "limit": 10_000}, trust_env=False
        ).json()["levels"]
        settled = [level for level in shown if level["tracked"] and not level["quantities"]["committed"]]
        assert compared["equal"] == compared["levels"] <= len(settled)
        assert compared["units_here"] == compared["units_there"]
    assert httpx.get(f"{told['console']}livez", trust_env=False).status_code == 200

    subscribed = f"{told['sandbox']}/_control/subscriptions"
    wait_until(lambda: subscribed_at(subscribed) == {told["console"].rstrip("/")}, seconds=30)

    checked = command(data, "audit_ledger", "--json")
    assert json.loads(checked.stdout)["found"] == 0

    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 0
    wait_until(lambda: not running_with(str(data)), seconds=15)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["jewelry.csv"])
def test_a_real_export_without_a_single_sku_is_linked_and_told_once(data: Path, name: str) -> None:
    export = EXPORTS / name
    if not export.exists():
        pytest.skip(f"{export} is not here.")

    done = command(data, "demo", "--once", "--json", "--shopify-csv", str(export))

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["stores"][0]["linked"] == told["items"]["created"] > 0
    assert told["stores"][0]["by"] == {"options": told["items"]["created"]}
    assert told["stores"][0]["only_there"] == told["stores"][0]["conflicts"] == 0
    for compared in told["compared"]:
        assert compared["equal"] == compared["levels"] > 0
    assert told["audit"]["differences"] == 0


@pytest.mark.django_db
def test_the_demo_never_begins_anew_over_data_that_somebody_made() -> None:
    StoreFactory(name="A real shop")

    with pytest.raises(Refused, match="A real shop was added by somebody"):
        beginning.begin_anew()


@pytest.mark.django_db
def test_the_demo_never_removes_somebodys_account() -> None:
    UserFactory(email="somebody@example.com")

    with pytest.raises(Refused, match=r"somebody@example\.com was added"):
        beginning.begin_anew()


@pytest.mark.django_db(transaction=True)
def test_a_second_demo_begins_with_nothing_in_the_tables_of_the_first() -> None:
    roles = Group.objects.count()
    StoreFactory(slug=beginning.SLUGS[0], api_base_url=f"http://{beginning.SANDBOX_HOST}:8100")

    beginning.begin_anew()

    assert not Store.objects.exists()
    assert Group.objects.count() == roles > 0


@pytest.mark.django_db
def test_tables_of_another_release_are_made_anew() -> None:
    assert beginning.has_our_tables()
    MigrationRecorder(connection).record_applied("inventory", "9999_of_a_later_release")
    assert not beginning.has_our_tables()
