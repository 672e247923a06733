"""How many messages per second does the mail door take, and what does it cost over a bare SMTP server?

Subjects: a bare aiosmtpd that throws messages away; Mailreeve in front of that same sink; Mailreeve with a
Maildir. The sessions send message after message, each to one recipient. A message counts when it is answered with
250, that is when the next hop has it (or the Maildir is synced) and its outcome is recorded and synced.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rig.load import Address, Load, converse
from rig.report import median, ratios, show, spread
from rig.servers import mailreeve, rig_server

BARE = "bare aiosmtpd, discarding"
LINES = 80  # of 62 octets: a message of some 5 kB


def message(name: str) -> bytes:
    """A message of a plain kind."""
    head = (
        "From: Shop <news@shop.test>\r\nTo: Ann <ann@corp.test>\r\n"
        f"Subject: {name}\r\nMessage-ID: <{name}@shop.test>\r\nDate: Sun, 06 Nov 1994 08:49:37 +0000\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return head.encode() + LINES * (b"a line of text as it stands in most messages, more or less" + b"\r\n")


def session(name: str, messages: int) -> Iterator[bytes]:
    """What a client says: a command at a time, as most do to a server close by."""
    yield b""  # the greeting comes unasked
    yield b"EHLO client.test\r\n"
    for n in range(messages):
        yield b"MAIL FROM:<news@shop.test>\r\n"
        yield b"RCPT TO:<ann@corp.test>\r\n"
        yield b"DATA\r\n"
        yield message(f"{name}-{n}") + b".\r\n"


def whole_reply(came: bytearray) -> int:
    """How many octets the first whole SMTP reply has, all its lines; 0 if it is not there yet."""
    start = 0
    while (end := came.find(b"\r\n", start)) >= 0:
        if came[start + 3 : start + 4] != b"-":
            return end + 2
        start = end + 2
    return 0


def smtp_job(number: int, address: Address, round_: int, sessions: int, messages: int) -> Callable[[], int]:
    """Prepare one process's sessions; the result holds them and gives the number of messages."""

    def run() -> int:
        talks = [session(f"r{round_}p{number}s{n}", messages) for n in range(sessions)]
        converse(address, talks, whole_reply, lambda reply: reply[:1] in b"23")
        return sessions * messages

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=60, help="messages of each session per round")
    parser.add_argument("--processes", type=int, default=2, help="load generators")
    parser.add_argument("--sessions", type=int, default=5, help="sessions of each process at once")
    options = parser.parse_args()
    load = Load(options.processes)
    with (
        tempfile.TemporaryDirectory() as folder,
        rig_server("bare_smtp") as sink,
        mailreeve(Path(folder) / "relay", "{}:{}".format(*sink.address("smtp"))) as (relay, _),
        mailreeve(Path(folder) / "maildir", f"maildir:{folder}/mail") as (maildir, _),
    ):
        subjects = {
            BARE: sink,
            "Mailreeve, then that sink": relay,
            "Mailreeve, Maildir": maildir,
        }
        rates: dict[str, list[float]] = {name: [] for name in subjects}
        costs: dict[str, list[float]] = {name: [] for name in subjects}
        for round_ in range(-1, options.rounds):
            for name, subject in subjects.items():
                before = subject.cpu()
                rate = load.rate(smtp_job, subject.address("smtp"), round_, options.sessions, options.messages)
                number = options.processes * options.sessions * options.messages
                if round_ >= 0:  # The first round warms caches.
                    rates[name].append(rate)
                    costs[name].append((subject.cpu() - before) / number * 1e6)
    relative = ratios(rates, BARE)
    show(
        "Messages through the mail door, 5 kB, one recipient",
        f"median of {options.rounds} interleaved rounds; {options.processes} load processes on the same machine, "
        f"{options.sessions} sessions each; every message and its record are synced to disk before the 250",
        ("subject", "messages/s", "range", "times bare", "server CPU us/message"),
        [
            (
                name,
                f"{median(rates[name]):,.0f}",
                spread(rates[name]),
                f"{relative[name]:.2f}",
                f"{median(costs[name]):,.0f}",
            )
            for name in subjects
        ],
    )


if __name__ == "__main__":
    main()
