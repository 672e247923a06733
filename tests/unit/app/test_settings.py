"""Option before environment before file before default, and nothing wrong is taken (design.md section 7)."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest

from mailreeve.app import settings
from mailreeve.app.settings import FILE_NAME, Archiving, NewDomains, Settings, SettingsError, split_host_port
from mailreeve.policy.lint.guard import ReachGuard
from mailreeve.policy.model.authentication import PermitNeeds

NAMES = [field.name for field in msgspec.structs.fields(Settings)]


def read(data: Path, file: str = "", environment: dict[str, str] | None = None, **options: object) -> Settings:
    """The settings with this file, environment and options."""
    if file:
        (data / FILE_NAME).write_text(file, "utf-8")
    return settings.read(data, options, environment or {})


def refused(
    data: Path, *named: str, file: str = "", environment: dict[str, str] | None = None, **options: object
) -> None:
    with pytest.raises(SettingsError) as caught:
        read(data, file, environment, **options)
    assert all(text in str(caught.value) for text in named), str(caught.value)


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    """Also when the folder is not there yet; they are all valid."""
    assert read(tmp_path / "absent") == Settings()


def test_each_source_outranks_the_next(tmp_path: Path) -> None:
    """Option, environment, file, default."""
    file = 'http = "file:1"\nsmtp = "file:2"\nmilter = "file:3"'
    found = read(
        tmp_path, file, {"MAILREEVE_HTTP": "environment:1", "MAILREEVE_SMTP": "environment:2"}, http="option:1"
    )
    assert (found.http, found.smtp, found.milter, found.hostname) == ("option:1", "environment:2", "file:3", "")


def test_an_option_that_was_not_given_does_not_count(tmp_path: Path) -> None:
    """None is absent; an empty text is a value."""
    assert read(tmp_path, 'http = "file:1"', http=None).http == "file:1"
    assert read(tmp_path, 'http = "file:1"', http="").http == ""


SHAPED = {
    "dns_notify": (("192.0.2.1:53", "[::1]:5353"), "192.0.2.1:53, [::1]:5353"),
    "resolvers": (("192.0.2.53", "[::1]:5353"), "192.0.2.53,[::1]:5353"),
    "dns_block_page": (("192.0.2.80", "2001:db8::80"), "192.0.2.80,2001:db8::80"),
}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"directory_url": "http://x", "directory_base": "dc=x"}, "is not like ldaps"),
        ({"directory_url": "ldap://x"}, "directory_base has to be set"),
        ({"directory_url": "ldap://x", "directory_base": "dc=x", "directory_bind_dn": "cn=x"}, "password_file"),
        ({"directory_url": "ldap://x", "directory_base": "dc=x", "directory_user_filter": "-H"}, "is not like"),
        ({"directory_url": "ldap://x", "directory_base": "dc=x", "directory_group_filter": "cn=x"}, "is not like"),
    ],
    ids=range(5),
)
def test_a_directory_that_cannot_be_asked_is_refused(tmp_path: Path, more: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        read(tmp_path, **more)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"directory_url"}))
def test_every_setting_has_its_variable(tmp_path: Path, name: str) -> None:
    """`MAILREEVE_` and the name in capitals, as text of whatever type."""
    default = getattr(Settings(), name)
    value, text = {
        str: ("http://other:7", "http://other:7"),
        int: (77, "77") if name == "login_life" else (7, "7"),
        float: (0.75, "0.75"),
        bool: (True, "true"),
        ReachGuard: (ReachGuard.REFUSE, "refuse"),
        PermitNeeds: (PermitNeeds.ALWAYS, "always"),
        Archiving: (Archiving.ON, "on"),
        NewDomains: (NewDomains.VERIFIED, "verified"),
        tuple: SHAPED.get(name, (("192.0.2.0/24", "::1/128"), "192.0.2.0/24, ::1/128")),
    }[type(default)]
    assert getattr(read(tmp_path, environment={f"MAILREEVE_{name.upper()}": text}), name) == value


def test_variables_of_others_are_ignored(tmp_path: Path) -> None:
    """A container's environment holds much."""
    assert (
        read(tmp_path, environment={"MAILREEVE_COLOUR": "blue", "HTTP": "x", "mailreeve_http": "y"}) == Settings()
    )


def test_an_unknown_key_of_the_file_is_refused(tmp_path: Path) -> None:
    """A misspelt setting must not be without effect in silence."""
    refused(tmp_path, FILE_NAME, "htttp", file='htttp = "x:1"')


