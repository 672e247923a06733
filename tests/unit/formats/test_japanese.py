"""Japanese charsets as those who read mail read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.header_text import decoded_words
from mailreeve.formats.japanese import read_euc_jp, read_iso_2022_jp


def pairs_of(text: str) -> str:
    """What the codec has row and cell for."""
    return text.encode("iso2022_jp", "ignore").decode("iso2022_jp")


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b$B|b66\x1b(B", "髙橋"),
        (b"\x1b$@|b66\x1b(B", "髙橋"),
        (b"\x1b$B-!\x1b(B", "①"),
        (b"a\x1b$BF|K\\\x1b(Bb", "a日本b"),
        (b"\x1b(J\\\x1b(B\\", "¥\\"),
        (b"\x1b(I1\x1b(B", "ｱ"),
        (b"\x1b$BF|K", "日\ufffd"),
        (b"\x1b$BF| K\\", "日 本"),
        (b"\x1b$B\xff", "\ufffd"),
        (b"\x1b$(D0!\x1b(B", "丂"),
        (b"", ""),
    ],
)
def test_iso_2022_jp(octets, text):
    assert read_iso_2022_jp(octets) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\xfc\xe2\xb6\xb6", "髙橋"),
        (b"\xad\xa1", "①"),
        (b"a\xc6\xfc\xcb\xdcb", "a日本b"),
        (b"\x8e\xb1", "ｱ"),
        (b"\x8f\xb0\xa1", "丂"),
        (b"\xc6", "\ufffd"),
        (b"\xc6a", "\ufffda"),
        (b"", ""),
    ],
)
def test_euc_jp(octets, text):
    assert read_euc_jp(octets) == text


@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"]), max_size=20).map(pairs_of))
def test_what_the_codecs_know_is_read_as_they_read_it(text):
    """But for a few signs that Windows and the standard map to different characters."""
    text = text.translate(dict.fromkeys(map(ord, "\u2016\u2212\u301c\u00a2\u00a3\u00ac\u2014\\~\u00a5\u203e")))
    assert read_iso_2022_jp(text.encode("iso2022_jp")) == text
    assert read_euc_jp(text.encode("euc_jp")) == text


@given(st.binary(max_size=40))
def test_any_octets_are_read(octets):
    read_iso_2022_jp(octets)
    read_euc_jp(octets)


@pytest.mark.parametrize("label", ["iso-2022-jp", "ISO-2022-JP*ja", "cp50221", "csiso2022jp"])
def test_labels(label):
    assert decoded_words(f"=?{label}?b?GyRCfGI2NhsoQg==?=") == "髙橋"
