"""What stands between the console and somebody who should not be in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from syncconsole.kernel import audit
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1/none",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SECRET_KEY": "a long and random value in production, here only as long as one: 0123456789",
    "FIELD_ENCRYPTION_KEYS": "YSBrZXkgdGhhdCBlbmNyeXB0cyBub3RoaW5nIGF0IDE=",
    "ALLOWED_HOSTS": "console.example.com",
    "ALLOWED_API_HOSTS": "",
    "PUBLIC_URL": "https://console.example.com",
    "DEBUG": "false",
    "SECURE": "true",
}


# --- headers


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/console/login/", "/console/", "/livez", "/console/nowhere/"])
def test_every_page_carries_the_policy(client: Client, path: str) -> None:
    client.force_login(UserFactory(roles=["Administrator"]))
    reply = client.get(path)
    policy = reply.headers["Content-Security-Policy"]
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'self'"):
        assert directive in policy
    assert "frame-ancestors 'none'" in policy
    assert "http:" not in policy.replace("https:", "")
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "same-origin"


# --- signing in


def sign_in(client: Client, email: str, password: str) -> int:
    """The way the login page does it; 302 is in, 200 is refused, 429 is locked out."""
    return client.post(reverse("admin:login"), {"username": email, "password": password}).status_code


@pytest.mark.django_db
def test_the_login_form_sends_the_field_that_the_lock_looks_at(client: Client, settings: Settings) -> None:
    assert f'name="{settings.AXES_USERNAME_FORM_FIELD}"' in client.get(reverse("admin:login")).content.decode()


@pytest.mark.django_db
def test_people_sign_in_with_their_e_mail_in_any_case(client: Client) -> None:
    UserFactory(email="ana@example.com", roles=["Viewer"])
    assert sign_in(client, "ana@example.com", "wrong") == 200
    assert sign_in(client, "Ana@Example.com", "secret") == 302


@pytest.mark.django_db
def test_five_wrong_passwords_lock_out_even_the_right_one_but_nobody_else(client: Client) -> None:
    UserFactory(email="ana@example.com", roles=["Viewer"])
    UserFactory(email="mihai@example.com", roles=["Viewer"])
    for _ in range(5):
        last = sign_in(client, "ana@example.com", "wrong")

    assert last == 429
    assert sign_in(client, "ana@example.com", "secret") == 429
    assert sign_in(Client(), "mihai@example.com", "secret") == 302


@pytest.mark.django_db
def test_writing_the_e_mail_differently_does_not_get_around_the_lock(client: Client) -> None:
    UserFactory(email="ana@example.com", roles=["Viewer"])
    for email in ("ana@example.com", "ANA@example.com", "Ana@Example.com", "anA@example.com", "ana@EXAMPLE.com"):
        sign_in(client, email, "wrong")
    assert sign_in(client, "ana@example.com", "secret") == 429


@pytest.mark.django_db
def test_a_person_without_a_role_does_not_get_in(client: Client) -> None:
    UserFactory(email="ana@example.com", is_staff=False)
    assert sign_in(client, "ana@example.com", "secret") == 200
    assert client.get("/console/").status_code == 302


# --- doors


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "may"), [("Administrator", True), ("Onboarding", False)])
def test_only_who_may_replace_the_token_says_where_it_is_sent(client: Client, role: str, may: bool) -> None:
    store = StoreFactory(access_token="shpat_0123456789abcdef")
    client.force_login(UserFactory(roles=[role]))
    page = client.get(reverse("admin:connectors_store_change", args=[store.pk]))
    assert page.status_code == 200
    assert ('name="shop_domain"' in page.content.decode(), 'name="api_base_url"' in page.content.decode()) == (may, may)
    assert "shpat_0123456789" not in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["Viewer", "Operator", "Accountant"])
def test_other_roles_read_settings_and_change_none(client: Client, role: str) -> None:
    store = StoreFactory(name="Atelier Outlet")
    client.force_login(UserFactory(roles=[role]))
    client.post(reverse("admin:connectors_store_change", args=[store.pk]), {"name": "Mine"})
    store.refresh_from_db()
    assert store.name == "Atelier Outlet"


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["Viewer", "Operator", "Onboarding", "Accountant"])
@pytest.mark.parametrize("page_of", ["kernel_user", "kernel_auditentry", "auth_group", "axes_accessattempt"])
def test_people_roles_and_the_audit_log_are_the_administrators(client: Client, role: str, page_of: str) -> None:
    client.force_login(UserFactory(roles=[role]))
    assert client.get(reverse(f"admin:{page_of}_changelist")).status_code == 403


@pytest.mark.django_db
def test_an_administrator_cannot_give_more_than_a_role(client: Client) -> None:
    administrator, person = UserFactory(roles=["Administrator"]), UserFactory(roles=["Viewer"])
    client.force_login(administrator)
    form = {
        "email": person.email,
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [group.pk for group in person.groups.all()],
        "user_permissions": list(Permission.objects.values_list("pk", flat=True)[:3]),
    }
    assert client.post(reverse("admin:kernel_user_change", args=[person.pk]), form).status_code == 302
    person.refresh_from_db()
    assert not person.is_superuser
    assert not person.user_permissions.exists()


@pytest.mark.django_db
def test_the_audit_log_cannot_be_edited_even_by_the_administrator(client: Client) -> None:
    administrator = UserFactory(roles=["Administrator"])
    entry = audit.record(administrator, "pause writes", "Atelier Outlet")
    client.force_login(administrator)
    assert client.get(reverse("admin:kernel_auditentry_add")).status_code == 403
    assert client.post(reverse("admin:kernel_auditentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    client.post(reverse("admin:kernel_auditentry_change", args=[entry.pk]), {"action": "nothing"})
    entry.refresh_from_db()
    assert entry.action == "pause writes"


# --- configuration


def checked(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **PRODUCTION, **changes}
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # the browser tests of this session need it, production does not
    command = [sys.executable, "manage.py", "check", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_production_settings_pass_every_check() -> None:
    found = checked("--deploy", "--fail-level", "WARNING")
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("SECRET_KEY", ""), ("FIELD_ENCRYPTION_KEYS", ""), ("SECURE", "perhaps"), ("DATABASE_URL", "sqlite:///x")],
)
def test_a_wrong_or_missing_setting_is_named(name: str, value: str) -> None:
    found = checked(**{name: value})
    assert found.returncode != 0
    assert name in found.stderr


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("FIELD_ENCRYPTION_KEYS", ["nonsense"], "connectors.E001"),
        ("ALLOWED_API_HOSTS", ["*.example.com"], "connectors.E002"),
        ("ALLOWED_API_HOSTS", ["http://127.0.0.1"], "connectors.E002"),
        ("RUN_KINDS", {"inventory.full": "inventory.full.Nothing"}, "connectors.E003"),
        ("PUBLIC_URL", "console.example.com", "connectors.E004"),
        ("ALLOWED_API_HOSTS", ["127.0.0.1:8800", "[::1]:8800"], "connectors.W001"),
        ("PUBLIC_URL", "http://console.example.com", "connectors.W002"),
    ],
)
def test_misconfiguration_has_an_id_and_a_hint(name: str, value: object, expected: str, settings: Settings) -> None:
    setattr(settings, name, value)
    messages = {message.id: message for message in run_checks(include_deployment_checks=True)}
    assert expected in messages
    assert messages[expected].hint