@pytest.mark.parametrize(
    "file", ["http =", 'http = "a"\nhttp = "b"', "[http]\nhost = 1", 'relay_networks = "10.0.0.0/8"']
)
def test_a_file_that_is_wrong_is_refused_by_name(tmp_path: Path, file: str) -> None:
    """Bad TOML and bad types."""
    refused(tmp_path, FILE_NAME, file=file)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """With its name, not with a traceback."""
    (tmp_path / FILE_NAME).write_bytes(b'http = "\xff"')
    refused(tmp_path, FILE_NAME)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clock_skew", "soon"),
        ("clock_skew", "-1"),
        ("clock_skew", "nan"),
        ("clock_skew", "inf"),
        ("clock_skew", "1e9"),
        ("rate_limit", "0"),
        ("rate_limit", "many"),
        ("rate_limit", "2.5"),
        ("rate_limit", ""),
        ("rate_window_ms", "0"),
        ("max_body", "-1"),
        ("max_message", "0"),
        ("max_recipients", "0"),
        ("web_urls_per_policy", "-1"),
        ("relay_networks", "10.0.0.0/8,nonsense"),
        ("relay_networks", "10.0.0.0/33"),
        ("xclient_hosts", "127.0.0.1,nonsense"),
        ("xclient_hosts", "127.0.0.1,0.0.0.0/0"),
        ("xclient_hosts", "::/0"),
        ("dns_clients", "127.0.0.1,nonsense"),
        ("dns_keyless", "127.0.0.1/99"),
        ("dns_notify", "192.0.2.1"),
        ("dns_notify", "resolver.test:53"),
        ("dns_block_page", "192.0.2.0/24"),
        ("public_url", "mail.corp.test"),
        ("permit_needs_authentication", "sometimes"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_source(tmp_path: Path, name: str, text: str) -> None:
    """Wherever it came from. A clock skew that is no number would let every date pass."""
    variable = f"MAILREEVE_{name.upper()}"
    given: object = text.split(",") if isinstance(getattr(Settings(), name), tuple) else text
    refused(tmp_path, variable, name, environment={variable: text})
    refused(tmp_path, f"--{name.replace('_', '-')} ", **{name: given})
    refused(tmp_path, FILE_NAME, name, file=f"{name} = {given!r}")


def test_a_bad_value_that_is_outranked_does_no_harm(tmp_path: Path) -> None:
    """Only what is in force must be valid."""
    assert read(tmp_path, "rate_limit = 0", {"MAILREEVE_RATE_LIMIT": "9"}).rate_limit == 9


def test_relays_are_networks(tmp_path: Path) -> None:
    """IPv4-mapped ranges are the IPv4 ranges they stand for, as source addresses are; an empty variable means that
    nobody may relay."""
    found = read(tmp_path, relay_networks=["192.0.2.1/24", "::ffff:198.51.100.0/120"])
    assert found.networks() == (ip_network("192.0.2.0/24"), ip_network("198.51.100.0/24"))
    assert read(tmp_path, environment={"MAILREEVE_RELAY_NETWORKS": ""}).networks() == ()


def test_nobody_speaks_for_others_unless_listed(tmp_path: Path) -> None:
    assert read(tmp_path).proxies() == ()
    variable = {"MAILREEVE_XCLIENT_HOSTS": "127.0.0.1, 2001:db8::/64"}
    assert read(tmp_path, environment=variable).proxies() == (
        ip_network("127.0.0.1/32"),
        ip_network("2001:db8::/64"),
    )


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8025", "127.0.0.1", 8025),
        ("localhost:0", "localhost", 0),
        (":25", "127.0.0.1", 25),
        ("[::1]:65535", "::1", 65_535),
        ("::1:25", "::1", 25),
    ],
)
def test_listeners_are_host_and_port(text: str, host: str, port: int) -> None:
    """IPv6 in brackets; without a host, this machine only."""
    assert split_host_port(text, "http") == (host, port)


@pytest.mark.parametrize(
    "text", ["", "localhost", "host:", "host:http", "host:-1", "host:65536", "host:²", "host:٢", "8025"]
)
def test_what_is_no_listener_is_refused_by_name(text: str) -> None:
    """Also digits that are no ports."""
    with pytest.raises(SettingsError, match="smtp"):
        split_host_port(text, "smtp")


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("", ""),
        ("https://mail.corp.test", "https://mail.corp.test"),
        ("https://mail.corp.test/", "https://mail.corp.test"),
        ("http://127.0.0.1:8025", "http://127.0.0.1:8025"),
        ("https://[2001:db8::1]:8443/gate/mail/", "https://[2001:db8::1]:8443/gate/mail"),
    ],
)
def test_links_begin_with_the_public_url(tmp_path: Path, text: str, base: str) -> None:
    assert read(tmp_path, f'public_url = "{text}"').links_base() == base


@pytest.mark.parametrize(
    "text",
    [
        "mail.corp.test",
        "ftp://corp.test",
        "https://",
        "https://me@corp.test",
        "https://corp.test/?x",
        "https://a b",
    ],
)
def test_what_links_cannot_begin_with_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"public_url: .* is not like https://mail\.example\.com"):
        read(tmp_path, f'public_url = "{text}"')
