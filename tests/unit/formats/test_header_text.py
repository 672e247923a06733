"""Reading what a stranger wrote in a header field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.header_text import decoded_words, octets_read, printable


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?J=C3=B6rg?=", "Jörg"),
        ("=?utf-8?B?SsO2?= =?utf-8?q?_x?=", "Jö x"),
        ("=?iso-8859-1?q?=E9?= and more", "é and more"),
        ("before =?utf-8?q?a?= ünd", "before a ünd"),
        ("=?utf-8?b?w?= =?utf-8?b?7Y=?=", "=?utf-8?b?w?= \ufffd"),
        ("=?utf-8?b?w?= =?utf-8?q?The_Boss?=", "=?utf-8?b?w?= The Boss"),
        ("=?no-such-charset?q?=E9?=", "é"),
        ("=?cp932?q?=93=FA=96{?=", "日本"),
        ("=?CP936?q?=D6=EC?=", "朱"),
        ("=?uhc?q?=8Cc?=", "똠"),
        ("=?cp850?q?J=94rg?=", "Jörg"),
        ("=?cp65001?q?J=C3=B6rg?=", "Jörg"),
        ("=?unfinished", "=?unfinished"),
        ("=?utf-8*en?q?Jane?=", "Jane"),
        ("=?utf-8?q?Jane?==?utf-8?q?_Boss?=", "Jane Boss"),
        ("Ja=?utf-8?q?ne?=", "Jane"),
        ("=?iso-8859-1?q?O=92Brien_=80?=", "O’Brien €"),
        ("=?us-ascii?q?O=92Brien?=", "O’Brien"),
        ("=?ISO-8859-9?q?=FD?=", "ı"),
        ("=?gb2312?b?1uzpRrv5?=", "朱镕基"),
        ("=?shift_jis?b?+/yLtA==?=", "髙橋"),
        ("=?ks_c_5601-1987?b?jGO55g==?=", "똠방"),
        ("=?utf-7?q?J+AOk-?=", "Jé"),
        ("=?punycode?q?abc?=", "abc"),
        ("=?hex?q?abc?=", "abc"),
    ],
)
def test_encoded_words_are_decoded_as_far_as_they_make_sense(text, decoded):
    """Broken words stay as they are, unknown charsets are read as Latin-1."""
    assert decoded_words(text) == decoded


@pytest.mark.parametrize(
    ("octets", "read"),
    [
        ("Jörg Müller".encode(), "Jörg Müller"),
        ("Jörg Müller".encode("latin-1"), "Jörg Müller"),
        (b"Sean O\x92Brien", "Sean O’Brien"),
        (b"\x80\x81\xff", "€\x81ÿ"),
        (b"plain", "plain"),
    ],
)
def test_raw_octets_that_are_not_utf_8_are_windows_1252(octets, read):
    """As mail programs show them."""
    assert octets_read(octets.decode("utf-8", "surrogateescape")) == read


@given(st.text(max_size=100))
def test_printable_text_is_one_line_of_valid_unicode(text):
    """No control characters, no line breaks, no lone surrogates: fit for a log, a row and a page."""
    line = printable(text, 20)
    assert len(line) <= 20
    assert all(character.isprintable() or not character.isascii() for character in line)
    line.encode("utf-8")
