"""Squid's helper: what its lines mean, and what it answers when the server is there, gone, slow, or odd."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from mailreeve.web import frames
from mailreeve.web.frames import Answers, Ask, Batch, Told, Welcome
from mailreeve.web.helper.squid import SquidHelper, answer_line, read_line

PATIENCE = 10
WELCOME = Welcome(True, "")


class FakeServer:
    """Answers batches as it is told to."""

    def __init__(self, path: Path, answer: Callable[[Batch], Answers | bytes | None], welcome: Welcome) -> None:
        self._path = path
        self._answer = answer
        self._welcome = welcome
        self.asked: list[Batch] = []
        self.was_asked = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            frames.read_hello(self._frame(connection))
            connection.sendall(frames.written(self._welcome))
            while True:
                batch = frames.read_batch(self._frame(connection))
                self.asked.append(batch)
                self.was_asked.set()
                said = self._answer(batch)
                if said is not None:
                    connection.sendall(said if isinstance(said, bytes) else frames.written(said))
        except (OSError, EOFError):
            return
        finally:
            connection.close()

    @staticmethod
    def _frame(connection: socket.socket) -> bytes:
        def exactly(number: int) -> bytes:
            data = b""
            while len(data) < number:
                more = connection.recv(number - len(data))
                if not more:
                    raise EOFError
                data += more
            return data

        return exactly(frames.length_of(exactly(frames.HEAD)))

    def close(self) -> None:
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        self._path.unlink()


def blocking(batch: Batch) -> Answers:
    """Blocks what has `bad` in it."""
    told = [
        Told("block", 'Blocked by "Bad lists"', "ID-7") if "bad" in ask.url else Told("none", "", "")
        for ask in batch.asks
    ]
    return Answers(batch.number, told)


class Running:
    """A helper in a thread, as Squid would have it in a process."""

    def __init__(self, path: Path, **options: object) -> None:
        source, self._write = os.pipe()
        self._read, target = os.pipe()
        self.said: list[str] = []
        self._ends = (source, target)
        self.helper = SquidHelper(str(path), source=source, target=target, say=self.said.append, **options)
        self._thread = threading.Thread(target=self.helper.run, daemon=True)
        self._thread.start()
        self._left = b""

    def ask(self, *lines: str) -> None:
        os.write(self._write, "".join(f"{line}\n" for line in lines).encode())

    def answers(self, number: int) -> list[str]:
        """The next answers, in the order in which they come."""
        end = time.monotonic() + PATIENCE
        while self._left.count(b"\n") < number:
            ready, _, _ = select.select([self._read], [], [], max(0, end - time.monotonic()))
            assert ready, f"{self._left!r} is all that came"
            self._left += os.read(self._read, 65_536)
        *lines, self._left = self._left.split(b"\n", number)
        return [line.decode() for line in lines]

    def close(self) -> None:
        os.close(self._write)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        for end in (self._read, *self._ends):
            os.close(end)


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s") / "web.sock"


@pytest.fixture
def run(path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def start(**options: object) -> Running:
        made.append(Running(path, **options))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def serve(path: Path) -> Iterator[Callable[..., FakeServer]]:
    made: list[FakeServer] = []

    def start(
        answer: Callable[[Batch], Answers | bytes | None] = blocking, welcome: Welcome = WELCOME
    ) -> FakeServer:
        made.append(FakeServer(path, answer, welcome))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("line", "channel", "asks"),
    [
        (b"7 http://a.test/x GET - 10.0.0.1 -", b"7", (Ask("http://a.test/x", "GET", "", "10.0.0.1", False),)),
        (
            b"8 http://a.test/x%2520y%255B GET CORP%5Cann 10.0.0.1",
            b"8",
            (Ask("http://a.test/x%20y%5B", "GET", "CORP\\ann", "10.0.0.1", False),),
        ),
        (b"9 %5B::1%5D:443 CONNECT - ::1 -", b"9", (Ask("[::1]:443", "CONNECT", "", "::1", True),)),
        (
            b"9 10.0.0.9:443 CONNECT - - a.test",
            b"9",
            (Ask("10.0.0.9:443", "CONNECT", "", "", True), Ask("a.test", "CONNECT", "", "", True)),
        ),
        (b"9 a.test:443 CONNECT - - a.test", b"9", (Ask("a.test:443", "CONNECT", "", "", True),)),
        (b"1 http://a.test/%E9 GET j%C3%BCrg -", b"1", (Ask("http://a.test/%E9", "GET", "jürg", "", False),)),
        (b"http://a.test/ GET - -", b"", (Ask("http://a.test/", "GET", "", "", False),)),
        (b"12", b"12", ()),
        (b"12 http://a.test/", b"12", ()),
    ],
)  # fmt: skip
def test_a_line_of_squid_is_read(line: bytes, channel: bytes, asks: tuple[Ask, ...]) -> None:
    """The URL is unescaped once; a tunnel is a host alone, and so is the name that a client says in TLS."""
    assert read_line(line) == (channel, asks)


def test_a_sentence_cannot_break_out_of_its_line() -> None:
    line = answer_line(b"3", Told("block", 'a "b"\n4 OK log=x', "id"))
    assert line.count(b"\n") == 1
    assert line.split() == [b"3", b"ERR", b"tag=block", b"message=a%20%22b%22%0A4%20OK%20log%3Dx", b"log=id"]


def test_many_are_asked_together_and_each_gets_its_own_answer(run, serve) -> None:
    server = serve()
    helper = run()
    helper.ask(*(f"{n} http://{'bad' if n % 3 == 0 else 'good'}{n}.test/ GET - -" for n in range(400)))
    answers = helper.answers(400)
    assert {line.split()[0]: line.split()[1] for line in answers} == {
        str(n): "ERR" if n % 3 == 0 else "OK" for n in range(400)
    }
    assert "message=Blocked%20by%20%22Bad%20lists%22 log=ID-7" in next(line for line in answers if "ERR" in line)
    assert len(server.asked) < 100
    assert helper.said == []


def test_of_a_tunnel_the_stricter_of_two_names_counts(run, serve) -> None:
    serve()
    helper = run()
    helper.ask("1 good.test:443 CONNECT - - bad.test", "2 bad.test:443 CONNECT - - good.test")
    assert [line.split()[1] for line in helper.answers(2)] == ["ERR", "ERR"]


def test_what_cannot_be_read_is_blocked(run, serve) -> None:
    serve()
    helper = run()
    helper.ask("5 onlyone")
    assert helper.answers(1)[0].startswith("5 ERR tag=block message=This%20address%20is%20too%20long")


@pytest.mark.parametrize(("closed", "answer"), [(False, "OK"), (True, "ERR")])
def test_without_a_server_it_answers_as_it_was_told_to(run, closed: bool, answer: str) -> None:
    """The first within two seconds, later ones at once; it is said once."""
    helper = run(fail_closed=closed)
    start = time.monotonic()
    helper.ask("1 http://bad.test/ GET - -")
    assert helper.answers(1)[0].split()[:2] == ["1", answer]
    assert time.monotonic() - start < 2
    start = time.monotonic()
    helper.ask("2 http://bad.test/ GET - -", "3 http://bad.test/ GET - -")
    assert [line.split()[1] for line in helper.answers(2)] == [answer] * 2
    assert time.monotonic() - start < 1
    assert len(helper.said) == 1
    assert "is gone" in helper.said[0]
    assert helper.said[0].endswith("nothing passes" if closed else "everything passes unasked")


def test_what_was_under_way_when_the_server_went_is_asked_again(run, serve, path: Path) -> None:
    """It comes back soon: nobody notices, and nothing is said."""
    silent = serve(lambda batch: None)
    helper = run()
    helper.ask("1 http://bad.test/ GET - -")
    assert silent.was_asked.wait(PATIENCE)
    silent.close()
    serve()
    assert helper.answers(1)[0].startswith("1 ERR tag=block")
    assert helper.said == []


def test_a_server_that_comes_back_later_is_asked_again(run, serve, path: Path) -> None:
    helper = run()
    helper.ask("1 http://bad.test/ GET - -")
    assert helper.answers(1) == ["1 OK"]
    serve()
    end = time.monotonic() + PATIENCE
    for number in count(2):
        assert time.monotonic() < end
        helper.ask(f"{number} http://bad.test/ GET - -")
        if "ERR" in helper.answers(1)[0]:
            break
    assert [words.partition(" is ")[2].partition(":")[0] for words in helper.said] == ["gone", "back"]


def test_a_server_that_says_nothing_is_not_waited_for_twice(run, serve) -> None:
    serve(lambda batch: None)
    helper = run()
    start = time.monotonic()
    helper.ask("1 http://bad.test/ GET - -")
    assert helper.answers(1) == ["1 OK"]
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda batch: b"\xff\xff\xff\xffxxxx",
        lambda batch: b"\x00\x00\x00\x03abc",
        lambda batch: Answers(batch.number, []),
        lambda batch: Answers(batch.number + 7, [Told("none", "", "")]),
    ],
    ids=["too long", "no answer", "too few", "another batch"],
)
def test_a_server_that_talks_nonsense_is_as_good_as_none(run, serve, nonsense) -> None:
    serve(nonsense)
    helper = run(fail_closed=True)
    start = time.monotonic()
    helper.ask("1 http://good.test/ GET - -")
    assert helper.answers(1)[0].startswith("1 ERR tag=block")
    assert time.monotonic() - start < 2


def test_a_server_that_refuses_the_helper_is_told_of(run, serve) -> None:
    serve(welcome=Welcome(False, "there is no account X"))
    helper = run()
    helper.ask("1 http://good.test/ GET - -")
    assert helper.answers(1) == ["1 OK"]
    assert "there is no account X" in helper.said[0]


def test_what_was_asked_is_answered_before_it_ends(run, serve) -> None:
    serve()
    helper = run()
    helper.ask("1 http://bad.test/ GET - -")
    os.close(helper._write)
    assert helper.answers(1)[0].startswith("1 ERR")
    helper._write = os.open(os.devnull, os.O_WRONLY)


def test_a_line_without_end_is_answered_once_and_skipped(run, serve) -> None:
    """Squid sends none; what follows it is asked about as ever."""
    serve()
    helper = run()
    filler = "x" * 60_000
    os.write(helper._write, b"7 http://a.test/")
    for _ in range(10):
        os.write(helper._write, filler.encode())
    assert helper.answers(1)[0].startswith("7 ERR tag=block")
    helper.ask(f"{filler} GET - -", "8 http://good.test/ GET - -")
    assert helper.answers(1) == ["8 OK"]
