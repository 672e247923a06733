"""Which request a proxy asks about: by the headers of its kind alone, each of which comes once."""

from __future__ import annotations

import pytest

from mailreeve.formats.forward_auth import Asked, Forwarded, ForwardError, ProxyKind, read_forwarded

NGINX = {"x-original-url": "https://app.test/a?b=c", "x-original-method": "POST", "x-forwarded-for": "192.0.2.7"}
TRAEFIK = {
    "x-forwarded-proto": "https",
    "x-forwarded-host": "app.test:8443",
    "x-forwarded-uri": "/a?b=c",
    "x-forwarded-method": "PUT",
    "x-forwarded-for": "192.0.2.7",
}
ENVOY = {"host": "app.test", "x-forwarded-proto": "https", "x-forwarded-for": "10.0.0.1, 192.0.2.7"}


def read(kind, headers, user_header="", method="GET", rest=""):
    return read_forwarded(kind, Asked(method, rest, list(headers)), user_header)


def test_each_kind_is_read_by_its_own_headers():
    assert read(ProxyKind.NGINX, NGINX.items()) == Forwarded("https://app.test/a?b=c", "POST", "192.0.2.7", "")
    for kind in (ProxyKind.TRAEFIK, ProxyKind.CADDY):
        found = read(kind, TRAEFIK.items())
        assert found == Forwarded("https://app.test:8443/a?b=c", "PUT", "192.0.2.7", "")
    found = read(ProxyKind.ENVOY, ENVOY.items(), method="DELETE", rest="/a?b=c")
    assert found == Forwarded("https://app.test/a?b=c", "DELETE", "192.0.2.7", "")


def test_what_a_browser_sends_in_the_name_of_another_kind_of_proxy_is_nothing():
    assert read(ProxyKind.TRAEFIK, {**TRAEFIK, "x-original-url": "http://good.test/"}.items()).url.startswith(
        "https://app.test"
    )
    fake = {name: value.replace("app", "good") for name, value in TRAEFIK.items()}
    assert read(ProxyKind.NGINX, {**fake, **NGINX}.items()).url == "https://app.test/a?b=c"
    assert read(ProxyKind.ENVOY, {**fake, **ENVOY}.items(), rest="/x").url == "https://app.test/x"
    assert read(ProxyKind.NGINX, {**NGINX, "remote-user": "boss@corp.test"}.items()).user == ""


def test_the_user_is_whom_the_header_of_the_proxy_names():
    headers = {**NGINX, "remote-user": " pat@corp.test "}
    assert read(ProxyKind.NGINX, headers.items(), "remote-user").user == "pat@corp.test"
    assert read(ProxyKind.NGINX, NGINX.items(), "remote-user").user == ""


def test_the_client_is_the_address_that_the_proxy_added_itself():
    headers = [*NGINX.items(), ("x-forwarded-for", "203.0.113.9, 192.0.2.8")]
    assert read(ProxyKind.NGINX, headers).client == "192.0.2.8"
    assert read(ProxyKind.NGINX, [("x-original-url", "http://a.test/")]).client == ""


@pytest.mark.parametrize(
    ("kind", "changed", "message"),
    [
        (ProxyKind.NGINX, {"x-original-url": None}, "x-original-url is missing"),
        (ProxyKind.NGINX, {"x-original-url": "/a"}, "not a whole URL"),
        (ProxyKind.NGINX, {"x-original-url": "ftp://app.test/"}, "scheme"),
        (ProxyKind.NGINX, {"x-original-url": "https:///a"}, "the host is missing"),
        *((ProxyKind.NGINX, {"x-original-url": f"https://{host}/private"}, "malformed")
          for host in ("app.test,good.test", "good.test@app.test", "good.test%2f", "good.test:x", "[::1", "a b")),
        *((ProxyKind.NGINX, {"x-original-url": f"https://open.test{cut}/private"}, "not a whole URL")
          for cut in ("#", "?", "\\")),
        *((ProxyKind.TRAEFIK, {"x-forwarded-host": host}, "the host is malformed")
          for host in ("open.test#", "open.test?", "open.test/", "open.test\\", "a.test, b.test", "u@a.test")),
        (ProxyKind.TRAEFIK, {"x-forwarded-host": None}, "the host is missing"),
        (ProxyKind.TRAEFIK, {"x-forwarded-uri": None}, "the path is missing"),
        (ProxyKind.TRAEFIK, {"x-forwarded-uri": "http://good.test/"}, "does not begin with a slash"),
        (ProxyKind.TRAEFIK, {"x-forwarded-proto": None}, "the scheme is missing"),
        (ProxyKind.CADDY, {"x-forwarded-proto": "https,http"}, "the scheme is none"),
        (ProxyKind.CADDY, {"x-forwarded-method": "G ET"}, "method"),
    ],
)  # fmt: skip
def test_what_names_no_request_is_refused(kind, changed, message):
    base = NGINX if kind is ProxyKind.NGINX else TRAEFIK
    headers = {name: value for name, value in {**base, **changed}.items() if value is not None}
    with pytest.raises(ForwardError, match=message):
        read(kind, headers.items())


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ProxyKind.NGINX, "x-original-url"),
        (ProxyKind.NGINX, "x-original-method"),
        *((ProxyKind.TRAEFIK, name) for name in TRAEFIK if name != "x-forwarded-for"),
        (ProxyKind.ENVOY, "host"),
        (ProxyKind.NGINX, "remote-user"),
    ],
)
def test_a_header_that_comes_twice_is_refused(kind, name):
    base = {ProxyKind.NGINX: NGINX, ProxyKind.ENVOY: ENVOY}.get(kind, TRAEFIK)
    headers = [*base.items(), (name, "x"), (name, "x")]
    with pytest.raises(ForwardError, match=f"{name} comes"):
        read(kind, headers, "remote-user", rest="/")
