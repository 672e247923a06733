"""Parts of messages: where they lie and what they hold, whatever a stranger wrote."""

from __future__ import annotations

import base64
import time
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.html_text import text_of_html
from mailreeve.formats.mime import MAX_DEPTH, MAX_PARTS, Part, content_of, read_parts, text_in

HEADER = b"Content-Type: multipart/mixed; boundary=b\r\n"


def parts_of(header: bytes, body: bytes) -> list[tuple[str, str, bytes]]:
    return [(part.content_type, part.name, content_of(part, body)) for part in read_parts(header, body)]


def test_a_message_without_parts_is_one() -> None:
    """With the content that its header says, or none, which is plain text (RFC 2045 section 5.2)."""
    assert parts_of(b"Subject: x\r\n", b"\r\nHello\r\n") == [("text/plain", "", b"Hello\r\n")]
    assert parts_of(b"Subject: x\r\n", b"") == []
    header = b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n"
    assert parts_of(header, b"\r\n" + base64.b64encode(b"<p>")) == [("text/html", "", b"<p>")]


def test_parts_end_before_the_line_end_of_their_boundary() -> None:
    """It belongs to the boundary (RFC 2046 section 5.1.1); preamble and epilogue belong to no part."""
    body = (
        b"\r\npreamble\r\n--b\r\n\r\none\r\n\r\n--b \r\nContent-Type: a/b\r\n\r\n"
        b"two\r\n--b--\r\nepilogue\r\n--b\r\n\r\nno"
    )
    assert parts_of(HEADER, body) == [("text/plain", "", b"one\r\n"), ("a/b", "", b"two")]


def test_a_part_whose_boundary_never_comes_reaches_to_the_end() -> None:
    """Readers show it."""
    assert parts_of(HEADER, b"\n--b\n\nall of it\n--c\n") == [("text/plain", "", b"all of it\n--c\n")]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (b'attachment; filename="a b.pdf"', "a b.pdf"),
        (b"attachment; filename=plain.txt", "plain.txt"),
        (b"attachment; filename*=utf-8''%e2%82%ac.txt", "\u20ac.txt"),
        (b"attachment; filename*0=long; filename*1=er.txt", "longer.txt"),
        (b"attachment; filename*0*=iso-8859-1''%e9; filename*1=t%41.txt", "\xe9t%41.txt"),
        (b'attachment; filename="=?utf-8?b?4oKs?=.txt"', "\u20ac.txt"),
        (b'attachment; filename="a\\"b"', 'a"b'),
        (b"attachment", ""),
        (b'attachment; filename="open', '"open'),
    ],
)
def test_names_of_files(field: bytes, name: str) -> None:
    """In each of the ways that programs write them (RFC 2183, RFC 2231, and RFC 2047 where it does not belong)."""
    body = b"\r\n--b\r\nContent-Disposition: " + field + b"\r\n\r\nx\r\n--b--\r\n"
    (part,) = read_parts(HEADER, body)
    assert (part.name, part.is_file) == (name, True)


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=200), max_size=4),
    files=st.lists(
        st.tuples(st.text("abc \u20ac\xe9", min_size=1, max_size=40), st.binary(max_size=400)), max_size=4
    ),
)
def test_what_another_program_wrote_is_read_back(texts: list[str], files: list[tuple[str, bytes]]) -> None:
    """Every text and every file of it, name included."""
    message = EmailMessage(policy=policy.SMTP)
    message.set_content("\n".join(texts) or "x")
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    header, _, body = message.as_bytes().partition(b"\r\n\r\n")
    body = b"\r\n" + body
    found = [part for part in read_parts(header + b"\r\n", body) if part.is_file]
    assert [content_of(part, body) for part in found] == [content for _, content in files]
    assert [part.name for part in found] == [" ".join(name.split()) for name, _ in files]


