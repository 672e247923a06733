"""What is broken in the form of a message, and what is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.malformed import MAX_DEPTH, MAX_PARTS, MAX_SEARCHED, Flaw, flaws_of
from mailreeve.formats.message import read_message

PLAIN = b"From: <a@out.test>\r\nSubject: Hello\r\n"
MIXED = PLAIN + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b 1"\r\n'
PART = b"Content-Type: text/plain\r\n\r\nHello\r\n"


def flaws(text: bytes, **options: bool) -> set[str]:
    message = read_message(text)
    return {flaw.value for flaw in flaws_of(message.fields, message.body, **options)}


def parts(*contents: bytes, end: bytes = b"--b 1--\r\n", boundary: bytes = b"b 1") -> bytes:
    return b"\r\n" + b"".join(b"--" + boundary + b"\r\n" + one for one in contents) + end


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN + b"\r\nHello\r\n",
        PLAIN + b"Subject-Two: x\r\nReceived: a\r\nReceived: b\r\n\r\n",
        PLAIN + b"X: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?iso-8859-1*de?B?R3L832U=?=\r\n\r\n",
        PLAIN + b"Content-Transfer-Encoding: Quoted-Printable (as ever)\r\n\r\n",
        PLAIN + b"\r\n" + b"x" * 998 + b"\r\n" + b"y" * 998,
        MIXED + parts(PART, PART),
        MIXED + b"\r\nA preamble.\r\n" + parts(PART) + b"An epilogue.\r\n",
        MIXED + parts(b"\r\n", b"--b 12 is text\r\n"),
        PLAIN + b'Content-Type: multipart/mixed;\r\n boundary="b 1"\r\n' + parts(PART),
        MIXED
        + parts(
            b"Content-Type: multipart/alternative; boundary=in\r\n"
            + parts(PART, PART, boundary=b"in", end=b"--in--\r\n")
        ),
    ],
)
def test_sound_mail_has_no_flaws(text):
    assert flaws(text) == set()


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        (PLAIN + b"From: <b@out.test>\r\n\r\n", Flaw.DUPLICATE_FIELD),
        (PLAIN + b"SUBJECT: again\r\n\r\n", Flaw.DUPLICATE_FIELD),
        (PLAIN + b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n", Flaw.DUPLICATE_FIELD),
        (MIXED + parts(b"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"), Flaw.DUPLICATE_FIELD),
        (PLAIN + b"Content-Type: multipart/mixed\r\n\r\n", Flaw.BROKEN_BOUNDARY),
        (PLAIN + b'Content-Type: multipart/mixed; boundary=""\r\n\r\n', Flaw.BROKEN_BOUNDARY),
        (MIXED + b"\r\nno part at all\r\n", Flaw.BROKEN_BOUNDARY),
        (MIXED + parts(PART, end=b""), Flaw.NO_TERMINATOR),
        (
            MIXED + parts(b"Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n" + PART),
            Flaw.NO_TERMINATOR,
        ),
        (PLAIN + b"X: Gr\xc3\xbc\xc3\x9fe\r\n\r\n", Flaw.EIGHT_BIT_HEADER),
        (PLAIN + b"\r\na\0b\r\n", Flaw.NULL_OCTET),
        (PLAIN + b"X: =?utf-8?B?!!?=\r\n\r\n", Flaw.UNDECODABLE_WORD),
        (PLAIN + b"X: =?no-such-charset?q?a?=\r\n\r\n", Flaw.UNDECODABLE_WORD),
        (PLAIN + b"X: =?utf-8?x?a?=\r\n\r\n", Flaw.UNDECODABLE_WORD),
        (PLAIN + b"\r\n" + b"x" * 999 + b"\r\n", Flaw.LONG_LINE),
        (PLAIN + b"X: " + b"x" * 999 + b"\r\n\r\n", Flaw.LONG_LINE),
        (PLAIN + b"Content-Transfer-Encoding: rot13\r\n\r\n", Flaw.UNKNOWN_ENCODING),
        (MIXED + parts(b"Content-Transfer-Encoding: base65\r\n\r\n"), Flaw.UNKNOWN_ENCODING),
        (PLAIN + b"what is this\r\n\r\n", Flaw.NO_FIELD),
    ],
)
def test_each_flaw_is_found(text, flaw):
    assert flaws(text) == {flaw.value}


def test_a_header_in_utf8_may_be_announced():
    text = PLAIN + "X: Grüße\r\n\r\n".encode()
    assert flaws(text, utf8=True) == set()
    assert flaws(text.replace(b"\xc3", b"\xff"), utf8=True) == {"eight_bit_header"}


def test_line_ends_that_were_made_proper_are_told():
    assert flaws(PLAIN, had_bare_ends=True) == {"bare_line_end"}


def nested(depth: int) -> bytes:
    text = PART
    for level in range(depth):
        boundary = b"b%d" % level
        text = (
            b"Content-Type: multipart/mixed; boundary=" + boundary + b"\r\n"
            + parts(text, boundary=boundary, end=b"--" + boundary + b"--\r\n")
        )  # fmt: skip
    return PLAIN + text


def test_depth_and_number_are_bounded():
    assert flaws(nested(MAX_DEPTH)) == set()
    assert flaws(nested(MAX_DEPTH + 1)) == {"deep"}
    assert "too_many_parts" in flaws(MIXED + parts(*[PART] * (MAX_PARTS + 2)))


@pytest.mark.parametrize(
    "body",
    [
        b"--b 1" * (MAX_SEARCHED // 5 - 200),
        b"\r\n--b 1" * (MAX_SEARCHED // 7 - 200),
        b"\n" * (MAX_SEARCHED - 1_000),
        b'\r\n--b 1\r\nContent-Type: multipart/x; boundary="b 1"\r\n' * (MAX_SEARCHED // 60),
        (b"\r\n--b 1\r\n" + b"a" * 15_000 + b"\r\n") * MAX_PARTS,  # a name of a field that never ends
        (b"\r\n--b 1\r\n" + b"a \t" * 5_000 + b"\r\n") * MAX_PARTS,
    ],
)
def test_no_content_keeps_it_busy(body):
    """Eight megabytes of what might be delimiters take a moment, as measured by the time of this process."""
    began = time.process_time()
    flaws(MIXED + b"\r\n" + body)
    assert time.process_time() - began < 1.5


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_it_never_raises(header, body):
    found = flaws_of(read_message(header).fields, (body,))
    assert list(found) == [flaw for flaw in Flaw if flaw in found]


@given(st.lists(st.sampled_from([b"--b 1", b"--", b"\r\n", b"--b 1--", b"Content-Type: multipart/a; boundary=c",
                                 b"--c", b"\0", b"x", b": ", b'"', b"=?a?b?c?="]), max_size=40))  # fmt: skip
def test_pieces_of_what_it_looks_for_raise_nothing(pieces):
    flaws(MIXED + b"\r\n" + b"".join(pieces))
