"""What can one message do to everybody else? Messages of the size limit and of every kind of content.

While each is sent, another process asks for /healthz again and again. Shown are how long the slowest of these
took, against the slowest before, while nothing was sent; how much the server's memory grew at its highest; and
what the message was answered. Targets: nobody waits for more than 100 ms, and no message takes more than three
times its size. Each content goes to a server of its own, once before a Maildir and once before a mail server.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

from rig.report import show
from rig.servers import Server, mailreeve, rig_server

Address = tuple[str, int]

LIMIT = 50 * 1024 * 1024  # octets, the default of `max_message`
STALL = 0.100  # seconds
TIMES = 3.0  # of its size that a message may take
SMALL = 1 << 20  # octets up to which the memory is not judged: what serving takes anyway is more

HEAD = b"From: Ann <ann@out.test>\r\nSubject: hello\r\nMessage-ID: <1@out.test>\r\n"


AUTHORS = (
    ("at signs", b"<@\r\n "),
    ("commas", b",\r\n "),
    ("folds", b"a\r\n "),
    ("vertical tabs", b"\x0b\r\n "),
    ("authors", b"a@b.c,\r\n "),
)


def contents(size: int) -> dict[str, bytes]:
    """Contents of about that size, by what they are of. They end in CR LF."""

    def filled(line: bytes, head: bytes = HEAD + b"\r\n") -> bytes:
        return head + line * ((size - len(head) - 2) // len(line)) + b"\r\n"

    return {
        "lines of text": filled(b"x" * 76 + b"\r\n"),
        "CR": filled(b"\r"),
        "CR and no header": filled(b"\r", b""),
        "LF": filled(b"\n"),
        "LF, half": filled(b"\n")[: size // 2] + b"\r\n",
        "CR CR LF": filled(b"\r\r\n"),
        "x CR": filled(b"x\r"),
        "x CR, half": filled(b"x\r")[: size // 2] + b"\r\n",
        "ab LF": filled(b"ab\n"),
        "ab LF, 20 MB": filled(b"ab\n")[:20_000_000] + b"\r\n",
        "empty lines": filled(b"\r\n"),
        "dots": filled(b"..\r\n"),
        "dots before text": filled(b".x\r\n"),
        "null octets": filled(b"\0" * 76 + b"\r\n"),
        "one line": filled(b"x"),
        "lines of 64,000": filled(b"x" * 64_000 + b"\r\n"),
        "header only": filled(b"X-A: 1\r\n", HEAD),
        "header of one field": filled(b" x\r\n", HEAD + b"To: a@b.test,\r\n"),
        "header of one line": filled(b"x", HEAD + b"To: "),
        **{
            f"From of {name}": HEAD + b"From: " + text * (250_000 // len(text)) + b"\r\n\r\n"
            for name, text in AUTHORS
        },
        "header of LF": filled(b"A:\n", HEAD),
    }


def probe(address: Address, pipe: Connection) -> None:
    """Ask for /healthz until told to end; answer each message with the longest wait since the one before."""
    longest = 0.0
    with socket.create_connection(address, timeout=120) as connection:
        while True:
            began = time.perf_counter()
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            came = b""
            while b"\r\n\r\nok" not in came:
                came += connection.recv(4096)
            longest = max(longest, time.perf_counter() - began)
            time.sleep(0.002)
            if pipe.poll():
                if not pipe.recv():
                    return
                pipe.send(longest)
                longest = 0.0


class Probe:
    """Asks all the time."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def longest(self) -> float:
        """The longest wait since the last time, in seconds."""
        self._pipe.send(True)
        waited: float = self._pipe.recv()
        return waited


@contextmanager
def probing(server: Server) -> Iterator[Probe]:
    """A probe in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=probe, args=(server.address("http"), theirs), daemon=True)
    process.start()
    try:
        yield Probe(ours)
        ours.send(False)
        process.join(10)
    finally:
        process.kill()


def send(address: Address, content: bytes) -> str:
    """Send one message, as it is to be on the wire, and return what it was answered."""
    with socket.create_connection(address, timeout=60) as connection:
        replies = connection.makefile("rb")
        replies.readline()
        said = [b"HELO client.test", b"MAIL FROM:<ann@out.test>", b"RCPT TO:<u@corp.test>", b"DATA"]
        for line in said:
            connection.sendall(line + b"\r\n")
            replies.readline()
        with suppress(ConnectionError):  # what was refused before its end may be told so before its end
            connection.sendall(content)
            connection.sendall(b".\r\n")
        return replies.readline().decode().strip()


def measured(next_hop: str, name: str, content: bytes, baseline: float) -> tuple[str, ...]:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        where = next_hop or f"maildir:{folder}/mail"
        with mailreeve(Path(folder) / "data", where) as (server, _), probing(server) as asking:
            # A small message first, so that what every message needs is there.
            send(server.address("smtp"), HEAD + b"\r\nHi.\r\n")
            asking.longest()
            time.sleep(baseline)
            quiet = asking.longest()
            before, _ = server.memory()
            used, began = server.cpu(), time.perf_counter()
            reply = send(server.address("smtp"), content)
            took = time.perf_counter() - began
            stalled = asking.longest()
            _, most = server.memory()
            used = server.cpu() - used
    times = max(0, most - before) / len(content)
    missed = [
        what
        for what, bad in (("STALL", stalled > STALL), ("MEMORY", times > TIMES and len(content) > SMALL))
        if bad
    ]
    return (
        name,
        "relay" if next_hop else "Maildir",
        f"{quiet * 1000:.1f}",
        f"{stalled * 1000:.1f}",
        f"{times:.2f}",
        f"{took:.1f}",
        f"{used:.1f}",
        reply[:3],
        " ".join(missed) or "yes",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=LIMIT - 1000, help="octets")
    parser.add_argument("--quiet", type=float, default=1.0, help="seconds of the baseline")
    parser.add_argument("--only", default="", help="contents whose name has this in it")
    options = parser.parse_args()
    rows = []
    with rig_server("draining_smtp") as sink:
        for next_hop in ("", "{}:{}".format(*sink.address("smtp"))):
            for name, content in contents(options.size).items():
                if options.only in name:
                    rows.append(measured(next_hop, name, content, options.quiet))
                    print("  ".join(rows[-1]), flush=True)
    show(
        f"one message of up to {options.size:,} octets",
        "waits are the longest for /healthz; memory is the most, over before, by the size sent",
        ("content", "next hop", "quiet ms", "wait ms", "memory x", "took s", "cpu s", "reply", "reached"),
        rows,
    )


if __name__ == "__main__":
    main()
