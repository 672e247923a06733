"""Servers under test, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

MAILREEVE = str(Path(sys.executable).with_name("mailreeve"))
RIG = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A running server: where it listens, and how much processor time it has used."""

    def __init__(self, process: subprocess.Popen[str], listening: dict[str, str]) -> None:
        self._process = process
        self._listening = listening

    def address(self, door: str) -> tuple[str, int]:
        """Host and port of a listener."""
        host, _, port = self._listening[door].removeprefix("http://").rpartition(":")
        return host, int(port)

    def memory(self) -> tuple[int, int]:
        """Bytes of memory held now, and the most that were ever held."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        named = dict(line.split(":", 1) for line in status.splitlines())
        now, most = (int(named[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
        return now, most

    def cpu(self) -> float:
        """Seconds of processor time used so far, user and system, by the server and its workers."""
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        ticks = 0
        for pid in (str(parent), *children):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS


@contextmanager
def running(
    command: Sequence[str], environment: dict[str, str] | None = None, log: IO[str] | None = None
) -> Iterator[Server]:
    """Run a command that prints a line per listener and then `ready`; stop it at the end."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | (environment or {})
    )
    try:
        assert process.stdout is not None
        listening: dict[str, str] = {}
        for line in process.stdout:
            name, _, address = line.strip().partition(" ")
            if name == "ready":
                break
            listening[name] = address
        else:
            raise SystemExit(f"{command[0]} did not start; see above")
        yield Server(process, listening)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def mailreeve(folder: Path, next_hop: str = "") -> Iterator[tuple[Server, dict[str, str]]]:
    """A new Mailreeve for corp.test, without a quota, and its credentials."""
    made = subprocess.run(
        [MAILREEVE, "init", "--data", str(folder), "--domain", "corp.test", "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    environment = {"MAILREEVE_RATE_LIMIT": "1000000000", "MAILREEVE_LOG_LEVEL": "warning"}
    with running(serve(folder, next_hop), environment) as server:
        yield server, json.loads(made.stdout)


def serve(folder: Path, next_hop: str = "") -> list[str]:
    """The command that serves a folder, on ports that are free."""
    command = [MAILREEVE, "serve", "--data", str(folder), "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"]
    return command + (["--next-hop", next_hop] if next_hop else [])


@contextmanager
def rig_server(name: str, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """One of the servers in this folder: those that stand for "nothing but the library", and the fair peers."""
    with running([sys.executable, str(RIG / f"{name}.py")], environment) as server:
        yield server
