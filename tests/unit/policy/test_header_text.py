"""Reading what a stranger wrote in a header field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.policy.header_text import decoded_words, printable


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?J=C3=B6rg?=", "Jörg"),
        ("=?utf-8?B?SsO2?= =?utf-8?q?_x?=", "Jö x"),
        ("=?iso-8859-1?q?=E9?= and more", "é and more"),
        ("before =?utf-8?q?a?= ünd", "before a ünd"),
        ("=?utf-8?b?w?= =?utf-8?b?7Y=?=", "=?utf-8?b?w?= =?utf-8?b?7Y=?="),
        ("=?no-such-charset?q?=E9?=", "é"),
        ("=?unfinished", "=?unfinished"),
    ],
)
def test_encoded_words_are_decoded_as_far_as_they_make_sense(text, decoded):
    """Broken words stay as they are, unknown charsets are read as Latin-1."""
    assert decoded_words(text) == decoded


@given(st.text(max_size=100))
def test_printable_text_is_one_line_of_valid_unicode(text):
    """No control characters, no line breaks, no lone surrogates: fit for a log, a row and a page."""
    line = printable(text, 20)
    assert len(line) <= 20
    assert all(character.isprintable() or not character.isascii() for character in line)
    line.encode("utf-8")
