"""From bytes to command lines and contents, however the bytes are cut."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.mail.smtp.commands import read_path
from mailreeve.mail.smtp.receiver import (
    MAX_COMMAND_OCTETS,
    CommandLine,
    ContentPart,
    OverlongLine,
    Receiver,
)
from mailreeve.mail.trace import trace_name


class Content(NamedTuple):
    """All parts of one content."""

    data: bytes


def events(pieces: list[bytes]) -> list[object]:
    """What is received, with a content after each DATA."""
    receiver = Receiver()
    found: list[object] = []
    parts: list[bytes] = []
    for piece in pieces:
        receiver.feed(piece)
        while (event := receiver.next_event()) is not None:
            if not isinstance(event, ContentPart):
                found.append(event)
            else:
                parts.append(event.data)
                if event.last:
                    found.append(Content(b"".join(parts)))
                    parts.clear()
            if isinstance(event, CommandLine) and event.verb == "DATA":
                receiver.expect_content()
    return found


def three_ways(data: bytes) -> list[object]:
    """All at once, octet by octet, and in pieces of seven: the same events each time."""
    at_once = events([data])
    assert events([data[i : i + 1] for i in range(len(data))]) == at_once
    assert events([data[i : i + 7] for i in range(0, len(data), 7)]) == at_once
    return at_once


def test_pipelined_conversation_is_cut_into_its_parts():
    """Commands, a content and the commands behind it, in one run of bytes."""
    assert three_ways(b"mail FROM:<a@b.test>\r\nDATA\r\nA: 1\r\n\r\n..x\r\n.\r\nQuit\r\n") == [
        CommandLine("MAIL", "FROM:<a@b.test>"),
        CommandLine("DATA", ""),
        Content(b"A: 1\r\n\r\n.x\r\n"),
        CommandLine("QUIT", ""),
    ]


@pytest.mark.parametrize(
    ("sent", "data"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".x\r\n...\r\n.\r\n", b"x\r\n..\r\n"),
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
        (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
        (b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n"),
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n"),
        (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n"),
    ],
    ids=["empty", "one line end", "dot", "dots", "LF.LF", "LF.CRLF", "CR.CR", "CRLF.LF", "CRLF.CR"],
)
def test_only_cr_lf_dot_cr_lf_ends_a_content(sent, data):
    """Every other dot is text, which is what keeps a second message from being smuggled in."""
    assert three_ways(b"DATA\r\n" + sent + b"NOOP\r\n")[1:] == [
        Content(data),
        CommandLine("NOOP", ""),
    ]


@given(st.lists(st.sampled_from([b".", b"\r\n", b"\n", b"\r", b"x", b"\r\n."]), max_size=40).map(b"".join))
def test_stuffed_contents_come_out_as_they_were(text):
    """Stuffing as RFC 5321 section 4.5.2 has it is undone exactly, for every content that ends in CRLF."""
    content = text + b"\r\n"
    stuffed = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
    assert three_ways(b"DATA\r\n" + stuffed + b".\r\n")[1].data == content


def test_memory_stays_bounded_whatever_is_sent():
    """A line without an end, as a command or as content, is not kept."""
    for start in (b"", b"DATA\r\n"):
        receiver = Receiver()
        receiver.feed(start)
        if receiver.next_event() is not None:
            receiver.expect_content()
        for _ in range(50):
            receiver.feed(b"x" * 10_000 + b"\r\n.\r")
            while receiver.next_event() is not None:
                pass
            assert len(receiver._buffer) <= MAX_COMMAND_OCTETS


def test_overlong_command_is_dropped_up_to_its_end():
    """One event for the long line; what stands behind it is a command of its own."""
    line = b"NOOP " + b"x" * MAX_COMMAND_OCTETS
    assert three_ways(line + b"\r\nRSET\r\n") == [OverlongLine(), CommandLine("RSET", "")]


def test_commands_may_end_with_a_line_feed_alone():
    """Simple clients do that, and no message can hide in a command."""
    assert three_ways(b"noop\nRSET \r\n\r\n") == [
        CommandLine("NOOP", ""),
        CommandLine("RSET", ""),
        CommandLine("", ""),
    ]


def test_octets_that_are_not_utf8_survive_as_surrogates():
    """They make a malformed address later, not a failure here."""
    assert three_ways(b"MAIL FROM:<\xff@x>\r\n") == [CommandLine("MAIL", "FROM:<\udcff@x>")]


def test_discard_forgets_what_was_sent_ahead_of_tls():
    """Commands injected behind STARTTLS in the clear do not count as said inside TLS."""
    receiver = Receiver()
    receiver.feed(b"STARTTLS\r\nMAIL FROM:<evil@x.test>\r\n")
    assert receiver.next_event() == CommandLine("STARTTLS", "")
    assert receiver.discard()
    assert receiver.next_event() is None
    assert not receiver.discard()


@pytest.mark.parametrize(
    ("argument", "path", "parameters"),
    [
        ("FROM:<a@b.test>", "<a@b.test>", {}),
        ("from: <a@b.test>", "<a@b.test>", {}),
        ("FROM:<>", "<>", {}),
        ("FROM:a@b.test SIZE=10", "a@b.test", {"SIZE": "10"}),
        ("FROM:<a@b.test> size=10 SMTPUTF8", "<a@b.test>", {"SIZE": "10", "SMTPUTF8": None}),
        ('FROM:<"a>b c"@d.test> BODY=8BITMIME', '<"a>b c"@d.test>', {"BODY": "8BITMIME"}),
    ],
)
def test_paths_and_parameters_are_read(argument, path, parameters):
    """Brackets in quotes, missing brackets and a space after the colon are understood."""
    read = read_path("FROM:", argument)
    assert (read.path, read.parameters) == (path, parameters)


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "FROM",
        "TO:<a@b>",
        "FROM:",
        "FROM:<a@b",
        "FROM:<a@b>SIZE=1",
        "FROM:<a@b> =1",
        "FROM:<a@b> S=1 S=2",
        'FROM:<"a@b>',
    ],
)
def test_other_arguments_are_no_path(argument):
    """No path, an open bracket or quote, or parameters that are none."""
    assert read_path("FROM:", argument) is None


@given(st.text(max_size=300))
def test_trace_names_cannot_break_a_received_field(text):
    """Whatever a client calls itself: one ASCII word without parentheses, semicolons or line ends."""
    name = trace_name(text)
    assert name
    assert all(c.isascii() and (c.isalnum() or c in ".:_[]-") for c in name)
