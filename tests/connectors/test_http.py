"""A token goes to Shopify or to a host the installation names, and nowhere into a log."""

from __future__ import annotations

import logging

import httpx
import pytest
import respx

from connectors.http import HostNotAllowed, build_client, check_host, redact
from connectors.ports.errors import CredentialsRejected


@pytest.mark.parametrize(
    "url",
    [
        "https://my-shop.myshopify.com",
        "https://my-shop.myshopify.com/",
        "https://my-shop.myshopify.com:443",
        "https://MY-SHOP.MyShopify.com",
    ],
)
def test_a_shop_over_https_is_allowed(url: str) -> None:
    check_host(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "my-shop.myshopify.com",
        "http://my-shop.myshopify.com",
        "ftp://my-shop.myshopify.com",
        "file:///etc/passwd",
        "https://myshopify.com",
        "https://.myshopify.com",
        "https://a.b.myshopify.com",
        "https://evil.example",
        "https://my-shop.myshopify.com.evil.example",
        "https://evilmyshopify.com",
        "https://evil.example/my-shop.myshopify.com",
        "https://evil.example#.myshopify.com",
        "https://evil.example?.myshopify.com",
        "https://my-shop.myshopify.com@evil.example",
        "https://user:secret@my-shop.myshopify.com",
        "https://evil.example\\.myshopify.com",
        "https://evil.example\\@my-shop.myshopify.com",
        "https://my-shop.myshopify.com:8443",
        "https://my-shop.myshopify.com:99999",
        "https://my-shop.myshopify.com%2eevil.example",
        "https://my-shop。myshopify.com",
        "https://ｍy-shop.myshopify.com",
        "https://xn--80ak6aa92e.com",
        "https://my-shop.myshopify.com\n.evil.example",
        "https://my shop.myshopify.com",
        "https://127.0.0.1",
        "https://169.254.169.254",
        "http://127.0.0.1:8000",
        "https://[::1]",
        "https://0x7f000001",
    ],
)
def test_any_other_address_is_refused_with_a_cause_and_a_remedy(url: str) -> None:
    with pytest.raises(HostNotAllowed) as refused:
        check_host(url)

    assert refused.value.cause
    assert "myshopify.com" in refused.value.remedy


def test_a_refused_address_pauses_the_store_like_any_refused_account() -> None:
    assert issubclass(HostNotAllowed, CredentialsRejected)


def test_a_host_the_installation_names_is_allowed_over_http() -> None:
    check_host("http://127.0.0.1:8765/shops/a.myshopify.com", ["127.0.0.1:8765"])
    check_host("http://sandbox:9000/shops/a", ["sandbox"])
    check_host("http://[::1]:8765", ["[::1]:8765"])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8766",
        "http://127.0.0.1.evil.example:8765",
        "http://127.0.0.1:8765@evil.example",
        "http://evil.example:8765",
        "gopher://127.0.0.1:8765",
    ],
)
def test_naming_one_host_allows_no_other(url: str) -> None:
    with pytest.raises(HostNotAllowed):
        check_host(url, ["127.0.0.1:8765"])


@pytest.mark.parametrize(
    "text",
    [
        "token shpat_0123456789abcdef was refused",
        "{'X-Shopify-Access-Token': 'topsecretvalue'}",
        "[(b'x-shopify-access-token', b'topsecretvalue')]",
        "Authorization: Bearer topsecretvalue",
        'client_secret=topsecretvalue&grant_type=x {"access_token":"topsecretvalue"}',
    ],
)
def test_secrets_leave_no_trace_in_texts(text: str) -> None:
    cleaned = redact(text)

    assert "0123456789abcdef" not in cleaned
    assert "topsecretvalue" not in cleaned
    assert "[redacted]" in cleaned


def test_text_without_secrets_is_kept() -> None:
    assert redact("HTTP Request: POST https://a.myshopify.com/admin 200") == (
        "HTTP Request: POST https://a.myshopify.com/admin 200"
    )


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "httpcore.connection"])
def test_what_the_http_libraries_log_is_redacted(name: str, caplog: pytest.LogCaptureFixture) -> None:
    build_client().close()
    with caplog.at_level(logging.DEBUG, logger=name):
        logging.getLogger(name).debug("send headers %r", {"X-Shopify-Access-Token": "shpat_0123456789abcdef"})

    assert "[redacted]" in caplog.text
    assert "0123456789abcdef" not in caplog.text


def test_a_redirect_is_returned_and_not_followed() -> None:
    with respx.mock(assert_all_called=False) as router, build_client() as client:
        router.get("https://a.myshopify.com/").mock(
            return_value=httpx.Response(302, headers={"Location": "https://evil.example/"})
        )
        elsewhere = router.get("https://evil.example/")

        assert client.get("https://a.myshopify.com/").status_code == 302
        assert not elsewhere.called


def test_loopback_is_reached_directly_where_the_environment_names_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    with respx.mock() as router, build_client() as client:
        router.get("http://127.0.0.1:8765/").respond(204)
        assert client.get("http://127.0.0.1:8765/").status_code == 204
        direct = client._transport_for_url(httpx.URL("http://127.0.0.1:8765/"))
        proxied = client._transport_for_url(httpx.URL("http://a.example/"))

    assert direct is client._transport
    assert proxied is not client._transport
