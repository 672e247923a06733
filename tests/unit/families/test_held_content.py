"""What a held message says to whoever looks at it: all that is harmless, and in no more time than is fair."""

from __future__ import annotations

import time

import msgspec
import pytest

from mailreeve.families.held.content import MAX_TAGS, SHOWN_AT_MOST, said

MIXED = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=c0\r\n"
HTML = b"Content-Type: text/html\r\n"


def test_texts_and_files_are_told() -> None:
    """The first of each kind of text, and what is attached, with the size of what it holds."""
    body = (
        b"\r\n--c0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9\r\n"
        b"--c0\r\nContent-Type: text/html\r\n\r\n<p onclick=x()>hi<script>no()</script><img src=http://x.test/></p>\r\n"
        b"--c0\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n"
        b"--c0\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nin\r\n--c0--\r\n"
    )
    found = said(MIXED, (body[:50], body[50:]))
    assert (found.text, found.html, found.is_cut) == ("caf\xe9", "<p>hi</p>", False)
    assert [(one.name, one.type, one.size) for one in found.attachments] == [
        ("a.pdf", "application/pdf", 3),
        ("", "message/rfc822", 16),
    ]


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"Content-Type: text/plain; charset=punycode\r\n", b"a" * 100 + b"-" + b"b" * 2_000_000),
        (HTML[:-2] + b"; charset=unicode_escape\r\n", b"\\ud800"),
        (HTML[:-2] + b"; charset=utf-7\r\n", b"+2AA-"),
        (b"Content-Disposition: attachment; " + b"((" * 3_000 + b"\r\n", b"x"),
        (b"Content-Disposition: attachment" + b"; a=b" * 10_000 + b"\r\n", b"x"),
        (b"Content-Type: message/rfc822\r\n", b"Content-Type: message/rfc822\r\n\r\n" * 20_000),
        (
            MIXED,
            b"--c0\r\n"
            + b"".join(b"Content-Type: multipart/a; boundary=c%d\r\n\r\n--c%d\r\n" % (n, n) for n in range(1, 400))
            + b"--z\n" * 50_000,
        ),
        (HTML, b"".join(b"<font color=%d>" % n for n in range(20_000))),
        (HTML, b"<li><ul>" * 100_000),
        (HTML, b"<b></p>" * 100_000),
        (HTML, b"<a x='>' " + b" ".join(b"a%d" % n for n in range(100_000)) + b">x</a>"),
        (HTML, b"<a " * 1_000_000),
    ],
)
def test_hostile_messages_are_shown_in_fair_time(header: bytes, body: bytes) -> None:
    """Whatever was written so that parsers take the square of its length, or give up, or give what is no text."""
    began = time.process_time()
    found = said(header, (b"\r\n" + body,))
    assert time.process_time() - began < 4
    assert msgspec.json.encode(found)


def test_of_long_html_the_beginning_is_shown() -> None:
    """And that there is more is told."""
    found = said(HTML, (b"\r\n" + b"<p>x</p>" * MAX_TAGS,))
    assert found.is_cut
    assert found.html == "<p>x</p>" * (MAX_TAGS // 2)
    found = said(HTML, (b"\r\n" + b"x" * (SHOWN_AT_MOST + 1),))
    assert (found.is_cut, len(found.html)) == (True, SHOWN_AT_MOST)
    assert not said(HTML, (b"\r\na < b and <b>c</b>",)).is_cut
