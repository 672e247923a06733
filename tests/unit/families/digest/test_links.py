"""A token of a link says what it was made to say, and nothing else is one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.families.digest.links import LONGEST, TOKEN_LENGTH, Act, Link, Links, NoLink, ends_at

LINKS = Links(bytes(range(32)))
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
LINK = Link("0" * 32, "1" * 32, "2" * 32, Act.RELEASE, NOW)

ids = st.text("0123456789abcdef", min_size=32, max_size=32)
ends = st.integers(1_600_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
links = st.builds(Link, ids, ids, ids, st.sampled_from(Act), ends)


@given(links)
def test_what_was_said_is_read(link: Link) -> None:
    token = LINKS.token(link)
    assert LINKS.read(token) == link
    assert len(token) == TOKEN_LENGTH
    assert re.fullmatch("[A-Za-z0-9_-]+", token)


@given(links, st.integers(0, TOKEN_LENGTH - 1), st.sampled_from("ABCabc0189_-"))
def test_no_letter_can_be_changed(link: Link, place: int, letter: str) -> None:
    token = LINKS.token(link)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(NoLink):
            LINKS.read(changed)


def test_every_spelling_but_one_of_the_last_letter_is_refused() -> None:
    """It carries bits that decoding drops."""
    token = LINKS.token(LINK)
    read = []
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        try:
            LINKS.read(token[:-1] + letter)
            read.append(letter)
        except NoLink:
            pass
    assert read == [token[-1]]


@given(st.one_of(st.text(max_size=200), st.text("AZaz09-_", min_size=TOKEN_LENGTH, max_size=TOKEN_LENGTH)))
def test_nothing_else_is_a_token(text: str) -> None:
    with pytest.raises(NoLink):
        LINKS.read(text)


def test_another_installation_does_not_read_it() -> None:
    with pytest.raises(NoLink):
        Links(bytes(32)).read(LINKS.token(LINK))


def test_a_link_ends_with_its_message_and_after_fourteen_days_at_the_latest() -> None:
    assert ends_at(NOW, NOW + timedelta(days=3)) == NOW + timedelta(days=3)
    assert ends_at(NOW, NOW + timedelta(days=30)) == NOW + LONGEST
