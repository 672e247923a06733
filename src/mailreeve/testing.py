"""A throw-away server for the tests of an integration: fixtures for pytest, and `sandbox` for any other framework.

    def test_my_playbook(mailreeve):
        mailreeve.fail("429", times=2)
        run_my_playbook(mailreeve.url, mailreeve.credentials)
        assert mailreeve.requests("/api/managedsender/permit-or-block-sender")

With the package installed, pytest finds the fixtures by itself. `mailreeve_server` is one server for all tests of
a run, `mailreeve` is that server with neither faults nor requests of the test before. What is made in it stays for
the tests that follow; `fresh_mailreeve` is a server for one test alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from mailreeve.client import Client

STOP_TIME: Final = 30.0  # seconds that a server may take to end
ANSWER_TIME: Final = 30.0  # seconds that one of its pages may take

_PROGRAM: Final = "import sys; from mailreeve.cli.main import main; sys.argv[0] = 'mailreeve'; main()"


class NotServing(RuntimeError):
    """The server ended before it was ready. The message is what it said."""


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox. `credentials` has what `mailreeve init --json` prints, always the same; `smtp` is where
    its mail door is, as `HOST:PORT`."""

    url: str
    smtp: str
    credentials: dict[str, str] = field(repr=False)
    domain: str
    people: dict[str, str]

    def client(self) -> Client:
        """A client that signs, and repeats no call: faults are asked for to be seen. To be closed, or used in a
        `with` statement."""
        from mailreeve.client import Client, Credentials

        names = ("app_id", "app_key", "access_key", "secret_key")
        keys = Credentials(**{name: self.credentials[name] for name in names})
        return Client(self.url, keys, retries=0)

    def fail(self, fault: str, *, path: str = "/api/", times: int = 1, seconds: float = 1.0) -> None:
        """Have the next requests whose path begins with `path` fail: `429`, `418`, `503`, `token_expired`, `slow`
        (after so many seconds) or `drop`."""
        self._ask("POST", "faults", {"fault": fault, "path": path, "times": times, "seconds": seconds})

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """The requests that came, oldest first, whose path begins with `path`."""
        found: list[dict[str, Any]] = self._ask("GET", "requests")
        return [one for one in found if one["path"].startswith(path)]

    def set_clock(self, at: datetime | None = None, *, advance: float = 0.0) -> None:
        """Set the time of what is kept, or move it on by so many seconds. Signatures go by the real time."""
        given = {} if at is None else {"at": at.astimezone().isoformat()}
        self._ask("POST", "clock", {**given, "advance": advance})

    def reset(self) -> None:
        """Forget requests and faults, and set the clock right."""
        for page in ("requests", "faults", "clock"):
            self._ask("DELETE", page)

    def _ask(self, method: str, page: str, body: object = None) -> Any:
        return _asked(self.url, method, page, body)


@contextmanager
def sandbox(*options: str) -> Iterator[Sandbox]:
    """A sandbox on free ports of this machine, until the block ends. `options` are those of `mailreeve serve`.
    Raises `NotServing`."""
    command = [sys.executable, "-c", _PROGRAM, "serve", "--sandbox"]
    ports = ("--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
    with _started([*command, *ports, *options]) as listeners:
        told = _asked(listeners["http"], "GET", "")
        yield Sandbox(listeners["http"], listeners["smtp"], told["credentials"], told["domain"], told["people"])


@contextmanager
def _started(command: Sequence[str]) -> Iterator[dict[str, str]]:
    """A server, once it is ready, by what it printed: where each of its doors is."""
    server = subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    try:
        listeners: dict[str, str] = {}
        for line in server.stdout or ():
            name, _, where = line.strip().partition(" ")
            if name == "ready":
                break
            listeners[name] = where
        else:
            raise NotServing(server.communicate(timeout=STOP_TIME)[1].strip() or "it said nothing")
        yield listeners
    finally:
        server.terminate()
        try:
            server.communicate(timeout=STOP_TIME)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()


def _asked(url: str, method: str, page: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/sandbox/{page}".rstrip("/"), data, method=method)  # noqa: S310 - ours
    # Not through a proxy that the environment names: the server is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=ANSWER_TIME) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@pytest.fixture(scope="session")
def mailreeve_server() -> Iterator[Sandbox]:
    """A sandbox for all tests of a run."""
    with sandbox() as found:
        yield found


@pytest.fixture
def mailreeve(mailreeve_server: Sandbox) -> Iterator[Sandbox]:
    """The sandbox of the run, with neither faults nor requests of another test, and with the real time."""
    mailreeve_server.reset()
    yield mailreeve_server
    mailreeve_server.reset()


@pytest.fixture
def fresh_mailreeve() -> Iterator[Sandbox]:
    """A sandbox for one test."""
    with sandbox() as found:
        yield found
