"""`Authentication-Results` as servers write it, and as a stranger would have it read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.authentication_results import MAX_LENGTH, MAX_RESULTS, read_results


def read(value: str) -> dict[str, tuple[str, dict[str, str]]]:
    found = read_results(value)
    assert found is not None
    return {one.method: (one.result, one.properties) for one in found.results}


@pytest.mark.parametrize(
    ("value", "id_", "expected"),
    [
        # RFC 8601, appendices B.3 to B.6
        (
            "example.com; spf=pass smtp.mailfrom=example.net",
            "example.com",
            {"spf": ("pass", {"smtp.mailfrom": "example.net"})},
        ),
        (
            "example.com;\r\n\tauth=pass (cram-md5) smtp.auth=sender@example.net;\r\n\tspf=pass"
            " smtp.mailfrom=example.net",
            "example.com",
            {
                "auth": ("pass", {"smtp.auth": "sender@example.net"}),
                "spf": ("pass", {"smtp.mailfrom": "example.net"}),
            },
        ),
        (
            "foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
            " policy (A dot can go here) . (like that) expired\r\n (this surprised me) = 1362471462",
            "foo.example.net",
            None,  # what nobody writes: read somehow, and not taken for a pass
        ),
        ("example.org 1; none", "example.org", {}),
        # Postfix and rspamd, OpenDKIM, OpenDMARC
        (
            'mx.corp.test;\r\n\tdkim=pass header.d=shop.test header.s=k1 header.b="a/b=";\r\n\tspf=softfail (a)'
            " smtp.mailfrom=x@shop.test;\r\n\tdmarc=pass (policy=none) header.from=shop.test",
            "mx.corp.test",
            {
                "dkim": ("pass", {"header.d": "shop.test", "header.s": "k1", "header.b": "a/b="}),
                "spf": ("softfail", {"smtp.mailfrom": "x@shop.test"}),
                "dmarc": ("pass", {"header.from": "shop.test"}),
            },
        ),
        (
            '"MX.Corp.test." ; dkim/1=PASS header.d=a.test',
            "mx.corp.test",
            {"dkim": ("pass", {"header.d": "a.test"})},
        ),
    ],
)
def test_what_servers_write(value, id_, expected):
    found = read_results(value)
    assert found is not None
    assert found.authserv_id == id_
    if expected is None:
        assert all(one.result != "pass" for one in found.results)
    else:
        assert read(value) == expected


@pytest.mark.parametrize(
    ("value", "sender"),
    [
        ("mx; spf=pass smtp.mailfrom=corp.test=x@far.test", "corp.test=x@far.test"),
        ("mx; spf=pass smtp.mailfrom=x=y==@far.test header.b=zz=", "x=y==@far.test"),
        ('mx; spf=pass smtp.mailfrom="corp.test "@far.test', "corp.test @far.test"),
        ('mx; spf=pass smtp.mailfrom="; dmarc=pass header.from=corp.test "@far.test', None),
        ("mx; spf=pass smtp.mailfrom=corp.test(x)@far.test", "corp.test@far.test"),
        ("mx; spf=pass smtp.mailfrom=x@far.test smtp.mailfrom=corp.test", "x@far.test"),
        ("mx; spf=pass (smtp.mailfrom=corp.test; dmarc=pass) smtp.mailfrom=x@far.test", "x@far.test"),
        ("mx; spf=pass (a (b) \\) smtp.mailfrom=corp.test) smtp.mailfrom=x@far.test", "x@far.test"),
    ],
)
def test_what_a_stranger_calls_himself_is_one_value(value, sender):
    """A server writes the sender as he gave it, and rarely in quotes."""
    found = read(value)
    assert "dmarc" not in found
    said = found["spf"][1]["smtp.mailfrom"]
    assert said == sender if sender is not None else said.endswith("@far.test")


@pytest.mark.parametrize("value", ["", " ", ";", "=x; spf=pass", "(mx); spf=pass", '"mx; spf=pass'])
def test_a_field_that_names_nobody_says_nothing(value):
    assert read_results(value) is None


def test_what_stands_behind_an_open_quotation_mark_is_not_read():
    assert read('mx; spf=fail; dkim=pass header.d="corp.test; dmarc=pass header.from=corp.test') == {
        "spf": ("fail", {})
    }


def test_no_more_is_read_than_the_limits():
    many = "mx" + "; dkim=pass header.d=a.test" * 10_000
    found = read_results(many)
    assert found is not None
    assert len(found.results) == MAX_RESULTS
    assert read_results("mx; " + " " * MAX_LENGTH + "spf=pass") == read_results("mx;")


PIECES = st.sampled_from(
    [
        "mx",
        ";",
        "=",
        " ",
        '"',
        "\\",
        "(",
        ")",
        "spf",
        "dkim",
        "pass",
        "smtp.mailfrom",
        "a@b.test",
        "\r\n\t",
        "/",
        "\0",
    ]
)


@given(st.text(max_size=200) | st.lists(PIECES, max_size=80).map("".join))
def test_whatever_it_is_nothing_raises_and_nobody_passes_whom_nobody_named(value):
    found = read_results(value)
    if found is not None and "pass" not in value.casefold():
        assert all(one.result != "pass" for one in found.results)


@pytest.mark.alone
@pytest.mark.parametrize("unit", ['"', '\\"', "(", "()", "=", "a=", ";", '"\\"', "(\\", "x=y z"])
def test_the_time_is_linear_in_the_length(unit):
    """Ten times the text takes about ten times as long; a quadratic reading would take a hundred times."""

    def seconds(length: int) -> float:
        text = "mx;" + unit * (length // len(unit))
        best = 1.0
        for _ in range(3):
            began = time.thread_time()
            read_results(text)
            best = min(best, time.thread_time() - began)
        return best

    assert seconds(MAX_LENGTH) < 40 * seconds(MAX_LENGTH // 10) + 0.002
