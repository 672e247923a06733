"""What a digest looks like, whatever strangers wrote."""

from __future__ import annotations

import email.policy
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailreeve.families.digest import words
from mailreeve.families.digest.letter import Letter, ShownLink, ShownMessage, written
from mailreeve.families.digest.links import Act
from mailreeve.families.digest.unlinked import unlinked
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.model.policy_types import Layer

URL = "https://mail.example.test/digest/" + "A" * 115
LINKS = tuple(ShownLink(words.ACT_LABELS[act], words.act_words(act, "bob@shop.test"), URL) for act in Act)
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
ACTIVE = frozenset({"script", "img", "iframe", "form", "input", "object", "svg", "base", "link"})


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.urls: list[str | None] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.urls += [value for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(sender: str = "Bob <bob@shop.test>", subject: str = "Offers", why: str = "Lotto") -> ShownMessage:
    return ShownMessage(
        words.from_of("", sender, "bounce@shop.test"),
        words.subject_of(subject),
        words.when_of(NOW, UTC),
        words.why_of(Layer.BLOCKED_SENDERS.value, why),
        LINKS,
    )


def letter(*messages: ShownMessage, to: str = "ann@corp.test", left: int = 0) -> EmailMessage:
    made = Letter(parse_address("postmaster@corp.test"), parse_address(to), NOW, "digest.1", messages, left=left)
    octets = bytes(written(made))
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert max(map(len, octets.split(b"\r\n"))) <= 998  # RFC 5322 section 2.1.1
    return message_from_bytes(octets, policy=email.policy.default)


def parts(message: EmailMessage) -> tuple[str, str]:
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return plain.get_content(), html.get_content()


def test_both_parts_say_from_whom_about_what_when_why_and_have_the_links() -> None:
    message = letter(shown(), shown(), left=7)
    assert message["Subject"] == "2 messages are held for you"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"].addresses[0].addr_spec == "postmaster@corp.test"
    assert message["Message-ID"] == "<digest.1@corp.test>"
    plain, html = parts(message)
    for said in (
        unlinked("Bob <bob@shop.test>"),
        "Offers",
        "Fri 27 Nov 2026, 08:00 UTC",
        "blocked senders: Lotto",
        "7 more",
    ):
        assert said in plain
        assert said in _Tags(html).text
    assert plain.count(URL) == 6
    assert _Tags(html).urls == [URL] * 6
    assert "viewport" in html


def test_markup_of_strangers_is_text() -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)><a href="https://evil.test">x</a>'
    _, html = parts(letter(shown(hostile, hostile, hostile)))
    found = _Tags(html)
    assert ACTIVE.isdisjoint(found.tags)
    assert set(found.urls) == {URL}
    assert "<script>alert(1)</script>" in found.text


@settings(max_examples=40)
@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_whatever_they_wrote_is_one_line_that_shows_itself(sender: str, subject: str, why: str) -> None:
    one = shown(sender, subject, why)
    for text in (one.sender, one.subject, one.why):
        assert len(text) <= 200
        assert len(text.splitlines()) == 1
        assert not set(text) & {"\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x1b", "\u2028", "\x85"}
    plain, html = parts(letter(one))
    assert _Tags(html).urls == [URL] * 3
    assert plain.count(URL) == 3
    assert plain.count("   Subject: ") >= 1


def test_directions_are_not_turned() -> None:
    """With the override, `gpj.exe` would be read for `exe.jpg`."""
    assert words.subject_of("invoice\u202egpj.exe") == "invoicegpj.exe"
    assert words.subject_of("a\u2067b\u2069\u200fc") == "abc"
    assert "\u202e" not in words.act_words(Act.PERMIT, "moc\u202e@shop.test")


def test_long_texts_are_cut() -> None:
    assert words.subject_of("x" * 5000) == "x" * 119 + "…"
    assert words.subject_of(" \r\n") == "(no subject)"
    assert words.from_of("", "", "") == "(no sender)"
    assert words.from_of("", "", "bob@shop.test") == "bob@shop.test"
    assert words.from_of("Bob", "bob@shop.test", "x@shop.test") == "Bob <bob@shop.test>"
    assert words.from_of("Bob", "Bob <bob@shop.test>", "x@shop.test") == "Bob <bob@shop.test>"


@pytest.mark.parametrize("to", ['"a b"@corp.test', "a..b@corp.test", "grüße@corp.test", "o'brien+x@corp.test"])
def test_any_user_can_be_written_to(to: str) -> None:
    message = letter(shown(), to=to)
    (mailbox,) = message["To"].addresses
    read = mailbox.addr_spec.encode("utf-8", "surrogateescape").decode()
    assert parse_address(read).key == parse_address(to).key


def test_a_list_is_of_the_sender_whom_the_reader_sees() -> None:
    assert words.listed_as("News <news@shop.test>", "bounce-123@mailer.test") == "news@shop.test"
    assert words.listed_as("", "bob@shop.test") == "bob@shop.test"
    assert words.listed_as("a@shop.test, b@shop.test", "bob@shop.test") == "bob@shop.test"
    assert words.listed_as("no address", "") == ""
