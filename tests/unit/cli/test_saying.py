"""What is said to people fits their terminal, between words; a program reads one line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.app.terminal import said_of
from mailreeve.cli.main import main
from mailreeve.cli.output import broken, say

TEXT = "Error: the database cannot be used since the disk is full; make room on it, or put it on another one today"


def test_a_program_reads_one_line(capsys):
    say(TEXT)
    assert capsys.readouterr().err == f"{TEXT}\n"


def test_a_terminal_gets_lines_broken_between_words(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    say(TEXT)
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(line.strip() for line in lines) == TEXT


@given(st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30), min_size=1))
def test_no_word_is_broken_and_none_is_lost(words):
    lines = broken(" ".join(words), 20)
    assert " ".join(lines).split() == words
    assert all(len(line) <= 20 or len(line.split()) == 1 for line in lines)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (OSError(28, "No space left on device", "/x/y"), "/x/y: No space left on device"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
        (ValueError("two\nlines"), "two lines"),
    ],
)
def test_an_exception_is_a_line(problem, said):
    assert said_of(problem) == said


@pytest.mark.parametrize(
    "arguments", [("bogus",), ("--bogus",), ("lint", "--kind", "x"), ("explain", "mail", "--from", "a@b.test")]
)
def test_a_usage_error_is_one_line_that_says_where_the_help_is(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert result.stderr.endswith(" --help\n")
    assert result.stderr.count("\n") == 1
