"""A server whose log or output cannot be written serves all the same: mail is delivered once and answered."""

from __future__ import annotations

import http.client
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.cold

MAILREEVE = Path(sys.executable).with_name("mailreeve")
PATIENCE = 60  # seconds
MESSAGE = "From: Ann <x@out.test>\r\nSubject: hello\r\n\r\nHi.\r\n"
MESSAGES = 3


def free_port() -> int:
    """A port that nobody listens on now."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


class Muted:
    """A `mailreeve serve` that is started by a shell line, on ports that are known before it says so."""

    def __init__(self, data: Path, redirection: str, *more: str, **streams: object) -> None:
        self.data = data
        self.http, self.smtp = free_port(), free_port()
        command = [MAILREEVE, "serve", "--data", data, "--http", f"127.0.0.1:{self.http}"]
        command += ["--smtp", f"127.0.0.1:{self.smtp}", *more]
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" {redirection}', "sh", *map(str, command)], **streams
        )

    def wait(self) -> None:
        """Until its door greets, or the process has ended."""
        late = threading.Event()
        timer = threading.Timer(PATIENCE, late.set)
        timer.start()
        try:
            while self.process.poll() is None and not late.is_set():
                try:
                    with socket.create_connection(("127.0.0.1", self.smtp), timeout=PATIENCE):
                        return
                except ConnectionRefusedError:
                    late.wait(0.05)
        finally:
            timer.cancel()
        pytest.fail(f"it does not serve; exit code {self.process.poll()}")

    def send(self, messages: int = MESSAGES) -> None:
        """Each message is to be answered with 250."""
        for _ in range(messages):
            with smtplib.SMTP("127.0.0.1", self.smtp, timeout=PATIENCE) as smtp:
                assert smtp.sendmail("x@out.test", ["u@corp.test"], MESSAGE) == {}
                assert smtp.docmd("NONSENSE")[0] == 500

    def delivered(self) -> int:
        return len(list((self.data / "maildir" / "new").iterdir()))

    def readiness(self) -> tuple[int, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE)) as connection:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def muted(new_folder, tmp_path: Path) -> Iterator[Callable[..., Muted]]:
    """`muted(redirection, **streams)`: a server on a folder of its own, which greets."""
    started: list[Muted] = []

    def start(redirection: str, *more: str, **streams: object) -> Muted:
        started.append(Muted(new_folder(tmp_path)[0], redirection, *more, **streams))
        started[-1].wait()
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


@pytest.mark.parametrize(
    "redirection",
    ["2>/dev/full", "2>&-", ">/dev/full", ">&-", ">/dev/full 2>/dev/full", "<&- >&- 2>&-"],
    ids=["log on a full disk", "no log", "output on a full disk", "no output", "both full", "nothing open"],
)
def test_mail_is_delivered_once_and_answered_though_nothing_can_be_written(muted, redirection):
    """Nothing that can fail stands between the delivery and its 250, and SIGTERM ends it with 0."""
    serving = muted(redirection)
    serving.send()
    assert serving.delivered() == MESSAGES
    assert serving.readiness()[0] == 200
    assert serving.end() == 0
    assert serving.delivered() == MESSAGES


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_mail_is_delivered_once_and_answered_though_the_reader_is_gone(muted, stream):
    """A pipe that was closed at its other end, before the first line or after."""
    reading, writing = os.pipe()
    os.close(reading)
    serving = muted("", **{stream: writing})
    os.close(writing)
    serving.send()
    assert serving.delivered() == MESSAGES
    assert serving.end() == 0


def test_reader_of_the_log_who_sleeps_holds_nobody_up(muted):
    """A pipe that is full: lines are dropped, and how many can be asked for."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    serving = muted("", stderr=writing)
    os.close(writing)
    serving.send()
    assert serving.delivered() == MESSAGES
    status, text = serving.readiness()
    assert status == 200
    assert "log lines dropped: " in text
    assert serving.end() == 0
    os.close(reading)
