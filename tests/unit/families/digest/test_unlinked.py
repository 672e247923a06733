"""No mail program makes a link of what a stranger wrote, and readers read it all the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.families.digest.letter import Letter, ShownLink, ShownMessage, written
from mailreeve.families.digest.unlinked import HAIR_SPACE, unlinked
from mailreeve.formats.addresses import parse_address

# What the linkers of mail programs look for: a scheme, a host with a dot, a mailbox, a share.
LINKS = re.compile(r"(?:\w+:[/\\]*|www\.|\\\\)[^\s<>]+|[^\s<>@]+@[^\s<>]+|[\w-]+[.\u3002\uff0e\uff61][\w-]{2,}")

WRITTEN = [
    "Pay at evil.test now",
    "https://evil.test/a?b=c",
    "HTTP:\\\\evil.test",
    "www.evil.test",
    "mail me@evil.test",
    "mailto:me@evil.test",
    "\\\\evil\\share",
    "file:\\\\evil",
    "evil\u3002test",
    "a.b.c.d.evil.test",
    "javascript:alert",
    "Nothing here. Really",
    "Re: invoice 10:30",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_nothing_is_left_to_make_a_link_of(text):
    made = unlinked(text)
    assert not LINKS.search(made), made
    assert made.replace(HAIR_SPACE, "") == text


def test_a_sentence_is_left_as_it_is():
    assert unlinked("Nothing here. Really: no") == "Nothing here. Really: no"


@given(st.text())
def test_whatever_is_written_is_there_still(text):
    assert unlinked(text).replace(HAIR_SPACE, "") == text.replace(HAIR_SPACE, "")


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_digest_has_no_links_but_its_own(kind):
    own = "https://mail.corp.test/digest/token"
    said = " ".join(WRITTEN)
    link = ShownLink("Block sender", "Refuse mail from me@evil.test from now on", own)
    shown = ShownMessage(f"Liz {said} <me@evil.test>", said, "Fri 27 Nov 2026, 10:00 UTC", said, (link,))
    at = datetime(2026, 11, 27, tzinfo=UTC)
    letter = Letter(parse_address("postmaster@corp.test"), parse_address("ann@corp.test"), at, "digest.1", [shown])
    message = message_from_bytes(bytes(written(letter)), policy=default)
    text = message.get_body((kind,)).get_content()
    if kind == "html":
        assert re.findall(r'href="([^"]*)"', text) == [own]
        text = text.partition("</style>")[2]
        text = re.sub(r"<a [^>]*>|<[a-z!/][^>]*>", "\n", text)
        assert "evil" not in " ".join(LINKS.findall(text.replace("10:00", "")))
    else:
        found = [one for one in LINKS.findall(text) if "evil" in one]
        assert found == []
        assert own in text