@given(st.binary(max_size=600), st.binary(max_size=2_000))
def test_whatever_octets_there_are_are_read(header: bytes, body: bytes) -> None:
    """No part lies outside the body, and the parts stand in their order."""
    end = 0
    for part in read_parts(HEADER + header, body.replace(b"\x01", b"\n--b\n").replace(b"\x02", b"\n--b--\n")):
        assert end <= part.start <= part.end
        end = part.end
    text_in(read_parts(header, body), body, 1_000)


def test_nothing_nests_or_repeats_without_end() -> None:
    """Deep nesting and many parts cost what the limits say, and no more."""
    deep = b"".join(
        b"\r\n--%d\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n" % (n, n + 1) for n in range(1_000)
    )
    began = time.process_time()
    found = read_parts(b"Content-Type: multipart/mixed; boundary=0\r\n", b"\r\n" + deep)
    assert len(found) <= MAX_DEPTH
    many = read_parts(HEADER, b"\r\n--b\r\n\r\n" * 100_000)
    assert len(many) == MAX_PARTS
    read_parts(HEADER, b"\r\n--" * 3_000_000)
    read_parts(HEADER, b"\r\n--b\r\nContent-Type: x/y" + b"; a*0=b" * 100_000 + b"\r\n\r\n")
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>one</p><p>two &amp; three</p>", "one two & three"),
        ("<style>p { }</style><SCRIPT>no()</script>yes", "yes"),
        ("a<!-- <b> -->b", "ab"),
        ("<a href='x'>li</a>nk", "link"),
        ("open < end", "open"),
        ("<script>never closed", ""),
        ("<!-- never closed", ""),
    ],
)
def test_the_text_of_a_page(page: str, text: str) -> None:
    """What a reader sees of it."""
    assert " ".join(text_of_html(page).split()) == text


@pytest.mark.parametrize("piece", ["<", "<a", "<!--", "<script>", "</script", "&", "<a <", "&#"])
def test_pages_take_time_in_proportion(piece: str) -> None:
    """Nothing is looked for again and again."""
    began = time.process_time()
    text_of_html(piece * (256 * 1024 // len(piece)))
    assert time.process_time() - began < 5


def test_of_long_texts_the_beginning_is_read() -> None:
    """In about so many octets, whatever their encoding."""
    body = b"\r\n" + base64.encodebytes(b"word " * 100_000)
    (part,) = read_parts(b"Content-Transfer-Encoding: base64\r\n", body)
    assert len(text_in([part], body, 1_000)) == 1_000
    assert isinstance(part, Part)


def test_base64_with_strangers_between_its_digits_is_read_at_once() -> None:
    """Readers leave them out (RFC 2045 section 6.8). Nothing else runs while they are, so it has to be quick."""
    raw = b"\r\n" + base64.b64encode(b"hello " * 400_000).replace(b"G", b"!G \xff")
    header = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    (part,) = read_parts(header, raw)
    began = time.thread_time()
    found = content_of(part, raw)
    assert time.thread_time() - began < 0.3
    assert found == b"hello " * 400_000


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\nContent-Type: multipart/mixed; boundary=x\r\n" * 100_000,
        b"".join(b"--b\nX: %s\nContent-Type: multipart/a; boundary=c\n\n" % (b"y" * 8_000) for _ in range(1_000)),
    ],
)
def test_parts_that_hold_nothing_are_not_read_without_end(body: bytes) -> None:
    """Each header of a part is read, of those too that hold others and count for no part: so many, of so many
    octets together."""
    began = time.process_time()
    assert read_parts(HEADER, b"\r\n" + body) == ()
    assert time.process_time() - began < 2


def test_of_equal_boundaries_the_innermost_is_meant() -> None:
    """And a line that is the end of one and the beginning of another belongs to the inner one."""
    body = b"\n--b\nContent-Type: multipart/x; boundary=b--\n\n--b--\n\none\n--b----\n--b--\n\nno"
    assert parts_of(HEADER, body) == [("text/plain", "", b"one")]
