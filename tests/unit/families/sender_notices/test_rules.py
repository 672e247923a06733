"""Who is told that a message was turned down: nobody who may not have written it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mailreeve.families.sender_notices.rules import (
    MOST_IN_A_DAY,
    WORDS,
    NoticeFacts,
    NoticeVerdict,
    automatic,
    verdict,
)
from mailreeve.formats.addresses import NULL_SENDER, parse_address
from mailreeve.formats.message import read_message

OURS = NoticeFacts(parse_address("ann@corp.test"), True, False, 0)
STRANGER = NoticeFacts(parse_address("bob@shop.test"), False, False, 0)


def test_who_is_known_to_have_written_is_told() -> None:
    assert verdict(OURS) is NoticeVerdict.SEND


def test_nobody_else_is_told() -> None:
    """Whoever stands in the envelope may never have written: that would be backscatter."""
    assert verdict(STRANGER) is NoticeVerdict.UNAUTHENTICATED


def test_a_bounce_is_never_answered() -> None:
    assert verdict(replace(OURS, sender=NULL_SENDER)) is NoticeVerdict.NO_SENDER


@pytest.mark.parametrize(
    "local", ["MAILER-DAEMON", "owner-news", "news-owner", "news-request", "news-bounces+ann"]
)
def test_no_program_is_answered(local: str) -> None:
    assert verdict(replace(OURS, sender=parse_address(f"{local}@corp.test"))) is NoticeVerdict.AUTOMATIC
    assert verdict(replace(OURS, is_automatic=True)) is NoticeVerdict.AUTOMATIC


def test_an_address_is_told_so_often_and_no_more() -> None:
    assert verdict(replace(OURS, lately=MOST_IN_A_DAY - 1)) is NoticeVerdict.SEND
    assert verdict(replace(OURS, lately=MOST_IN_A_DAY)) is NoticeVerdict.TOO_MANY


@pytest.mark.parametrize(
    ("header", "is_so"),
    [
        (b"Subject: hello\r\n", False),
        (b"Auto-Submitted: no\r\n", False),
        (b"Auto-Submitted: auto-replied; x=y\r\n", True),
        (b"Precedence: bulk\r\n", True),
        (b"Precedence: first-class\r\n", False),
        (b"List-Id: <news.shop.test>\r\n", True),
        (b"List-Unsubscribe: <mailto:x@shop.test>\r\n", True),
    ],
)
def test_what_a_program_sent_is_known_by_its_header(header: bytes, is_so: bool) -> None:
    assert automatic(read_message(header)) is is_so


@given(st.booleans(), st.booleans(), st.integers(0, 100))
def test_without_proof_nothing_is_ever_sent(proved: bool, program: bool, lately: int) -> None:
    found = verdict(NoticeFacts(STRANGER.sender, proved, program, lately))
    if found is NoticeVerdict.SEND:
        assert proved
        assert not program
        assert lately < MOST_IN_A_DAY
    assert found in WORDS
