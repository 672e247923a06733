"""Text of strangers on a terminal: shown, and not carried out."""

from __future__ import annotations

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mailreeve.app import logs
from mailreeve.app.terminal import escaped, escaped_line
from mailreeve.cli.tables import Column, print_table, wrapped

HOSTILE = [
    "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\u202egpj", "\u2066", "\x08\x08", "\x7f", "\u2028", "\U000e0041",
    "\u200b",
]  # fmt: skip
ORDINARY = ["Jörg Müller", "朱镕基", "مرحبا", "👩\u200d💻", "می\u200cخواهم", "❤\ufe0f", "two\n\tlines"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_acts_is_written_out(text):
    shown = escaped(f"a{text}b")
    assert text[0] not in shown
    assert json.loads(f'"{shown}"') == f"a{text}b"


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_shown_as_it_is(text):
    assert escaped(text) == text


def test_a_line_stays_one_line():
    """What somebody typed into a description must not pass for a line of ours."""
    assert escaped_line("a\r\n  reply  250\tok") == "a   reply  250 ok"


@given(st.text(max_size=40))
def test_json_stays_the_same_json(text):
    """Escapes in JSON are another spelling of the same text."""
    assert json.loads(escaped(json.dumps([text], indent=1, ensure_ascii=False))) == [text]


@pytest.mark.parametrize("text", HOSTILE)
def test_tables_and_wrapped_lines_are_escaped(text):
    written = io.StringIO()
    print_table(Console(file=written, width=200), [Column("a"), Column("b", 1)], [("x", f"y{text}z")], whole=True)
    assert text[0] not in written.getvalue()
    assert text[0] not in wrapped(f"some {text} words\nand more", 80, 2)


@pytest.mark.parametrize("text", HOSTILE)
def test_records_of_libraries_are_escaped(text):
    record = logging.LogRecord("other", logging.WARNING, "", 0, "said %s", (f"x{text}",), None)
    assert text[0] not in logs._Escaping("%(message)s").format(record)


@pytest.mark.parametrize("text", HOSTILE)
def test_events_are_escaped(text):
    assert text[0] not in logs._line(None, "info", {"event": "e", "sender": f"x{text}@y.test"})
    assert text[0] not in logs._escaped_values(None, "info", {"event": "e", "sender": f"x{text}"})["sender"]
