"""A log that cannot be written costs lines, and nothing else."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress

import pytest
import structlog

from mailreeve.app import logs
from mailreeve.app.logs import LogWriter


@pytest.fixture
def pipe():
    """A pipe: its end for reading and its end for writing."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def test_lines_are_written_at_once_and_whole(pipe):
    """Long ones too, and what no encoding has."""
    reading, writing = pipe
    log = LogWriter(writing)
    log.write("one\n")
    assert os.read(reading, 100) == b"one\n"
    log.write("caf\u00e9 \udcff " + "x" * 10_000 + "\n")
    assert os.read(reading, 20_000) == b"caf\xc3\xa9 \\udcff " + b"x" * 10_000 + b"\n"
    assert log.dropped == 0


def test_pipe_whose_reader_is_gone_costs_lines_that_are_counted(pipe):
    reading, writing = pipe
    os.close(reading)
    log = LogWriter(writing)
    for number in range(3):
        assert log.write(f"line {number}\n") == 7
    assert log.dropped == 3


def test_full_disk_costs_lines_that_are_counted():
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        log = LogWriter(descriptor)
        log.write("line\n")
        assert log.dropped == 1
    finally:
        os.close(descriptor)


def test_closed_descriptor_costs_lines_that_are_counted(pipe):
    _, writing = pipe
    os.close(writing)
    log = LogWriter(writing)
    log.write("line\n")
    assert log.dropped == 1


def test_reader_that_sleeps_is_not_waited_for_and_hears_later_what_is_missing(pipe):
    """A full pipe would block whoever logs, and so every client."""
    reading, writing = pipe
    log = LogWriter(writing)
    for _ in range(1_000):
        log.write("x" * 999 + "\n")
    dropped = log.dropped
    assert 0 < dropped < 1_000
    heard = b""
    while len(heard) < 1_000 * (1_000 - dropped):
        heard += os.read(reading, 1 << 20)
    log.write("awake\n")
    rest = os.read(reading, 1 << 20)
    assert rest.endswith(b'level=warning event="log lines were dropped" number=%d\nawake\n' % dropped)
    log.write("again\n")
    assert os.read(reading, 100) == b"again\n"
    assert log.dropped == dropped


def test_descriptor_that_somebody_made_non_blocking_is_no_fault(pipe):
    _, writing = pipe
    os.set_blocking(writing, False)
    log = LogWriter(writing)
    for _ in range(200):
        log.write("x" * 999 + "\n")
    assert log.dropped > 0


class Unspeakable:
    """A value that no log can show."""

    def __repr__(self) -> str:
        raise RuntimeError("not even that")


@pytest.mark.parametrize("event", [{"value": Unspeakable()}, {"a key": 1}], ids=["value", "key"])
def test_event_that_makes_no_line_is_logged_as_that(event):
    """It comes from a stranger's input, or from a mistake of ours."""
    assert re.fullmatch(
        r'level=info event="an event could not be logged" problem=\w+',
        logs._line(None, "info", {"event": "e", **event}),
    )


def test_no_line_holds_what_is_named_a_secret():
    """However it is spelled and however deep it lies."""
    event = {"event": "e", "secretKey": "s3cr3t", "item": [{"New-Password": "s3cr3t"}], "user": "ann", "n": {1: 2}}
    line = logs._line(None, "info", event)
    assert "s3cr3t" not in line
    assert "user=ann" in line
    assert "could not be logged" not in line


def test_standard_descriptors_are_filled_so_that_no_file_takes_their_place():
    """In a process of its own, which closes its standard error as a caller would have."""
    child = os.fork()
    if child == 0:
        os.close(2)
        logs.fill_standard_descriptors()
        with open("/dev/null") as file:
            os._exit(0 if file.fileno() > 2 and os.fstat(2) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_configured_log_never_fails(monkeypatch, pipe):
    """What a server says into a pipe that nobody reads is dropped, whoever says it."""
    reading, writing = pipe
    os.close(reading)
    monkeypatch.setattr(logs, "_STANDARD_ERROR", writing)
    monkeypatch.setattr("sys.stderr", None)
    before = structlog.get_config()
    try:
        writer = logs.configure("info")
        structlog.get_logger().info("said", by="us")
        print("said", file=sys.stderr)
        assert writer.dropped >= 2
    finally:
        structlog.configure(**before)
